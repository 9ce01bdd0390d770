"""create_service answers at once."""

import pytest

from tests.create_service.bench import create_service

pytestmark = pytest.mark.alone


def test_a_service_is_made_in_under_three_tenths_of_a_second() -> None:
    new, *_ = create_service.measure(5)
    # the quickest run: the others tell what else this machine had to do
    assert min(new.seconds) < create_service.ALLOWED_SECONDS

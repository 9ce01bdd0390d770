"""What the page takes of a small machine while nobody looks at it, also after somebody has."""

import os

import pytest

from tests.kit import House
from tests.web.bench import idle

pytestmark = [pytest.mark.alone, pytest.mark.skipif(os.geteuid() != 0, reason="web becomes user pimains-web: needs root")]


def test_after_ten_logins_and_a_look_at_everything_it_is_small_and_sleeps(house: House) -> None:
    web = idle.begin(house)
    idle.use(web)
    found = idle.costs(web, 3.0)
    assert found.memory.pss <= 35
    assert found.wake_ups <= 1

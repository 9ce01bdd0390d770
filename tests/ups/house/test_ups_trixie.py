"""The same outages as in test_ups_outage.py, as far as NUT has a part in them, beside trixie's upsd, dummy-ups and upsmon (2.8.1)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ups.house.test_ups_outage import (  # noqa: F401  # collected here, too, with the upsd of this file
    test_a_client_that_hangs_is_waited_for_its_budget_and_named,
    test_a_primary_has_its_upsmons_shut_down_first_and_halts_when_they_have_left,
    test_a_secondary_of_a_real_primary_follows_its_forced_shutdown_and_is_logged_in_until_step_85,
    test_from_low_to_the_request_takes_no_longer_than_final_delay_where_nobody_is_waited_for,
    test_fsd_that_stands_in_upsd_when_a_machine_comes_up_shuts_nothing_down,
)
from tests.ups.nut_versions import TRIXIES
from tests.ups.upsd import USERS, Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


@pytest.fixture(params=[TRIXIES])
def upsd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Upsd]:
    with Upsd(tmp_path, "eaton", "cellar", users=f"{USERS}[carl]\n password = carl\n upsmon primary\n", enter=request.param) as upsd:
        yield upsd


def test_it_is_that_version(upsd: Upsd) -> None:
    with upsd.talk() as ask:
        assert " 2.8.1 " in ask("VER")

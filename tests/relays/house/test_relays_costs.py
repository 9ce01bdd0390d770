"""Short versions of tests/relays/bench/switching.py, which measures the same for longer."""

import statistics

import pytest

from tests.kit import House
from tests.relays.bench import switching as bench
from tests.relays.relays import Relays


@pytest.mark.parametrize("what", ["wish", "mode"])
def test_what_is_said_is_soon_at_the_pin(house: House, what: str) -> None:
    relays = Relays(house, {})
    assert statistics.median(bench.latencies(relays, what, 30)) <= 0.05  # the ledger's fsync is most of it


def test_a_thousand_wishes_a_second_end_as_was_wished(house: House) -> None:
    share, wrong = bench.storm(bench.sixty_four(house), 3, guard_seconds=1)
    assert wrong == 0
    assert share <= 50  # of a core

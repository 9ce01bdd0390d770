"""A primary and a secondary that are both ours, each with its halt service, at one upsd: who does what first."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.halt.halting import let_go, new_halt, pause_at
from tests.kit import House, TestInstance, new_house, until
from tests.ups.outages import LB, at, clients, guarding, status
from tests.ups.upsd import Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


@pytest.fixture
def neighbour() -> Iterator[House]:
    with tempfile.TemporaryDirectory(prefix="pimains-neighbour-") as root:
        yield from new_house(Path(root))


def said_at(instance: TestInstance, words: str) -> str:
    """multilog's stamp of the first line with these words, which has to be there."""
    instance.until_logged(words)
    return next(line.split()[0] for line in instance.log.splitlines() if words in line)


def test_a_primary_goes_on_when_our_secondary_has_done_its_work_and_logged_out(
    house: House, neighbour: House, upsd: Upsd, halt: TestInstance
) -> None:
    pause = pause_at(neighbour, "84-pause")
    its_halt = new_halt(neighbour)
    primary = guarding(house, at(upsd), HOSTSYNC_SECONDS_MAX="60")
    secondary = guarding(neighbour, at(upsd), ROLE="secondary", USERNAME="bert", PASSWORD="bert")
    until(lambda: clients(upsd) == 2)
    upsd.say("eaton", **LB)
    house.until(lambda: "step 84-pause" in its_halt.status, what=secondary.story)
    assert "FSD" in status(upsd)
    assert clients(upsd) == 2  # until its step 85
    assert primary.status.startswith("forced shutdown, waiting for 127.0.0.1: ")
    assert house.halts() == []
    let_go(pause)
    house.until(house.halts, what=primary.story)
    neighbour.until(neighbour.halts, what=secondary.story)
    order = [
        *((primary, "on battery -> forced"), (secondary, "-> forced"), (secondary, "delayed -> asked"), (its_halt, "shutting down: UPS")),
        *((its_halt, "84-pause done"), (primary, "logged out after"), (primary, "forced -> delayed"), (primary, "delayed -> asked")),
        *((halt, "shutting down: UPS"), (halt, "85-ups done")),
    ]
    stamps = [said_at(instance, words) for instance, words in order]
    assert stamps == sorted(stamps)
    assert said_at(its_halt, "84-pause done") < said_at(its_halt, "85-ups done") < said_at(primary, "delayed -> asked")
    assert primary.log.count("-> forced") == secondary.log.count("-> forced") == 1
    assert (house.root / "run/pimains-halt/cut").exists()
    assert not (neighbour.root / "run/pimains-halt/cut").exists()

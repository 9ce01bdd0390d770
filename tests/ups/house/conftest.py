"""A upsd with two UPSes, whose users are anna (primary), bert (secondary) and carl (primary), and a halt service whose machine stays up."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.halt.halting import new_halt
from tests.kit import House, TestInstance
from tests.ups.messages import Queue
from tests.ups.upsd import USERS, Upsd


@pytest.fixture
def upsd(tmp_path: Path) -> Iterator[Upsd]:
    with Upsd(tmp_path, "eaton", "cellar", users=f"{USERS}[carl]\n password = carl\n upsmon primary\n") as upsd:
        yield upsd


@pytest.fixture
def halt(house: House, monkeypatch: pytest.MonkeyPatch) -> TestInstance:
    monkeypatch.setenv("PIMAINS_ROOT", str(house.root))
    return new_halt(house)


@pytest.fixture
def queue(house: House, monkeypatch: pytest.MonkeyPatch) -> Queue:
    return Queue(house, monkeypatch)

"""Whatever becomes of halt's files, it is ready again, and a shutdown that is asked for comes."""

import os

import pytest

from pimains.shared import halt_request
from tests import damage
from tests.kit import House

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="halt is root's: needs root")
NAMES = ("request", "cancel", "progress", "boot", "rehearsed", "status", "unwell", "error")


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_a_request_is_carried_out_whatever_lies_in_the_place_of_what_halt_keeps(
    house: House, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIMAINS_ROOT", str(house.root))
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready" and (halt.lib / "shutdown").exists())
    damage.down(halt)
    files = [halt.run / each for each in (*NAMES, ".accepted")] + [halt.lib / each for each in ("length", "shutdown", "stopping")]
    files.append(house.root / "var/lib/pimains/ledger.sqlite")
    for path in files:
        if not path.exists():
            path.write_text("a line\n")
    damage.do(name, *files)
    damage.up(halt)
    house.until(lambda: halt.status == "ready", what=halt.log)
    length = halt.lib / "length"
    house.until(lambda: length.is_file() and len(length.read_text().split()) == 3, what=halt.log)
    shutdown = halt.lib / "shutdown"
    house.until(lambda: shutdown.is_file() and shutdown.read_text() == "30\n", what=halt.log)
    assert not house.halts()
    halt_request.ask("a test", "somebody")
    house.until(house.halts, what=halt.log)
    damage.settled(halt)
    if name == "a directory":
        halt.until_logged("is a directory: kept as request.corrupt-1", "progress")
    if name in ("torn", "zeroed", "a directory"):
        halt.until_logged("length", "the ledger was broken")


def test_a_shutdown_whose_note_is_damaged_is_taken_back_and_said(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIMAINS_ROOT", str(house.root))
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    for name in ("empty", "torn", "zeroed", "a directory"):
        damage.down(halt)
        (halt.run / "accepted").write_text(f"a test\nsomebody\nboot {halt.read('boot')}\n")
        damage.do(name, halt.run / "accepted")
        damage.up(halt)
        house.until(lambda: halt.status.startswith("ready"), 10, what=f"{name} {halt.status}")
        assert not (halt.run / "accepted").is_file()
    damage.settled(halt)

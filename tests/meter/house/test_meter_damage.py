"""Whatever becomes of a meter's files, it counts on, says what was lost, and the total is the right one or said to be unknown."""

import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests import damage
from tests.kit import House
from tests.meter.meters import Meter

ROWS = 5000


def filled(house: House, meter: Meter) -> int:
    """As after some days; how many readings there are."""
    damage.down(meter.instance)
    with closing(sqlite3.connect(meter.instance.lib / "journal.sqlite")) as journal, journal:
        columns = 'source, name, boot, "offset", synchronised'
        journal.execute(f"insert into boots ({columns}) values ('meter', 'earlier', 'a boot', ?, 1)", (time.time() - 10 * ROWS,))
        (boot,) = journal.execute("select id from boots where name = 'earlier'").fetchone()
        journal.executemany("insert into readings values (?,?,null,?,?)", [(boot, number, 5.0 * number, 0) for number in range(1, ROWS)])
        return int(journal.execute("select count(*) from readings").fetchone()[0])


def rows(path: Path) -> int:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)) as journal:
        return int(journal.execute("select count(*) from readings").fetchone()[0])


def counts(house: House, meter: Meter, before: int) -> None:
    """It does."""
    meter.pins("24 pulses 3")
    house.until(lambda: meter.pulses == before + 3, what="the pulses to be counted")


def told(house: House) -> str:
    return "".join(path.read_text() for path in (house.root / "var/lib/pimains/notify/queue").iterdir())


@pytest.fixture
def meter(house: House) -> Meter:
    house.add("notify", svscan=False, MAIL_TO="", APPRISE_FILE="")
    meter = Meter(house, START_TOTAL="100")
    meter.pins("24 pulses 20")
    house.until(lambda: meter.pulses == 20 and meter.instance.read("total") == "100.020", what="20 pulses")
    house.until(lambda: (house.root / "var/lib/pimains/notify/queue").is_dir())
    return meter


def test_a_journal_ruined_behind_its_first_page_is_set_aside_and_what_can_be_read_goes_on(house: House, meter: Meter) -> None:
    there = filled(house, meter)
    damage.behind_page_1(meter.instance.lib / "journal.sqlite")
    meter.instance.set("COLLECTOR", "http://127.0.0.1:9")  # whoever sends reads what is to be sent
    meter.instance.set("TOKEN", "a-token-of-a-test")
    ruined = (meter.instance.lib / "journal.sqlite").read_bytes()[11 * damage.PAGE : 12 * damage.PAGE]
    damage.up(meter.instance)
    counts(house, meter, 20)
    damage.down(meter.instance)  # it saves
    damage.up(meter.instance)
    damage.settled(meter.instance)
    counts(house, meter, 23)
    aside = meter.instance.lib / "journal.sqlite.corrupt-1"
    house.until(aside.exists, what=meter.instance.story)
    assert aside.read_bytes()[11 * damage.PAGE : 12 * damage.PAGE] == ruined
    meter.instance.until_logged("put aside as journal.sqlite.corrupt-1, a new one is begun with")
    damage.down(meter.instance)
    assert rows(meter.instance.lib / "journal.sqlite") > there / 2
    assert "its journal of readings was broken" in told(house)


# what is damaged at once, and what is said of it; the count and the total are the right ones in each case
CELLS = {
    "lost": "goes on from the count 20",
    "empty": "face: is empty: kept as face.corrupt-1",
    "torn": "face: ends in the middle: kept as face.corrupt-1",
    "zeroed": "face: is empty: kept as face.corrupt-1",
    "of another owner": "face: belonged to root: it is this service's again",
    "a directory": "face: is a directory: kept as face.corrupt-1",
}


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_it_counts_on_from_where_it_was_and_shows_the_same_total(house: House, meter: Meter, name: str) -> None:
    run, lib = meter.instance.run, meter.instance.lib
    damage.met_by(meter.instance, name, lib / "count", run / "count", lib / "face", run / "total")
    house.until(lambda: meter.instance.read("total") == "100.020", what=meter.instance.status)
    counts(house, meter, 20)
    damage.settled(meter.instance)
    house.until(lambda: meter.instance.read("total") == "100.023", what=meter.instance.status)
    meter.instance.until_logged(CELLS[name])
    assert (name == "of another owner") == ("it showed 100 kWh at the count 0, as the ledger has it" not in meter.instance.log)


@pytest.mark.parametrize("name", [name for name in damage.DAMAGES if name != "lost"])
def test_a_damaged_journal_is_kept_and_the_count_stays(house: House, meter: Meter, name: str) -> None:
    run, lib = meter.instance.run, meter.instance.lib
    damage.met_by(meter.instance, name, lib / "journal.sqlite", run / "recent.sqlite")
    counts(house, meter, 20)
    damage.settled(meter.instance)
    house.until(lambda: meter.instance.read("total") == "100.023", what=meter.instance.status)
    if name not in ("empty", "of another owner"):
        meter.instance.until_logged("journal.sqlite.corrupt-1, a new one is begun")
        assert "its journal of readings was broken" in told(house)


def test_with_its_face_and_the_ledger_lost_the_total_is_not_known_rather_than_wrong(house: House, meter: Meter) -> None:
    damage.down(meter.instance)
    damage.torn(meter.instance.lib / "face")
    (house.root / "var/lib/pimains/ledger/ledger.sqlite").unlink()
    damage.up(meter.instance)
    house.until(lambda: "total not known: pimains meter set TOTAL" in meter.instance.status)
    counts(house, meter, 20)
    damage.settled(meter.instance)
    assert not (meter.instance.run / "total").exists()


def test_an_old_copy_of_the_count_goes_on_from_where_the_journal_is(house: House, meter: Meter) -> None:
    damage.down(meter.instance)
    old = (meter.instance.lib / "count").read_bytes()
    damage.up(meter.instance)
    counts(house, meter, 20)
    house.until(lambda: meter.instance.read("total") == "100.023")
    damage.down(meter.instance)
    (meter.instance.lib / "count").write_bytes(old)
    damage.lost(meter.instance.run / "count")  # the machine was started anew
    damage.up(meter.instance)
    counts(house, meter, 23)
    meter.instance.until_logged("goes on from the count 23", "count: it was at 20, and there are readings of 23")
    assert "it was at 20" in told(house)


def put_another(path: Path) -> None:
    """An old copy, by mv(1)."""
    other = path.with_name("old copy")
    with closing(sqlite3.connect(other)) as copy, copy:
        copy.execute("create table of_another (number)")
    os.chown(other, path.stat().st_uid, -1)
    other.rename(path)


@pytest.mark.parametrize("take", [damage.lost, put_another])
def test_a_journal_that_is_taken_from_under_the_service_is_written_anew_and_no_reading_is_lost(
    house: House, meter: Meter, take: Callable[[Path], None]
) -> None:
    journal = meter.instance.lib / "journal.sqlite"
    there = filled(house, meter)
    damage.up(meter.instance)
    counts(house, meter, 20)
    pid = meter.instance.pid
    take(journal)
    meter.instance.until_logged("while it was in use")
    counts(house, meter, 23)
    assert meter.instance.pid == pid
    damage.down(meter.instance)
    assert rows(journal) > there + 1
    assert (journal.with_name("journal.sqlite.corrupt-1").exists(), "was removed while" in meter.instance.log) == (
        (False, True) if take is damage.lost else (True, False)
    )
    assert "its journal of readings was not in its place" in told(house)
    damage.up(meter.instance)
    damage.settled(meter.instance)
    assert meter.pulses == 26
    assert "begins a journal" not in meter.instance.log[meter.instance.log.index("while it was in use") :]


def test_with_its_directory_gone_it_counts_on_and_has_every_reading_when_that_is_back(house: House, meter: Meter) -> None:
    lib = meter.instance.lib
    there = filled(house, meter)
    damage.up(meter.instance)
    counts(house, meter, 20)
    owner = lib.stat().st_uid
    shutil.rmtree(lib)
    house.until(lambda: f"sudo install -d -o pimains {lib} brings all readings back" in meter.instance.status, what=meter.instance.story)
    counts(house, meter, 23)
    lib.mkdir()
    os.chown(lib, owner, -1)
    meter.instance.until_logged("was removed while it was in use")
    house.until(lambda: "is gone" not in meter.instance.status, what=meter.instance.story)
    damage.down(meter.instance)
    assert rows(lib / "journal.sqlite") > there
    damage.up(meter.instance)
    assert meter.pulses == 26
    house.until(lambda: meter.instance.read("total") == "100.026", what=meter.instance.story)

"""The databases that graphs are drawn of: how their room for detail grows with what is in the journal, without any of it being lost."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.collector.graphs import databases
from pimains.collector.graphs.databases import CannotDraw, Databases, room_days
from pimains.shared.plan.delivery import Batch, Boot, Reading
from pimains.shared.readings.journal import Journal
from pimains.shared.readings.series.series import Series

BEGUN = 1_795_266_300
DAY = 86_400
EVERY = 300  # seconds from one reading to the next
FILE = "s-house.rrd"


class Written:
    """A journal whose readings go on, and databases of it."""

    def __init__(self, directory: Path) -> None:
        self.journal, self.series = Journal(directory / "journal.sqlite"), Series(directory / "journal.sqlite")
        self.directory = directory
        self.readings = 0

    def until(self, day: float) -> float:
        """When all readings until then are stored."""
        rows = []
        while (self.readings + 1) * EVERY <= day * DAY:
            self.readings += 1
            rows.append(Reading("b", self.readings, None, self.readings * float(EVERY), self.readings * 10 + self.readings % 7))
        batch = Batch("house", "kWh", 1000, None, {"b": Boot(BEGUN, True)}, sorted(rows, key=lambda row: row.sequence))
        self.series.describe(batch)
        self.journal.store_all([batch])
        return BEGUN + day * DAY

    def databases(self, name: str) -> Databases:
        return Databases(self.directory / name, 365)

    def refresh(self, databases: Databases, now: float) -> None:
        assert databases.refresh(self.series, self.series.meters()["house"], now)


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Written]:
    it = Written(tmp_path)
    yield it
    it.series.close()
    it.journal.close()


def rows(databases: Databases) -> int:
    said = databases.run("info", FILE).decode()
    return int(next(line for line in said.splitlines() if line.startswith("rra[0].rows")).rpartition("=")[2])


def detail(databases: Databases, day: float) -> bytes:
    start = int(BEGUN + day * DAY) // 5 * 5
    return databases.run("fetch", FILE, "AVERAGE", "--resolution=5", f"--start={start}", f"--end={start + 3600}")


def test_the_room_grows_with_the_readings_and_nothing_drawn_is_lost_by_it(written: Written) -> None:
    growing = written.databases("growing")
    made = set()
    for day, room in ((1, 8), (6.5, 8), (7.5, 16), (14, 16), (40, 64), (130, 365)):
        written.refresh(growing, written.until(day))
        assert rows(growing) == room * DAY / 5
        made.add(json.loads((growing.directory / "s-house.json").read_text())["built"])
    assert len(made) == 1
    assert not (growing.directory / "resize.rrd").exists()
    at_once = written.databases("at-once")
    written.refresh(at_once, BEGUN + 130 * DAY)
    for day in (0.5, 5, 7.2, 13, 39, 100, 129.9):
        assert detail(growing, day) == detail(at_once, day)
        assert b"nan" not in detail(growing, day)


def test_who_was_away_for_longer_than_there_was_room_loses_no_detail(written: Written) -> None:
    databases = written.databases("rrd")
    written.refresh(databases, written.until(1))
    written.refresh(databases, written.until(60))
    assert rows(databases) == 64 * DAY / 5
    assert b"nan" not in detail(databases, 2)


def test_one_of_before_rooms_were_noted_has_all_of_it(written: Written) -> None:
    databases = written.databases("rrd")
    written.refresh(databases, written.until(1))
    databases.run("resize", FILE, "0", "GROW", str(357 * DAY // 5))
    (databases.directory / "resize.rrd").rename(databases.directory / FILE)
    note = databases.directory / "s-house.json"
    said = json.loads(note.read_text())
    del said["room"]
    note.write_text(json.dumps(said))
    written.refresh(databases, written.until(20))
    assert rows(databases) == 365 * DAY / 5
    assert json.loads(note.read_text())["built"] == said["built"]


def test_one_that_cannot_grow_is_made_anew(written: Written) -> None:
    databases = written.databases("rrd")
    written.refresh(databases, written.until(1))
    (databases.directory / FILE).write_bytes(b"no database")
    with pytest.raises(CannotDraw):
        databases.run("info", FILE)
    written.refresh(databases, written.until(20))
    assert rows(databases) == 32 * DAY / 5
    assert b"nan" not in detail(databases, 2)


@pytest.mark.parametrize("every", [2.0, 5.0, 5.02, 7.0, 11.3, 36.0, 600.0])
def test_a_load_that_does_not_change_is_drawn_as_a_line_whenever_its_readings_came(tmp_path: Path, every: float) -> None:
    journal, series = Journal(tmp_path / "journal.sqlite"), Series(tmp_path / "journal.sqlite")
    readings = [Reading("b", each, None, each * every, each * 100) for each in range(1, int(7200 / every))]
    journal.store_all([batch := Batch("house", "kWh", 1000, None, {"b": Boot(BEGUN + 0.1, True)}, readings)])
    series.describe(batch)
    databases = Databases(tmp_path / "rrd", 365)
    assert databases.refresh(series, series.meters()["house"], BEGUN + 7200)
    drawn = [float(line.split()[1]) for line in detail(databases, 1800 / DAY).decode().splitlines() if ": " in line]
    assert drawn == pytest.approx([360_000 / every] * len(drawn), rel=1e-4)
    journal.close()
    series.close()


def test_it_is_told_when_one_is_made_anew_because_another_process_has_changed_its_past(tmp_path: Path) -> None:
    journal, series = Journal(tmp_path / "journal.sqlite"), Series(tmp_path / "journal.sqlite")
    readings = [Reading("b", each, None, each * 5.0, each * 100) for each in range(1, 100)]
    journal.store_all([batch := Batch("house", "kWh", 1000, None, {"b": Boot(BEGUN + 0.1, True)}, readings)])
    series.describe(batch)
    made: list[str] = []
    databases = Databases(tmp_path / "rrd", 365, made.append)
    for _ in range(2):
        assert databases.refresh(series, series.meters()["house"], BEGUN + 7200)
    assert made == ["house"]
    Databases(tmp_path / "rrd", 0).forget("house")
    assert databases.refresh(series, series.meters()["house"], BEGUN + 7200)
    assert made == ["house", "house"]
    journal.close()
    series.close()


@pytest.mark.parametrize(
    ("days", "most", "room"),
    [(-3, 365, 8), (0, 365, 8), (6.9, 365, 8), (7, 365, 16), (126.9, 365, 128), (127, 365, 365), (0, 3, 3), (20, 30, 30)],
)
def test_there_is_always_room_for_a_day_more_or_for_all_that_is_kept(days: float, most: int, room: int) -> None:
    assert room_days(days * DAY, most) == room


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("exec sleep 1000", "rrdtool took more than 0.5 s"),
        ('[ "$1" = - ] || exec {real} "$@"; exec sleep 1000', "rrdtool took more than 0.5 s"),
        ('[ "$1" = - ] || exec {real} "$@"; while read -r _; do echo OK; done; exec sleep 1000', "rrdtool took more than 0.5 s"),
        ('[ "$1" = - ] || exec {real} "$@"; read -r _; exit', "rrdtool ended"),
    ],
    ids=["at all", "instead of an answer", "after the last answer", "not, and ends"],
)
def test_an_rrdtool_that_hangs_is_ended_and_there_is_no_picture(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, words: str
) -> None:
    now = written.until(1)
    (tmp_path / "bin").mkdir()
    rrdtool = tmp_path / "bin/rrdtool"
    rrdtool.write_text(f"#!/bin/sh\necho $$ >>{tmp_path}/pids\n{program.format(real=shutil.which('rrdtool'))}\n")
    rrdtool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setattr(databases, "_DRAW_SECONDS_MAX", 0.5)
    with pytest.raises(CannotDraw, match=f"^{words}$"):
        written.refresh(written.databases("graphs"), now)
    pids = (tmp_path / "pids").read_text().split()
    assert [pid for pid in pids if Path("/proc", pid).exists()] == []
    monkeypatch.undo()
    written.refresh(written.databases("graphs"), now)

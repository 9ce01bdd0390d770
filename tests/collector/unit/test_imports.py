"""Histories of other programs: read, imported into a journal, and taken out again."""

import os
import subprocess
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.collector.history import readings_table, rrd_dump
from pimains.collector.history.imports import Imports
from pimains.collector.history.readings_table import Said, Table
from pimains.collector.plan.table_columns import Kind
from pimains.core.errors import Misused, PimainsError
from pimains.shared.plan.delivery import Batch, Boot, Reading
from pimains.shared.readings import export
from pimains.shared.readings.journal import Journal
from pimains.shared.readings.plan.flow_steps import Steps
from pimains.shared.readings.plan.imports import Readings, Slice, Span, stored_slices
from pimains.shared.readings.series.figures import bars
from pimains.shared.readings.series.series import Series
from tests.collector.zones import in_zone

NOON = 1_795_262_400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Journal(tmp_path / "journal.sqlite").close()
    return tmp_path / "journal.sqlite"


def put(path: Path, source: str, slices: list[Slice], unit: str = "kWh", digest: str = "x") -> int:
    imports = Imports(path)
    try:
        made = Readings(unit, imports.taken(source))
        return imports.store(source, unit, "f", digest, made, made.of(slices), [])
    finally:
        imports.close()


def forget(path: Path, number: int) -> None:
    imports = Imports(path)
    imports.forget(number)
    imports.close()


def hear(path: Path, *readings: tuple[float, int], impulses: float = 1000) -> None:
    """A meter's own readings: seconds since 1970 and its count."""
    journal, series = Journal(path), Series(path)
    rows = [Reading("b", number, None, at, pulses) for number, (at, pulses) in enumerate(readings, 1)]
    series.describe(Batch("house", "kWh", impulses, None, {"b": Boot(0.0, True)}, rows))
    journal.store("house", {"b": Boot(0.0, True)}, rows)
    journal.close()
    series.close()


def hour_slices(start: float, count: int, amount: float = 1.0) -> list[Slice]:
    return [Slice(start + 3600 * number, 3600, amount) for number in range(1, count + 1)]


@pytest.fixture
def series(path: Path) -> Iterator[Series]:
    series = Series(path)
    yield series
    series.close()


def amount(series: Series, start: float, end: float, source: str = "house") -> float:
    first, last = series.count_at(source, start), series.count_at(source, end)
    assert first is not None
    assert last is not None
    return series.meters()[source].amount(last - first)


def test_what_was_before_the_meter_counts_up_to_where_it_began(path: Path, series: Series) -> None:
    hear(path, (NOON, 250), (NOON + 3600, 1250))
    put(path, "house", hour_slices(NOON - 36_000, 10))
    assert amount(series, NOON - 36_000, NOON) == pytest.approx(10)
    assert amount(series, NOON - 1800, NOON + 1800) == pytest.approx(1)
    assert series.meters()["house"].impulses_per_unit == 1000


def test_a_meter_that_begins_later_goes_on_from_what_was_imported(path: Path, series: Series) -> None:
    put(path, "house", hour_slices(NOON - 36_000, 10))
    assert series.last("house") == (NOON, 0)
    assert series.meters()["house"].total(0) == pytest.approx(10)
    hear(path, (NOON + 5, 0), (NOON + 3605, 1000))
    assert amount(series, NOON - 36_000, NOON + 3605) == pytest.approx(11)
    assert series.meters()["house"].total(1000) == pytest.approx(11)


def test_two_years_imported_in_either_order_follow_each_other(path: Path, series: Series) -> None:
    put(path, "house", hour_slices(NOON, 10))
    put(path, "house", hour_slices(NOON - 36_000, 10, 2.0), digest="y")
    assert amount(series, NOON - 36_000, NOON + 36_000) == pytest.approx(30)
    assert series.meters()["house"].total(0) == pytest.approx(30)


def test_only_what_is_not_there_is_taken(path: Path) -> None:
    put(path, "house", hour_slices(NOON, 10))
    hear(path, (NOON + 20 * 3600, 1), (NOON + 20 * 3600 + 5, 2))
    imports = Imports(path)
    made = Readings("kWh", imports.taken("house"))
    imports.store("house", "kWh", "f", "y", made, made.of(hour_slices(NOON - 36_000, 40)), [])
    assert (made.slices, made.left_out, made.amount) == (20, 20, pytest.approx(20))
    assert sorted(made.pieces.values()) == [Span(NOON - 36_000, NOON), Span(NOON + 36_000, NOON + 72_000)]
    made = Readings("kWh", imports.taken("house"))
    with pytest.raises(Misused, match="nothing in it"):
        imports.store("house", "kWh", "f", "y", made, made.of(hour_slices(NOON - 36_000, 40)), [])
    imports.close()
    series = Series(path)
    assert amount(series, NOON - 36_000, NOON + 72_000) == pytest.approx(30)
    series.close()


def test_forgetting_an_import_leaves_what_was_before(path: Path, series: Series) -> None:
    hear(path, (NOON, 250), (NOON + 3600, 1250))
    before = list(series.readings("house", 0, 1e12))
    edition = series.meters()["house"].edition
    number = put(path, "house", hour_slices(NOON - 36_000, 10))
    assert series.meters()["house"].edition != edition
    edition = series.meters()["house"].edition
    forget(path, number)
    assert list(series.readings("house", 0, 1e12)) == before
    assert series.meters()["house"].edition != edition
    with pytest.raises(Misused, match="no import 1"):
        forget(path, number)


def test_a_source_that_was_only_imported_is_gone_with_its_import(path: Path, series: Series) -> None:
    forget(path, put(path, "old", hour_slices(NOON, 3)))
    assert series.meters() == {}


def test_an_import_that_stops_half_way_is_never_seen_and_the_next_one_removes_it(path: Path, series: Series) -> None:
    def broken() -> Iterator[Slice]:
        yield from hour_slices(NOON, 30_000)
        raise OSError

    imports = Imports(path)
    made = Readings("kWh", [])
    with pytest.raises(OSError):
        imports.store("house", "kWh", "f", "x", made, made.of(broken()), [])
    imports.close()
    pid = os.fork()
    if pid == 0:
        imports = Imports(path)
        made = Readings("kWh", [])
        seen = iter(made.of(broken()))
        imports.store("house", "kWh", "f", "x", made, (row if row.sequence < 10**8 else os._exit(0) for row in seen), [])
    os.waitpid(pid, 0)
    assert series.last("house") is None
    assert rows(path) > 0
    Imports(path).close()
    assert rows(path) == 0


def rows(path: Path) -> int:
    import sqlite3

    return int(sqlite3.connect(path).execute("select count(*) from readings").fetchone()[0])


def test_room_is_made_in_what_was_imported_first_and_no_total_changes(path: Path, series: Series) -> None:
    hear(path, *[(NOON + 5 * number, 7 * number) for number in range(5000)])
    put(path, "house", [Slice(NOON - 200_000 + 5 * number, 5, 0.001) for number in range(1, 20_000)])
    before = amount(series, NOON - 200_000, NOON + 24_995)
    journal = Journal(path)
    journal.thin(journal.bytes() - 100_000)
    journal.close()
    assert len(list(series.points("house", NOON, 1e12))) == 5000
    assert 5000 < len(list(series.points("house", 0, NOON))) < 19_000
    assert amount(series, NOON - 200_000, NOON + 24_995) == pytest.approx(before)
    assert not any(reading.after_gap for reading in list(series.readings("house", 0, NOON))[1:])


def test_two_imports_at_once_are_refused(path: Path) -> None:
    first = Imports(path)
    with pytest.raises(PimainsError, match="another import"):
        Imports(path)
    first.close()
    Imports(path).close()


def test_gaps_stay_gaps_and_hours_that_are_known_are_none(path: Path, series: Series) -> None:
    put(path, "house", [*hour_slices(NOON, 2), Slice(NOON + 7290, 5, 0.001), Slice(NOON + 7295, 5, 0.001)])
    found = [(reading.time - NOON, reading.after_gap) for reading in series.readings("house", 0, 1e12)]
    assert found == [(0, False), (3600, False), (7200, False), (7285, True), (7290, False), (7295, False)]
    steps = list(Steps(series.meters()["house"], None).of(series.readings("house", 0, 1e12)))
    assert [step.end - NOON for step in steps if step.flow is None] == [7285]


def test_what_would_be_stored_is_what_flowed_without_gaps_and_days_without_any_stay() -> None:
    slices = [Slice(NOON, 5, 0.5), Slice(NOON + 5, 5, 0.0), Slice(NOON + 900, 5, 0.25), Slice(NOON + 9000, 8100, 3.0, False)]
    assert list(stored_slices(Readings("kWh", []).of(slices), "kWh")) == slices


@given(st.lists(st.tuples(st.floats(1, 5000), st.floats(0, 5), st.booleans()), min_size=1, max_size=30), st.integers(0, 3))
def test_whatever_lies_in_between_no_amount_is_lost_or_doubled(pieces: list[tuple[float, float, bool]], blocks: int) -> None:
    slices, at = [], NOON
    for seconds, amount, is_gap in pieces:
        at += 100.0 * is_gap + seconds
        slices.append(Slice(at, seconds, amount))
    span = at - NOON
    taken = [Span(NOON + span * (2 * n + 1) / 8, NOON + span * (2 * n + 2) / 8) for n in range(blocks)]
    made = Readings("kWh", taken)
    found = list(made.of(slices))
    assert made.slices + made.left_out == len(slices)
    wanted = sum(s.amount for s in slices if not any(b.start < s.end - 0.002 and b.end > s.end - s.seconds + 0.002 for b in taken))
    assert made.amount == pytest.approx(wanted)
    for before, after in pairwise(found):
        assert after.piece != before.piece or (after.sequence > before.sequence and after.time > before.time)


def table(tmp_path: Path, text: str, column: Kind | None = None) -> list[Slice]:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    return list(Table(tmp_path / "t.csv", None, lambda _: None, said=Said(column)).slices())


def test_watts_count_for_the_time_since_the_line_before_and_gaps_for_nothing(tmp_path: Path) -> None:
    lines = "".join(f"{NOON + at},{watts}\n" for at, watts in ((0, 9), (5, 3600), (10, 7200), (200, 99), (205, 0), (210, ""), (215, 36)))
    found = table(tmp_path, "time,watts\n" + lines)
    assert [(each.end - NOON, each.seconds, each.amount) for each in found] == [
        (5, 5, 0.005), (10, 5, 0.01), (205, 5, 0.0), (215, 5, pytest.approx(0.00005))
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "time,total_kWh\n2026-11-21T12:00:00Z,100\n2026-11-21T13:00:00+00:00,1100.5\n",
        "unixtime,kWh\n1795262400,100\n1795266000.0,1100.5\n",
        "Zeit\tkWh\n21.11.2026 12:00\t100,0\n21.11.2026 13:00\t1.100,5\n",
        "timestamp;total\n1795262400000;100,0\n1795266000000;1.100,5\n",
        "\ufeffDatum;Zählerstand\n21.11.2026 12:00;100\n21.11.2026 13:00:00;1.100,50\n\n",
        "a\ttime\tkwh\nx\t2026-11-21 12:00\t100\ny\t2026-11-21 13:00\t1.1005e3\n",
    ],
)
@pytest.mark.usefixtures("greenwich")
def test_tables_are_read_as_people_have_them(tmp_path: Path, text: str) -> None:
    assert table(tmp_path, text, "total") == [Slice(NOON + 3600, 3600, 1000.5)]


@pytest.fixture
def berlin() -> Iterator[None]:
    with in_zone("Europe/Berlin"):
        yield


@pytest.fixture
def greenwich() -> Iterator[None]:
    with in_zone("UTC"):
        yield


@pytest.mark.usefixtures("berlin")
def test_the_hour_that_comes_twice_comes_twice_and_the_one_that_is_left_out_is_none(tmp_path: Path) -> None:
    autumn = ["2026-10-25 01:30", "2026-10-25 02:00", "2026-10-25 02:30", "2026-10-25 02:00", "2026-10-25 02:30", "2026-10-25 03:00"]
    found = table(tmp_path, "time,kWh\n" + "".join(f"{at},{number}\n" for number, at in enumerate(autumn)), "total")
    assert [each.seconds for each in found] == [1800] * 5
    spring = ["29.03.2026 01:30", "29.03.2026 03:00"]
    assert table(tmp_path, "time,kWh\n" + "".join(f"{at},{number}\n" for number, at in enumerate(spring)), "total")[0].seconds == 1800


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1: the first line names no columns"),
        ("1795262400,350\n", "line 1: the first line names no columns"),
        ("time,watts\n2026-11-21,1\nyesterday,1\n", "line 3: 'yesterday' is no time such as"),
        ("\n\ntime,watts\n\n2026-11-21,1\n2026-11-22,much\n", "line 6: 'much' is no number"),
        ("time,watts\n2026-11-21,1\n2026-11-20,1\n", "line 3: its time is before that of the line above"),
        ("time,watts\n2026-11-21,1\n2026-11-21,2\n", "line 3: it has the time of the line above, and another value"),
        ("time,watts\n2026-11-21,1\n2026-11-22\n", "line 3: 1 column where the first line has more"),
        ("time,watts\n2026-11-21,-5\n", "line 2: -5 W: what flows back"),
        pytest.param(
            "time,kWh\n" + "".join(f"{n},{n}\n" for n in range(2500)) + "2500,7\n", "line 2502: 7 is less than 2499 above it", id="falls"
        ),
        pytest.param('time,watts\n"' + "x" * 200_000 + "\n", "field larger", id="long"),
        ("\0" * 1000, "line 1: the first line names no columns"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(readings_table.Wrong) as wrong:
        table(tmp_path, text, "total" if "kWh" in text else None)
    assert complaint in str(wrong.value)


def test_what_is_still_to_come_and_columns_of_another_unit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("time,watts\n2026-11-21,1\n2026-11-25,1\n")
    with pytest.raises(readings_table.Wrong, match="line 3: '2026-11-25' is still to come"):
        list(readings_table.Table(path, None, lambda _: None, NOON).slices())
    path.write_text("time,total_m3\n2026-11-21,1\n")
    with pytest.raises(readings_table.Wrong, match=r"for a source in kWh: one of .*, and one of watts, total_kWh, amount_kWh "):
        list(readings_table.Table(path, "kWh", lambda _: None).slices())


def test_what_a_collector_exports_can_be_imported_by_another(tmp_path: Path, path: Path, series: Series) -> None:
    hear(path, *[(NOON + 5 * number, 7 * number) for number in range(500)])
    meter = series.meters()["house"]
    text = "".join(export.csv(meter, series.points("house", 0, 1e12)))
    put(path, "copy", table(tmp_path, text))
    copied = "".join(export.csv(series.meters()["copy"], series.points("copy", 0, 1e12)))
    columns = [[line.split(",") for line in each.splitlines()[1:]] for each in (text, copied)]
    assert [(row[1], row[4]) for row in columns[0]] == [(row[1], row[4]) for row in columns[1]]


def rrd(tmp_path: Path, *archives: str, kind: str = "GAUGE", more: tuple[str, ...] = (), values: int = 2000) -> Path:
    """A database like POWERPI's: watts every 5 s; 360 W, every fourth hour nothing known."""
    file = tmp_path / "power.rrd"
    start = int(NOON)
    words = ["rrdtool", "create", file, f"--start={start}", "--step=5", f"DS:power:{kind}:20:0:U", *more, *archives]
    subprocess.run(words, check=True)
    updates = [f"{start + 5 * n}:{360}" + ":1" * len(more) for n in range(1, values + 1) if not 1000 < n <= 1100]
    for at in range(0, len(updates), 500):
        subprocess.run(["rrdtool", "update", file, *updates[at : at + 500]], check=True)
    return file


def read(path: Path, name: str | None = None, factor: float | None = None, unit: str = "kWh") -> list[list[Slice]]:
    return [list(archive) for archive in rrd_dump.slices(path, rrd_dump.Asked(name, factor, unit), lambda _: None)]


def test_a_database_and_its_dump_are_the_same_history(tmp_path: Path) -> None:
    file = rrd(tmp_path, "RRA:AVERAGE:0.5:1:4000")
    (found,) = read(file)
    assert sum(each.amount for each in found) == pytest.approx(0.95, rel=0.02)
    assert {each.seconds for each in found} == {5}
    assert found[-1].end == NOON + 10_000
    assert not [each for each in found if NOON + 5025 < each.end <= NOON + 5480]
    dump = tmp_path / "power.xml"
    subprocess.run(["rrdtool", "dump", file, dump], check=True)
    assert read(dump) == [found]


def test_what_the_finest_archive_has_forgotten_comes_from_a_coarser_one(tmp_path: Path, path: Path, series: Series) -> None:
    file = rrd(tmp_path, "RRA:AVERAGE:0.5:60:300", "RRA:MAX:0.5:1:4000", "RRA:AVERAGE:0.5:1:500")
    fine, coarse = read(file)
    assert ({each.seconds for each in fine}, {each.seconds for each in coarse}) == ({5}, {300})
    imports = Imports(path)
    made = Readings("kWh", [])
    imports.store("house", "kWh", "f", "x", made, (row for archive in (fine, coarse) for row in made.of(archive)), [])
    imports.close()
    assert amount(series, NOON, NOON + 10_000) == pytest.approx(0.95, abs=0.06)
    flows = [step.flow for step in Steps(series.meters()["house"], None).of(series.readings("house", 0, 1e12)) if step.flow]
    assert flows == pytest.approx([360] * len(flows), rel=0.01)


@pytest.mark.parametrize(
    ("more", "words", "complaint"),
    [
        ({"more": ("DS:volts:GAUGE:20:0:U",)}, {}, "it has several data sources; --ds says which: power, volts"),
        ({}, {"name": "amps"}, "it has no data source amps; it has power"),
        ({"kind": "DERIVE"}, {}, "power is a DERIVE, a rate: --factor says"),
    ],
)
def test_a_database_that_does_not_say_enough_is_asked_about(
    tmp_path: Path, more: dict[str, object], words: dict[str, str], complaint: str
) -> None:
    file = rrd(tmp_path, "RRA:AVERAGE:0.5:1:500", values=10, **more)  # type: ignore[arg-type]
    with pytest.raises(rrd_dump.Wrong) as wrong:
        read(file, **words)  # type: ignore[arg-type]
    assert complaint in str(wrong.value)


def test_one_of_several_and_a_factor_are_taken(tmp_path: Path) -> None:
    file = rrd(tmp_path, "RRA:AVERAGE:0.5:1:500", values=100, more=("DS:volts:GAUGE:20:0:U",))
    (found,) = read(file, "volts", 2.0, "m3")
    assert found[-1].amount == pytest.approx(2 * 5 / 3600)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: text[: len(text) // 2], "this is no dump"),
        (lambda text: text.replace("<v>3.6", "<v>much", 1), "could not convert"),
        (lambda text: text.replace("<!-- 20", "<!-- x", 1).replace(" / 17", " 17", 1), "invalid literal"),
        (lambda text: text.replace("</cf>", "</ff>"), "no archive of averages"),
        (lambda text: '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>' + text[text.index("<rrd>") :], "entities do not belong"),
    ],
)  # fmt: skip
def test_a_dump_that_is_none_is_refused_in_one_line(tmp_path: Path, change: object, complaint: str) -> None:
    dump = tmp_path / "power.xml"
    subprocess.run(["rrdtool", "dump", rrd(tmp_path, "RRA:AVERAGE:0.5:1:50", values=60), dump], check=True)
    dump.write_text(change(dump.read_text()))  # type: ignore[operator]
    with pytest.raises(rrd_dump.Wrong) as wrong:
        read(dump)
    assert complaint in str(wrong.value)
    assert "\n" not in str(wrong.value)


def test_a_database_that_is_broken_is_refused_in_rrdtools_words(tmp_path: Path) -> None:
    (tmp_path / "power.rrd").write_bytes(b"RRD\0" + b"0003" * 100)
    with pytest.raises(rrd_dump.Wrong, match=r"power\.rrd"):
        read(tmp_path / "power.rrd")


@pytest.mark.usefixtures("berlin")
def test_days_of_23_and_25_hours_have_what_they_had(path: Path, series: Series) -> None:
    put(path, "house", hour_slices(datetime(2026, 3, 1).timestamp(), 24 * 300))
    for day, hours in ((datetime(2026, 3, 29, 12), 23), (datetime(2026, 10, 25, 12), 25), (datetime(2026, 11, 1, 12), 24)):
        (bar,) = bars(series, series.meters()["house"], "days", day.timestamp(), 1)
        assert (bar.period.label, bar.amount) == (day.strftime("%Y-%m-%d"), pytest.approx(hours))

"""Tables of other programs: read as what they are, asked about where they do not say it, or refused by line."""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pimains.collector.history.readings_table import Read, Said, Table, Wrong
from pimains.collector.plan.table_columns import chosen, head_of
from pimains.collector.plan.table_numbers import Numbers
from pimains.collector.plan.table_slices import Sums, Way
from pimains.shared.readings.plan.imports import Slice
from tests.collector.zones import in_zone

NOW = datetime(2026, 11, 27, 12).timestamp()
DAY = 86_400.0
HOUR = 3600.0


@pytest.fixture(autouse=True)
def berlin() -> Iterator[None]:
    with in_zone("Europe/Berlin"):
        yield


def at(*when: int, fold: int = 0) -> float:
    return datetime(*when, fold=fold).timestamp()  # type: ignore[arg-type,misc]


@pytest.fixture
def opened(tmp_path: Path) -> "Opened":
    return Opened(tmp_path / "t.csv")


class Opened:
    """What a table comes to, whose text is `text`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def table(self, text: str | bytes, said: Said | None = None, unit: str | None = None, now: float = NOW) -> Table:
        self.path.write_bytes(text.encode() if isinstance(text, str) else text)
        return Table(self.path, unit, lambda _: None, now, said)

    def slices(self, text: str | bytes, said: Said | None = None, unit: str | None = None) -> list[Slice]:
        return list(self.table(text, said, unit).slices())

    def sums(self, text: str | bytes, said: Said | None = None, unit: str | None = None) -> dict[str, float]:
        table = self.table(text, said, unit)
        (way,) = table.ways()
        return {name: round(amount, 6) for name, amount in table.sums(way).items()}

    def wrong(self, text: str | bytes, said: Said | None = None, unit: str | None = None) -> str:
        with pytest.raises(Wrong) as wrong:
            self.slices(text, said, unit)
        assert "\n" not in str(wrong.value)
        return str(wrong.value)

    def reads(self, text: str) -> list[Read]:
        table = self.table(text)
        return table.read_in(table.ways())


DAYS = "Datum;{}\n01.11.2026;8,1\n02.11.2026;8,4\n03.11.2026;9,0\n04.11.2026;9,7\n"
AMOUNTS = {"2026-11-01": 8.1, "2026-11-02": 8.4, "2026-11-03": 9.0, "2026-11-04": 9.7}


def test_a_column_that_does_not_say_it_is_asked_about_with_what_each_answer_would_come_to(opened: Opened) -> None:
    said = opened.wrong(DAYS.format("kWh"))
    assert said == (
        "t.csv: the column 'kWh' does not say whether it has amounts or totals; say which: "
        "--column=amount is 2026-11-01 8.10, 2026-11-02 8.40, 2026-11-03 9.00, 2026-11-04 9.70; in all 35.20 kWh; "
        "--column=total --time=begin is 2026-11-01 0.30, 2026-11-02 0.60, 2026-11-03 0.70; in all 1.60 kWh; "
        "--column=total --time=end is 2026-11-02 0.30, 2026-11-03 0.60, 2026-11-04 0.70; in all 1.60 kWh"
    )
    assert opened.sums(DAYS.format("kWh"), Said("amount")) == AMOUNTS
    assert opened.sums(DAYS.format("kWh"), Said("total", "end")) == {"2026-11-02": 0.3, "2026-11-03": 0.6, "2026-11-04": 0.7}


def test_an_answer_that_cannot_be_is_said_to_be_none_and_the_question_stays(opened: Opened) -> None:
    said = opened.wrong("date,kWh\n2026-11-01,9\n2026-11-02,8\n")
    assert "--column=amount is 2026-11-01 9.00, 2026-11-02 8.00; in all 17.00 kWh" in said
    assert "--column=total --time=end cannot be (line 3: 8 is less than 9 above it" in said


@pytest.mark.parametrize(
    "name", ["Verbrauch", "Stromverbrauch [kWh]", "Consommation (kWh)", "usage_kWh", "Consumption", "Netzbezug in kWh"]
)
def test_amounts_at_dates_are_of_those_whole_days_the_first_as_well(opened: Opened, name: str) -> None:
    assert opened.sums(DAYS.format(name)) == AMOUNTS
    first = opened.slices(DAYS.format(name))[0]
    assert (first.end, first.seconds, first.amount) == (at(2026, 11, 2), DAY, 8.1)


@pytest.mark.parametrize(
    "name", ["Zählerstand", "Zaehlerstand kWh", "Stand [kWh]", "Index (kWh)", "meter reading", "Compteur", "total_kWh"]
)
def test_totals_at_dates_are_asked_when_they_were_read(opened: Opened, name: str) -> None:
    text = DAYS.format(name)
    assert "read at the begin or at the end of its day; say which: --time=begin is 2026-11-01 0.30" in opened.wrong(text)
    assert [each.end for each in opened.slices(text, Said(time="begin"))] == [at(2026, 11, day) for day in (2, 3, 4)]
    assert [each.end for each in opened.slices(text, Said(time="end"))] == [at(2026, 11, day) for day in (3, 4, 5)]


def test_a_total_at_a_time_of_day_is_of_that_time(opened: Opened) -> None:
    found = opened.slices("Zeit;Zählerstand\n01.11.2026 06:30;100,5\n02.11.2026 07:00;108,0\n")
    assert found == [Slice(at(2026, 11, 2, 7), 24.5 * HOUR, 7.5)]


def test_amounts_at_times_of_day_are_asked_which_side_it_is_and_none_is_lost(opened: Opened) -> None:
    text = "time,consumption kWh\n2026-11-01 00:00,1\n2026-11-01 01:00,2\n2026-11-01 02:00,4\n"
    assert "a line's time is the begin or the end of what it counts; say which: --time=begin is 2026-11-01 7.00" in opened.wrong(text)
    assert [(each.end, each.seconds, each.amount) for each in opened.slices(text, Said(time="begin"))] == [
        (at(2026, 11, 1, 1), HOUR, 1), (at(2026, 11, 1, 2), HOUR, 2), (at(2026, 11, 1, 3), HOUR, 4)
    ]  # fmt: skip
    assert [(each.end, each.seconds, each.amount) for each in opened.slices(text, Said(time="end"))] == [
        (at(2026, 11, 1, 0), HOUR, 1), (at(2026, 11, 1, 1), HOUR, 2), (at(2026, 11, 1, 2), HOUR, 4)
    ]  # fmt: skip


@pytest.mark.parametrize(("side", "wanted"), [("begin", [0, 1, 5]), ("end", [-1, 0, 4])])
def test_an_amount_beside_a_gap_is_of_one_step_and_the_gap_stays_one(opened: Opened, side: str, wanted: list[int]) -> None:
    lines = "".join(f"2026-11-02 {hour:02}:00,1\n" for hour in (0, 1, 5))
    found = opened.slices("time,usage kWh\n" + lines, Said(time="begin" if side == "begin" else "end"))
    assert [(each.end - each.seconds - at(2026, 11, 2)) / HOUR for each in found] == wanted
    assert {each.seconds for each in found} == {HOUR}


def test_days_of_23_and_25_hours_are_whole_days(opened: Opened) -> None:
    for days, hours in ((("2026-03-28", "2026-03-29", "2026-03-30"), 23), (("2026-10-24", "2026-10-25", "2026-10-26"), 25)):
        found = opened.slices("date,usage\n" + "".join(f"{day},5\n" for day in days))
        assert [each.seconds / HOUR for each in found] == [24, hours, 24]
        midnights = opened.slices("time,usage\n" + "".join(f"{day}T00:00,5\n" for day in days), Said(time="begin"))
        assert midnights == found


def test_quarters_of_an_hour_that_comes_twice_are_in_their_order(opened: Opened) -> None:
    clocks = [f"{hour:02}:{minute:02}" for hour in (1, 2, 2, 3) for minute in (0, 15, 30, 45)]
    text = "von;bis;kWh\n" + "".join(f"25.10.2026 {a};25.10.2026 {b};1\n" for a, b in zip(clocks, [*clocks[1:], "04:00"], strict=True))
    found = opened.slices(text)
    assert (found[0].end - found[0].seconds, found[-1].end) == (at(2026, 10, 25, 1), at(2026, 10, 25, 4))
    assert {each.seconds for each in found} == {900.0}
    assert opened.sums(text) == {"2026-10-25": 16.0}


@pytest.mark.parametrize("months", [("2026-01", "2026-02", "2026-03"), ("01/2026", "02/2026", "03/2026"), ("1.2026", "2.2026", "3.2026"),
                                    ("Januar 2026", "Februar 2026", "März 2026"), ("janvier 2026", "février 2026", "mars 2026"),
                                    ("January 2026", "february 2026", "March 2026"), ("Jan. 2026", "Feb 2026", "Mrz 2026"),
                                    ("jan-2026", "Feb-2026", "MAR-2026"), ("janv. 2026", "févr. 2026", "mar 2026")])  # fmt: skip
def test_months_are_whole_months(opened: Opened, months: tuple[str, ...]) -> None:
    found = opened.slices("Monat;Verbrauch\n" + "".join(f"{month};100\n" for month in months))
    assert [each.end for each in found] == [at(2026, 2, 1), at(2026, 3, 1), at(2026, 4, 1)]
    assert [each.seconds for each in found] == [31 * DAY, 28 * DAY, 31 * DAY - HOUR]
    assert opened.sums("Monat;Verbrauch\n" + "".join(f"{month};100\n" for month in months)) == dict.fromkeys(
        ("2026-01", "2026-02", "2026-03"), 100
    )


@pytest.mark.parametrize(
    "days",
    [
        ("1. März 2026", "2. März 2026", "3. März 2026"),
        ("So, 01.03.2026", "Mo, 02.03.2026", "Di, 03.03.2026"),
        ("Sonntag, 1. März 2026", "Montag, 2. März 2026", "Dienstag, 3. März 2026"),
        ("01-Mar-2026", "02-Mar-2026", "03-Mar-2026"),
        ("Sunday, March 1, 2026", "Mar 2, 2026", "Tue, March 3, 2026"),
        ("dim. 1 mars 2026", "lun. 2 mars 2026", "mar. 3 mars 2026"),
        ("Sun 2026-03-01", "Mon 2026-03-02", "Tue 2026-03-03"),
    ],
)
def test_dates_in_words_are_those_days(opened: Opened, days: tuple[str, ...]) -> None:
    text = "Datum;Verbrauch kWh\n" + "".join(f"{day};{number}\n" for number, day in enumerate(days, 1))
    assert opened.sums(text) == {"2026-03-01": 1, "2026-03-02": 2, "2026-03-03": 3}


def test_hours_of_twelve_are_those_of_the_day(opened: Opened) -> None:
    clocks = ("12:00 AM", "1:30 am", "12:00 PM", "11:59:00 p.m.")
    text = "date,reading kWh\n" + "".join(f"3/13/2026 {clock},{100 + number}\n" for number, clock in enumerate(clocks))
    assert [each.end for each in opened.slices(text)] == [at(2026, 3, 13, 1, 30), at(2026, 3, 13, 12), at(2026, 3, 13, 23, 59)]


@pytest.mark.parametrize("head", [b"PK\x03\x04\x14", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_workbook_is_called_one(opened: Opened, head: bytes) -> None:
    assert (
        opened.wrong(head + bytes(100)) == "t.csv: it is a workbook of a spreadsheet program: save the sheet as CSV there, and import that"
    )


def test_years_are_whole_years_and_totals_at_their_ends(opened: Opened) -> None:
    assert opened.sums("Jahr;Verbrauch kWh\n2023;3000\n2024;2900\n") == {"2023": 3000, "2024": 2900}
    text = "year;reading kWh\n2023;3000\n2024;5900\n2025;8900\n"
    assert opened.sums(text, Said(time="end")) == {"2024": 2900, "2025": 3000}
    assert opened.sums(text, Said(time="begin")) == {"2023": 2900, "2024": 3000}


def test_what_is_not_over_is_left_out_and_told(opened: Opened) -> None:
    table = opened.table("Datum;Verbrauch\n25.11.2026;8\n26.11.2026;9\n27.11.2026;3\n")
    assert [each.amount for each in table.slices()] == [8, 9]
    assert table.not_over == 1
    table = opened.table("month;usage\n2026-10;80\n2026-11;70\n")
    assert [each.amount for each in table.slices()] == [80]
    assert table.not_over == 1
    assert "line 3: '2026-12-05' is still to come" in opened.wrong("date;usage\n2026-11-01;5\n2026-12-05;5\n")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Datum;Verbrauch\n01.11.2026;8\nSumme;8\n", "line 3: 'Summe' is no time: take lines that are sums out"),
        ("Datum;Verbrauch\n01.11.2026;8\n;8\n", "line 3: it has no time: take lines that are sums or empty out"),
        ("Datum;Verbrauch\n01.11.;8\n", "line 2: '01.11.' has no year: write it as 2026-11-21"),
        ("Datum;Verbrauch\n01.11. 14:05;8\n", "line 2: '01.11. 14:05' has no year"),
        ("Datum;Verbrauch\n01.11.26;8\n", "line 2: '01.11.26' has a year of two digits: write it as 2026-11-21"),
        ("Datum;Verbrauch\n31.02.2026;8\n", "line 2: '31.02.2026' is no time such as"),
        ("Datum;Verbrauch\n2026-13;8\n", "line 2: 2026-13-01 is no date"),
        ("Datum;Verbrauch\n01.11.2026;8\n01.11.2026;9\n", "line 3: it has the time of the line above, and another value"),
        ("Datum;Verbrauch\n01.11.2026;8\n01.11.2026;8\n", "line 3: it has the time of the line above: there is one amount for a time"),
        ("Datum;Verbrauch\n02.11.2026;8\n01.11.2026;8\n", "line 3: its time is before that of the line above"),
        ("Datum;Verbrauch\n01.11.2026;8\n2026-12;8\n", "line 3: '2026-12' is a month, and the times above it are days"),
        ("Datum;Verbrauch\n01.11.2026;8\n02.11.2026 14:00;8\n", "line 3: '02.11.2026 14:00' is a moment, and the times above it are days"),
        ("Datum;Verbrauch\n01.11.2026;-8\n", "line 2: -8: what flows back cannot be counted"),
        ("Datum;Zählerstand\n01.11.2026 12:00;8\n02.11.2026 12:00;7\n", "two files: one up to the line above, one from this line on"),
        ("von;bis;kWh\n2026-11-01 00:00;2026-11-01 00:15;1\n2026-11-01 00:10;2026-11-01 00:25;1\n", "line 3: it begins before the"),
        ("von;bis;kWh\n01.11.2026 00:15;01.11.2026 00:00;1\n", "line 2: '01.11.2026 00:00' is not after '01.11.2026 00:15'"),
        ("date,usage\n03/04/2026,1\n", "line 2: '03/04/2026' may be two dates, and no line says which is the month"),
        ("Datum;Bezug kWh;Einspeisung kWh\n01.11.2026;8;1\n", "--values says which: 'Bezug kWh', 'Einspeisung kWh'"),
        ("Monat;Verbrauch kWh\nJan 26;8\n", "line 2: 'Jan 26' has no year of four digits: write it as 2026-11"),
        ("Verbrauch;Bemerkung\n8;x\n", "line 1: the first line names no column of times: one of unixtime, time,"),
        ("time,usage\n2026-11-01 14:00,8\n", "one line alone does not say for how long its amount is"),
        ("entity_id,state,last_changed\na,1,2026-11-01T00:00Z\nb,2,2026-11-01T01:00Z\n", "line 3: it is of 'b', and the lines above of"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_line_is_said_with_its_number(opened: Opened, text: str, complaint: str) -> None:
    assert complaint in opened.wrong(text, Said(time="begin") if text.startswith("time") else None)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["1.234,5", "2.000"], [1234.5, 2000]),
        (["1,234.5", "2,000"], [1234.5, 2000]),
        (["1 234,5", "1\u202f235,5", "1\u00a0236"], [1234.5, 1235.5, 1236]),
        (["1'234.5", "1\u2019235"], [1234.5, 1235]),
        (["1.234.567", "2"], [1234567, 2]),
        (["0.125", "1.250"], [0.125, 1.25]),
        (["0,125", "1,250"], [0.125, 1.25]),
        (["100", "1.5e3", ""], [100, 1500, None]),
        (["1", "unavailable", "n/a", "-"], [1, None, None, None]),
    ],
)
def test_numbers_are_read_as_the_column_writes_them(values: list[str], wanted: list[float | None]) -> None:
    numbers = Numbers(None, are_points_decimal=False)
    numbers.learn(values)
    assert [numbers.value(text) for text in values] == wanted


def test_a_number_that_may_be_two_is_asked_about(opened: Opened) -> None:
    text = "Zeit;Zählerstand\n01.11.2026 12:00;1.234\n02.11.2026 12:00;1.240\n"
    assert "line 2: '1.234' may be 1234 or 1.234: --decimal=point or --decimal=comma says" in opened.wrong(text)
    assert opened.slices(text, Said(decimal="comma"))[0].amount == 6
    assert opened.slices(text, Said(decimal="point"))[0].amount == pytest.approx(0.006)
    assert "line 3: '1,5' is no number whose decimal mark is '.', as above it" in opened.wrong(
        "date;usage\n2026-11-01;0.5\n2026-11-02;1,5\n"
    )


@given(st.integers(0, 10**9), st.sampled_from([".", ","]), st.booleans())
def test_a_number_with_its_groups_and_decimals_is_never_another_one(thousandths: int, mark: str, is_grouped: bool) -> None:
    whole, rest = divmod(thousandths, 1000)
    group = {".": ",", ",": "."}[mark] if is_grouped else ""
    text = f"{whole:,}".replace(",", group) + f"{mark}{rest:03}"
    numbers = Numbers(None, are_points_decimal=False)
    try:
        found = numbers.value(text)
    except ValueError as error:
        assert "may be" in str(error)
        assert whole and whole < 1000  # one group
        return
    assert found == pytest.approx(thousandths / 1000)


def test_days_and_months_between_slashes_are_in_the_order_that_one_of_them_shows(opened: Opened) -> None:
    assert opened.sums("Jour;Consommation kWh\n03/10/2026;1\n13/10/2026;2\n") == {"2026-10-03": 1, "2026-10-13": 2}
    assert opened.sums("day,usage kWh\n10/03/2026,1\n10/13/2026,2\n") == {"2026-10-03": 1, "2026-10-13": 2}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_are_told_apart(opened: Opened, encoding: str) -> None:
    table = opened.table("Zeit;Zählerstand\r\n01.11.2026 12:00;5\r\n02.11.2026 12:00;7\r\n".encode(encoding))
    assert [each.amount for each in table.slices()] == [2]
    assert table.encoding == {"utf-8": "utf-8-sig"}.get(encoding, encoding)


def test_bytes_that_are_no_text_are_refused(opened: Opened) -> None:
    assert opened.wrong(b"Zeit;Z\x81hlerstand\n") == "t.csv: it is no text in UTF-8, UTF-16 or cp1252"


def test_units_in_names_count(opened: Opened) -> None:
    for name, amount in (("Verbrauch [Wh]", 0.0081), ("Verbrauch MWh", 8100.0), ("Verbrauch (kWh)", 8.1)):
        assert opened.sums(DAYS.format(name))["2026-11-01"] == pytest.approx(amount)
    table = opened.table(DAYS.format("Verbrauch [m³]"))
    assert (next(table.slices()).amount, table.unit) == (8.1, "m3")
    assert opened.sums("time,power kW\n2026-11-01 12:00,1\n2026-11-01 12:01,1.2\n") == {"2026-11-01": 0.02}
    assert opened.table(DAYS.format("Verbrauch"), unit="m3").ways() == [Way("amount", None)]
    assert "for a source in kWh" in opened.wrong(DAYS.format("Verbrauch m3"), unit="kWh")


@pytest.mark.parametrize("name", ["kWh", "Energie [kWh]", "Gesamt Verbrauch kWh", "total consumption", "value", "Wert kWh", "state"])
def test_names_that_say_both_or_nothing_are_not_guessed(name: str) -> None:
    assert chosen(head_of(["Datum", name]), ["Datum", name], None, None, None).kind is None


def test_one_says_what_a_name_does_not_or_says_wrongly() -> None:
    names = ["Datum", "Verbrauch kWh", "Notiz"]
    assert chosen(head_of(names), names, None, None, "total").kind == "total"
    assert chosen(head_of(names), names, None, "notiz", "amount")[:3] == (2, "Notiz", "amount")
    with pytest.raises(ValueError, match="there is no such column; there is 'Datum', 'Verbrauch kWh', 'Notiz'"):
        chosen(head_of(names), names, None, "kWh", None)
    with pytest.raises(ValueError, match="'power W' has watts"):
        chosen(head_of(["time", "power W"]), ["time", "power W"], None, None, "amount")


@given(st.lists(st.tuples(st.floats(1, 90 * DAY), st.floats(0, 99)), min_size=1, max_size=40), st.sampled_from(["day", "month", "year"]))
def test_sums_of_days_months_and_years_add_up_to_what_flowed(pieces: list[tuple[float, float]], kind: str) -> None:
    sums, end = Sums(kind), at(2026, 3, 20)
    for seconds, amount in pieces:
        end += seconds
        sums.add(Slice(end, seconds, amount))
    assert sum(sums.amounts.values()) == pytest.approx(sum(amount for _, amount in pieces))
    assert list(sums.amounts) == sorted(sums.amounts)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Datum;Uhrzeit;Verbrauch\n31.10.2026;23:30;1\n31.10.2026;23:45;2\n", Said(time="begin")),
        ("Date,Time,usage\n2026-10-31,23:45,1\n2026-11-01,0:00,2\n", Said(time="end")),
        ("Datum;von;bis;kWh\n31.10.2026;23:30;23:45;1\n31.10.2026;23:45;00:00;2\n", Said()),
        ("Datum;von;Verbrauch\n31.10.2026;23:30;1\n31.10.2026;23:45;2\n", Said()),
        ("Datum;bis;Verbrauch\n31.10.2026;23:45;1\n31.10.2026;24:00;2\n", Said()),
        ("Consumption (kwh), Cost (p), Start, End\n1, 8, 2026-10-31T22:30:00+00:00, 2026-10-31T22:45:00+00:00\n"
         "2, 9, 2026-10-31T22:45:00+00:00, 2026-10-31T23:00:00+00:00\n", Said()),
        ("date/time utc;usage\n2026-10-31 22:30;1\n2026-10-31 22:45;2\n", Said(time="begin")),
    ],
)  # fmt: skip
def test_times_in_several_columns_are_one(opened: Opened, text: str, said: Said) -> None:
    midnight = at(2026, 11, 1)
    assert opened.slices(text, said) == [Slice(midnight - 900, 900, 1), Slice(midnight, 900, 2)]


def test_months_that_home_assistant_tells_in_utc_are_those_of_local_time(opened: Opened) -> None:
    text = "entity_id,type,unit,2026-02-28T23:00:00.000Z,2026-03-31T22:00:00.000Z\na,grid_consumption,kWh,100,90\n"
    assert [(each.end, each.seconds, each.amount) for each in opened.slices(text)] == [
        (at(2026, 4, 1), 31 * DAY - HOUR, 100), (at(2026, 5, 1), 30 * DAY, 90)
    ]  # fmt: skip


def test_invoices_from_a_date_until_another_have_both_days(opened: Opened) -> None:
    text = "von;bis;Verbrauch kWh\n01.01.2025;31.12.2025;3000\n01.01.2026;31.01.2026;300\n"
    assert [(each.end, each.seconds / DAY) for each in opened.slices(text)] == [(at(2026, 1, 1), 365), (at(2026, 2, 1), 31)]


def test_a_time_that_a_table_does_not_have_is_refused(opened: Opened) -> None:
    text = "Zeit;Zählerstand\n01.11.2026 06:30;100,5\n02.11.2026 07:00;108,0\n"
    assert "--time=end: a total is of the time of day that is beside it" in opened.wrong(text, Said(time="end"))
    assert "--time=end: amounts without a time of day are of their whole day" in opened.wrong(DAYS.format("Verbrauch"), Said(time="end"))
    assert opened.sums(DAYS.format("Verbrauch"), Said(time="begin")) == AMOUNTS


def test_totals_between_two_times_are_asked_which_they_are_of(opened: Opened) -> None:
    text = "von;bis;Zählerstand\n01.11.2026 00:00;01.11.2026 01:00;10\n01.11.2026 01:00;01.11.2026 02:00;12\n"
    assert "at the begin or at the end of its line" in opened.wrong(text)
    assert opened.slices(text, Said(time="end")) == [Slice(at(2026, 11, 1, 2), HOUR, 2)]


def test_watts_hold_since_the_line_before_or_until_the_next_and_at_dates_all_day(opened: Opened) -> None:
    text = "time,watts\n2026-11-01 00:00,1000\n2026-11-01 01:00,3000\n"
    assert opened.slices(text) == [Slice(at(2026, 11, 1, 1), HOUR, 3)]
    assert opened.slices(text, Said(time="begin")) == [Slice(at(2026, 11, 1, 1), HOUR, 1), Slice(at(2026, 11, 1, 2), HOUR, 3)]
    assert opened.sums("time,watts\n2026-10-24,100\n2026-10-25,100\n") == {"2026-10-24": 2.4, "2026-10-25": 2.5}


def test_a_name_that_two_columns_have_names_none(opened: Opened) -> None:
    assert "--values 'kWh': there are several such columns" in opened.wrong("Datum;kWh;kWh\n2026-11-01;1;2\n", Said(values="kWh"))


_HEADS = ("date;bis;kWh", "von;bis;Zählerstand", "time;x;watts", "Datum;Uhrzeit;Verbrauch", "entity_id,type,unit,2026-11-01T00:00Z",
          "sep=;\nunixtime;x;total_m3", "")  # fmt: skip
_TIMES = ("2026-11-01", "02.11.2026", "2026", "03/2026", "12:00", "1795266300", "25.10.2026 02:30", "2026-03-29T02:30", "0001-01-01",
          "Summe", "9999-12-31T23:59", "01/02/2026", "", "\0", "nan", "²", "inf")  # fmt: skip
_VALUES = ("1", "1.234", "1,5", "-3", "1e9", "", '"', '"2"', "nan", "²", "1 000,5", "\r", "[Wh]")


@given(
    st.sampled_from(_HEADS),
    st.lists(st.tuples(st.sampled_from(_TIMES), st.sampled_from(_TIMES), st.sampled_from(_VALUES)), max_size=8),
    st.sampled_from(["utf-8", "utf-16", "cp1252", "utf-16-le"]),
    st.sampled_from([Said(), Said("total", "begin"), Said("amount", "begin"), Said("amount", "end")]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_in_a_file_it_is_read_or_refused_in_one_line(
    opened: Opened, head: str, rows: list[tuple[str, str, str]], encoding: str, said: Said
) -> None:
    text = "\n".join([head, *(";".join(row) for row in rows)])
    try:
        found = list(opened.table(text.encode(encoding, "replace"), said).slices())
    except Wrong as wrong:
        assert "\n" not in str(wrong)
        assert str(wrong).startswith("t.csv")
    else:
        assert all(before.end <= after.end - after.seconds + 0.01 for before, after in pairwise(found))


TABLES = Path(__file__).resolve().parents[1] / "tables"
SHELLY = Said("amount", "begin", "Active energy Wh")
FRONIUS = Said("amount", "end", "Energie vom Netz bezogen [Wh]")


@pytest.mark.parametrize(
    ("name", "said", "sums"),
    [
        ("home_assistant_energy.csv", Said(values="sensor.grid_import"), {"2026-11-20": 1.16}),
        ("home_assistant_energy.csv", Said(values="solar_production"), {"2026-11-20": 0.31}),
        ("home_assistant_history.csv", Said("total"), {"2026-11-20": 1.13}),
        ("shelly_em.csv", SHELLY, {"2026-11-20": 0.0712}),
        ("discovergy.csv", Said(), {"2026-10-24": 0.112, "2026-10-25": 0.331}),
        ("fronius_day.csv", FRONIUS, {"2026-11-20": 0.05855}),
        ("excel.csv", Said(time="end"), {"2026-02": 310.5, "2026-03": 289.0, "2026-04": 1001.5}),
        ("enedis.csv", Said(time="end"), {"2026-11-20": 1.5}),
    ],
)
def test_files_of_other_programs_are_read_as_they_come(name: str, said: Said, sums: dict[str, float]) -> None:
    table = Table(TABLES / name, None, lambda _: None, NOW, said)
    (way,) = table.ways()
    assert table.sums(way) == pytest.approx(sums)


@pytest.mark.parametrize(
    ("name", "said", "complaint"),
    [
        ("home_assistant_energy.csv", Said(), "--values says which: 'sensor.grid_import', 'sensor.grid_export', 'sensor.pv'"),
        ("home_assistant_energy.csv", Said(values="sensor.water"), "there is no line 'sensor.water' with amounts in kWh or m3"),
        ("home_assistant_history.csv", Said(), "the column 'state' does not say whether it has amounts or totals"),
        ("shelly_em.csv", Said(), "--values says which: 'Active energy Wh', 'Returned energy Wh'"),
        ("shelly_em.csv", SHELLY._replace(time=None), "whether a line's time is the begin or the end of what it counts"),
        ("shelly_em.csv", SHELLY._replace(column=None), "the column 'Active energy Wh' does not say whether it has amounts or totals"),
        ("fronius_day.csv", Said(), "--values says which: 'Gesamt Erzeugung [Wh]', 'Gesamt Verbrauch [Wh]',"),
        ("excel.csv", Said(), "read at the begin or at the end of its month"),
    ],
)
def test_what_files_of_other_programs_do_not_say_is_asked(name: str, said: Said, complaint: str) -> None:
    with pytest.raises(Wrong) as wrong:
        list(Table(TABLES / name, None, lambda _: None, NOW, said).slices())
    assert complaint in str(wrong.value)

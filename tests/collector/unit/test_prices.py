"""What a year costs: by the price that held, as an independent calculation has it, minute by minute."""

import calendar
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pimains.collector.prices import Prices
from pimains.shared.plan.delivery import Batch, Boot, Reading
from pimains.shared.readings.journal import Journal
from pimains.shared.readings.plan.energy import Meter, periods
from pimains.shared.readings.plan.price_lines import WrongPrices, read
from pimains.shared.readings.plan.tariffs import BEGINNING, Seen, Tariffs
from pimains.shared.readings.series.costs import Costs
from pimains.shared.readings.series.figures import bars, figures
from pimains.shared.readings.series.series import Series
from pimains.shared.readings.standing_prices import RIGHT, SEEN, Asked
from tests.collector.zones import in_zone

BERLIN = ZoneInfo("Europe/Berlin")
LINES = """
# the house: another price in June, Niedertarif at night and at weekends from then on
FROM 2025-01-01 PRICE=0.30 STANDING_CHARGE=12.50
FROM 2026-03-25 SOURCE=house PRICE=0.31
FROM 2026-03-25 SOURCE=house PRICE=0.21 HOURS=02:15-05:00
FROM 2026-06-15 SOURCE=house PRICE=0.36
FROM 2026-06-15 SOURCE=house PRICE=0,24 HOURS=21:30-06:00   # Niedertarif
FROM 2026-06-15 SOURCE=house PRICE=0.22 DAYS=sat,Sun
FROM 2026-09-01 SOURCE=house STANDING_CHARGE=14.90
FROM 2026-10-20 SOURCE=house PRICE=0.36
FROM 2026-10-20 SOURCE=house PRICE=0.2 HOURS=02:30-04:30

FROM 2025-12-31 SOURCE=pv PRICE=-0.082 STANDING_CHARGE=0
FROM 2025-12-31 SOURCE=gas PRICE=0.11 STANDING_CHARGE=8 CALORIFIC_VALUE=11.2 STATE_NUMBER=0.95
FROM 2026-03-01 SOURCE=gas CALORIFIC_VALUE=11.4
FROM 2026-08-01T06:00 SOURCE=gas CALORIFIC_VALUE=10.9 STATE_NUMBER=0.96
FROM 2026-11-01 SOURCE=gas PRICE=0.13
"""


@pytest.fixture(autouse=True)
def in_berlin() -> Iterator[None]:
    with in_zone("Europe/Berlin"):
        yield


def pulses_until(minutes: int) -> int:
    """Uneven, so that another price at another hour is another sum: in a minute 1 to 19 pulses."""
    return minutes * 10 + (minutes * 7 % 1440) * 2 + (minutes // 1440 % 9) * 37


def a_year_of(directory: Path, *sources: tuple[str, str], hours: int = 8760) -> Series:
    path = directory / "journal.sqlite"
    journal, series = Journal(path), Series(path)
    start = datetime(2026, 1, 1, tzinfo=BERLIN).timestamp()
    for source, unit in sources:
        rows = [Reading("b", number + 1, None, start + number * 600, pulses_until(number * 10)) for number in range(hours * 6 + 1)]
        series.describe(Batch(source, unit, 1000, None, {"b": Boot(0.0, True)}, rows))
        journal.store(source, {"b": Boot(0.0, True)}, rows)
    journal.close()
    return series


def amounts_by_minute(start: float) -> Iterator[tuple[datetime, str, float]]:
    """Of a year: each minute's local time, its day, and how many units came in it; between readings evenly."""
    for minute in range(8760 * 60):
        at, ten = datetime.fromtimestamp(start + minute * 60, UTC).astimezone(BERLIN), minute // 10 * 10
        yield at, at.date().isoformat(), (pulses_until(ten + 10) - pulses_until(ten)) / 10 / 1000


def house_price(at: datetime) -> float:
    day, clock = at.date().isoformat(), at.hour * 60 + at.minute
    if day < "2026-03-25":
        return 0.30
    if day < "2026-06-15":
        return 0.21 if 135 <= clock < 300 else 0.31
    if day >= "2026-10-20":
        return 0.2 if 150 <= clock < 270 else 0.36
    if at.weekday() >= 5:
        return 0.22
    return 0.24 if clock >= 21 * 60 + 30 or clock < 360 else 0.36


def gas_kwh(at: datetime) -> float:
    local = at.replace(tzinfo=None).isoformat()
    return 11.2 * 0.95 if local < "2026-03-01" else 11.4 * 0.95 if local < "2026-08-01T06:00" else 10.9 * 0.96


def gas_price(at: datetime) -> float:
    return gas_kwh(at) * (0.11 if at.date().isoformat() < "2026-11-01" else 0.13)


def standing_of(day: datetime, by: list[tuple[str, float]]) -> float:
    of_month = [charge for since, charge in by if since <= day.date().isoformat()][-1]
    return of_month / calendar.monthrange(day.year, day.month)[1]


@pytest.mark.long
def test_a_year_of_changing_prices_costs_what_a_loop_over_its_minutes_says(tmp_path: Path) -> None:
    series = a_year_of(tmp_path, ("house", "kWh"), ("pv", "kWh"), ("gas", "m3"))
    costs = Costs(Tariffs(read(LINES), [Seen(BEGINNING, 0.99, None)], "€"))
    start = datetime(2026, 1, 1, tzinfo=BERLIN).timestamp()
    now = datetime(2027, 1, 1, 12, tzinfo=BERLIN).timestamp()
    minutes = list(amounts_by_minute(start))
    of = {
        "house": (house_price, [("2025", 12.5), ("2026-09-01", 14.9)]),
        "pv": (lambda _: -0.082, [("2025", 0.0)]),
        "gas": (gas_price, [("2025", 8.0)]),
    }
    for source, (price, standing_charges) in of.items():
        meter = series.meters()[source]
        expected: dict[str, list[float]] = {}
        for at, day, amount in minutes:
            cost, kwh = amount * price(at), amount * gas_kwh(at) if source == "gas" else 0.0
            for label in (day, day[:7], day[:4]):
                found = expected.setdefault(label, [0.0, 0.0, 0.0])
                found[0] += cost
                found[2] += kwh
        for number in range(365):
            when = datetime(2026, 1, 1) + timedelta(days=number)
            for label in (when.strftime("%Y-%m-%d"), when.strftime("%Y-%m"), when.strftime("%Y")):
                expected[label][1] += standing_of(when, standing_charges)
        for _ in range(2):  # and again, of what is remembered
            for kind, count in (("days", 366), ("months", 13), ("years", 2)):
                for bar in bars(series, meter, kind, now, count, costs):
                    if bar.period.label in expected:
                        assert bar.cost is not None
                        told = (bar.cost.used, bar.cost.standing_charge)
                        assert told == pytest.approx(tuple(expected[bar.period.label][:2]), abs=1e-6), (source, bar.period.label)
                        assert bar.kwh == (pytest.approx(expected[bar.period.label][2]) if source == "gas" else None)
    lengths = {each.label: (each.end - each.start) / 3600 for each in periods("day", now, 366)}
    assert (lengths["2026-03-29"], lengths["2026-10-25"]) == (23, 25)


def test_a_line_for_a_source_beats_those_for_all_and_a_value_holds_until_another() -> None:
    tariffs = Tariffs(
        read("FROM 2026-01-01 PRICE=0.3 STANDING_CHARGE=10\nFROM 2026-02-01 SOURCE=car PRICE=0.2\nFROM 2026-03-01 PRICE=0.4"), [], ""
    )
    car, house = (tariffs.of(Meter(name, "kWh", 1000, None)) for name in ("car", "house"))
    times = [datetime(2026, month, 15).timestamp() for month in (1, 2, 3)]
    assert [car.price_at(time) for time in times] == [0.3, 0.2, 0.2]
    assert [house.price_at(time) for time in times] == [0.3, 0.3, 0.4]
    assert house.price_at(datetime(2025, 12, 31, 23, 59).timestamp()) is None
    assert [car.standing_charge(datetime(2026, 3, day).timestamp(), datetime(2026, 3, day + 1).timestamp()) for day in (1, 29)] == [
        pytest.approx(10 / 31),
        pytest.approx(10 / 31),
    ]
    assert not tariffs.of(Meter("gas", "m3", 100, None)).has_price


def test_a_window_over_midnight_is_of_the_day_on_which_it_begins() -> None:
    tariff = Tariffs(read("FROM 2026-01-01 PRICE=0.3\nFROM 2026-01-01 PRICE=0.1 HOURS=22:00-06:00 DAYS=Fri"), [], "").of(
        Meter("house", "kWh", 1000, None)
    )
    moments = (
        datetime(2026, 5, 1, 5),
        datetime(2026, 5, 1, 22),
        datetime(2026, 5, 2, 5, 59),
        datetime(2026, 5, 2, 6),
        datetime(2026, 5, 2, 22),
    )
    assert moments[0].weekday() == 4
    assert [tariff.price_at(at.timestamp()) for at in moments] == [0.3, 0.1, 0.1, 0.3, 0.3]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("\n\nSINCE 2026-01-01 PRICE=1", "line 3: 'SINCE': a line begins with FROM and a date"),
        ("FROM 1.1.2026 PRICE=1", "line 1: FROM '1.1.2026': not a local date such as 2026-01-01"),
        ("FROM 2026-01-01", "line 1: says nothing; it needs one of PRICE=, "),
        ("FROM 2026-01-01 COST=1", "line 1: 'COST=1': not one of SOURCE=, PRICE=, "),
        ("FROM 2026-01-01 PRICE=cheap", "line 1: PRICE='cheap': not a number from -1000000 to 1000000"),
        ("FROM 2026-01-01 PRICE=1 PRICE=2", "line 1: PRICE stands there twice"),
        ("FROM 2026-01-01 PRICE=1 HOURS=22-6", "line 1: HOURS='22-6': not from when until when, such as 06:00-22:00"),
        ("FROM 2026-01-01 PRICE=1 HOURS=24:00-06:00", "line 1: HOURS="),
        ("FROM 2026-01-01 PRICE=1 DAYS=Sonntag", "line 1: DAYS='Sonntag': not weekdays such as Sat,Sun or Mon-Fri"),
        ("FROM 2026-01-01 PRICE=1 HOURS=06:00-22:00", "line 1: PRICE: the rest of the week has no price"),
        ("FROM 2026-01-01 PRICE=1\nFROM 2026-01-01 PRICE=2", "line 2: PRICE: line 1 says another for the same time"),
        ("FROM 2026-01-01 SOURCE=gas PRICE=1\nFROM 2026-01-01 SOURCE=gas PRICE_M3=2", "line 2: PRICE_M3: line 1 says another"),
        ("FROM 2026-01-01 STANDING_CHARGE=1", "line 1: STANDING_CHARGE needs SOURCE="),
        ("FROM 2026-01-01 CALORIFIC_VALUE=11", "line 1: CALORIFIC_VALUE and STATE_NUMBER need SOURCE="),
        ("FROM 2026-01-01 SOURCE=gas CALORIFIC_VALUE=1120", "line 1: CALORIFIC_VALUE='1120': not a number from 1 to 50"),
        ("FROM 2026-01-01 SOURCE='gas PRICE=1", "line 1: a quotation mark is not closed"),
    ],
)
def test_a_wrong_line_is_named_with_what_is_allowed(text: str, complaint: str) -> None:
    with pytest.raises(WrongPrices) as wrong:
        read(text)
    assert str(wrong.value).startswith(complaint)


def test_a_changed_price_holds_from_when_it_was_first_seen(tmp_path: Path) -> None:
    told: list[str] = []
    series = a_year_of(tmp_path, ("house", "kWh"), hours=24)
    meter, now = series.meters()["house"], datetime(2027, 6, 1).timestamp()

    def cost_of_2026(price: float | None, at: float) -> float | None:
        prices = Prices(Asked(tmp_path / "none", price, None, "€"), tmp_path)
        prices.see(at, lambda what, why: told.append(f"{what}: {why}"))
        found = figures(series, meter, now, prices.costs)
        assert found is not None
        cost = next(each.cost for each in found.amounts if each.name == "last year")
        return cost and cost.total

    before = cost_of_2026(0.3, now - 1000)
    assert before == pytest.approx(pulses_until(24 * 60) / 1000 * 0.3)
    assert told == []
    assert cost_of_2026(0.6, now - 500) == before
    assert cost_of_2026(0.6, now - 400) == before
    assert cost_of_2026(None, now - 300) == before
    assert told == [
        "PRICE is 0.6 from now on: it was changed; what was before stays at 0.3 (PRICES says otherwise)",
        "PRICE is empty from now on: it was changed; what was before stays at 0.6 (PRICES says otherwise)",
    ]
    (tmp_path / SEEN).write_text("[[")
    assert cost_of_2026(0.6, now) == pytest.approx(2 * (before or 0.0))
    assert (tmp_path / f"{SEEN}.corrupt-1").read_text() == "[["


def test_a_file_that_becomes_wrong_leaves_prices_as_they_were_also_after_a_restart(tmp_path: Path) -> None:
    file, house = tmp_path / "prices", Meter("house", "kWh", 1000, None)
    prices = Prices(Asked(file, 0.5, None, "€"), tmp_path)
    now = datetime(2026, 5, 1).timestamp()
    assert prices.costs.tariffs.of(house).price_at(now) == 0.5
    file.write_text("FROM 2026-01-01 PRICE=0.25\n")
    right = prices.costs
    assert prices.costs is right
    assert right.tariffs.of(house).price_at(now) == 0.25
    assert (tmp_path / RIGHT).read_text() == file.read_text()
    file.write_text("FROM 2026-01-01 PRICE=0.30\nFROM 2026-02-31 PRICE=0.35\n")
    for each in (prices, Prices(Asked(file, 0.5, None, "€"), tmp_path)):
        assert each.costs.tariffs.of(house).price_at(now) == 0.25
        assert each.trouble.startswith(f"{file} line 2: FROM '2026-02-31': not a local date")
    file.unlink()
    assert prices.costs.tariffs.of(house).price_at(now) == 0.5
    assert prices.trouble == ""

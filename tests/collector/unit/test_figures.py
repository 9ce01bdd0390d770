"""What a source's readings add up to."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from pimains.shared.plan.delivery import Batch, Boot, Reading
from pimains.shared.readings.journal import Journal
from pimains.shared.readings.series.figures import bars, figures, still_to_come
from pimains.shared.readings.series.series import Series
from tests.collector.zones import in_zone


@pytest.fixture
def berlin() -> Iterator[None]:
    with in_zone("Europe/Berlin"):
        yield


def series_of(directory: Path, readings: list[tuple[float, int]]) -> Series:
    """A source whose boot began in 1970: uptimes are wall times."""
    path = directory / "journal.sqlite"
    journal = Journal(path)
    rows = [Reading("b", number, None, at, pulses) for number, (at, pulses) in enumerate(readings, 1)]
    boots = {"b": Boot(0.0, True)}
    journal.store("house", boots, rows)
    series = Series(path)
    series.describe(Batch("house", "kWh", 1000, None, boots, rows))
    journal.close()
    return series


@pytest.mark.usefixtures("berlin")
def test_days_of_23_and_25_hours_have_the_energy_of_their_hours(tmp_path: Path) -> None:
    start = datetime(2026, 3, 20).timestamp()
    series = series_of(tmp_path, [(start + hour * 3600, hour * 1000) for hour in range(24 * 250)])  # 1 kW all the time
    meter = series.meters()["house"]
    spring = bars(series, meter, "days", datetime(2026, 3, 31, 12).timestamp(), 5)
    assert [(bar.period.label, bar.amount) for bar in spring] == [
        ("2026-03-27", pytest.approx(24)),
        ("2026-03-28", pytest.approx(24)),
        ("2026-03-29", pytest.approx(23)),
        ("2026-03-30", pytest.approx(24)),
        ("2026-03-31", pytest.approx(24)),  # this series goes on after its noon
    ]
    autumn = bars(series, meter, "days", datetime(2026, 10, 26, 12).timestamp(), 3)
    assert [bar.amount for bar in autumn] == [pytest.approx(24), pytest.approx(25), pytest.approx(24)]
    assert [bar.is_whole for bar in autumn] == [True, True, False]


def test_a_day_in_which_nothing_was_heard_has_no_amount(tmp_path: Path) -> None:
    start = datetime(2026, 5, 1).timestamp()
    series = series_of(
        tmp_path, [(start + 3600, 0), (start + 7200, 500), (start + 2 * 86_400 + 3600, 700), (start + 2 * 86_400 + 7200, 900)]
    )
    found = bars(series, series.meters()["house"], "days", start + 2 * 86_400 + 8000, 4)
    assert [bar.amount is None for bar in found] == [True, False, True, False]
    assert sum(bar.amount or 0.0 for bar in found) == pytest.approx(0.9, abs=0.2)


def test_a_meter_whose_clock_is_a_day_ahead_is_said(tmp_path: Path) -> None:
    now = datetime(2026, 5, 1, 12).timestamp()
    series = series_of(tmp_path, [(now + 86_000, 0), (now + 86_400, 500)])
    found = figures(series, series.meters()["house"], now)
    assert found is not None
    assert still_to_come([found], now).startswith("house: its newest reading is of 2 May 12:00:00, which is still to come: ")
    assert still_to_come([found], now + 86_300) == still_to_come([], now) == ""
    assert still_to_come([found], 3600.0) == ""  # this machine's clock was not set yet


@pytest.mark.usefixtures("berlin")
def test_yesterday_by_this_time_is_by_the_clock_on_the_wall_and_a_year_that_is_not_whole_says_of_how_many_days_it_is(
    tmp_path: Path,
) -> None:
    start = datetime(2025, 10, 20, 15).timestamp()
    series = series_of(tmp_path, [(start + hour * 3600, hour * 1000) for hour in range(24 * 100)])  # 1 kW all the time
    meter = series.meters()["house"]

    def told(now: datetime) -> dict[str, tuple[float | None, tuple[int, int] | None]]:
        found = figures(series, meter, now.timestamp())
        assert found is not None
        return {each.name: (each.amount, each.days) for each in found.amounts}

    after_a_long_day = told(datetime(2025, 10, 27, 12))
    assert after_a_long_day["yesterday by this time"] == (pytest.approx(13), None)
    assert after_a_long_day["this month"] == (pytest.approx(11 * 24 + 10), (8, 27))  # this series goes on after its noon
    assert after_a_long_day["this year"][1] == (8, 300)
    next_year = told(datetime(2026, 1, 5, 12))
    assert next_year["last year"][1] == (73, 365)
    assert next_year["this year"][1] == next_year["last month"][1] == next_year["today"][1] is None

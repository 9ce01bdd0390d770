"""Pictures of more readings than are all looked at: what a meter counted is exact, a recorded value is sampled, gaps stay gaps."""

from collections.abc import Iterator

import pytest

from pimains.web.history.series import READ_MAX, HistorySeries
from pimains.web.plan import curves
from pimains.web.plan.curves import Grid
from tests.web.recorded import Past

START = 1_795_000_000.0
HALF = READ_MAX * 3 // 4
EVERY = 5.0
SECONDS = 2 * HALF * EVERY


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HistorySeries]:
    """A meter of 720 W then 1440 W in two runs with an hour between them, a value and a relay in one: it is on for a third of each hour."""
    past = Past(tmp_path_factory.mktemp("journal"))
    past.meter("house", START, *((number * EVERY, number) for number in range(HALF)))
    past.meter("house", START + HALF * EVERY + 3600, *((number * EVERY, HALF + number * 2) for number in range(HALF)), boot="c")
    past.meter("short", START, (0.0, 0), (1000.0, 100))
    hole = (HALF * EVERY, None)
    values = [(number * EVERY, 50.0 + number % 2) for number in range(HALF)]
    relay = [(number * EVERY, float(number % 720 < 240)) for number in range(HALF)]
    later = [(HALF * EVERY + 3600 + number * EVERY, 80.0) for number in range(HALF)]
    past.gauge("ups/battery.charge", START, *values, hole, *later, unit="%")
    past.gauge("relays/1.state", START, *relay, hole, *((seconds, 0.0) for seconds, _ in later))
    past.close()
    found = HistorySeries(past.path, [], only_look=True)
    yield found
    found.close()


def whole(points: int) -> Grid:
    return Grid(START, START + SECONDS + 3600, points)


def test_many_readings_of_a_meter_are_drawn_by_its_counts(series: HistorySeries) -> None:
    grid = whole(500)
    values, is_sampled = series.curve(series.meters()["house"], grid)
    assert not is_sampled
    gap = int(HALF * EVERY / grid.every)
    assert values[: gap - 1] == pytest.approx([720] * (gap - 1), rel=0.01)
    assert values[gap + 3 : -1] == pytest.approx([1440] * (500 - gap - 4), rel=0.01)
    assert 1 <= values.count(None) <= 3, "an hour of pieces of half an hour"
    assert values.index(None) in (gap, gap + 1)


def test_many_values_are_sampled_and_a_gap_stays_one(series: HistorySeries) -> None:
    grid = whole(500)
    values, is_sampled = series.curve(series.meters()["ups/battery.charge"], grid)
    assert is_sampled
    gap = int(HALF * EVERY / grid.every)
    assert all(value == pytest.approx(50.5, abs=0.5) for value in values[: gap - 1])
    assert values[gap + 3 : -1] == [80] * (500 - gap - 4)
    assert None in values[gap : gap + 3]


def test_a_relay_of_many_readings_has_the_share_of_each_piece(series: HistorySeries) -> None:
    bands, is_sampled = series.bands(series.meters()["relays/1.state"], whole(50))
    assert is_sampled
    on, known = curves.on_and_known_seconds(bands)
    assert (on / SECONDS, known / SECONDS) == (pytest.approx(1 / 6, abs=0.01), pytest.approx(1, abs=0.05))
    assert (bands[-1].share, bands[-1].start < START + SECONDS * 0.55) == (0, True)


def test_a_short_time_among_many_readings_is_looked_at_whole(series: HistorySeries) -> None:
    grid = Grid(START + 1800, START + 3600, 60)
    assert series.curve(series.meters()["house"], grid) == (pytest.approx([720] * 60), False)
    bands, is_sampled = series.bands(series.meters()["relays/1.state"], grid)
    assert (is_sampled, [(round(band.start - START), round(band.end - START), band.share) for band in bands]) == (False, [(1800, 3600, 0)])


def test_what_takes_too_long_is_given_up(series: HistorySeries) -> None:
    series.within(-1.0)
    with pytest.raises(Exception, match="interrupted"):
        series.curve(series.meters()["ups/battery.charge"], whole(2000))
    series.within(30.0)

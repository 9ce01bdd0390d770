"""What the journal says about a source over time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.collector.plan import imports
from pimains.collector.plan.energy import RISES_SECONDS, Point
from pimains.collector.series.series import Series
from pimains.shared.plan.delivery import Batch, Boot, Reading, RegisterReading
from pimains.shared.readings.journal import Journal


class Store:
    def __init__(self, path: Path) -> None:
        self.journal = Journal(path)
        self.series = Series(path)

    def close(self) -> None:
        self.series.close()
        self.journal.close()

    def add(self, boot: str, offset: float | None, *readings: tuple[int, float, int], wall: float | None = None) -> None:
        rows = [Reading(boot, sequence, wall and wall + uptime, uptime, pulses) for sequence, uptime, pulses in readings]
        self.journal.store("house", {boot: Boot(offset, True)}, rows)

    def points(self, start: float = 0, end: float = 1e12) -> list[Point]:
        return list(self.series.points("house", start, end))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "journal.sqlite")
    yield store
    store.close()


def test_readings_are_where_they_belong_in_whatever_order_they_came(store: Store) -> None:
    store.add("b", 2000, (2, 20, 12), (1, 10, 11))
    store.add("a", 1000, (1, 5, 3))
    assert store.points() == [(1005, 3), (2010, 11), (2020, 12)]
    assert store.points(1005, 2020) == [(1005, 3), (2010, 11)]
    assert store.points(1006, 2021) == [(2010, 11), (2020, 12)]
    assert (store.series.first("house"), store.series.last("house")) == ((1005, 3), (2020, 12))


def test_another_offset_moves_a_boots_readings(store: Store) -> None:
    store.add("b", 0, (1, 10, 11))
    assert store.points() == [(10, 11)]
    store.add("b", 1_790_000_000)
    assert store.points() == [(1_790_000_010, 11)]


def test_a_boot_without_offset_is_where_its_last_wall_time_says(store: Store) -> None:
    store.add("b", None, (1, 10, 11), (2, 15, 12), wall=500)
    store.add("c", None, (1, 10, 12))
    assert store.points() == [(510, 11), (515, 12)]


def test_between_two_readings_the_count_has_grown_evenly(store: Store) -> None:
    store.add("a", 0, (1, 0, 100), (3, 100, 200), (4, 200, 200))
    store.add("b", 1000, (1, 0, 300))
    assert [store.series.count_at("house", at) for at in (-5, 0, 25, 100, 150, 600, 1000, 2000)] == [100, 100, 125, 200, 200, 250, 300, 300]
    assert store.series.count_at("attic", 0) is None


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 3)), min_size=1, max_size=60), st.integers(-3, 320))
def test_bisection_finds_what_looking_at_all_would_find(steps: list[tuple[int, int]], at: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        store = Store(Path(directory) / "journal")
        try:
            rows, uptime, pulses, sequence = [], 0, 0, 0
            for seconds, more in steps:
                uptime, pulses, sequence = uptime + seconds, pulses + more, sequence + 1 + seconds % 2
                rows.append((sequence, float(uptime), pulses))
            store.add("b", 0, *rows)
            assert store.points(at) == [(u, p) for _, u, p in rows if u >= at]
            before = [(u, p) for _, u, p in rows if u <= at]
            after = [(u, p) for _, u, p in rows if u > at]
            count = store.series.count_at("house", at)
            if not before or not after:
                assert count == (before[-1] if before else after[0])[1]
            else:
                (t0, c0), (t1, c1) = before[-1], after[0]
                assert count == pytest.approx(c0 + (at - t0) / (t1 - t0) * (c1 - c0))
            rises = [(u, p) for k, (_, u, p) in enumerate(rows) if k == 0 or p > rows[k - 1][2]]
            found = store.series.rises("house")
            assert (found is None) == (len(rises) == 1)
            if found is not None:
                ago = [(u, p) for _, u, p in rows if u <= rises[-1][0] - RISES_SECONDS]
                earlier = next(rise for rise in rises if rise[1] == ago[-1][1]) if ago else rises[0]
                still = max(u for _, u, p in rows if p < rises[-1][1])
                assert found == (min(rises[-2], earlier), rises[-2], still, rises[-1])
        finally:
            store.close()


def test_what_a_source_says_of_itself_is_kept_and_a_register_stays(store: Store) -> None:
    batch = Batch("house", "kWh", 1000, RegisterReading(5, 100.5), {}, [])
    store.series.describe(batch)
    store.series.describe(batch._replace(register=None))
    meter = store.series.meters()["house"]
    assert (meter.impulses_per_unit, meter.register) == (1000, RegisterReading(5, 100.5))
    store.series.describe(batch._replace(impulses_per_unit=500, register=RegisterReading(7, 200)))
    meter = store.series.meters()["house"]
    assert (meter.impulses_per_unit, meter.register) == (500, RegisterReading(7, 200))


def test_who_looks_while_a_history_is_imported_or_forgotten_does_not_read_all_of_it(store: Store) -> None:
    store.add(imports.boot_name(1, 0), None, *((n, n, n) for n in range(1, 20_001)))
    store.add("b", 1_790_000_000, (1, 5, 1))
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    store.series._connection.set_progress_handler(count, 100)
    assert store.series.last("house") == (1_790_000_005, 1)
    assert steps < 20  # each 100 of SQLite's instructions


def counts(store: Store, start: float = 0, end: float = 1e12) -> list[float]:
    return [point.pulses for point in store.points(start, end)]


def test_a_count_that_falls_is_a_new_counter_and_totals_only_rise(store: Store) -> None:
    store.series.describe(Batch("house", "kWh", 1000, RegisterReading(0, 7000), {}, [], run="a"))
    store.add("a", 1000, (1, 0, 0), (2, 10, 60), (3, 20, 68))
    store.add("b", 2000, (1, 0, 0), (2, 10, 5))
    store.add("c", 3000, (1, 0, 5), (2, 10, 9))
    store.add("d", 4000, (1, 0, 2), (2, 10, 4))
    assert counts(store) == [0, 60, 68, 68, 73, 73, 77, 77, 79]
    assert [store.series.count_at("house", at) for at in (1015, 1500, 2005, 2500, 3500, 5000)] == [64, 68, 70.5, 73, 77, 79]
    assert store.series.meters()["house"].total(79) == 7000.079
    told = store.series.counters_to_tell("house")
    assert [(anew.run, anew.begins, anew.reached) for anew in told] == [("b", 0, 68), ("d", 2, 77)]
    store.series.counter_is_told("house", "b")
    assert [anew.run for anew in store.series.counters_to_tell("house")] == ["d"]


def test_readings_of_an_old_counter_that_come_late_are_counted_where_they_belong(store: Store) -> None:
    store.add("b", 2000, (1, 0, 0), (2, 10, 5))
    assert counts(store) == [0, 5]
    store.add("a", 1000, (1, 0, 60), (2, 10, 68))
    assert counts(store) == [60, 68, 68, 73]


def test_what_the_face_of_a_new_counter_showed_holds_for_that_one(store: Store) -> None:
    batch = Batch("house", "kWh", 1000, RegisterReading(0, 7000), {}, [], run="a")
    store.add("a", 1000, (1, 0, 0), (2, 10, 68_000))
    store.series.describe(batch)
    store.add("b", 2000, (1, 0, 0), (2, 10, 500))
    store.series.describe(batch._replace(run="b"))  # START_TOTAL on a new card: what was told once, and not read anew
    assert store.series.meters()["house"].total(68_500) == 7068.5
    store.series.describe(batch._replace(run="b", register=RegisterReading(100, 7070)))
    meter = store.series.meters()["house"]
    assert (meter.register, meter.total(68_500)) == (RegisterReading(68_100, 7070), 7070.4)


def test_a_new_counter_is_not_told_before_its_time_is_sure(store: Store) -> None:
    store.add("a", 1000, (1, 0, 60), (2, 10, 68))
    store.journal.store("house", {"b": Boot(2000, synchronised=False)}, [Reading("b", 1, None, 0, 5)])
    assert counts(store) == [60, 68, 68]
    assert store.series.counters_to_tell("house") == []
    store.add("b", 2000)
    assert [anew.run for anew in store.series.counters_to_tell("house")] == ["b"]


def test_values_that_are_recorded_may_fall(store: Store) -> None:
    store.series.describe(Batch("house", "W", 0, None, {}, []))
    store.add("record a", 1000, (1, 0, 60), (2, 10, 68))
    store.add("record b", 2000, (1, 0, 5), (2, 10, 7))
    assert counts(store) == [60, 68, 5, 7]


def test_a_run_within_the_time_of_another_counts_nothing(store: Store) -> None:
    store.add("a", 0, *((n, n * 10, 100 + n) for n in range(11)))
    store.add("clone", 0, (1, 45, 3), (2, 55, 90))
    store.add("c", 200, (1, 0, 110), (2, 10, 120))
    assert counts(store) == [*range(100, 111), 110, 120]
    assert store.series.counters_to_tell("house") == []

"""What the journal says about a source over time."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.shared.plan.delivery import Batch, Boot, Reading, RegisterReading, Run
from pimains.shared.plan.point import Point
from pimains.shared.readings.journal import Journal
from pimains.shared.readings.plan import imports
from pimains.shared.readings.plan.energy import RISES_SECONDS
from pimains.shared.readings.series.series import Series


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


def test_what_a_power_cut_took_of_a_meters_count_is_no_new_counter_and_totals_only_rise(store: Store) -> None:
    store.series.describe(Batch("house", "kWh", 1000, RegisterReading(0, 7000), {}, [], run="a"))
    store.add("a", 1000, (1, 0, 0), (2, 10, 60), (3, 7000, 7000), (4, 7010, 7010))
    store.add("b", 9000, (1, 0, 6995), (2, 10, 7005))
    store.add("c", 10_000, (1, 0, 7000), (2, 10, 7010))
    assert counts(store) == [0, 60, 7000, 7010, 7010, 7020, 7020, 7030]
    assert store.series.meters()["house"].total(7030) == 7007.03
    assert store.series.counters_to_tell("house") == []
    store.add("d", 11_000, (1, 0, 3000), (2, 10, 3001))  # a card of an hour and more ago
    assert [(anew.run, anew.begins, anew.reached) for anew in store.series.counters_to_tell("house")] == [("d", 3000, 7030)]


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


def meant(
    store: Store, impulses: float, run: str, offset: float, *readings: tuple[int, float, int], face: RegisterReading | None = None
) -> None:
    """A run of so many pulses a kWh, as its meter sends it."""
    rows = [Reading(run, sequence, None, uptime, pulses) for sequence, uptime, pulses in readings]
    batch = Batch("house", "kWh", impulses, face, {run: Boot(offset, True)}, rows, {run: Run(f"boot-{run}", 0, impulses)}, run)
    store.series.describe(batch)
    store.journal.store_sent(batch)


def kwh(store: Store, *times: float) -> list[float]:
    meter = store.series.meters()["house"]
    return [meter.amount(store.series.count_at("house", time) or 0.0) for time in times]


@pytest.mark.parametrize("impulses", [2000, 500, 800, 75])
def test_other_impulses_count_from_their_run_on_and_change_nothing_before(store: Store, impulses: int) -> None:
    meant(store, 1000, "a", 1000, (1, 0, 5000), (2, 10, 6000), (3, 20, 9000), face=RegisterReading(5000, 100))
    meant(store, impulses, "b", 2000, (1, 0, 9010), (2, 10, 9010 + impulses))
    meant(store, impulses, "c", 3000, (1, 0, 9010 + impulses), (2, 10, 9010 + 3 * impulses), face=RegisterReading(9010, 104.01))
    assert kwh(store, 1000, 1010, 1020, 2000, 2010, 3010) == pytest.approx([5, 6, 9, 9.01, 10.01, 12.01])
    assert not store.series.counters_to_tell("house")
    meter = store.series.meters()["house"]
    assert [meter.total(point.pulses) for point in store.points()] == pytest.approx([100, 101, 104, 104.01, 105.01, 105.01, 107.01])
    assert min(b.pulses - a.pulses for a, b in itertools.pairwise(store.points())) >= 0


def test_a_journal_that_does_not_say_what_a_pulse_was_means_what_its_source_said_until_another_was_said(store: Store) -> None:
    store.series.describe(Batch("house", "kWh", 1000, RegisterReading(0, 50), {}, [], run="a"))
    store.add("a", 1000, (1, 0, 0), (2, 10, 3000))
    store.add("b", 2000, (1, 0, 3000), (2, 10, 4000))
    meant(store, 2000, "c", 3000, (1, 0, 4000), (2, 10, 6000), face=RegisterReading(4000, 54))
    assert kwh(store, 1010, 2010, 3010) == [3, 4, 5]
    meant(store, 4000, "d", 4000, (1, 0, 6000), (2, 10, 10_000), face=RegisterReading(6000, 55))
    assert kwh(store, 1010, 2010, 3010, 4010) == [3, 4, 5, 6]
    assert store.series.meters()["house"].total(24_000) == 56


def test_other_impulses_on_a_new_card_are_a_new_counter_of_them(store: Store) -> None:
    meant(store, 1000, "a", 1000, (1, 0, 0), (2, 10, 68_000), face=RegisterReading(0, 7000))
    meant(store, 500, "b", 2000, (1, 0, 0), (2, 10, 500))
    assert kwh(store, 1010, 2000, 2010) == [68, 68, 69]
    (anew,) = store.series.counters_to_tell("house")
    assert (anew.begins, store.series.meters()["house"].amount(anew.reached)) == (0, 68)
    assert store.series.counts_anew_since("house") == 2000
    assert store.series.meters()["house"].total(34_500) == 7069


def test_a_face_holds_from_its_time_on_until_the_next_one_is_read(store: Store) -> None:
    batch = Batch("house", "kWh", 1000, RegisterReading(1000, 27.2), {}, [], run="a")
    store.add("a", 1000, (1, 0, 0), (2, 10, 2000), (3, 20, 4000))
    store.series.describe(batch)
    store.series.describe(batch._replace(register=RegisterReading(3000, 3.2)))
    store.series.describe(batch._replace(register=RegisterReading(3000, 3.3)))
    store.series.describe(batch._replace(register=None))
    meter = store.series.meters()["house"]
    assert [meter.total(count) for count in (0, 1000, 2999, 3000, 4000)] == pytest.approx([26.2, 27.2, 29.199, 3.3, 4.3])


def test_a_first_face_that_is_less_than_what_was_counted_makes_no_total_of_before_less_than_nothing(store: Store) -> None:
    store.add("a", 1000, (1, 0, 0), (2, 10, 27_200), (3, 20, 28_200))
    store.series.describe(Batch("house", "kWh", 1000, RegisterReading(27_200, 3.2), {}, [], run="a"))
    meter = store.series.meters()["house"]
    assert [meter.total(count) for count in (0, 20_000, 27_200, 28_200)] == pytest.approx([0, 20, 3.2, 4.2])

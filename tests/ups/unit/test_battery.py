"""When the battery is empty and a shutdown is due: three outages that happened, and what holds in all of them."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.ups.plan import battery, standing
from pimains.ups.plan.battery import Battery, Limits, Past
from pimains.ups.plan.standing import Standing, after_sleep, look

NEED = 60.0
BEGAN = 1000.0


class Watch:
    """A UPS that is looked at once a second, and what is decided at each look; `at` are seconds since the power cut."""

    def __init__(self, limits: Limits = Limits(), pasts: Sequence[Past] = (), need: float = NEED) -> None:  # noqa: B008  # a constant
        self.limits, self.pasts, self.need = limits, pasts, need
        self.judged = standing.Limits(charge_low=limits.charge_low, runtime_low=limits.runtime_low)
        self.standing, self.battery = Standing(), Battery()
        self.now = BEGAN - 10
        self.due: dict[float, str] = {}
        self.see({"ups.status": "OL", "battery.charge": "100", "battery.runtime": "3000"}, 10)

    @property
    def end(self) -> float | None:
        found = battery.end(self.battery, self.standing, self.pasts, self.now)
        return found.at - BEGAN if found else None

    def see(self, variables: Mapping[str, str] | None, looks: int = 1, seconds: float = 1.0) -> str:
        """Look so many times; returns why a shutdown was due at the first of them, "" if at none."""
        before = len(self.due)
        for _ in range(looks):
            self.standing, _ = look(self.standing, variables, self.now, self.judged)
            self.decide()
            self.now += seconds
        return [*self.due.values()][before] if len(self.due) > before else ""

    def decide(self) -> None:
        self.battery = battery.follow(self.battery, self.standing, self.now)
        if why := battery.due(self.battery, self.standing, self.pasts, self.limits, self.need, self.now):
            self.due[self.now - BEGAN] = why

    def began_at(self) -> float:
        """When the shutdown was due first."""
        return next(iter(self.due))


def on_battery(charge: float | str = "", runtime: float | str = "", load: float | str = "", status: str = "OB") -> dict[str, str]:
    return {"ups.status": status, "battery.charge": f"{charge}", "battery.runtime": f"{runtime}", "ups.load": f"{load}"}


def test_usb_that_drops_with_the_mains_for_a_minute_halts_nobody_and_the_time_left_is_known() -> None:
    """Scenario 2: OB for one look, a minute without data at 95 % charge, then OL."""
    watch = Watch()
    watch.see(on_battery(95, 1800))
    for second in range(60):
        watch.see(None)
        assert watch.end == 1800, second
    watch.see({"ups.status": "OL", "battery.charge": "94"})
    assert watch.due == {}
    assert watch.end is None


def test_data_that_never_come_back_halt_before_the_battery_is_empty_and_not_at_the_first_missing_look() -> None:
    """Scenario 3: the same for good."""
    watch = Watch()
    watch.see(on_battery(95, 1800))
    why = watch.see(None, 2000)
    assert why == "the battery lasts for 75 s more, as the UPS reports, and the shutdown takes 60 s"
    assert watch.began_at() == 1800 - NEED - 15


def test_of_a_long_shutdown_a_fifth_more_is_left() -> None:
    watch = Watch(need=300.0)
    watch.see(on_battery(95, 1800))
    assert watch.see(None, 2000) == "the battery lasts for 360 s more, as the UPS reports, and the shutdown takes 300 s"
    assert watch.began_at() == 1800 - 300 - 60


def test_a_second_outage_an_hour_later_is_counted_from_its_own_beginning() -> None:
    """Scenario 15: ON_BATTERY_SECONDS_MAX, also when somebody remembers the first."""
    watch = Watch(Limits(on_battery_max=600))
    assert watch.see(on_battery(90, 1800), 599) == ""
    watch.see({"ups.status": "OL", "battery.charge": "90"}, 3600)
    second = watch.now - BEGAN
    assert watch.see(on_battery(90, 1800), 700) == "on battery for 600 s, ON_BATTERY_SECONDS_MAX is 600 s"
    assert watch.began_at() == second + 600


def test_an_outage_goes_on_from_where_it_began_when_the_service_was_restarted_within_it() -> None:
    watch = Watch(Limits(on_battery_max=600))
    watch.see(on_battery(90, 1800), 300)
    watch.battery, watch.standing = Battery(began=watch.battery.began), Standing()
    watch.see(on_battery(90, 1800), 400)
    assert watch.began_at() == 600


@pytest.mark.parametrize("lost_max", [5.0, 120.0, 600.0])
def test_without_any_number_lost_data_last_lost_max(lost_max: float) -> None:
    watch = Watch(Limits(lost_max=lost_max))
    watch.battery = Battery()
    watch.see(on_battery(), 30)
    assert watch.end is None
    assert (
        watch.see(None, 700)
        == f"no data for {lost_max:.0f} s on battery and nothing known of its charge, LOST_SECONDS_MAX is {lost_max:g} s"
    )
    assert abs(watch.began_at() - 30 - lost_max) <= 2


def test_a_driver_that_never_gets_beyond_its_beginning_is_lost_data_too() -> None:
    watch = Watch()
    watch.battery = Battery()
    watch.see(on_battery(), 30)
    watch.see({"ups.status": "WAIT"}, 300)
    assert abs(watch.began_at() - 30 - 120) <= 2


def test_what_was_known_on_line_is_known_when_data_are_lost_with_the_first_look_on_battery() -> None:
    watch = Watch()
    watch.see(on_battery())
    watch.see(None, 10)
    assert watch.end == 3000


@pytest.mark.parametrize("status", ["OL", "OL LB", "OB CAL", "OB LB CAL", "OL CAL", "OB BYPASS", "OL BYPASS", "OFF", "OL OFF", "ALARM"])
def test_lost_data_shut_nothing_down_unless_it_was_on_battery(status: str) -> None:
    watch = Watch(Limits(charge_low=99, runtime_low=3600, on_battery_max=1, lost_max=5))
    watch.see(on_battery(1, 1, status=status), 30)
    watch.see(None, 5000)
    assert watch.due == {}


def test_a_threshold_is_a_moment_to_begin_at_and_the_battery_is_still_there() -> None:
    watch = Watch(Limits(charge_low=50))
    watch.see(on_battery(60, 1200))
    assert watch.see(on_battery(51, 1000), 30) == ""
    assert watch.see(on_battery(50, 1000)) == "its charge is 50 %, CHARGE_LOW_PERCENT is 50 %"
    assert watch.end == 2 + 1000  # when it was believed


def test_while_no_data_come_a_threshold_is_reached_by_the_pace_that_is_known() -> None:
    watch = Watch(Limits(charge_low=50, runtime_low=300), [Past(40, 800, None)])
    watch.see(on_battery(90))
    assert watch.see(None, 2000) == "no data, and at the pace of earlier outages the charge has come down to CHARGE_LOW_PERCENT, 50 %"
    assert watch.began_at() == 40 * 20
    watch = Watch(Limits(runtime_low=600))
    watch.see(on_battery(90, 1800))
    assert watch.see(None, 2000) == "no data, and as the UPS reports the battery lasts for RUNTIME_LOW_SECONDS, 600 s"


def test_the_pace_of_this_outage_counts_once_the_first_minute_is_over_and_it_took_five_points() -> None:
    watch = Watch()
    for second in range(200):  # ten points at once, then one every 20 s
        watch.see(on_battery(90 - max(0, second - 60) // 20, 9000))
        assert watch.end is not None
        assert (watch.end < 9000) == (second >= 160), second
    assert watch.end == 180 + 84 * 20


def test_a_charge_that_stays_where_it_is_tells_that_the_battery_lasts_longer() -> None:
    watch = Watch()
    watch.battery = Battery()
    for second in range(200):
        watch.see(on_battery(90 - max(0, second - 60) // 20))
    watch.see(on_battery(84), 600)
    assert watch.end is not None
    assert watch.end == pytest.approx(799 + 83 * (799 - 60) / 7)
    watch = Watch(pasts=[Past(50, 1000, None)])
    watch.battery = Battery()
    watch.see(on_battery(90), 600)
    assert watch.end == 599 + 89 * 20


def test_what_is_shed_by_the_charge_is_shed_by_that_which_it_comes_to_without_data() -> None:
    watch = Watch(pasts=[Past(50, 500, None)])
    watch.see(on_battery(90))
    fallen = []
    for _ in range(100):
        watch.see(None)
        fallen.append(battery.charge_by_now(watch.battery, watch.standing, watch.pasts, watch.now))
    assert fallen[:3] == [90.0, 90.0, 90.0]  # a network that is away for a moment
    assert fallen[-1] is not None
    assert abs(fallen[-1] - 80) <= 1
    assert battery.charge_by_now(Battery(), watch.standing, watch.pasts, watch.now) is None
    assert fallen == sorted(fallen, reverse=True)  # type: ignore[type-var]  # none is None


def test_a_runtime_that_never_falls_empties_the_battery_all_the_same() -> None:
    """Some report the same for as long as they are asked: the end stands where it was when the number came."""
    watch = Watch(Limits())
    why = watch.see(on_battery(95, 1800), 2000)
    assert why == "the battery lasts for 75 s more, as the UPS reports, and the shutdown takes 60 s"
    assert watch.began_at() == 1800 - NEED - 15
    watch = Watch(Limits(runtime_low=600))
    why = watch.see(on_battery(95, 1800), 2000)
    assert why == "its battery has come down to RUNTIME_LOW_SECONDS, 600 s, since it reported its runtime last"
    assert watch.began_at() == 1800 - 600


def test_a_runtime_that_falls_in_steps_moves_the_end_with_each_of_them_only() -> None:
    watch = Watch(Limits())
    for second in range(300):  # it is asked each second, and counts minutes of 75 s
        watch.see(on_battery("", 1200 - second // 75 * 60))
        assert watch.end == second // 75 * 75 + 1200 - second // 75 * 60
    watch.see(on_battery("", 1200))  # and it may think better of it
    assert watch.end == 300 + 1200


def test_a_charge_that_never_falls_ends_with_twice_what_earlier_outages_took() -> None:
    watch = Watch(pasts=[Past(50, 1000, None)])
    watch.battery = Battery()
    why = watch.see(on_battery(90), 4000)
    assert why == "the battery lasts for 75 s more, at the pace of earlier outages, and the shutdown takes 60 s"
    assert watch.began_at() == 90 * 20 * 2 - NEED - 15


def test_earlier_outages_count_where_no_runtime_is_reported_or_no_data_come_and_by_the_load() -> None:
    pasts = [Past(50, 1000, 40), Past(50, 2000, 40)]
    watch = Watch(pasts=pasts)
    watch.see(on_battery(80, 6000, 40))
    assert watch.end == 6000
    watch.see(None, 4)
    assert watch.end == 6000
    watch.see(None, 2)
    assert watch.end == 80 * 20
    for load, end in ((40, 1600), (80, 800), (20, 3200), (1, 3200), ("", 1600)):
        watch = Watch(pasts=pasts)
        watch.battery = Battery()
        watch.see(on_battery(80, load=load))
        assert watch.end == end


def test_four_seconds_without_data_begin_nothing_that_data_would_not_have_begun() -> None:
    """Scenario 1: by earlier outages the battery is empty already."""
    watch = Watch(Limits(charge_low=49), [Past(100, 120, None)])
    watch.see(on_battery(50, 900), 600)
    watch.see(None, 5)  # four seconds after the first
    watch.see(on_battery(50, 900), 10)
    assert watch.due == {}


def test_a_charge_that_falls_at_once_brings_the_end_no_nearer_until_it_was_seen_again() -> None:
    watch = Watch()
    watch.see(on_battery(90, 1800), 10)
    assert watch.see(on_battery(5, 20), 2) == ""
    assert watch.see(on_battery(89, 1790)) == ""
    assert watch.see(on_battery(5, 20), 3) == "the battery lasts for 20 s more, as the UPS reports, and the shutdown takes 60 s"
    assert watch.began_at() == 15


def test_what_an_outage_took_is_kept_and_found_again() -> None:
    watch = Watch()
    watch.see(on_battery(100, load=30))
    for charge in range(99, 79, -1):
        watch.see(on_battery(charge, load=30), 1, seconds=30)
    past = battery.spent(watch.battery)
    assert past == Past(20, 571, 30)
    kept = battery.written([Past(50, 1000, None)] * 9 + [past])
    assert battery.read(kept) == (*[Past(50, 1000, None)] * 4, past)
    assert battery.spent(Battery()) is None


def test_a_short_outage_tells_no_pace() -> None:
    watch = Watch()
    watch.see(on_battery(100), 300)
    watch.see(on_battery(91), 300)
    assert battery.spent(watch.battery) is None


@given(st.text(alphabet="0123456789.-einfa \n", max_size=60))
def test_what_cannot_be_true_of_an_earlier_outage_is_left_out(text: str) -> None:
    pasts = battery.read(text)
    assert all(10 <= past.points <= 100 and 120 <= past.seconds <= 10_000_000 for past in pasts)
    assert len(pasts) <= 5
    assert battery.read(battery.written(pasts)) == battery.read(battery.written(battery.read(battery.written(pasts))))


def test_what_was_known_before_a_sleep_is_forgotten_but_not_when_it_began() -> None:
    watch = Watch(Limits(on_battery_max=600))
    watch.see(on_battery(90, 700, status="OB LB"))
    watch.now += 5000
    watch.due.clear()
    watch.standing, _ = after_sleep(watch.standing, watch.now)
    watch.decide()
    assert watch.end is None
    assert watch.due == {}
    assert watch.see(on_battery(90, 700)).startswith("on battery for 5001 s")
    assert Watch().see(None, 300) == ""


charges = st.none() | st.integers(0, 100)
runtimes = st.none() | st.integers(0, 5000)
looks = st.lists(st.tuples(st.sampled_from(["OB", "OB", "OB", "OL", "OB CAL", "lost", "lost"]), charges, runtimes), min_size=1, max_size=60)
pasts_known = st.lists(st.builds(Past, st.floats(10, 100), st.floats(120, 20_000), st.none() | st.floats(0, 100)), max_size=5)


def played(watch: Watch, seen: list[tuple[str, int | None, int | None]]) -> None:
    for status, charge, runtime in seen:
        watch.see(
            None if status == "lost" else on_battery("" if charge is None else charge, "" if runtime is None else runtime, status=status)
        )


@given(st.lists(st.tuples(st.sampled_from(["OB", "lost"]), charges, runtimes), min_size=1, max_size=40), pasts_known)
def test_while_what_is_reported_stands_still_its_end_stands_too(seen: list[tuple[str, int | None, int | None]], pasts: list[Past]) -> None:
    watch = Watch(pasts=pasts)
    played(watch, seen)
    watch.see(on_battery(70, 900), 5)
    reported = watch.battery.runtime
    watch.see(on_battery(70, 900), 50)
    assert reported
    assert watch.battery.runtime == reported
    assert watch.end is not None
    assert watch.end <= reported.at - BEGAN + 900


@given(looks, pasts_known, st.floats(0, 3000))
def test_a_shutdown_is_always_due_while_there_is_time_for_it_when_no_more_data_come(
    seen: list[tuple[str, int | None, int | None]], pasts: list[Past], need: float
) -> None:
    watch = Watch(pasts=pasts, need=need)
    played(watch, seen)
    watch.due.clear()
    while watch.standing.is_on_battery and not watch.due:
        before = watch.now
        ending = battery.end(watch.battery, watch.standing, pasts, watch.now)
        watch.see(None)
        left = (ending.at - before) if ending else None
        assert left is None or watch.due or left >= need + battery.margin_seconds(need)
        assert ending or watch.due or before - (watch.standing.lost_at or before) <= 121
        if left and left > need + 100:  # in one stride to where it becomes interesting
            watch.now += min(left - need - 90 - 0.2 * need, 60) if left - need - 90 - 0.2 * need > 0 else 0


@given(looks, pasts_known)
def test_without_data_the_end_only_comes_nearer_and_by_nothing_but_time(
    seen: list[tuple[str, int | None, int | None]], pasts: list[Past]
) -> None:
    watch = Watch(pasts=pasts)
    played(watch, seen)
    before = watch.end
    for _ in range(20):
        watch.see(None)
        after = watch.end
        assert before is None or (after is not None and after <= before)
        before = after


@given(looks, pasts_known, st.floats(0, 3000))
def test_nothing_is_due_unless_the_mains_are_gone(seen: list[tuple[str, int | None, int | None]], pasts: list[Past], need: float) -> None:
    watch = Watch(Limits(charge_low=90, runtime_low=3000, on_battery_max=5, lost_max=5), pasts, need)
    for each in seen:
        known = len(watch.due)
        played(watch, [each])
        assert watch.standing.is_on_battery or len(watch.due) == known


@pytest.mark.parametrize(
    "limits",
    [Limits(), Limits(on_battery_max=600), Limits(runtime_low=900), Limits(charge_low=60), Limits(lost_max=300)],
    ids=["end", "on battery", "runtime", "charge", "lost"],
)
@pytest.mark.parametrize("has_data", [True, False])
def test_what_is_said_of_when_it_shuts_down_is_when_it_does(limits: Limits, has_data: bool) -> None:
    """A battery of 2400 s that is emptied evenly; without data from its second minute on."""
    watch = Watch(limits)
    said: dict[float, float | None] = {}
    for second in range(2400):
        left = 2400 - second
        watch.see(on_battery(left // 24, left) if has_data or second < 120 else None)
        said[second] = battery.due_at(watch.battery, watch.standing, (), limits, NEED, watch.now - 1)
        if watch.due:
            break
    due = watch.began_at()
    assert said[due] == due + BEGAN
    for second, at in said.items():
        if not has_data and second < 126:  # what is said then is of data that go on
            continue
        assert at is not None
        assert abs(at - BEGAN - due) <= 0.1 * (due - second) + 25, (second, at - BEGAN, due)  # a whole point of charge is 24 s


def test_without_any_number_it_is_known_when_lost_data_shut_it_down() -> None:
    watch = Watch(Limits(lost_max=120))
    watch.standing, watch.battery = Standing(), Battery()
    watch.see({"ups.status": "OB"})
    assert battery.due_at(watch.battery, watch.standing, (), watch.limits, NEED, watch.now) is None
    lost_at = watch.now
    watch.see(None)
    assert battery.due_at(watch.battery, watch.standing, (), watch.limits, NEED, watch.now) == lost_at + 120
    watch.see(None, 200)
    assert watch.began_at() + BEGAN == lost_at + 120


def test_what_is_said_of_a_driver_that_never_gets_beyond_its_beginning_is_when_it_shuts_down() -> None:
    watch = Watch(Limits(lost_max=120))
    watch.standing, watch.battery = Standing(), Battery()
    watch.see({"ups.status": "OB"})
    fresh_at = watch.now - 1
    watch.see({"ups.status": "WAIT"}, 10)
    assert battery.due_at(watch.battery, watch.standing, (), watch.limits, NEED, watch.now - 1) == fresh_at + 120
    watch.see({"ups.status": "WAIT"}, 200)
    assert watch.began_at() + BEGAN == fresh_at + 120

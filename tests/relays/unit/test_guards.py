"""The guards in services/relays/README.md, one by one."""

from datetime import UTC, datetime

import pytest

from pimains.shared.relays.plan.day_time import QuietHours
from pimains.shared.relays.plan.relay import GroupLimit, Limits
from tests.relays.boards import LOST, World

HOUR = 3600.0
NIGHT = QuietHours(22 * 60, 6 * 60)
MIDNIGHT = datetime(2026, 11, 27, tzinfo=UTC).timestamp()


def test_a_rule_waits_for_min_on_before_it_switches_off() -> None:
    world = World(pump=Limits(min_on=300))
    world.wish("pump", True)
    world.pass_seconds(100)
    world.wish("pump", False, "clouds")
    assert world.is_on("pump")
    assert world.reason("pump") == "clouds; waits for MIN_ON 5 min"
    assert world.next_change("pump") == 300
    world.pass_seconds(199)
    assert world.is_on("pump")
    world.pass_seconds(1)
    assert world.trace == [(0, "pump", True), (300, "pump", False)]


def test_a_persons_off_waits_for_nothing() -> None:
    world = World(pump=Limits(min_on=300, min_off=300))
    world.pass_seconds(300)
    world.wish("pump", True)
    world.pass_seconds(10)
    world.say("pump", "off")
    assert world.trace == [(300, "pump", True), (310, "pump", False)]


def test_a_halt_waits_for_nothing_and_gives_back_to_auto_when_it_is_called_off() -> None:
    world = World(pump=Limits(min_on=300, min_off=60))
    world.say("pump", "on")
    world.pass_seconds(70)
    world.halt("this machine halts: battery low")
    assert (world.trace[-1], world.why[-1]) == ((70, "pump", False), "this machine halts: battery low")
    world.pass_seconds(10)
    world.halt("")
    assert not world.is_on("pump")
    world.pass_seconds(50)
    assert world.trace[-1] == (130, "pump", True)


def test_a_halt_leaves_alone_what_on_halt_keeps_but_for_a_persons_off() -> None:
    world = World(fridge=Limits(on_halt="keep"), other=Limits(on_halt="keep"))
    world.say("fridge", "on")
    world.halt()
    world.say("other", "on")
    assert (world.is_on("fridge"), world.is_on("other")) == (True, False)
    world.say("fridge", "off")
    assert not world.is_on("fridge")


@pytest.mark.parametrize("who", ["rule", "person"])
def test_anybodys_on_waits_for_min_off(who: str) -> None:
    world = World(pump=Limits(min_off=300))
    if who == "rule":
        world.wish("pump", True)
    else:
        world.say("pump", "on")
    assert not world.is_on("pump")  # since the boot it was open for no time at all
    assert world.reason("pump").endswith("; waits for MIN_OFF 5 min")
    world.pass_seconds(300)
    assert world.trace == [(300, "pump", True)]


def test_two_contacts_never_close_within_stagger_seconds() -> None:
    world = World(a=Limits(), b=Limits(), c=Limits())
    for number in "abc":
        world.say(number, "on")
    world.pass_seconds(10)
    assert [round(at, 2) for at, _, _ in world.trace] == [0, 1, 2]


def test_a_full_group_makes_anybody_wait() -> None:
    world = World({"heaters": GroupLimit(1, False)}, a=Limits(group="heaters"), b=Limits(group="heaters"))
    world.say("a", "on")
    world.say("b", "on")
    world.pass_seconds(60)
    assert (world.is_on("a"), world.is_on("b")) == (True, False)
    assert world.reason("b") == "a person wants it on; waits for room in group heaters=1"
    world.say("a", "off")
    world.pass_seconds(2)
    assert world.is_on("b")


def test_all_is_the_group_of_all_and_counts_watts() -> None:
    world = World({"all": GroupLimit(3000, True)}, a=Limits(watts=2000), b=Limits(watts=1500, group="x"), c=Limits(watts=1000))
    for number in "abc":
        world.wish(number, True)
        world.pass_seconds(2)
    assert [world.is_on(number) for number in "abc"] == [True, False, True]


def test_the_least_priority_gives_way_when_a_group_is_full_but_not_within_its_min_on() -> None:
    world = World(
        {"heaters": GroupLimit(1, False)},
        boiler=Limits(name="boiler", group="heaters", priority=9),
        pool=Limits(group="heaters", priority=1, min_on=120),
    )
    world.wish("pool", True)
    world.pass_seconds(30)
    world.wish("boiler", True)
    assert world.is_on("pool")
    world.pass_seconds(90)
    assert world.trace == [(0, "pool", True), (120, "pool", False), (120, "boiler", True)]
    assert world.why[1] == "it gives way to relay boiler (boiler): the sun shines"
    world.pass_seconds(60)
    assert world.reason("pool") == "the sun shines; waits for room in group heaters=1"


def test_nobody_is_switched_off_for_a_relay_that_has_no_room_even_so() -> None:
    world = World({"all": GroupLimit(2000, True)}, a=Limits(watts=500, priority=1), b=Limits(watts=2500, priority=9))
    world.wish("a", True)
    world.pass_seconds(5)
    world.wish("b", True)
    assert world.is_on("a")


def test_a_rule_never_displaces_what_a_person_has_switched_on() -> None:
    world = World({"all": GroupLimit(1, False)}, a=Limits(priority=1), b=Limits(priority=9))
    world.say("a", "on")
    world.pass_seconds(5)
    world.wish("b", True)
    assert (world.is_on("a"), world.is_on("b")) == (True, False)


def test_a_persons_on_displaces_what_a_rule_has_switched_on() -> None:
    world = World({"all": GroupLimit(1, False)}, a=Limits(priority=9), b=Limits(priority=1))
    world.wish("a", True)
    world.pass_seconds(5)
    world.say("b", "on")
    assert (world.is_on("a"), world.is_on("b")) == (False, True)


def test_a_rule_waits_when_it_was_switched_too_often_in_any_24_hours() -> None:
    world = World(lost=1e9, pump=Limits(max_switches_per_day=2))
    for _ in range(2):
        world.wish("pump", True)
        world.pass_seconds(HOUR)
        world.wish("pump", False)
        world.pass_seconds(HOUR)
    world.wish("pump", True)
    assert world.reason("pump") == "the sun shines; waits for MAX_SWITCHES_PER_DAY 2"
    assert world.next_change("pump") == 24 * HOUR
    world.pass_seconds(20 * HOUR)
    assert world.trace[-1] == (24 * HOUR, "pump", True)


def test_a_person_may_switch_more_often_and_is_told() -> None:
    world = World(pump=Limits(max_switches_per_day=0, quiet_hours=NIGHT))
    world.say("pump", "on")
    assert world.is_on("pump")
    assert world.why == [
        "a person wants it on, in spite of MAX_SWITCHES_PER_DAY 0 and QUIET_HOURS 22:00-06:00, and the clock was not set yet"
    ]


def test_a_rule_waits_for_the_end_of_quiet_hours_and_before_that_for_the_clock() -> None:
    world = World(lost=1e9, pump=Limits(quiet_hours=NIGHT))
    world.wish("pump", True)
    assert world.reason("pump") == "the sun shines; waits for QUIET_HOURS 22:00-06:00, and the clock was not set yet"
    assert world.next_change("pump") is None
    world.pass_seconds(100)
    world.set_clock(MIDNIGHT + 5.5 * HOUR)
    assert not world.is_on("pump")
    world.pass_seconds(HOUR)
    assert world.trace == [(100 + HOUR / 2, "pump", True)]


def test_quiet_hours_switch_nothing_off() -> None:
    world = World(lost=1e9, pump=Limits(quiet_hours=NIGHT))
    world.set_clock(MIDNIGHT + 21 * HOUR)
    world.wish("pump", True)
    world.pass_seconds(5 * HOUR)
    assert world.is_on("pump")


def test_max_on_per_day_switches_a_rules_on_off_and_refuses_the_next() -> None:
    world = World(lost=1e9, heater=Limits(max_on_per_day=4 * HOUR))
    world.wish("heater", True)
    world.pass_seconds(5 * HOUR)
    assert world.trace == [(0, "heater", True), (4 * HOUR, "heater", False)]
    assert world.why[1] == "MAX_ON_PER_DAY 4 h is reached"
    assert world.next_change("heater") == 24 * HOUR + 60
    world.pass_seconds(20 * HOUR)
    assert world.trace[2] == (24 * HOUR + 60, "heater", True)


def test_a_run_is_only_begun_when_max_on_per_day_leaves_it_its_min_on() -> None:
    world = World(lost=1e9, heater=Limits(max_on_per_day=HOUR, min_on=HOUR / 2))
    world.wish("heater", True)
    world.pass_seconds(0.75 * HOUR)
    world.wish("heater", False)
    world.wish("heater", True)
    assert not world.is_on("heater")
    assert world.reason("heater") == "the sun shines; waits for MAX_ON_PER_DAY 60 min"


def test_a_person_may_keep_it_on_longer_than_max_on_per_day() -> None:
    world = World(heater=Limits(max_on_per_day=HOUR))
    world.say("heater", "on")
    world.pass_seconds(3 * HOUR)
    assert world.is_on("heater")
    world.say("heater", "auto")
    assert world.trace[-1] == (3 * HOUR, "heater", False)


def test_the_hand_that_is_taken_away_leaves_the_rule_with_the_guards_of_the_forced_run() -> None:
    world = World(pump=Limits(min_on=600))
    world.say("pump", "on")
    world.pass_seconds(500)
    world.wish("pump", False, "no sun")
    world.say("pump", "auto")
    assert world.reason("pump") == "no sun; waits for MIN_ON 10 min"
    world.pass_seconds(100)
    assert world.trace[-1] == (600, "pump", False)


def test_a_cloud_starts_a_pump_once_and_its_run_lasts_min_on() -> None:
    world = World(pump=Limits(min_on=1200, min_off=300))
    world.pass_seconds(300)
    for is_on in (True, False, True, False, True):
        world.wish("pump", is_on)
        world.pass_seconds(40)
    assert world.trace == [(300, "pump", True)]


def test_a_restart_forgets_nothing() -> None:
    world = World(lost=1e9, pump=Limits(min_on=600, max_switches_per_day=1))
    world.wish("pump", True)
    world.pass_seconds(300)
    world.restart()
    world.wish("pump", False)
    assert world.is_on("pump")
    world.pass_seconds(299)
    world.restart()
    assert world.is_on("pump")
    world.pass_seconds(1)
    assert world.trace[-1] == (600, "pump", False)
    world.restart()
    world.wish("pump", True)
    assert world.next_change("pump") == 24 * HOUR


def test_after_a_reboot_the_contact_was_open_at_least_since_the_boot_and_the_day_goes_on() -> None:
    world = World(lost=1e9, pump=Limits(min_off=300, max_switches_per_day=2))
    world.pass_seconds(300)
    world.wish("pump", True)
    world.pass_seconds(100)
    world.reboot()
    world.wish("pump", True)
    world.pass_seconds(299)
    assert not world.is_on("pump")
    world.pass_seconds(1)
    assert world.trace[-1] == (700, "pump", True)
    world.reboot()
    world.wish("pump", True)
    world.pass_seconds(HOUR)
    assert world.next_change("pump") == 24 * HOUR + 300


def test_what_a_power_cut_did_not_let_be_written_counts_as_on() -> None:
    world = World(lost=1e9, heater=Limits(max_on_per_day=HOUR))
    world.wish("heater", True)
    world.pass_seconds(HOUR / 2)
    world.reboot()
    assert world.board.relays["heater"].runs.seconds_on(world.time) == HOUR / 2 + 600


@pytest.mark.parametrize(
    ("on_lost", "was_on", "is_on"), [("off", True, False), ("keep", True, True), ("keep", False, False), ("on", False, True)]
)
def test_a_lost_wish_does_as_on_lost_says(on_lost: str, was_on: bool, is_on: bool) -> None:
    world = World(pump=Limits(on_lost=on_lost))
    world.wish("pump", was_on)
    world.pass_seconds(LOST - 1)
    assert world.is_on("pump") == was_on
    world.pass_seconds(1)
    assert world.is_on("pump") == is_on
    world.wish("pump", not is_on, "the rule is back")
    assert world.is_on("pump") != is_on


def test_on_lost_keeps_the_guards_of_a_rule() -> None:
    world = World(pump=Limits(min_on=LOST + 50))
    world.wish("pump", True)
    world.pass_seconds(LOST + 49)
    assert world.reason("pump") == "no rule has said anything for 10 min, ON_LOST off; waits for MIN_ON 10 min"
    world.pass_seconds(1)
    assert not world.is_on("pump")


def test_at_start_off_waits_for_a_person_after_a_boot_also_over_restarts() -> None:
    world = World(pump=Limits(at_start="off"))
    world.reboot()
    world.wish("pump", True)
    world.restart()
    assert world.reason("pump") == "this machine has booted, and AT_START waits for a person"
    world.say("pump", "auto")
    assert world.is_on("pump")


def test_what_a_person_has_switched_on_is_on_again_after_a_boot() -> None:
    world = World(pump=Limits(at_start="off"))
    world.say("pump", "on")
    world.reboot()
    world.pass_seconds(2)
    assert [is_on for _, _, is_on in world.trace] == [True, False, True]


def test_forced_for_ends_a_persons_on_that_says_no_end_and_no_off() -> None:
    world = World(pump=Limits(forced_for=HOUR))
    world.say("pump", "on")
    assert world.next_change("pump") == HOUR
    world.pass_seconds(HOUR)
    world.pass_seconds(LOST)
    assert not world.is_on("pump")
    world.say("pump", "off")
    world.wish("pump", True)
    world.pass_seconds(5 * HOUR)
    assert not world.is_on("pump")


def test_for_and_until_end_a_mode() -> None:
    world = World(lost=1e9, pump=Limits())
    world.wish("pump", True)
    world.set_clock(MIDNIGHT + 16 * HOUR)
    world.say("pump", "off for 2h")
    world.pass_seconds(2 * HOUR - 1)
    assert not world.is_on("pump")
    world.pass_seconds(1)
    assert world.is_on("pump")
    world.say("pump", "off until 18:30")
    world.pass_seconds(HOUR / 2 - 1)
    assert not world.is_on("pump")
    world.pass_seconds(1)
    assert world.is_on("pump")


def test_until_waits_for_the_clock_and_says_so() -> None:
    world = World(lost=1e9, pump=Limits())
    world.say("pump", "on until 18:00")
    assert world.reason("pump") == "a person wants it on until 18:00, and the clock was not set yet"
    world.pass_seconds(5 * HOUR)
    world.set_clock(MIDNIGHT + 17 * HOUR)
    assert world.reason("pump") == "a person wants it on until 18:00"
    assert world.next_change("pump") == 6 * HOUR


def test_until_finds_its_end_again_after_a_reboot() -> None:
    world = World(lost=1e9, pump=Limits())
    world.set_clock(MIDNIGHT + 12 * HOUR)
    world.say("pump", "on until 18:00")
    world.ahead = None
    world.reboot()
    world.pass_seconds(2)
    assert world.next_change("pump") is None
    world.set_clock(MIDNIGHT + 17 * HOUR)
    assert world.next_change("pump") == world.time + HOUR

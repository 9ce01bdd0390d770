"""The plug's firmware: each promise of esphome/README.md, on ESPHome's own code.

Times are the plug's own, read from what its hardware says. They run faster than ours, so a busy machine makes them longer: what it
took is measured too (Plug.stalled) and allowed for. Nothing may ever come too early. What a test has to do before something happens
it has a second or two for: as long as that, a busy machine may let it wait.
"""

import math
import signal
from collections.abc import Callable

import pytest

from tests.kit import until
from tests.plug.firmware import VERSIONS, Plug, Said

LOOKS, LOOK_SECONDS = 10, 0.97  # pimains-metering.yaml: so many in a row below Idle Watts, so far apart, are a Pi that has halted
TICK = 0.5  # the plug looks every 250 ms, and what it may be late by before that is called a stall
Plugs = Callable[..., Plug]

both_kinds = pytest.mark.parametrize("metering", [False, True], ids=["plain", "metering"])
# each version and each kind of connection, at half the price of all pairs
everywhere = pytest.mark.parametrize("options", [{"version": VERSIONS[0], "encrypted": True}, {"version": VERSIONS[1]}], ids=VERSIONS)


def countdown(plug: Plug, seconds: float) -> Said:
    """Start it, as the Pi does as its last act."""
    plug.number("Countdown", seconds)
    plug.until_state("Countdown", seconds)
    before = len(plug.all("real delay"))
    plug.switch("Real Delay Switch", False)
    plug.until_state("Real Delay Switch", False)
    until(lambda: len(plug.all("real delay")) > before, what="the plug to begin")  # what it says comes another way than its states
    return plug.last("real delay")


def cut(plug: Plug) -> Said:
    """Wait for the relay to open."""
    until(lambda: not plug.relay, what="the cut")
    return plug.last("relay")


def took_at_most(plug: Plug, start: Said, end: Said, seconds: float) -> bool:
    """Whether it took no longer, but for the time in which the machine did not let the plug do anything; that it tells afterwards."""
    until(lambda: end.device_s - start.device_s <= seconds + plug.stalled(start.device_s, end.device_s), 20, f"{end}, {start}")
    return True


def heartbeat(plug: Plug) -> Said:
    """One, when the one before has gone off again."""
    until(lambda: not plug.all("heartbeat") or not plug.last("heartbeat").on)
    before = len(plug.all("heartbeat"))
    plug.switch("Heartbeat Switch", True)
    until(lambda: len(plug.all("heartbeat")) > before)
    return plug.all("heartbeat")[before]


def let_pass(plug: Plug, seconds: float) -> None:
    """Wait until so much of the plug's time has passed."""
    start = plug.device_s()
    until(lambda: plug.device_s() - start >= seconds, 60, f"{seconds} s of the plug's time")


@pytest.mark.parametrize("encrypted", [False, True], ids=["plaintext", "encrypted"])
@pytest.mark.parametrize("version", VERSIONS)
@both_kinds
def test_the_relay_opens_when_the_countdown_is_over_and_not_before(plugs: Plugs, version: str, encrypted: bool, metering: bool) -> None:
    plug = plugs(version=version, encrypted=encrypted, metering=metering, time_scale=60)
    assert bool(plug.key) == encrypted
    start = countdown(plug, 20)
    end = cut(plug)
    assert end.device_s - start.device_s >= 20
    assert took_at_most(plug, start, end, 20 + TICK)
    for name in ("Relay", "Delay Switch", "Real Delay Switch"):
        plug.until_state(name, False)


@everywhere
def test_the_countdown_is_published_whenever_it_is_set_to_the_same_value_too(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(**options)
    heard = [120]
    for value in (90, 90, 90):
        until(lambda: [each[1] for each in plug.client.history if each[0] == "Countdown"] == heard)  # waited for here
        plug.number("Countdown", value)
        heard.append(value)
    plug.restart()
    plug.until_state("Countdown", 90)


@everywhere
def test_a_countdown_that_runs_can_be_made_longer_but_not_shorter(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=30, **options)
    start = countdown(plug, 50)
    plug.number("Countdown", 5)
    plug.number("Countdown", 80)
    plug.number("Countdown", 10)
    end = cut(plug)
    assert end.device_s - start.device_s >= 80
    assert took_at_most(plug, start, end, 80 + TICK)


@everywhere
def test_a_pi_that_asks_twice_is_given_the_later_end(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=30, **options)
    countdown(plug, 50)
    let_pass(plug, 10)
    again = plug.device_s()
    plug.switch("Real Delay Switch", False)
    done = Said("asked again", "", plug.device_s(), 0)
    end = cut(plug)
    assert end.device_s >= again + 50
    assert took_at_most(plug, done, end, 50 + TICK)


@everywhere
def test_a_pi_that_asks_twice_does_not_lose_what_it_asked_for_first(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=60, **options)
    start = countdown(plug, 60)
    plug.number("Countdown", 5)
    plug.switch("Real Delay Switch", False)
    assert cut(plug).device_s - start.device_s >= 60


@everywhere
def test_a_countdown_can_be_called_off_by_the_pi(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=30, **options)
    countdown(plug, 60)
    plug.switch("Real Delay Switch", True)
    plug.until_state("Real Delay Switch", True)
    let_pass(plug, 70)
    assert plug.relay


@everywhere
def test_off_is_only_a_request(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=60, **options)
    plug.switch("Delay Switch", False)
    plug.until_state("Delay Switch", False)
    let_pass(plug, 200)
    assert plug.relay
    assert plug.state("Real Delay Switch") is True
    plug.switch("Delay Switch", True)
    plug.until_state("Delay Switch", True)
    assert len(plug.all("relay")) == 1


@everywhere
def test_on_during_the_countdown_lets_it_end_and_switches_on_again(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=30, **options)
    plug.switch("Delay Switch", False)
    start = countdown(plug, 50)
    plug.switch("Delay Switch", True)
    until(lambda: len(plug.all("relay")) == 3, what="cut and on again")
    _, end, on = plug.all("relay")
    assert end.device_s - start.device_s >= 50
    assert took_at_most(plug, start, end, 50 + TICK)
    assert on.device_s - end.device_s >= 5
    assert took_at_most(plug, end, on, 5.1)
    plug.until_state("Real Delay Switch", True)
    plug.until_state("Delay Switch", True)
    let_pass(plug, 30)
    assert plug.relay


@everywhere
def test_on_during_the_countdown_and_off_once_more_stays_off(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=30, **options)
    countdown(plug, 60)
    plug.switch("Delay Switch", True)
    plug.switch("Delay Switch", False)
    cut(plug)
    let_pass(plug, 30)
    assert not plug.relay


@everywhere
def test_delay_switch_on_closes_the_relay(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(**options)
    plug.switch("Relay", False)
    plug.until_state("Delay Switch", False)
    assert math.isnan(plug.state("Off Requested Age"))
    plug.switch("Delay Switch", True)
    plug.until_state("Relay", True)
    plug.until_state("Real Delay Switch", True)


# the dead man


@everywhere
def test_a_silent_pi_is_cut_after_the_dead_mans_time_and_not_before(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=30, **options)
    plug.number("Dead Man", 60)
    heartbeat(plug)
    for _ in range(3):
        let_pass(plug, 21)
        last = heartbeat(plug)
    assert plug.relay
    end = cut(plug)
    # a tick that fell into a stall counts for 5 s of it
    assert end.device_s - last.device_s >= 60 - TICK
    assert took_at_most(plug, last, end, 60 + TICK)
    let_pass(plug, 30)
    assert not plug.relay


@everywhere
def test_no_dead_man_unless_it_is_set_and_unless_there_was_a_heartbeat(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=120, **options)
    assert plug.state("Dead Man") == 0
    heartbeat(plug)
    let_pass(plug, 200)
    plug.switch("Relay", False)
    plug.switch("Relay", True)
    plug.number("Dead Man", 60)
    let_pass(plug, 200)
    assert plug.relay


@everywhere
def test_missed_heartbeats_count_only_while_the_plug_has_its_network(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=40, **options)
    plug.number("Dead Man", 60)
    heartbeat(plug)
    let_pass(plug, 10)
    plug.switch("Test Network", False)
    let_pass(plug, 150)
    assert plug.relay
    back = plug.device_s()
    plug.switch("Test Network", True)
    assert cut(plug).device_s - back >= 60 - TICK


@everywhere
def test_the_dead_man_sleeps_while_a_countdown_runs(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=40, **options)
    plug.number("Dead Man", 60)
    plug.number("Countdown", 120)
    heartbeat(plug)
    start = countdown(plug, 120)
    assert cut(plug).device_s - start.device_s >= 120


@everywhere
def test_a_heartbeat_goes_off_again_after_three_seconds(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=60, **options)
    on = heartbeat(plug)
    plug.until_state("Heartbeat Switch", False)
    until(lambda: not plug.last("heartbeat").on)
    off = plug.last("heartbeat")
    assert off.device_s - on.device_s >= 3
    assert took_at_most(plug, on, off, 3.1)


@everywhere
def test_a_dead_man_of_less_than_a_minute_is_one_of_a_minute(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(**options)
    plug.number("Dead Man", 7)
    plug.until_state("Dead Man", 60)
    plug.restart()
    plug.until_state("Dead Man", 60)


@everywhere
def test_a_plug_that_hung_does_not_blame_the_pi(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=30, **options)
    plug.number("Dead Man", 60)
    heartbeat(plug)
    plug.freeze()
    let_pass(plug, 80)
    plug.thaw()
    heartbeat(plug)
    assert plug.relay
    assert cut(plug).device_s - plug.last("heartbeat").device_s >= 50


# metering


def metered(plugs: Plugs, options: dict[str, object], watts: float = 4, idle: float = 2, time_scale: int = 60) -> Plug:
    plug = plugs(metering=True, time_scale=time_scale, **options)
    plug.number("Idle Watts", idle)
    plug.watts(watts)
    until(lambda: plug.state("Power") == pytest.approx(watts), what="the plug to measure")
    return plug


@everywhere
def test_a_halted_pi_is_cut_ten_seconds_after_it_stopped_drawing(plugs: Plugs, options: dict[str, object]) -> None:
    plug = metered(plugs, options, time_scale=20)
    start = countdown(plug, 600)
    let_pass(plug, 20)
    plug.watts(1)
    end = cut(plug)
    fall = plug.last("watts")
    # the first look may come at once, and late: those after it come when they would have come anyway
    assert end.device_s - fall.device_s >= (LOOKS - 1) * LOOK_SECONDS - TICK - plug.stalled(fall.device_s, end.device_s)
    assert took_at_most(plug, fall, end, 10 + 0.2)
    until(lambda: not math.isnan(plug.state("Last Halt")), what="Last Halt")
    halt = fall.device_s - start.device_s
    until(lambda: plug.state("Last Halt") <= halt + 1.2 + plug.stalled(start.device_s, end.device_s), 20, "Last Halt to be right")
    assert plug.state("Last Halt") >= halt


@everywhere
def test_a_pi_that_only_dips_is_not_cut(plugs: Plugs, options: dict[str, object]) -> None:
    plug = metered(plugs, options, time_scale=8)
    start = countdown(plug, 36)
    for _ in range(4):
        plug.watts(1)
        let_pass(plug, 3)
        plug.watts(2)  # not below
        let_pass(plug, 1.5)
    assert plug.relay
    end = cut(plug)
    assert end.device_s - start.device_s >= 36
    assert took_at_most(plug, start, end, 36 + TICK)
    assert math.isnan(plug.state("Last Halt"))


@everywhere
def test_watts_do_not_count_for_a_pi_that_draws_hardly_more_than_idle_watts(plugs: Plugs, options: dict[str, object]) -> None:
    plug = metered(plugs, options, watts=2.9, idle=2)
    start = countdown(plug, 60)
    plug.watts(0.5)
    end = cut(plug)
    assert end.device_s - start.device_s >= 60
    assert took_at_most(plug, start, end, 60 + TICK)


@everywhere
def test_watts_do_not_count_without_idle_watts_and_not_without_a_countdown(plugs: Plugs, options: dict[str, object]) -> None:
    plug = metered(plugs, options, idle=0)
    plug.watts(0)
    let_pass(plug, 30)
    plug.watts(4)
    until(lambda: plug.state("Power") == 4)
    start = countdown(plug, 40)
    plug.watts(0)
    assert cut(plug).device_s - start.device_s >= 40
    plug.switch("Delay Switch", True)
    plug.number("Idle Watts", 2)
    let_pass(plug, 30)
    assert plug.relay


@everywhere
def test_a_silent_meter_is_no_proof(plugs: Plugs, options: dict[str, object]) -> None:
    plug = metered(plugs, options, time_scale=8)
    start = countdown(plug, 30)
    plug.watts(1)
    let_pass(plug, 2)
    plug.watts(-1)
    until(lambda: math.isnan(plug.state("Power")), what="no power known")
    end = cut(plug)
    assert end.device_s - start.device_s >= 30
    assert took_at_most(plug, start, end, 30 + TICK)


@everywhere
def test_the_watts_of_an_earlier_halt_are_forgotten(plugs: Plugs, options: dict[str, object]) -> None:
    plug = metered(plugs, options, time_scale=10)
    countdown(plug, 600)
    plug.watts(1)
    until(lambda: not math.isnan(plug.state("Last Halt")), what="Last Halt")
    plug.switch("Delay Switch", True)
    plug.watts(4)
    until(lambda: plug.state("Power") == 4)
    plug.switch("Real Delay Switch", False)
    plug.watts(1)  # before the next sample
    until(lambda: math.isnan(plug.state("Last Halt")), what="Last Halt unknown again")
    let_pass(plug, 2)
    assert plug.relay


@everywhere
def test_power_is_measured_once_a_second(plugs: Plugs, options: dict[str, object]) -> None:
    plug = metered(plugs, options, time_scale=20)

    def readings() -> int:
        return len([1 for each in plug.client.history if each[0] == "Power"])

    start, before = plug.device_s(), readings()
    until(lambda: readings() - before >= 40)
    assert 25 <= plug.device_s() - start <= 160, "they are heard a moment after they were said"


# boots


@both_kinds
@everywhere
def test_a_restart_does_not_move_a_closed_relay_and_starts_nothing(plugs: Plugs, options: dict[str, object], metering: bool) -> None:
    plug = plugs(metering=metering, time_scale=30, **options)
    plug.number("Dead Man", 60)
    plug.number("Countdown", 60)
    heartbeat(plug)
    countdown(plug, 60)
    for number in (signal.SIGTERM, signal.SIGKILL):
        plug.stop(number)
        plug.said.clear()
        plug.start()
        assert plug.state("Delay Switch") is True
        assert plug.state("Real Delay Switch") is True
        assert not plug.all("heartbeat")
        let_pass(plug, 70)
        assert [said.on for said in plug.all("relay")] == [True]


@everywhere
def test_a_restart_does_not_close_an_open_relay(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=60, **options)
    plug.switch("Relay", False)
    plug.restart()
    assert not plug.relay
    assert plug.state("Delay Switch") is False
    assert plug.state("Real Delay Switch") is False
    assert math.isnan(plug.state("Off Requested Age"))
    let_pass(plug, 100)
    assert not any(said.on for said in plug.all("relay")[1:])


@everywhere
def test_a_plug_that_was_never_used_switches_on(plugs: Plugs, options: dict[str, object]) -> None:
    assert plugs(**options).relay


@everywhere
def test_the_flash_is_not_written_for_what_did_not_change(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(metering=True, time_scale=60, **options)
    plug.number("Countdown", 90)
    plug.number("Dead Man", 600)
    plug.number("Idle Watts", 2)
    plug.stop()
    flash = plug.flash()
    plug.start()
    plug.number("Countdown", 90)
    plug.number("Dead Man", 600)
    for _ in range(3):
        heartbeat(plug)
    plug.switch("Delay Switch", False)
    plug.watts(3)
    plug.press()
    let_pass(plug, 120)
    plug.stop()
    assert plug.flash() == flash


# requests


@everywhere
def test_the_age_of_a_request_is_right_for_whoever_connects(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=30, **options)
    assert math.isnan(plug.state("Off Requested Age"))
    before = plug.device_s()
    plug.switch("Delay Switch", False)
    requested = plug.device_s()
    # once a minute while it stands
    until(lambda: plug.state("Off Requested Age") > 1, what="a newer age")
    let_pass(plug, 20)
    plug.reconnect()
    _, age, at = next(each for each in plug.client.history if each[0] == "Off Requested Age")
    # when it was heard, not when it was said: a second may lie between them on a busy machine
    assert plug.device_s(at) - requested - 40 < age < plug.device_s(at) - before + 1
    plug.switch("Delay Switch", True)
    until(lambda: math.isnan(plug.state("Off Requested Age")), what="no request")


@everywhere
def test_asked_again_is_asked_anew(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=60, **options)
    plug.switch("Delay Switch", False)
    let_pass(plug, 30)
    until(lambda: plug.state("Off Requested Age") > 10, what="the age of the first")
    before = len(plug.client.history)
    plug.switch("Delay Switch", False)
    newer = plug.client.history
    until(lambda: [1 for name, age, _ in newer[before:] if name == "Off Requested Age" and age < 10], what="a new request")


# the button


@everywhere
def test_one_press_asks_for_off_the_next_takes_it_back(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=2, **options)
    plug.press()
    plug.until_state("Delay Switch", False)
    assert plug.relay
    until(lambda: plug.state("Off Requested Age") < 10, what="the age of the request")
    plug.press(seconds=1.5)
    plug.until_state("Delay Switch", True)
    assert len(plug.all("relay")) == 1


@everywhere
def test_one_press_switches_on_when_the_power_is_off(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=2, **options)
    plug.switch("Relay", False)
    until(lambda: not plug.relay)
    plug.press()
    until(lambda: plug.relay)
    plug.until_state("Delay Switch", True)


@everywhere
def test_two_presses_cut_at_once(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=1, **options)
    plug.press(times=2)
    cut(plug)
    plug.until_state("Delay Switch", False)
    until(lambda: math.isnan(plug.state("Off Requested Age")), what="no request")
    plug.press(times=2)
    let_pass(plug, 3)
    assert not plug.relay


@everywhere
def test_a_press_during_the_countdown_means_on_again(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=2, **options)
    countdown(plug, 10)
    plug.press()
    until(lambda: len(plug.all("relay")) == 3, what="cut and on again")
    assert plug.relay


@everywhere
def test_the_led_tells_the_relay_and_the_countdown(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=60, **options)
    until(lambda: plug.all("led") and plug.last("led").on, what="a lit LED")
    plug.switch("Relay", False)
    until(lambda: not plug.last("led").on, what="a dark LED")
    plug.restart()
    let_pass(plug, 2)
    assert not plug.last("led").on
    plug.switch("Relay", True)
    before = len(plug.all("led"))
    countdown(plug, 20)
    until(lambda: len(plug.all("led")) >= before + 10, what="a blinking LED")


@both_kinds
@everywhere
def test_the_entities_are_those_the_pi_knows(plugs: Plugs, options: dict[str, object], metering: bool) -> None:
    plain = {"Delay Switch", "Real Delay Switch", "Heartbeat Switch", "Relay", "Countdown", "Dead Man", "Off Requested Age", "Uptime"}
    own = {"Idle Watts", "Power", "Last Halt"} if metering else set()
    plug = plugs(metering=metering, **options)
    assert {name for name in plug.client.entities if not name.startswith("Test ")} == plain | own


@everywhere
def test_the_uptime_comes_every_minute(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=60, **options)
    plug.reconnect()
    start = plug.device_s()
    until(lambda: len([1 for name, value, _ in plug.client.history if name == "Uptime" and not math.isnan(value)]) >= 3)
    assert 60 <= plug.device_s() - start <= 500


@everywhere
def test_clients_that_vanish_do_no_harm(plugs: Plugs, options: dict[str, object]) -> None:
    plug = plugs(time_scale=60, **options)
    for _ in range(5):
        plug.reconnect()
        plug.client.leave_midway()
    let_pass(plug, 10)
    plug.reconnect()
    assert len(plug.all("relay")) == 1

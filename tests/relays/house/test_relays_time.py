"""The service relays under a clock of the test's: a clock that was never set, boots, pins that are lost; three of the solar scenarios."""

import os
from pathlib import Path

import pytest

from tests.relays.stepped import NEVER_SET, NOON, SteppedRelays

HOUR = 3600.0


def test_while_the_clock_was_never_set_quiet_hours_and_until_wait_and_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = SteppedRelays(tmp_path, monkeypatch, {"QUIET_HOURS": "22:00-06:00"}, {}, wall=NEVER_SET)
    service.wish(1, "on sun")
    assert (service.of(1, "state"), service.level(1)) == ("off", "low")
    service.pass_seconds(1)  # a reason that changes nothing is told a moment later
    assert service.of(1, "reason") == "sun; waits for QUIET_HOURS 22:00-06:00, and the clock was not set yet"
    assert service.of(1, "next") == "not known"
    service.mode(2, "on until 18:00")
    assert service.of(2, "state") == "on"
    assert service.of(2, "reason") == "a person wants it on until 18:00, and the clock was not set yet"
    service.pass_seconds(30 * HOUR)  # 18:00 of 1970 comes and goes
    assert (service.of(1, "state"), service.of(2, "state")) == ("off", "on")
    service.wish(1, "on sun")
    service.clock.jump(NOON - service.clock.wall())
    service.pass_seconds(60)
    assert (service.of(1, "state"), service.of(1, "reason")) == ("on", "sun")
    service.pass_seconds(6 * HOUR - 70)
    assert (service.of(2, "state"), service.of(2, "reason")) == ("on", "a person wants it on until 18:00")
    service.pass_seconds(20)
    assert (service.of(2, "state"), service.of(2, "mode")) == ("off", "auto")


def test_a_restart_after_the_clock_was_set_takes_no_wish_for_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = SteppedRelays(tmp_path, monkeypatch, {"MIN_OFF": "10min"}, wall=NEVER_SET, LOST_SECONDS="600")
    service.pass_seconds(HOUR)
    service.wish(1, "on sun")
    assert service.of(1, "state") == "on"
    service.clock.jump(NOON - service.clock.wall())
    service.pass_seconds(5)
    service.stop()
    service.start()
    assert service.actions(1)[1:] == [("off", "its pin was let go while no service ran")]  # it is no line of the kernel's
    service.pass_seconds(1)
    assert service.of(1, "reason") == "sun; waits for MIN_OFF 10 min"
    service.pass_seconds(600)
    assert service.of(1, "reason") == "no rule has said anything for 10 min, ON_LOST off"


def test_a_wish_that_nobody_renews_is_lost_whatever_restarts_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = SteppedRelays(tmp_path, monkeypatch, {"ON_LOST": "on"}, LOST_SECONDS="600")
    service.wish(1, "off clouds")
    for _ in range(5):
        service.pass_seconds(100)
        service.stop()
        service.start()
        assert service.of(1, "state") == "off"
    service.pass_seconds(101)
    assert (service.of(1, "state"), service.of(1, "reason")) == ("on", "no rule has said anything for 10 min, ON_LOST on")


@pytest.mark.parametrize("what", ["wish", "mode"])
def test_what_is_said_twice_within_a_tick_of_the_clock_is_heard_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    service = SteppedRelays(tmp_path, monkeypatch, {})
    path = tmp_path / ("run" if what == "wish" else "var/lib") / f"pimains/relays/1.{what}"
    for word in ("on", "off", "on"):
        path.write_text(f"{word}\n")
        os.utime(path, (NOON, NOON))
        service.step()
        assert service.of(1, "state") == word


def test_for_two_hours_are_two_hours_whatever_the_clock_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = SteppedRelays(tmp_path, monkeypatch, {})
    service.wish(1, "off no sun")
    service.mode(1, "on for 2h")
    for seconds in (HOUR, -HOUR, -NOON + NEVER_SET, NOON):
        service.clock.jump(seconds)
        service.pass_seconds(0.4 * HOUR)
    service.pass_seconds(0.4 * HOUR - 1)
    assert service.of(1, "state") == "on"
    service.pass_seconds(2)
    assert (service.of(1, "state"), service.of(1, "mode")) == ("off", "auto")


def test_after_a_boot_at_start_waits_for_a_person_or_for_a_fresh_wish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = SteppedRelays(tmp_path, monkeypatch, {"AT_START": "off"}, {})
    for number in (1, 2):
        service.wish(number, "on sun")
        assert service.of(number, "state") == "on"
    service.boot()
    assert (service.of(1, "state"), service.of(2, "state")) == ("off", "off")
    for number in (1, 2):
        service.wish(number, "on sun")
    assert (service.of(1, "state"), service.of(2, "state")) == ("off", "on")
    assert service.of(1, "reason") == "this machine has booted, and AT_START waits for a person"
    service.kill()
    service.start()
    assert service.of(1, "state") == "off"
    service.mode(1, "auto")
    assert (service.of(1, "state"), service.of(1, "reason")) == ("on", "sun")


def test_what_was_not_written_down_before_the_power_went_the_ledger_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = SteppedRelays(tmp_path, monkeypatch, {"MAX_SWITCHES_PER_DAY": "2", "MIN_OFF": "1h"})
    service.pass_seconds(2 * HOUR)
    service.wish(1, "on sun")
    service.pass_seconds(5)
    assert not [path for path in (tmp_path / "var/lib/pimains/relays").glob("1.history") if "[[" in path.read_text()]
    service.boot(off_seconds=100)
    service.wish(1, "on sun again")
    service.pass_seconds(1)
    assert service.of(1, "reason") == "sun again; waits for MIN_OFF 60 min"
    service.pass_seconds(HOUR)
    assert service.of(1, "state") == "on"
    service.wish(1, "off clouds")
    service.wish(1, "on sun once more")
    service.pass_seconds(2 * HOUR)
    assert service.of(1, "reason") == "sun once more; waits for MAX_SWITCHES_PER_DAY 2"
    assert service.actions(1) == [("on", "sun"), ("on", "sun again"), ("off", "clouds")]


def test_a_pin_that_is_lost_at_runtime_is_said_and_had_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = SteppedRelays(tmp_path, monkeypatch, {}, {})
    for number in (1, 2):
        service.mode(number, "on")
    service.pin(1).function = "input"  # some other program has made it one
    service.mode(1, "off")
    gone = "relay 1: GPIO 2 is gone: it cannot be used as an output"
    assert service.of(1, "reason") == gone
    assert service.of(1, "state") == ""
    assert gone in service.status
    assert (service.of(2, "state"), service.level(2)) == ("on", "high")
    assert service.actions(1)[-1][0] == "lost"
    service.pass_seconds(61)
    assert (service.of(1, "state"), service.level(1)) == ("off", "low")
    assert "gone" not in service.status
    service.mode(1, "on")
    assert (service.of(1, "state"), service.level(1)) == ("on", "high")


def test_6_the_hand_that_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = SteppedRelays(tmp_path, monkeypatch, {"MIN_ON": "10min"}, {})
    for number in (1, 2):
        service.wish(number, "off no sun")
        service.mode(number, "on")
    service.pass_seconds(240)
    for number in (1, 2):
        service.mode(number, "auto")
    assert (service.of(2, "state"), service.of(2, "reason")) == ("off", "no sun")
    assert (service.of(1, "state"), service.of(1, "reason")) == ("on", "no sun; waits for MIN_ON 10 min")
    service.pass_seconds(359)
    assert service.of(1, "state") == "on"
    service.pass_seconds(1.5)
    assert (service.of(1, "state"), service.of(1, "reason")) == ("off", "no sun")


def test_14_the_pin_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a pin factory, which cannot keep it; the kernel's own lines are killed under in tests/relays/bench/relays_machine.py."""
    service = SteppedRelays(tmp_path, monkeypatch, {"MIN_OFF": "5min"})
    assert "they go off whenever this service ends (pin factory House)" in service.status
    service.pass_seconds(600)
    service.wish(1, "on sun")
    assert service.level(1) == "high"
    service.kill()
    assert service.level(1) == "input"
    service.start()
    assert (service.level(1), service.of(1, "reason")) == ("low", "sun; waits for MIN_OFF 5 min")
    assert service.actions(1) == [("on", "sun"), ("off", "its pin was let go while no service ran")]
    service.pass_seconds(301)
    assert service.level(1) == "high"

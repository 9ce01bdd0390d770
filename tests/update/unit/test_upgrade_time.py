"""When update looks: its interval, its window, what it put off for clients, and what does not allow it now."""

import select
import time
from datetime import datetime
from pathlib import Path

import pytest

from pimains.core import state
from pimains.core.clock import FakeClock
from pimains.core.instance import Instance
from pimains.shared import kept_file
from pimains.update.due import UpgradeTime
from pimains.update.settings import UpdateSettings

BOOTED_AT_MIDNIGHT = datetime(2026, 11, 21).timestamp()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(monotonic=0, wall=BOOTED_AT_MIDNIGHT)


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: FakeClock) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    instance = Instance("update", tmp_path / "update", clock)
    instance.run.mkdir(parents=True)
    return instance


def new(me: Instance, window: str = "", skip: str = "1", interval: str = "7200") -> UpgradeTime:
    return UpgradeTime(me, UpdateSettings({"UPGRADE": "mpd", "INTERVAL": interval, "WINDOW": window, "SKIP_WHILE_CLIENTS": skip}))


class Waiting:
    """The service's wait: what it says it waits for, and its end."""

    def __init__(self, upgrade_time: UpgradeTime, clock: FakeClock) -> None:
        self.says = ""
        self.seconds = 0.0
        self.cause = ""
        self._clock = clock
        self._began = clock.monotonic()
        self._naps = upgrade_time.until_due(self._say)
        self._step(start=True)

    @property
    def waited(self) -> float:
        return self._clock.monotonic() - self._began

    def is_woken(self) -> bool:
        """Whether a file has woken it; then it goes on."""
        poller = select.poll()
        for file in self._nap.files:
            poller.register(file.fileno(), select.POLLIN)
        woken = bool(poller.poll(0))
        if woken:
            self._step()
        return woken

    def sleep(self) -> None:
        """Until its nap is over."""
        self._clock.advance(self.seconds)
        self._step()

    def until_due(self) -> "Waiting":
        """All naps."""
        while not self.cause:
            assert self.waited < 100 * 3600
            self.sleep()
        return self

    def _say(self, line: str) -> None:
        self.says = line

    def _step(self, *, start: bool = False) -> None:
        try:
            self._nap = next(self._naps) if start else self._naps.send(())
            self.seconds = self._nap.seconds
        except StopIteration as end:
            self.cause = end.value


def clients(me: Instance, *names: str) -> None:
    """What an fserver keeps of its clients."""
    path = me.run.parent / "fserver/clients"
    path.parent.mkdir(exist_ok=True)
    state.write(path, "\n".join(f"{name} (10.0.0.2) since 2026-11-21 10:00: plays" for name in names))


def put_off(me: Instance, clock: FakeClock, window: str = "", looked_seconds_ago: float = 3600) -> UpgradeTime:
    """In the midst of an interval, with pimains left alone."""
    upgrade_time = new(me, window)
    upgrade_time.has_looked()
    clock.advance(looked_seconds_ago)
    upgrade_time.put_off("pimains 1 to 2")
    return upgrade_time


def test_the_first_look_is_five_minutes_after_boot_and_the_next_an_interval_later_also_after_a_restart(
    me: Instance, clock: FakeClock
) -> None:
    upgrade_time = new(me)
    first = Waiting(upgrade_time, clock).until_due()
    assert (first.waited, first.cause) == (300, "newer versions are there")
    upgrade_time.has_looked()
    assert Waiting(new(me), clock).until_due().waited == 7200


def test_repositories_that_were_away_are_asked_again_sooner_later_as_often_as_the_others(me: Instance, clock: FakeClock) -> None:
    upgrade_time = new(me)
    waited = []
    for failures in range(1, 7):
        upgrade_time.has_looked()
        upgrade_time.failures = failures
        waited.append(Waiting(upgrade_time, clock).until_due().waited / 60)
    assert waited == [10, 20, 40, 80, 120, 120]


def test_repositories_that_are_away_for_ever_are_asked_every_six_hours_at_last_however_often_it_failed(
    me: Instance, clock: FakeClock
) -> None:
    monthly = new(me, interval="2592000")
    waited = []
    for failures in range(1, 2001):
        monthly.has_looked()
        monthly.failures = failures
        waited.append(Waiting(monthly, clock).until_due().waited / 60)
    assert waited[:7] == [10, 20, 40, 80, 160, 320, 360]
    assert set(waited[7:]) == {360}


def test_it_looks_as_soon_as_its_window_opens_and_through_jumps_of_the_clock(me: Instance, clock: FakeClock) -> None:
    upgrade_time = new(me, "02:00-05:00")
    first = Waiting(upgrade_time, clock)
    first.sleep()
    assert first.says == "waiting for 02:00-05:00"
    assert first.until_due().waited == 7200
    upgrade_time.has_looked()
    assert Waiting(upgrade_time, clock).until_due().waited == 7200
    upgrade_time.has_looked()
    clock.jump(-30 * 365 * 86400)
    unset = Waiting(upgrade_time, clock)
    unset.sleep()
    assert unset.says == "waiting for 02:00-05:00: the clock was not set"
    clock.jump(30 * 365 * 86400)
    unset.sleep()
    assert time.localtime(clock.wall()).tm_hour == 6
    assert unset.says == "waiting for 02:00-05:00"
    assert not unset.cause


def test_whoever_asks_for_it_need_not_wait(me: Instance, clock: FakeClock) -> None:
    waiting = Waiting(new(me, "02:00-05:00"), clock)
    state.write(me.run / "now", "")
    assert waiting.is_woken()
    assert waiting.cause == "somebody asked for it"
    assert not kept_file.is_touched(me.run / "now")
    (me.run / "now").touch()
    assert Waiting(new(me), clock).cause == "somebody asked for it"
    assert Waiting(new(me), clock).seconds > 0


def test_what_is_no_file_in_the_place_of_now_is_not_taken_for_a_wish(me: Instance, clock: FakeClock) -> None:
    (me.run / "now").unlink(missing_ok=True)
    (me.run / "now").mkdir()
    assert Waiting(new(me), clock).seconds > 0


def test_what_waits_for_the_clients_is_made_up_for_a_minute_after_the_last_one_has_left(me: Instance, clock: FakeClock) -> None:
    clients(me, "kitchen", "office")
    waiting = Waiting(put_off(me, clock), clock)
    assert waiting.says == "pimains 1 to 2: waiting until kitchen, office have left"
    assert waiting.seconds == 7200 - 3600
    assert not waiting.is_woken()
    clients(me, "office")
    assert waiting.is_woken()
    assert waiting.says == "pimains 1 to 2: waiting until office has left"
    clients(me)
    assert waiting.is_woken()
    assert waiting.says == "pimains 1 to 2: soon, unless a client comes"
    assert waiting.seconds == 60
    clock.advance(30)
    clients(me, "office")
    assert waiting.is_woken()
    assert waiting.says == "pimains 1 to 2: waiting until office has left"
    clock.advance(40)
    (me.run.parent / "fserver/clients").unlink()  # as a server does that stops
    assert waiting.is_woken()
    assert waiting.seconds == 60
    assert not waiting.cause
    waiting.sleep()
    assert waiting.cause == "the clients have left"


def test_clients_that_come_and_go_have_nobody_look_more_than_once_in_ten_minutes(me: Instance, clock: FakeClock) -> None:
    waiting = Waiting(put_off(me, clock, looked_seconds_ago=100), clock).until_due()
    assert (waiting.waited, waiting.cause) == (500, "the clients have left")


def test_what_waits_for_clients_is_made_up_for_as_soon_as_the_window_opens(me: Instance, clock: FakeClock) -> None:
    waiting = Waiting(put_off(me, clock, "02:00-05:00", looked_seconds_ago=1200), clock)
    waiting.sleep()
    assert waiting.says == "pimains 1 to 2: waiting for 02:00-05:00"
    assert waiting.until_due().cause == "the clients have left"
    assert time.localtime(clock.wall())[3:6] == (2, 0, 0)


def test_what_was_put_off_is_not_forgotten_when_the_service_is_restarted(me: Instance, clock: FakeClock) -> None:
    clients(me, "kitchen")
    put_off(me, clock)
    assert Waiting(new(me), clock).says == "pimains 1 to 2: waiting until kitchen has left"


def test_nobody_watches_the_clients_when_nothing_was_put_off(me: Instance, clock: FakeClock) -> None:
    clients(me, "kitchen")
    upgrade_time = put_off(me, clock)
    upgrade_time.put_off("")
    waiting = Waiting(upgrade_time, clock)
    assert waiting.says == ""
    clients(me)
    assert not waiting.is_woken()


def test_with_skip_while_clients_0_nobody_is_waited_for(me: Instance) -> None:
    clients(me, "kitchen")
    assert new(me).clients() == ["kitchen"]
    assert new(me, skip="0").clients() == []


def test_nothing_is_begun_while_a_plug_that_may_cut_the_power_does_not_hear_this_machine(me: Instance, clock: FakeClock) -> None:
    armed, contact = me.lib.parent / "plug/armed", me.run.parent / "plug/contact"
    for path in (armed, contact):
        path.parent.mkdir(parents=True)
    state.write(armed, "1800")
    state.write(contact, "200.0")
    state.write(me.run / "now", "")
    clock.advance(259)
    assert new(me).obstacle() == ""
    clock.advance(1)
    waiting = Waiting(new(me), clock)
    assert waiting.says == "waiting: the plug of the service plug does not hear this machine and may cut its power"
    waiting.sleep()
    assert not waiting.cause
    state.write(contact, "350.0")
    waiting.sleep()
    assert waiting.cause == "somebody asked for it"


def test_a_plug_that_did_not_cut_in_its_time_holds_nothing_up(me: Instance, clock: FakeClock) -> None:
    armed = me.lib.parent / "plug/armed"
    armed.parent.mkdir(parents=True)
    state.write(armed, "1800")
    clock.advance(1799)
    assert new(me).obstacle()
    clock.advance(1)
    assert new(me).obstacle() == ""
    state.write(armed, "nan")
    assert new(me).obstacle() == ""


def test_nothing_is_begun_on_battery(me: Instance, clock: FakeClock) -> None:
    end = me.run.parent / "ups/battery_end"
    end.parent.mkdir(parents=True)
    state.write(end, "inf")
    state.write(me.run / "now", "")
    waiting = Waiting(new(me), clock)
    assert waiting.says == "waiting: the service ups says that this machine is on battery"
    state.write(end, "5000")
    waiting.sleep()
    assert not waiting.cause
    end.unlink()
    waiting.sleep()
    assert waiting.cause == "somebody asked for it"

"""A rehearsed outage: the service's own deciding code, a second at a time, in a house that is simulated.

rehearsed = Outage(service, settings, assumed, Model.RETURNS, back_after=420.0).rehearse()
rehearsed.entries; rehearsed.faults
"""

import time
from contextlib import redirect_stdout
from functools import partial
from io import StringIO

from pimains.core.clock import FakeClock
from pimains.core.ledger import Ledger
from pimains.core.plan.budget import percentile_95
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared.plan.outage import Phase
from pimains.ups.hosts import directories
from pimains.ups.hosts.settings import HostSettings
from pimains.ups.orders import OutageOrders
from pimains.ups.rehearsal import virtual_hosts
from pimains.ups.rehearsal.assumed import Assumed
from pimains.ups.rehearsal.story import HERE, Facts, Story
from pimains.ups.rehearsal.timeline import Timeline
from pimains.ups.rehearsal.virtual_hosts import VirtualHost
from pimains.ups.rehearsal.virtual_machine import VirtualFile, VirtualHalt, VirtualInstance, VirtualOrders, VirtualRequest
from pimains.ups.rehearsal.virtual_upses import Model, VirtualNut, VirtualUps, WatchedVirtually
from pimains.ups.settings import UpsSettings
from pimains.ups.shutting_down import Around, ShuttingDown

_BOOTS_SECONDS = 60.0
_LOOKS_BEFORE = 3  # with the mains there
_PROVED_IN_SECONDS = 12.0  # a host that was never measured is proved down just before its time is over
_PRIMARY_CUTS_AFTER_SECONDS = 30.0  # a primary that is another machine, once its secondaries are gone
_STEP_SECONDS = 1.0
_CHARGING_STEP_SECONDS = 15.0
_NEARLY_PERCENT = 1.0
_LONGEST_RETURN_SECONDS = 48 * 3600.0


class Outage:
    """Of one instance; the mains are away for `back_after` seconds."""

    def __init__(self, service: ServiceDirectory, settings: UpsSettings, assumed: Assumed, model: Model, back_after: float) -> None:
        self._settings, self._assumed, self._back_after = settings, assumed, back_after
        self._clock = FakeClock(wall=time.time())
        self._me = VirtualInstance(service.name, service.path, self._clock)
        self._known: dict[str, HostSettings] = directories.read(service.path, [settings.called(ups) for ups in settings.UPS]).good
        self.measured = {name: self._measured(host) for name, host in self._known.items()}
        self._hosts = {name: VirtualHost(is_up=assumed.is_up[name], takes=self._takes(host)) for name, host in self._known.items()}
        self._upses = {
            settings.called(ups): VirtualUps(settings.called(ups), assumed.batteries[settings.called(ups)], model) for ups in settings.UPS
        }
        self._orders = VirtualOrders()
        self._halt = VirtualHalt(assumed.halting, assumed.shutdown, self._orders)
        self._boots_at: float | None = None
        self._restarts_at: float | None = None  # by the last act, where the power was not cut
        self._is_up = True
        self._was_dark = False
        self._forced_at: dict[str, float] = {}
        self._left_at: dict[str, float] = {}
        self._was_cut: set[str] = set()
        self.timeline = Timeline(self._clock.monotonic() + _LOOKS_BEFORE * _STEP_SECONDS)
        facts = Facts(self._clock.monotonic, self._battery_end, lambda: self._shutting.house, lambda: self._shutting.need_seconds())
        self._file = VirtualFile(self._me, Story(self.timeline, settings, assumed.halting + assumed.shutdown, facts).changed)
        for name, address in assumed.clients.items():
            for ups in self._feed(name):
                ups.clients[name] = address

    def rehearse(self) -> Timeline:
        """Until all is as it was, or never will be."""
        with redirect_stdout(StringIO()):
            self._start()
            for _ in range(_LOOKS_BEFORE):
                self._live(_STEP_SECONDS)
            self._began = self._clock.monotonic()
            for ups in self._upses.values():
                ups.has_mains = False
            self._note("the mains", "fail", "fail")
            while self._clock.monotonic() - self._began < self._back_after:
                self._live(_STEP_SECONDS)
            for ups in self._upses.values():
                ups.has_mains = True
            self._note("the mains", "back", "are back")
            end = self._clock.monotonic() + _LONGEST_RETURN_SECONDS
            while self._clock.monotonic() < end and not self._is_over():
                self._live(self._step_seconds())
        self._find_faults()
        return self.timeline

    def _start(self) -> None:
        """The service, for the first time or after a boot."""
        self._watched = {}
        for ups in self._settings.UPS:
            virtual = self._upses[self._settings.called(ups)]
            is_fed = self._settings.power_of(ups) > 0
            nut = VirtualNut(virtual, self._clock.monotonic, lambda who, what: self._note(who, "told", what), logs_in=is_fed)
            self._watched[virtual.name] = WatchedVirtually(self._me, self._settings, ups, nut)
        self._look_at = dict.fromkeys(self._watched, 0.0)
        talks = virtual_hosts.talks(self._hosts, self._clock.monotonic, self._gives_power)
        around = Around(self._file, VirtualRequest(self._me, self._halt), OutageOrders(self._me, self._orders), talks)
        self._shutting = ShuttingDown(self._me, self._settings, [*self._watched.values()], around)

    def _live(self, seconds: float) -> None:
        self._clock.advance(seconds)
        now = self._clock.monotonic()
        for ups in self._upses.values():
            if said := ups.live(now, seconds):
                self._note(ups.name, "power", said)
        self._mind_power(now)
        for name, host in self._hosts.items():
            host.live(now)
            for ups in self._upses.values():
                if not host.is_up:
                    ups.clients.pop(name, None)
        self._mind_forced(now)
        if self._is_up and not self._halt.has_commanded:
            self._serve(now)
        self._mind_halt(now)

    def _serve(self, now: float) -> None:
        for name, watched in self._watched.items():
            if now >= self._look_at[name]:
                self._look_at[name] = now + self._settings.POLL_SECONDS
                watched.judge(watched.virtual_link.answer_at(now, self._upses[name].variables), now)
                self._shutting.looked(watched, now)
        self._shutting.tick(now)

    def _mind_power(self, now: float) -> None:
        """Who has lost it, and who has it again."""
        for name, host in self._hosts.items():
            if not self._gives_power(name) and host.is_dark():
                self.timeline.faults.append(f"{name}: its power goes while it is up")
        if not self._is_fed():
            if self._is_up:
                self.timeline.faults.append(f"{HERE}: its power goes while it is up")
            self._is_up, self._boots_at, self._restarts_at = False, None, None
        elif not self._is_up and self._restarts_at is not None and now >= self._restarts_at:
            self._restarts_at = None
            self._boots_at = now + _BOOTS_SECONDS
            self._note(HERE, "restarts", "restarts: its power was not cut")
        elif not self._is_up and self._boots_at is None and self._was_dark:
            self._boots_at = now + _BOOTS_SECONDS
        self._was_dark = not self._is_fed()
        if self._boots_at is not None and now >= self._boots_at:
            self._boot()

    def _boot(self) -> None:
        self._is_up, self._boots_at = True, None
        for ups in self._upses.values():
            ups.is_forced = False  # its upsd was restarted, here or there
        self._forced_at, self._left_at, self._was_cut = {}, {}, set()
        self._halt.begin_anew()
        self._note(HERE, "boots", "is up again")
        self._start()

    def _mind_forced(self, now: float) -> None:
        """What FSD brings: clients go, and a primary that is another machine forces and cuts by itself."""
        for ups in self._settings.UPS:
            name = self._settings.called(ups)
            virtual = self._upses[name]
            is_other = not self._settings.commands(ups)
            if is_other and virtual.is_low and not virtual.is_forced and virtual.is_fed:
                virtual.is_forced = True
                self._note(name, "forced", "its primary begins a forced shutdown")
            if not virtual.is_forced:
                continue
            began = self._forced_at.setdefault(name, now)
            for host, known in self._known.items():
                if known.CLIENT and virtual in self._feed(host):
                    self._hosts[host].go(now)
            is_left = not self._is_up or not self._watched[name].virtual_link.nut.is_logged_in
            if is_other and (is_left or now - began >= self._settings.HOSTSYNC_SECONDS_MAX):
                left_at = self._left_at.setdefault(name, now)
                if now - left_at >= _PRIMARY_CUTS_AFTER_SECONDS and name not in self._was_cut:
                    self._was_cut.add(name)
                    virtual.cut(now)

    def _mind_halt(self, now: float) -> None:
        had_commanded = self._halt.has_commanded
        self._halt.live(now)
        if self._halt.has_commanded and not had_commanded:
            self._note(HERE, "halts", "calls HALT_COMMAND", self._assumed.shutdown)
        if self._is_up and self._halt.is_off(now):
            self._is_up = False
            word, *rest = self._halt.cut.split()
            names = rest[1:] if word == "cut" else []
            for name, ups in self._upses.items():
                if self._watched[name].ups.name in names:
                    ups.cut(now)
            self._note(HERE, "off", f"is off; {', '.join(names)} {'is' if len(names) == 1 else 'are'} told to cut" if names else "is off")
            if names:
                self._restarts_at = now + float(rest[0])

    def _step_seconds(self) -> float:
        outage, wish = self._file.outage, self._settings.WAKE_AT_CHARGE
        if outage is None or outage.phase is not Phase.RETURNING or wish is None or not self._is_up or self._boots_at is not None:
            return _STEP_SECONDS
        is_far = min(ups.charge for ups in self._upses.values()) < wish - _NEARLY_PERCENT
        return _CHARGING_STEP_SECONDS if is_far else _STEP_SECONDS

    def _is_over(self) -> bool:
        if (
            self._restarts_at is not None
            or self._boots_at is not None
            or any(ups.is_to_cut or not ups.is_fed for ups in self._upses.values())
        ):
            return False
        if (self._halt.is_asked and self._is_up) or self._left_at.keys() - self._was_cut:
            return False
        return not self._is_up or self._file.outage is None

    def _find_faults(self) -> None:
        if not self._is_up:
            why = "nothing cuts its UPS, so nothing starts it but its primary or a person" if self._is_fed() else "it has no power"
            self.timeline.faults.append(f"{HERE} stays off: {why}")
        self.timeline.faults += self._shutting.faults()
        for name, host in self._hosts.items():
            wake = self._known[name].WAKE
            is_wanted = wake == "yes" or (wake == "if-up" and self._assumed.is_up[name])
            if is_wanted and not host.is_up:
                why = "" if self._known[name].can_be_woken else ": it has no MAC to wake it by"
                self.timeline.faults.append(f"{name} stays off{why}")

    def _is_fed(self) -> bool:
        """Whether this machine is."""
        fed = sum(self._settings.power_of(ups) for ups in self._settings.UPS if self._upses[self._settings.called(ups)].is_fed)
        return not self._settings.feeds_this_machine or fed >= self._settings.MINSUPPLIES

    def _feed(self, host: str) -> list[VirtualUps]:
        """Those that feed one of the other machines."""
        named = self._known[host].UPS
        return [ups for name, ups in self._upses.items() if not named or name in named]

    def _gives_power(self, host: str) -> bool:
        """Whether one of the other machines has power."""
        return any(ups.is_fed for ups in self._feed(host))

    def _battery_end(self, who: str) -> float | None:
        """Of the last one of a machine that names those that feed it; of anybody else's the first one."""
        now = self._clock.monotonic()
        is_named = who in self._known and bool(self._known[who].UPS)
        ups = self._feed(who) if is_named else self._upses.values()
        ends = [now + each.lasts() for each in ups if not each.has_mains and each.is_fed]
        return (max if is_named else min)(ends, default=None)

    def _note(self, who: str, act: str, what: str, budget: float | None = None) -> None:
        self.timeline.note(self._clock.monotonic(), who, act, what, budget, self._battery_end(who))

    def _measured(self, host: HostSettings) -> float | None:
        for subject in (f"host {host.name} down", f"ups client {host.CLIENT}"):
            if durations := self._me.with_ledger(partial(Ledger.durations, subject=subject)):
                return percentile_95(durations)
        return None

    def _takes(self, host: HostSettings) -> float:
        measured = self.measured[host.name]
        longest = min(host.DOWN_SECONDS_MAX, self._settings.HOSTSYNC_SECONDS_MAX) if host.CLIENT else host.DOWN_SECONDS_MAX
        # what was measured ended with the proof
        return max(1.0, longest - _PROVED_IN_SECONDS) if measured is None else max(1.0, measured - _PROVED_IN_SECONDS / 2)

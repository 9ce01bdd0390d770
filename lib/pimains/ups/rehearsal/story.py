"""An outage file as it changes, told as entries of a timeline: how far the outage has come, and each host."""

from collections.abc import Callable
from typing import NamedTuple

from pimains.shared.plan import host_steps
from pimains.shared.plan.host_steps import Host, Step
from pimains.shared.plan.outage import Outage, Phase
from pimains.ups.plan.going_down import House
from pimains.ups.rehearsal.timeline import Timeline
from pimains.ups.settings import UpsSettings

HERE = "this machine"
_PHASES = {
    Phase.FORCED: "begins to shut down",
    Phase.DELAYED: "waits for FINALDELAY, and for those that are going down",
    Phase.ASKED: "asks halt to shut it down",
    Phase.CUTTING: "is logged out, in step 85 of halt",
    Phase.RETURNING: "waits until others may be woken",
    Phase.WAKING: "wakes the others",
}
_STEPS = {
    Step.DUE: "has to go, and waits for those that need it",
    Step.ORDERED: "is told to shut down",
    Step.TOLD: "has taken the order",
    Step.DOWN: "is proved down",
    Step.STUCK: "is not down in its time",
    Step.UNTOLD: "does not take the order",
    Step.WOKEN: "is woken",
    Step.UP: "is proved up",
    Step.MISSING: "does not come up in its time",
}


class Facts(NamedTuple):
    """Asked when an entry is made: now, when the battery of whom it is about is empty (None: never), the hosts, a shutdown's seconds."""

    now: Callable[[], float]
    battery_end: Callable[[str], float | None]
    house: Callable[[], House]
    need_seconds: Callable[[], float]


class Story:
    """Into `timeline`; `halting` is how many seconds a halt takes, with all that follows."""

    def __init__(self, timeline: Timeline, settings: UpsSettings, halting: float, facts: Facts) -> None:
        self._timeline, self._settings, self._halting, self._facts = timeline, settings, halting, facts

    def changed(self, before: Outage | None, after: Outage | None) -> None:
        """The outage was written."""
        self._hosts(before, after)
        self._phase(HERE, before, after)
        if before is not None and after is None:
            self._note(HERE, "over", "the outage is over")
        was, is_now = (before.apart if before else {}), (after.apart if after else {})
        for ups, own in is_now.items():
            self._phase(ups, was.get(ups), own)

    def _phase(self, who: str, before: Outage | None, after: Outage | None) -> None:
        if after is None or (before and before.phase is after.phase) or after.phase not in _PHASES:
            return
        budget = {Phase.DELAYED: self._settings.FINALDELAY_SECONDS, Phase.ASKED: self._halting}.get(after.phase)
        if after.phase is Phase.FORCED:
            budget = self._facts.need_seconds()
        what = _PHASES[after.phase] if who == HERE or after.phase is not Phase.FORCED else "is forced down, and this machine stays up"
        why = f": {after.why}" if after.phase is Phase.FORCED else ""
        self._note(who, after.phase.value, f"{what}{why}", budget)

    def _hosts(self, before: Outage | None, after: Outage | None) -> None:
        was = host_steps.read(before.hosts) if before else {}
        for name, host in host_steps.read(after.hosts).items() if after else ():
            if name not in was or was[name].step is not host.step:
                self._host(name, host, after.why if after else "")

    def _host(self, name: str, host: Host, why: str) -> None:
        known = self._facts.house()[name]
        budget = None
        if host.step is Step.ORDERED or (host.step is Step.TOLD and known.goes_by_fsd):
            budget = known.down_seconds
        elif host.step is Step.WOKEN:
            budget = self._settings.WAKE_GIVE_UP_SECONDS
        what = "goes by FSD" if host.step is Step.TOLD and known.goes_by_fsd else _STEPS[host.step]
        self._note(name, host.step.value, f"{what}: {host.why}" if host.step is Step.ORDERED and host.why != why else what, budget)

    def _note(self, who: str, act: str, what: str, budget: float | None = None) -> None:
        self._timeline.note(self._facts.now(), who, act, what, budget, self._facts.battery_end(who))

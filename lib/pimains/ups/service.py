"""The service ups: services/ups/README.md says what it is for, this how it goes about it.

It is user pimains: it talks to upsd over TCP, and what only root may do (halting, the last act) others do when asked.
"""

from __future__ import annotations  # the names of a module that is missing

import time

from pimains.core import service, state
from pimains.core.library import Needed
from pimains.core.service import Instance, Naps, run, within
from pimains.ups.homematic import Homematic
from pimains.ups.plan import standing as standings
from pimains.ups.plan import words
from pimains.ups.settings import UpsSettings

with Needed("python3-nut2") as library:
    from pimains.ups.shutting_down import ShuttingDown
    from pimains.ups.watched import Watched


def ups(me: Instance, settings: UpsSettings) -> Naps:
    """Look at each UPS each POLL_SECONDS, say how it stands, tell people."""
    library.must_be_there(me.directory)
    service.share_one_heap()
    watch = Watch(me, settings)
    service.refuse_to_stop(me, watch.shutting.needed_for)
    try:
        for each in watch.upses:
            yield from each.link.nut.address.first(me.clock)
        while not watch.is_edited():
            watch.look()
            yield within(watch.seconds_to_wait(), *watch.files())
            watch.judge()
    finally:
        watch.close()


class Watch:
    """Every UPS of this machine."""

    def __init__(self, me: Instance, settings: UpsSettings) -> None:
        self.me = me
        self.settings = settings
        self.homematic = Homematic(me, settings)  # before there are threads
        self.upses = [Watched(me, settings, each) for each in settings.UPS]
        self.shutting = ShuttingDown(me, settings, self.upses)
        self._edits = state.Watch(me.directory / "variables")
        self._clocks = _clocks()
        self._woke_at = 0.0
        self._said = ("", True)

    def look(self) -> None:
        """Begin to look at those whose time has come."""
        now = self.me.clock.monotonic()
        for each in self.upses:
            each.link.begin_when_due(now, is_on_battery=each.standing.is_on_battery)

    def seconds_to_wait(self) -> float:
        """Until the next look."""
        now = self.me.clock.monotonic()
        return min(self.shutting.seconds_to_wait(now), *(each.link.seconds_to_wait(now) for each in self.upses))

    def files(self) -> list[service.Readable]:
        """What becomes readable when there is something to do."""
        return [self._edits, *self.homematic.files(), *self.shutting.files(), *(each.link for each in self.upses)]

    def judge(self) -> None:
        """Take in what was answered."""
        self._mind_sleep()
        self.homematic.keep()
        is_news = False
        for each in self.upses:
            if (answer := each.link.answer()) and answer.asked_at >= self._woke_at:  # what was asked before a sleep decides nothing
                now, is_news = self.me.clock.monotonic(), True
                self._judged(each, each.judge(answer, now), now)
        self.shutting.tick(self.me.clock.monotonic())
        if is_news or self.shutting.line() or self.shutting.line_of_hosts():
            self._say()

    def is_edited(self) -> bool:
        """Whether a setting was edited while one is wrong: then this service starts anew with it, as others do that wait for that."""
        return bool(self._edits.changed()) and any(each.faults() for each in self.upses)

    def close(self) -> None:
        """Let go of all."""
        self._edits.close()
        self.homematic.close()
        self.shutting.close()
        for each in self.upses:
            each.link.close()

    def _judged(self, ups: Watched, events: tuple[str, ...], now: float) -> None:
        """`ups` was looked at, or this machine slept: what is decided by how all of them stand is decided here, after people are told."""
        ups.tell(events, now)
        self.shutting.looked(ups, now)
        ups.show(self._line(ups, now), now)

    def _mind_sleep(self) -> None:
        before, self._clocks = self._clocks, _clocks()
        if standings.slept(*before, *self._clocks):
            self._woke_at = now = self.me.clock.monotonic()
            for each in self.upses:
                self._judged(each, each.after_sleep(now), now)

    def _say(self) -> None:
        now = self.me.clock.monotonic()
        if under_way := self.shutting.line():
            self._said = under_way, False
            self.me.status(under_way, well=False)
            return
        faults = [fault for each in self.upses for fault in each.faults()]
        lines = faults or [f"{each.name} {each.words}" if len(self.upses) > 1 else each.words for each in self.upses]
        others = [*filter(None, (self.shutting.line_of_hosts(), *self.shutting.faults()))]
        said = "; ".join([*lines, *others]), not (faults or others) and all(words.is_well(each.standing, now) for each in self.upses)
        if said != self._said:
            self._said = said
            self.me.status(said[0], well=said[1])

    def _line(self, ups: Watched, now: float) -> str:
        then = self.shutting.then(ups)
        due_at = ups.due_at(self.settings.to_last, self.shutting.need_seconds(), now) if then and ups.standing.is_on_battery else None
        return words.how_it_is(ups.standing, ups.battery, ups.why_not, due_at, now, then)


def _clocks() -> tuple[float, float]:
    """CLOCK_MONOTONIC, which stands still while this machine sleeps, and CLOCK_BOOTTIME, in seconds."""
    return time.clock_gettime(time.CLOCK_MONOTONIC), time.clock_gettime(time.CLOCK_BOOTTIME)


if __name__ == "__main__":
    run(ups, UpsSettings)

"""Simulated machines of the house: what is said to them, how long they take, and whether they have power."""

from collections.abc import Callable, Mapping

from pimains.core.errors import Away
from pimains.ups.hosts import proof
from pimains.ups.hosts.settings import HostSettings
from pimains.ups.hosts.talk import Talk
from pimains.ups.other_machines import Talks
from pimains.ups.plan import proving

BOOTS_SECONDS = 60.0
_ANSWERS_SECONDS = 1.0
_OFF, _UP, _GOING, _BOOTING = "off", "up", "going", "booting"


class VirtualHost:
    """One; it `takes` so many seconds from its order until it is off."""

    def __init__(self, *, is_up: bool, takes: float) -> None:
        self._takes = takes
        self._state = _UP if is_up else _OFF
        self._until = 0.0
        self._boots = 1

    @property
    def is_up(self) -> bool:
        """Whether it needs power now: a machine that goes down does."""
        return self._state in (_UP, _GOING)

    @property
    def boot(self) -> str:
        """Its boot id."""
        return f"boot {self._boots}"

    def go(self, now: float) -> None:
        """It is told to shut down."""
        if self._state == _UP:
            self._state, self._until = _GOING, now + self._takes

    def wake(self, now: float) -> None:
        """A magic packet comes."""
        if self._state == _OFF:
            self._state, self._until = _BOOTING, now + BOOTS_SECONDS

    def is_dark(self) -> bool:
        """Its power goes; returns whether it was up."""
        was_up, self._state = self.is_up, _OFF
        return was_up

    def live(self, now: float) -> None:
        """Whatever the time has brought."""
        if self._state == _GOING and now >= self._until:
            self._state = _OFF
        elif self._state == _BOOTING and now >= self._until:
            self._state = _UP
            self._boots += 1


class VirtualTalk(Talk):
    """Under way with one, until its seconds are over."""

    def __init__(self, host: HostSettings, function: Callable[[], str], seconds: float, clock: Callable[[], float]) -> None:
        self.host = host
        self._function, self._clock, self._ends_at = function, clock, clock() + seconds

    def has_ended(self) -> bool:
        """Whether it has."""
        return self._clock() >= self._ends_at

    def answer(self) -> str:
        """What came of it."""
        return self._function()

    def close(self) -> None:
        """There is no child."""


def talks(hosts: Mapping[str, VirtualHost], clock: Callable[[], float], gives_power: Callable[[str], bool]) -> Talks:
    """How each kind of talk is begun, for OtherMachines."""

    def look(host: HostSettings) -> Talk:
        there = hosts[host.name]
        seconds = _ANSWERS_SECONDS if there.is_up else proof.LOOK_SECONDS
        return VirtualTalk(host, lambda: proving.UP if there.is_up else proving.SILENT, seconds, clock)

    def boot(host: HostSettings) -> Talk:
        return VirtualTalk(host, lambda: _reached(hosts[host.name], host).boot, _ANSWERS_SECONDS, clock)

    def order(host: HostSettings) -> Talk:
        def told() -> str:
            there = _reached(hosts[host.name], host)
            there.go(clock())
            return there.boot

        return VirtualTalk(host, told, _ANSWERS_SECONDS, clock)

    def wake(host: HostSettings) -> Talk:
        def woken() -> str:
            if host.can_be_woken and gives_power(host.name):
                hosts[host.name].wake(clock())
            return "eth0"

        return VirtualTalk(host, woken, _ANSWERS_SECONDS, clock)

    return {"look": look, "boot": boot, "order": order, "wake": wake}


def _reached(there: VirtualHost, host: HostSettings) -> VirtualHost:
    if not there.is_up:
        raise Away(f"{host.name}: is off")
    return there

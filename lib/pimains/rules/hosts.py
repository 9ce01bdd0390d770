"""Whether other computers answer a ping (iputils-ping): asked beforehand, so that no rule waits for one."""

import os
from contextlib import suppress
from pathlib import Path

from pimains.core.clock import Clock
from pimains.core.process.child import Child

_INTERFACES = Path("/sys/class/net")
_ANSWER_SECONDS = "2"
_AT_A_TIME = 5


class Hosts:
    """Those of HOSTS that rules ask for, each asked every `interval` seconds; `known` says True, False, or None for what is not known."""

    def __init__(self, names: tuple[str, ...], interval: float, clock: Clock) -> None:
        self.known: dict[str, bool | None] = dict.fromkeys(names)
        self._interval, self._clock = interval, clock
        self._next: dict[str, float] = {}
        self._asked: dict[str, Child] = {}

    def want(self, names: set[str]) -> None:
        """Rules ask for these."""
        for name in names & self.known.keys():
            self._next.setdefault(name, self._clock.monotonic())

    def files(self) -> tuple[Child, ...]:
        """What to wait for."""
        return tuple(self._asked.values())

    def seconds_to_wait(self) -> float:
        """Until one is to be asked."""
        now = self._clock.monotonic()
        due = [at for name, at in self._next.items() if name not in self._asked]
        return max(0.0, min(due, default=now + 1e6) - now) if len(self._asked) < _AT_A_TIME else 1e6

    def changed(self) -> set[str]:
        """Ask those that are due; whose answer is another one than before. Never waits."""
        found = set()
        for name, child in list(self._asked.items()):
            child.output.read()
            if child.has_ended():
                answer = True if child.exit_code == 0 else False if child.exit_code == 1 and _has_network() else None
                child.close()
                del self._asked[name]
                if self.known[name] is not answer:
                    self.known[name] = answer
                    found.add(name)
        now = self._clock.monotonic()
        for name in [name for name, at in self._next.items() if at <= now and name not in self._asked]:
            if len(self._asked) < _AT_A_TIME:
                self._next[name] = now + self._interval
                with suppress(OSError):  # no ping, or no room for it
                    self._asked[name] = Child(
                        ["ping", "-n", "-q", "-c", "1", "-w", _ANSWER_SECONDS, "--", name], dict(os.environ), lambda _: None
                    )
        return found

    def close(self) -> None:
        """Ask nobody any more; a ping ends by itself."""
        for child in self._asked.values():
            child.close()
        self._asked.clear()


def _has_network() -> bool:
    """Whether any cable, or radio, has somebody at its other end."""
    for path in _INTERFACES.glob("*/carrier"):
        with suppress(OSError):  # one that is down has none to read
            if path.parent.name != "lo" and path.read_text(encoding="ascii").strip() == "1":
                return True
    return False

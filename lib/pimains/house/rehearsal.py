"""Rehearsing a service: its generator, stepped under a clock that moves only when told. Hours pass in milliseconds.

    with Rehearsal(meter, MeterSettings, "meter", tmp_path, PIN="24") as meter:
        meter.advance(3600)
        assert meter.status == "2.1 kWh"

Files that it waits for are real ones: what is readable is handed over at once, without time passing.
"""

import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pimains.core import paths, state
from pimains.core.clock import FakeClock
from pimains.core.instance import Instance
from pimains.core.naps import Nap, Naps, Stop, poll
from pimains.core.privileges import make_directories
from pimains.core.settings import Settings

S = TypeVar("S", bound=Settings)
_STEPS_WITHOUT_TIME_MAX = 10_000


class Rehearsal:
    """One instance of the service `name`, its state below `root`, its variables' defaults but for those given."""

    def __init__(self, main: Callable[[Instance, S], Naps], settings: type[S], name: str, root: Path, **variables: str) -> None:
        self.clock = FakeClock()
        self.me = Instance(name, root / "etc/service" / name, self.clock)
        self.ended = False
        self._root = root
        given = settings({**_defaults(name), **variables}, self.me.directory / "variables")
        self._start: Callable[[], Naps] = lambda: main(self.me, given)

    def __enter__(self) -> Self:
        self._root_before = os.environ.get("PIMAINS_ROOT")
        os.environ["PIMAINS_ROOT"] = str(self._root)
        make_directories(self.me, None)
        self._naps = self._start()
        self._step(lambda: next(self._naps))
        self.advance(0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._naps.close()
        if self._root_before is None:
            del os.environ["PIMAINS_ROOT"]
        else:
            os.environ["PIMAINS_ROOT"] = self._root_before

    @property
    def status(self) -> str:
        """Its status line."""
        return state.read(self.me.run / "status") or ""

    def advance(self, seconds: float) -> None:
        """Let time pass: every nap that ends within `seconds` does, one after the other.

        Raises RuntimeError for a service that goes round and round without letting time pass.
        """
        end = self.clock.monotonic() + seconds
        at_this_instant = 0
        while not self.ended:
            ready = poll(self._nap, self.clock)
            to_wait = 0.0 if ready else self._wakes_at - self.clock.monotonic()
            if self.clock.monotonic() + to_wait > end:
                break
            at_this_instant = 0 if to_wait > 0 else at_this_instant + 1
            if at_this_instant > _STEPS_WITHOUT_TIME_MAX:
                raise RuntimeError(f"{self.me.name} goes round and round without letting time pass")
            self.clock.advance(max(0.0, to_wait))
            self._step(lambda: self._naps.send(ready))  # noqa: B023  # called at once
        self.clock.advance(max(0.0, end - self.clock.monotonic()))

    def stop(self, seconds: float = 60) -> None:
        """Tell it to stop, and let it have up to `seconds` for its goodbye."""
        if not self.ended:
            self._step(lambda: self._naps.throw(Stop()))
            self.advance(seconds)

    def _step(self, step: Callable[[], Nap]) -> None:
        try:
            self._nap = step()
            self._wakes_at = self.clock.monotonic() + self._nap.seconds
        except (StopIteration, Stop):
            self.ended = True


def _defaults(service: str) -> dict[str, str]:
    variables = paths.service_templates() / service / "variables"
    return {file.name: file.read_text(encoding="utf-8").partition("\n")[0].rstrip(" \t") for file in variables.iterdir()}

"""Programs a service starts with a time limit: systemd units, and hooks that the administrator wrote."""

import os
import signal
import stat
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

from pimains.core.clock import Clock
from pimains.core.errors import PimainsError
from pimains.core.naps import Nap, Readable, within
from pimains.core.process.child import Child

_AFTER_TERM_SECONDS = 1.0


class Failed(PimainsError):
    """A program did not do what it should; the text says which and why."""


class Programs:
    """Starts programs for one service; what they print goes into its log."""

    def __init__(self, clock: Clock, seconds_max: float, environment: Mapping[str, str], say: Callable[[str], None] = print) -> None:
        self._clock = clock
        self._seconds_max = seconds_max
        self._environment = {**os.environ, **environment}
        self._say = say

    def unit(self, verb: str, unit: str) -> Generator[Nap, tuple[Readable, ...], None]:
        """`systemctl start` or `stop` of a unit; raises Failed."""
        yield from self.run(["systemctl", verb, unit], f"systemctl {verb} {unit}")

    def hook(self, directory: Path | None, name: str) -> Generator[Nap, tuple[Readable, ...], None]:
        """The executable `name` in the hooks directory, if there is one; raises Failed, also for one that others may write."""
        if directory is None:
            return
        try:
            status = (directory / name).stat()
        except OSError:
            return
        if status.st_uid not in (0, os.geteuid()) or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise Failed(f"{directory / name} is not run: only root may be able to write it (chown root, chmod 755)")
        yield from self.run([str(directory / name)], f"hook {name}")

    def run(self, words: list[str], what: str) -> Generator[Nap, tuple[Readable, ...], None]:
        """A program that ends with 0 in time; raises Failed."""
        try:
            child = Child(words, self._environment, lambda line: self._say(f"{what}: {line}"))
        except OSError as error:
            raise Failed(f"{what}: {(error.strerror or str(error)).lower()}") from None
        try:
            if not (yield from self._wait(child, self._seconds_max)):
                child.signal(signal.SIGTERM)
                yield from self._wait(child, _AFTER_TERM_SECONDS)
                raise Failed(f"{what}: not done within {self._seconds_max:g} s, left alone")
        finally:
            if not child.has_ended():
                child.signal(signal.SIGKILL)
            child.close()
        if child.exit_code != 0:
            raise Failed(f"{what}: {child.output.last_line or f'exit code {child.exit_code}'}")

    def _wait(self, child: Child, seconds: float) -> Generator[Nap, tuple[Readable, ...], bool]:
        deadline = self._clock.monotonic() + seconds
        output: tuple[Readable, ...] = (child.output,)
        while not child.has_ended():
            left = deadline - self._clock.monotonic()
            if left <= 0:
                return False
            ready = yield within(left, child, *output)
            if child.output in ready and not child.output.read():
                output = ()
        return True

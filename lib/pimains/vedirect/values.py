"""The state files of a device's fields: each written, or touched, with each block, so that its mtime is its age."""

import os
from contextlib import suppress

from pimains.core.instance import Instance


class Values:
    """Those below /run/pimains/<instance>; what a service before this one has left there counts as fresh now."""

    def __init__(self, me: Instance) -> None:
        self._me = me
        self._written: dict[str, str] = {}
        now = me.clock.monotonic()
        left = [name for name in os.listdir(me.run) if not name.startswith(".") and not name.islower()]  # ours are: status, error
        self._renewed = dict.fromkeys(left, now)

    def put(self, values: dict[str, str | None]) -> None:
        """New ones; None for one that is not known: its file goes."""
        now = self._me.clock.monotonic()
        for name, value in values.items():
            if value is None:
                self._drop(name)
                continue
            self._renewed[name] = now
            if self._written.get(name) != value or not self._touch(name):
                self._me.leave(name, value)
                self._written[name] = value

    def drop_older(self, seconds: float) -> None:
        """Those that were not renewed for so long."""
        bound = self._me.clock.monotonic() - seconds
        for name in [name for name, when in self._renewed.items() if when < bound]:
            self._drop(name)

    def drop(self) -> None:
        """All of them."""
        for name in [*self._renewed]:
            self._drop(name)

    def _drop(self, name: str) -> None:
        self._me.leave(name, None)
        self._renewed.pop(name, None)
        self._written.pop(name, None)

    def _touch(self, name: str) -> bool:
        with suppress(OSError):
            os.utime(self._me.run / name, follow_symlinks=False)
            return True
        return False

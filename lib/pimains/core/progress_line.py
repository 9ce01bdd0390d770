"""One line on a terminal that says how far something is."""

import sys
import time

_TELL_SECONDS = 0.2


class Line:
    """One line on a terminal that says how far it is, written anew a few times a second."""

    def __init__(self, visible: bool) -> None:
        self._visible = visible
        self._next = 0.0

    def __call__(self, text: str) -> None:
        """Show it, unless that would be too often."""
        if self._visible and time.monotonic() >= self._next:
            self._next = time.monotonic() + _TELL_SECONDS
            print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Make room for what stays."""
        if self._visible and self._next:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

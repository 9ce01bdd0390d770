"""Writing into the ledger beside other work: in a child, which takes SQLite's memory with it, and within limits."""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Protocol

from pimains.core.clock import Clock
from pimains.core.naps import Nap, Readable
from pimains.core.process.function import Forked

if TYPE_CHECKING:
    from pimains.core.ledger import Ledger

_SECONDS = 2.0


class Writer(Protocol):
    """Who writes: a service's Instance, or a step of a halt."""

    @property
    def clock(self) -> Clock:
        """By which it waits."""

    @property
    def ledger(self) -> "Ledger":
        """Asked for in the child alone."""

    def complain(self, line: str) -> None:
        """What is wrong."""


class LedgerNote:
    """`use` of the ledger, under way in a child; it may return text.

    `trouble` is why it could not be done, '' while nothing is known of that.
    """

    def __init__(self, writer: Writer, use: "Callable[[Ledger], str | None]") -> None:
        self.trouble = ""
        self._writer = writer
        self._child: Forked | None = None
        try:
            self._child = Forked(lambda: use(writer.ledger) or "")
        except OSError as error:
            self._fail(f"the ledger cannot be written: {error.strerror}")

    def written(self, seconds_max: float = _SECONDS) -> Generator[Nap, tuple[Readable, ...], str]:
        """Wait until it is done; what `use` returned, '' when that failed or took too long: nothing is kept up by a ledger."""
        if self._child is None:
            return ""
        try:
            answer = yield from self._child.wait(self._writer.clock, seconds_max)
        except OSError as error:
            self._fail(f"the ledger cannot be written: {error.strerror}")
            return ""
        if answer is None:
            self._fail(f"the ledger was not written within {seconds_max:g} s")
        return answer or ""

    def close(self) -> None:
        """Let go of it, done or not."""
        if self._child:
            self._child.close()

    def _fail(self, trouble: str) -> None:
        self.trouble = trouble
        self._writer.complain(trouble)

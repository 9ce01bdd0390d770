"""The ledger as a shutdown uses it: whatever is wrong with it (no room, no disk, no rights, broken), a battery does not wait for it."""

from collections.abc import Callable
from typing import TypeVar

from pimains.core.failure import in_words
from pimains.core.instance import Instance
from pimains.halt.step_files import Step

T = TypeVar("T")


class HaltLedger:
    """What one shutdown writes down, and what earlier ones took."""

    def __init__(self, me: Instance) -> None:
        self._me = me
        self._is_broken = False
        self._took: list[tuple[str, float]] = []

    def note(self, action: str, cause: str) -> None:
        """What is about to be done, and why."""
        self._use(lambda: self._me.ledger.record("halt", action, cause), None)

    def durations(self, step: Step) -> list[float]:
        """What `step` took before, oldest first."""
        return self._use(lambda: self._me.ledger.durations(step.subject), [])

    def took(self, step: Step, seconds: float) -> None:
        """What `step` took now; in memory until `remember`, because writing it takes a sync or two each."""
        self._took.append((step.subject, seconds))

    def remember(self) -> None:
        """Write down what the steps took."""
        took, self._took = self._took, []

        def write() -> None:
            ledger = self._me.ledger
            for subject, seconds in took:
                ledger.took(subject, seconds)

        self._use(write, None)

    def _use(self, use: Callable[[], T], otherwise: T) -> T:
        if self._is_broken:
            return otherwise
        try:
            return use()
        except Exception as error:
            self._is_broken = True
            self._me.complain(f"shutting down without the ledger: {in_words(error)}")
            return otherwise

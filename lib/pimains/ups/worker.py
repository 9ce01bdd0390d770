"""Functions that may wait for a peer, one after another in a thread of its own, so that nobody else waits with them.

worker.begin(lambda: nut.variables())
yield within(1.0, worker)
if worker.is_done(): worker.result()
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Worker(Generic[T]):
    """Readable when what it was given last has come to its end; it is given one function at a time."""

    def __init__(self, name: str) -> None:
        self._out, self._inward = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._given: SimpleQueue[Callable[[], T] | None] = SimpleQueue()
        self._came: SimpleQueue[tuple[T | None, Exception | None]] = SimpleQueue()
        self.is_busy = False
        threading.Thread(target=self._live, name=name, daemon=True).start()

    def fileno(self) -> int:
        """For poll."""
        return self._out

    def begin(self, function: Callable[[], T]) -> None:
        """Call it; the one before has to have come to its end."""
        self.is_busy = True
        self._given.put(function)

    def is_done(self) -> bool:
        """Whether `result` may be called."""
        return not self._came.empty()

    def result(self) -> T:
        """What the function returned; raises what it raised."""
        with suppress(BlockingIOError):
            os.read(self._out, 1)
        value, error = self._came.get()
        self.is_busy = False
        if error:
            raise error
        return value  # type: ignore[return-value]  # None only where that is what a function returned

    def close(self) -> None:
        """Let the thread end; it is not waited for."""
        self._given.put(None)

    def _live(self) -> None:
        while function := self._given.get():
            try:
                self._came.put((function(), None))
            except Exception as error:  # it is raised where the result is asked for
                self._came.put((None, error))
            os.write(self._inward, b".")

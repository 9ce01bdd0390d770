"""Orders to a service, given byte by byte as a stranger may give them."""

import os
from pathlib import Path


class Fifo:
    """The one that an asker makes for its answer, and reads; closed, it is gone."""

    def __init__(self, run: Path, id_: str) -> None:
        self.path = run / f"orders/said.{id_}"
        os.mkfifo(self.path)
        self._handle = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)

    def read(self) -> str:
        """All that was answered since the last time."""
        try:
            return os.read(self._handle, 100_000).decode()
        except BlockingIOError:
            return ""

    def close(self) -> None:
        """It is not waited for any more."""
        os.close(self._handle)
        self.path.unlink(missing_ok=True)


def give(run: Path, text: str) -> None:
    """Write it where orders are given, in one piece."""
    handle = os.open(run / "orders/ask", os.O_WRONLY | os.O_NONBLOCK)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)

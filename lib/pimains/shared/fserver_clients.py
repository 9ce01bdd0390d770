"""The clients of this machine's file servers, by the list that each fserver keeps of them."""

from contextlib import suppress
from pathlib import Path

from pimains.core import paths, state


def names() -> list[str]:
    """Those who are here now."""
    lines = [line for path in _lists() for line in (state.read(path) or "").splitlines()]
    return [line.split()[0] for line in lines if line.strip()]


class ClientsWatch:
    """Tells when somebody may have come or left, of every fserver that has clients."""

    def __init__(self) -> None:
        self._watches: list[state.Watch] = []

    @property
    def files(self) -> tuple[state.Watch, ...]:
        """Readable then, until `begin` or `end`."""
        return tuple(self._watches)

    def begin(self) -> None:
        """From now on; do it before you look who is there."""
        self.end()
        for path in _lists():
            with suppress(OSError):  # its directory has just gone
                self._watches.append(state.Watch(path.parent))

    def end(self) -> None:
        """Watch no more."""
        while self._watches:
            self._watches.pop().close()


def _lists() -> list[Path]:
    return sorted(paths.run().glob("*/clients"))

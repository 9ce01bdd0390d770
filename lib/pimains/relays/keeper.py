"""The service's end of the keeper, the process that holds the lines of outputs while the service is away: keeper_process.py."""

import os
from pathlib import Path

from pimains.core import state
from pimains.core.process.left_alone import leave_alone
from pimains.relays import keeper_process, unix_packets

SOCKET = "keeper"  # below /run/pimains/relays
_SECONDS = 5.0  # it answers within a millisecond; a machine that swaps may need longer
_PYTHON = "/usr/bin/python3"
_LIBRARY = str(Path(keeper_process.__file__).parents[2])
# imported, not started as a program: its bytecode is there, and compiling takes memory that is not given back
_START = "import sys; sys.path.append(sys.argv[1]); from pimains.relays import keeper_process; keeper_process.main(sys.argv[2])"


class Keeper:
    """The one at `path`, started if there is none; `handed` are the descriptors that it had, by their names."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.handed: dict[str, int] = {}
        connection = _connected(path)
        if connection is not None:
            self._connection = connection
            try:
                self._take()
                return
            except OSError:  # it was just about to end
                os.close(connection)
                self.handed.clear()
        self._connection = _started(path)

    def keep(self, name: str, line: int) -> None:
        """Hold this line under `name`. Raises OSError."""
        unix_packets.say(self._connection, f"keep {name}".encode(), line)
        self._hear()

    def drop(self, name: str) -> None:
        """Let go of a line. Raises OSError."""
        unix_packets.say(self._connection, f"drop {name}".encode())
        self._hear()

    def fileno(self) -> int:
        """Readable when it has ended."""
        return self._connection

    def close(self) -> None:
        """It goes on without us."""
        os.close(self._connection)

    def end(self) -> None:
        """It lets go of everything."""
        os.close(self._connection)
        state.remove(self._path)

    def _hear(self) -> tuple[bytes, int | None]:
        said, line = unix_packets.hear(self._connection, _SECONDS)
        if not said:
            raise ConnectionError("the keeper has ended")
        return said, line

    def _take(self) -> None:
        unix_packets.say(self._connection, b"hand")
        while True:
            said, line = self._hear()
            if line is None:
                return
            os.set_inheritable(line, False)
            self.handed[said.decode("utf-8", "replace")] = line


def _connected(path: Path) -> int | None:
    try:
        return unix_packets.connect(str(path))
    except OSError:
        return None


def _started(path: Path) -> int:
    """A new one, which listens from the beginning. Raises OSError."""
    state.remove(path)
    mask = os.umask(0o177)
    try:
        listening = unix_packets.listen(str(path))
    finally:
        os.umask(mask)
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    try:
        words = [_PYTHON, "-I", "-S", "-c", _START, _LIBRARY, str(path)]
        # its output would keep multilog from ending, and a signal to the service's session is not for it
        files = [*((os.POSIX_SPAWN_DUP2, null, number) for number in (0, 1, 2)), (os.POSIX_SPAWN_DUP2, listening, 3)]
        leave_alone(os.posix_spawn(_PYTHON, words, {}, file_actions=files, setsid=True))
    finally:
        os.close(null)
        os.close(listening)
    connection = _connected(path)
    if connection is None:
        raise ConnectionError("the keeper of the pins did not start")
    return connection

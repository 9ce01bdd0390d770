"""The service's end of the keeper, the process that holds the lines of outputs while the service is away: keeper_process.py."""

import os
import socket
from pathlib import Path

from pimains.core import state
from pimains.core.process.left_alone import leave_alone
from pimains.relays import keeper_process

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
                connection.close()
                for line in self.handed.values():
                    os.close(line)
                self.handed.clear()
        self._connection = _started(path)

    def keep(self, name: str, line: int) -> None:
        """Hold this line under `name`. Raises OSError."""
        self._say(f"keep {name}", [line])
        self._hear()

    def drop(self, name: str) -> None:
        """Let go of a line. Raises OSError."""
        self._say(f"drop {name}", [])
        self._hear()

    def fileno(self) -> int:
        """Readable when it has ended."""
        return self._connection.fileno()

    def close(self) -> None:
        """It goes on without us."""
        self._connection.close()

    def end(self) -> None:
        """It lets go of everything."""
        self._connection.close()
        state.remove(self._path)

    def _say(self, text: str, lines: list[int]) -> None:
        socket.send_fds(self._connection, [text.encode()], lines)

    def _hear(self) -> None:
        if not self._connection.recv(keeper_process.PACKET_BYTES):
            raise ConnectionError("the keeper has ended")

    def _take(self) -> None:
        self._say("hand", [])
        while True:
            said, lines, _, _ = socket.recv_fds(self._connection, keeper_process.PACKET_BYTES, 1)
            if not lines:
                if said != b".":
                    raise ConnectionError("the keeper has ended")
                return
            os.set_inheritable(lines[0], False)
            self.handed[said.decode("utf-8", "replace")] = lines[0]


def _connected(path: Path) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(_SECONDS)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return connection


def _started(path: Path) -> socket.socket:
    """A new one, which listens from the beginning. Raises OSError."""
    state.remove(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        mask = os.umask(0o177)
        try:
            listening.bind(str(path))
        finally:
            os.umask(mask)
        listening.listen(2)
        words = [_PYTHON, "-I", "-S", "-c", _START, _LIBRARY, str(path)]
        null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        try:
            # its output would keep multilog from ending, and a signal to the service's session is not for it
            files = [*((os.POSIX_SPAWN_DUP2, null, number) for number in (0, 1, 2)), (os.POSIX_SPAWN_DUP2, listening.fileno(), 3)]
            leave_alone(os.posix_spawn(_PYTHON, words, {}, file_actions=files, setsid=True))
        finally:
            os.close(null)
    connection = _connected(path)
    if connection is None:
        raise ConnectionError("the keeper of the pins did not start")
    return connection

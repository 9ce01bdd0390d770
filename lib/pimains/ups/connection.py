"""The connection to an upsd that nut2 is given, over TCP or TLS.

It stands where nut2 has a telnetlib.Telnet, of which nut2 needs `write`, `read_until` and `close`. After anything but an answer to what was
asked it is dead, so that no answer is ever taken for another one's.
"""

import os
import select
import socket
import time
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, NoReturn

from pimains.core.errors import Away
from pimains.core.plan.text import short_line
from pimains.shared.fileserver.tcp_lines import Lines, begin_connecting
from pimains.ups.replies import Unfit, first_line, listed, request

if TYPE_CHECKING:
    import ssl

REPLY_BYTES_MAX = 1 << 18  # a rack of outlets has a third of that; held several times while nut2 reads it: 1 MiB would take 5 MB
LINE_BYTES_MAX = 2048  # upsd's own have at most 512
LINES_MAX = 4096
_READ_AT_ONCE = 4096
_NEXT_ADDRESS_SECONDS = 0.25  # RFC 8305: from the beginning with one address to that with the next


class Connection:
    """Asks and hears over a `connected` socket to the address `peer`; all that is asked has to be answered by the end that `begin` sets.

    Raises Away for everything but an answer, after which it is dead, and ErrorReply for an answer that is an error.
    """

    def __init__(self, connected: socket.socket, peer: str) -> None:
        self.peer = peer
        self._socket: socket.socket | None = connected
        self._end = 0.0
        self._received = bytearray()
        self._count = 0  # bytes of this answer
        self._asked: tuple[str, ...] = ()
        self._is_encrypted = False

    @property
    def is_dead(self) -> bool:
        """Whether nothing can be asked any more."""
        return self._socket is None

    @property
    def own_address(self) -> str:
        """This end's, as the other one sees it; "" when it is dead."""
        address: str = self._socket.getsockname()[0] if self._socket else ""
        return address

    def begin(self, seconds: float) -> None:
        """What follows has `seconds`."""
        self._end = time.monotonic() + seconds

    def ask(self, *words: str) -> str:
        """Ask in so many words what is answered in one line; returns that line."""
        self._send(words)
        return self._answer()

    def items(self, kind: str, ups: str) -> list[str]:
        """LIST `kind` `ups`: the last word of each line."""
        self.ask("LIST", kind, ups)
        return [line.rpartition(" ")[2] for line in self._items()]

    def start_tls(self, context: "ssl.SSLContext", host: str) -> None:
        """After OK STARTTLS: go on in TLS with `host`. Raises Away, and ssl.SSLCertVerificationError as it is."""
        import ssl  # 3 MB, which only TLS takes

        if self._received:
            self._die("it went on in plain text after STARTTLS")  # which may be anybody's
        try:
            connected = self._open()
            connected.settimeout(self._left())
            self._socket = context.wrap_socket(connected, server_hostname=host)
            self._is_encrypted = True
        except ssl.SSLCertVerificationError:
            self.close()
            raise
        except (OSError, ValueError) as error:
            self._die(f"TLS: {_in_words(error)}")

    def write(self, request: bytes) -> None:
        """For nut2, whose requests are words with blanks between them."""
        self._send(request.decode().split())

    def read_until(self, end: bytes, _timeout: float | None = None) -> bytes:
        """For nut2: the first line of an answer, or the lines of a list and its `end`."""
        if end == b"\n":
            return f"{self._answer()}\n".encode()
        return "".join(f"{line}\n" for line in self._items()).encode() + end

    def close(self) -> None:
        """Let go of it; upsd takes that for a LOGOUT."""
        if self._socket:
            self._socket.close()
        self._socket = None
        self._received = bytearray()

    def _open(self) -> socket.socket:
        if self._socket is None:
            raise Away("the connection is gone")
        return self._socket

    def _left(self) -> float:
        if (left := self._end - time.monotonic()) <= 0:
            self._die("no answer in time")
        return left

    def _die(self, why: str) -> NoReturn:
        self.close()
        raise Away(why)

    def _send(self, words: Sequence[str]) -> None:
        connected = self._open()
        if not self._received and not self._is_encrypted and _is_readable(connected):  # TLS has messages of its own
            self._receive()
        if self._received:
            self._die(f"it said what nobody had asked for: {short_line(self._received[:200].decode('latin-1'))!r}")
        self._asked, self._count = tuple(words), 0
        try:
            connected.settimeout(self._left())
            connected.sendall(request(words))
        except OSError as error:
            self._die(_in_words(error))

    def _answer(self) -> str:
        line = self._line()
        try:
            return first_line(self._asked, line)
        except Unfit as unfit:
            self._die(str(unfit))

    def _items(self) -> Iterator[str]:
        for _ in range(LINES_MAX):
            line = self._line()
            try:
                item = listed(self._asked, line)
            except Unfit as unfit:
                self._die(str(unfit))
            if item is None:
                return
            yield item
        self._die(f"it lists more than {LINES_MAX} things")

    def _line(self) -> str:
        """The next line; what is not UTF-8 is read as Latin-1, as a driver hands it on from its device."""
        while (end := self._received.find(b"\n")) < 0:
            if len(self._received) > LINE_BYTES_MAX:
                self._die(f"it sent a line of more than {LINE_BYTES_MAX} bytes")
            self._receive()
        line = bytes(self._received[:end]).removesuffix(b"\r")
        del self._received[: end + 1]
        try:
            return line.decode()
        except UnicodeDecodeError:
            return line.decode("latin-1")

    def _receive(self) -> None:
        connected = self._open()
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # upsd waits for that between two lines; Linux forgets it
            connected.settimeout(self._left())
            data = connected.recv(_READ_AT_ONCE)
        except OSError as error:
            self._die(_in_words(error))
        if not data:
            self._die("it closed the connection")
        self._count += len(data)
        if self._count > REPLY_BYTES_MAX:
            self._die(f"it sent an answer of more than {REPLY_BYTES_MAX} bytes")
        self._received += data


def connect(addresses: Sequence[tuple[str, int]], seconds: float) -> Connection:
    """A connection to the first of `addresses` (numeric) that takes one: the next is tried when one fails, or a moment later beside it.

    Raises Away with what is wrong with each.
    """
    end = time.monotonic() + seconds
    untried, faults = list(addresses), dict[str, None]()
    trying: dict[Lines, str] = {}
    try:
        while untried or trying:
            if untried:
                address = untried.pop(0)
                try:
                    trying[begin_connecting(address, LINE_BYTES_MAX)] = address[0]
                except Away as away:
                    faults[str(away)] = None
            if (left := end - time.monotonic()) <= 0:
                faults["no answer in time"] = None
                break
            for lines in _writable(trying, min(left, _NEXT_ADDRESS_SECONDS) if untried else left):
                peer = trying.pop(lines)
                error = lines.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if not error:
                    return Connection(lines.socket, peer)
                lines.close()
                faults[os.strerror(error).lower()] = None
    finally:
        for lines in trying:
            lines.close()
    raise Away(" / ".join(faults) or "it has no address")


def _writable(trying: Collection[Lines], seconds: float) -> list[Lines]:
    if not trying:
        return []
    poller = select.poll()
    for lines in trying:
        poller.register(lines, select.POLLOUT)
    ready = {handle for handle, _ in poller.poll(seconds * 1000)}
    return [lines for lines in trying if lines.fileno() in ready]


def _is_readable(connected: socket.socket) -> bool:
    poller = select.poll()
    poller.register(connected, select.POLLIN)
    return bool(poller.poll(0))


def _in_words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    reason = getattr(error, "reason", None)  # of OpenSSL's
    return short_line(str(reason or getattr(error, "strerror", None) or error)).lower()

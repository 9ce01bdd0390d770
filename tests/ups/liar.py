"""A peer that speaks upsd's protocol over a real socket, and answers some requests with a lie.

    with Liar({"LIST VAR": half}) as liar:
        ...Address("127.0.0.1", liar.port)

It has one UPS, eaton. A lie is told instead of the answer to requests that begin with those words; `certificate` and key let it speak TLS.
"""

import contextlib
import shlex
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

Lie = Callable[["Talk", bytes], None]
VARIABLES = {"ups.status": "OL", "battery.charge": "100", "battery.runtime": "1800"}
MEGABYTE = b"x" * 1_000_000


class Talk:
    """A connection that somebody has made; `is_over` once the test is."""

    def __init__(self, connection: socket.socket, is_over: threading.Event) -> None:
        self.connection = connection
        self.is_over = is_over

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)


def silent(_talk: Talk, _answer: bytes) -> None:
    """Says nothing, and stays."""


def late(seconds: float) -> Lie:
    """Says it when that has passed."""

    def lie(talk: Talk, answer: bytes) -> None:
        talk.is_over.wait(seconds)
        talk.send(answer)

    return lie


def slow(seconds: float) -> Lie:
    """Says it byte by byte."""

    def lie(talk: Talk, answer: bytes) -> None:
        for at in range(len(answer)):
            talk.send(answer[at : at + 1])
            if talk.is_over.wait(seconds):
                return

    return lie


def half(talk: Talk, answer: bytes) -> None:
    """Stops in the middle of a line, and stays."""
    talk.send(answer.rstrip(b"\n")[: -len(answer) // 3])


def cut(talk: Talk, answer: bytes) -> None:
    """Stops in the middle of a line, and is gone."""
    half(talk, answer)
    closing(talk, answer)


def closing(talk: Talk, _answer: bytes) -> None:
    """Is gone without a word."""
    talk.connection.shutdown(socket.SHUT_RDWR)


def saying(words: bytes) -> Lie:
    """Says something else."""
    return lambda talk, _answer: talk.send(words)


def of_another(talk: Talk, answer: bytes) -> None:
    """Says it of a UPS that nobody asked about."""
    talk.send(answer.replace(b"eaton", b"cellar").replace(b"OL", b"OB LB"))


def twice(talk: Talk, answer: bytes) -> None:
    """Says it twice, so that the second stands there for the next one who asks."""
    talk.send(answer + answer)


def flood(talk: Talk, _answer: bytes) -> None:
    """A line of ten megabytes."""
    with contextlib.suppress(OSError):
        for _ in range(10):
            talk.send(MEGABYTE)


def endless(talk: Talk, answer: bytes) -> None:
    """A list without end, each line of it as it should be."""
    with contextlib.suppress(OSError):
        talk.send(answer.splitlines()[0] + b"\n")
        while not talk.is_over.is_set():
            talk.send(b'VAR eaton ups.status "OB LB"\n' * 1000)


class Liar:
    """Listens as `with` begins; `said` are the requests that came, `count` the connections."""

    def __init__(self, lies: Mapping[str, Lie] = {}, certificate: tuple[Path, Path] | None = None) -> None:  # read only
        self.lies = dict(lies)
        self.said: list[str] = []
        self.count = 0
        self.values = dict(VARIABLES)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._is_over = threading.Event()
        self._talks: list[Talk] = []
        self._context = None
        if certificate:
            self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._context.load_cert_chain(*certificate)

    def __enter__(self) -> "Liar":
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for talk in self._talks:
            with contextlib.suppress(OSError):
                talk.connection.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.count += 1
                self._talks.append(Talk(connection, self._is_over))
                threading.Thread(target=self._talk, args=(self._talks[-1],), daemon=True).start()

    def _talk(self, talk: Talk) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(lambda: talk.connection.close())
            while line := self._line(talk):
                self.said.append(line)
                lie = next((lie for words, lie in self.lies.items() if line.startswith(words)), None)
                answer = self._answer(line)
                if lie:
                    lie(talk, answer)
                else:
                    talk.send(answer)
                if answer == b"OK STARTTLS\n" and self._context:
                    talk.connection = self._context.wrap_socket(talk.connection, server_side=True)

    def _line(self, talk: Talk) -> str:
        line = b""
        while not line.endswith(b"\n"):
            byte = talk.connection.recv(1)
            if not byte:
                return ""
            line += byte
        return " ".join(shlex.split(line.decode().replace("\\#", "#")))

    def _answer(self, line: str) -> bytes:
        verb, *words = line.split()
        lines = [f'VAR eaton {name} "{value}"' for name, value in self.values.items()]
        if verb == "STARTTLS":
            return b"OK STARTTLS\n" if self._context else b"ERR FEATURE-NOT-CONFIGURED\n"
        if verb == "LIST":
            kind = words[0]
            listed = {"VAR": lines, "CLIENT": ["CLIENT eaton 127.0.0.1"], "UPS": ['UPS eaton "in the hall"']}[kind]
            return "\n".join([f"BEGIN {line}", *listed, f"END {line}", ""]).encode()
        if verb == "GET" and words[2] not in self.values:
            return b"ERR VAR-NOT-SUPPORTED\n"
        if verb == "GET":
            return f'VAR eaton {words[2]} "{self.values[words[2]]}"\n'.encode()
        ending = {"PRIMARY": " PRIMARY-GRANTED", "MASTER": " MASTER-GRANTED", "FSD": " FSD-SET", "LOGOUT": " Goodbye"}
        return f"OK{ending.get(verb, '')}\n".encode()

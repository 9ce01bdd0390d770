"""The end of the service that orders are given to."""

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from pimains.core import state
from pimains.core.plan.text import short_line
from pimains.core.privileges import group
from pimains.core.set_aside import own_directory
from pimains.shared.orders.fifos import LINE_BYTES, WORD_FILE, open_fifo

_PIPE_BYTES = 64 * 1024  # all that a pipe holds: what is read at once ends where a line ends
_ID_LONGEST = 64
_REMEMBERED = 64
_GONE = -1
_MODE = 0o3770  # what is made there is group pimains's; others remove nothing but their own


class Order(NamedTuple):
    """`id` is for the answer."""

    id: str
    word: str
    rest: str


class Orders:
    """The service's end, readable when something was asked. `words` tells what may follow each word, "" if nothing."""

    def __init__(self, run: Path, words: Mapping[str, str]) -> None:
        self._path = run / "orders"
        self._words = words
        self._directory = _own_directory(self._path)
        self._known: dict[str, tuple[int, str] | None] = {}  # which FIFO was told what; None as long as there is no answer
        self._is_within_torn = False
        self._remove_left_over()
        self._ask = self._make_fifo()
        self._write_words()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """No order is taken any more, nobody is answered any more."""
        if self._directory < 0:
            return
        self._name_words(())
        for name in ("words", "ask"):
            state.remove_from(self._directory, name)
        os.close(self._ask)
        os.close(self._directory)
        self._directory = -1
        with suppress(OSError):  # somebody still waits there
            self._path.rmdir()

    def fileno(self) -> int:
        """For poll."""
        return self._ask

    def take(self) -> list[Order]:
        """The orders that have come, in their order; never waits. Each is to be answered, now or later."""
        try:
            data = os.read(self._ask, _PIPE_BYTES)
        except BlockingIOError:
            return []
        newest: dict[str, str] = {}
        for line in self._lines(data):
            id_, _, text = line.partition(" ")
            if _is_id(id_):
                newest[id_] = text
        orders = [order for id_, text in newest.items() if not self._was_known(id_) and (order := self._understood(id_, text))]
        self._known.update((order.id, None) for order in orders)
        self._remove_left_over()
        return orders

    def is_awaited(self, id_: str) -> bool:
        """Whether the asker still waits for its answer."""
        fifo = self._open(f"said.{id_}", os.O_WRONLY)
        if fifo is not None:
            os.close(fifo)
        return fifo is not None

    def answer(self, id_: str, text: str, *, ok: bool = True) -> None:
        """Tell the asker how it went, if it still waits."""
        said = f"{'ok' if ok else 'failed'} {short_line(text)}"
        self._known.pop(id_, None)
        fifo = self._say(id_, said)
        if fifo is not None:
            self._known[id_] = fifo, said
            while len(self._known) > _REMEMBERED:
                del self._known[next(iter(self._known))]

    def _lines(self, data: bytes) -> list[str]:
        """Those that are whole; of what is no line its asker is told."""
        *lines, torn = data.split(b"\n")
        if self._is_within_torn and lines:
            self._is_within_torn = False
            del lines[0]
        elif self._is_within_torn:
            return []
        for line in (*lines, torn):
            if line is torn or len(line) >= LINE_BYTES:
                self._refuse(line, f"an order is one line of at most {LINE_BYTES} bytes")
        self._is_within_torn = len(torn) >= LINE_BYTES
        return [line.decode("utf-8", "replace") for line in lines if len(line) < LINE_BYTES]

    def _refuse(self, line: bytes, why: str) -> None:
        id_ = line[: _ID_LONGEST + 1].decode("utf-8", "replace").partition(" ")[0]
        if _is_id(id_):
            self._say(id_, f"failed {why}")

    def _was_known(self, id_: str) -> bool:
        """Whether it is an order that was repeated; its asker may not have heard the answer."""
        if id_ not in self._known:
            return False
        known = self._known[id_]
        if known is None or self._say(id_, known[1], only_to=known[0]) is not None:
            return True
        if self.is_awaited(id_):  # by another asker, who took an id that was used
            return False
        self._known[id_] = _GONE, known[1]
        return True

    def _understood(self, id_: str, text: str) -> Order | None:
        word, _, rest = text.partition(" ")
        if word in self._words and (self._words[word] or not rest):
            return Order(id_, word, rest)
        words = ", ".join(f"{each} {more}".rstrip() for each, more in self._words.items())
        self.answer(id_, f"{(text if word in self._words else word)!r} is no order: {words}", ok=False)
        return None

    def _say(self, id_: str, said: str, *, only_to: int = 0) -> int | None:
        """The number of the FIFO that was told; None when nobody reads it."""
        fifo = self._open(f"said.{id_}", os.O_WRONLY)
        if fifo is None:
            return None
        try:
            number = os.fstat(fifo).st_ino
            if only_to in (0, number):
                with suppress(BlockingIOError, BrokenPipeError):
                    os.write(fifo, f"{said}\n".encode())
                return number
            return None
        finally:
            os.close(fifo)

    def _open(self, name: str, flags: int) -> int | None:
        return None if self._directory < 0 else open_fifo(self._directory, name, flags)

    def _make_fifo(self) -> int:
        aside = _unforeseen("ask")
        os.mkfifo(aside, 0o660, dir_fd=self._directory)
        fifo = self._open(aside, os.O_RDWR)
        if fifo is None:
            raise OSError(f"{self._path / 'ask'}: somebody took it away")
        os.fchmod(fifo, 0o660)
        state.put_in_place(self._directory, aside, "ask")
        return fifo

    def _write_words(self) -> None:
        """For those who ask only services that understand (order.sh, plug_switch).

        A /run that is full keeps no service from taking orders, nor anybody from asking it: a file without a byte takes no room there.
        """
        aside = _unforeseen("words")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            with open(os.open(aside, flags, 0o644, dir_fd=self._directory), "w", encoding="utf-8") as file:
                file.writelines(f"{word}\n" for word in self._words)
            state.put_in_place(self._directory, aside, "words")
            self._name_words(())
        except OSError:
            self._remove_left_over()
            if self._name_words(self._words):
                with suppress(OSError):  # those of an earlier start
                    state.remove_from(self._directory, "words")

    def _name_words(self, words: Collection[str]) -> bool:
        """Have a file for each of `words` and no others; whether they are there."""
        for name in os.listdir(self._directory):
            if name.startswith(WORD_FILE) and name.removeprefix(WORD_FILE) not in words:
                with suppress(OSError):  # a directory of somebody's
                    os.unlink(name, dir_fd=self._directory)
        try:
            for word in words:
                with suppress(FileExistsError):
                    os.close(
                        os.open(f"{WORD_FILE}{word}", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=self._directory)
                    )
        except OSError:
            return False
        return True

    def _remove_left_over(self) -> None:
        """The FIFOs of askers that were killed, and what a service that was killed had not put in its place yet."""
        for name in os.listdir(self._directory):
            if name.startswith((".ask.", ".words.")):
                with suppress(OSError):
                    os.unlink(name, dir_fd=self._directory)
            if name.startswith("said.") and _has_ended(name.split(".")[1]) and not self.is_awaited(name.removeprefix("said.")):
                with suppress(OSError):  # removed just now; or somebody made a directory
                    os.unlink(name, dir_fd=self._directory)


def _own_directory(path: Path) -> int:
    """The directory at `path`, made if need be. Raises OSError."""
    directory = own_directory(path, 0o700)
    try:
        if os.geteuid() == 0:
            os.fchown(directory, 0, group())  # the service may have run as another user before
        os.fchmod(directory, _MODE)
    except OSError:
        os.close(directory)
        raise
    return directory


def _unforeseen(name: str) -> str:
    """A name under which nobody of the group can have put anything before; while it is there it is the service's."""
    return f".{name}.{os.urandom(8).hex()}"


def _is_id(text: str) -> bool:
    return text.isascii() and text.replace(".", "").isalnum() and len(text) <= _ID_LONGEST


def _has_ended(process: str) -> bool:
    """Whether there is no such process; what is no process id is not known to have ended."""
    if not (process.isascii() and process.isdecimal()):
        return False
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        pass
    return False

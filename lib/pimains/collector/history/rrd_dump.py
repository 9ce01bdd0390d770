"""Round-robin databases of others, as `rrdtool dump` writes them: what flowed when, finest archive first.

The XML is read by expat as it comes, with what entities could do forbidden: its size does not matter.
"""

import math
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple
from xml.parsers import expat

from pimains.core.errors import PimainsError
from pimains.core.plan.text import one_line
from pimains.shared.readings.plan.imports import Slice

_BLOCK = 256 * 1024
_AVERAGES = ("AVERAGE", "LAST")
_ARCHIVE = re.compile(rb"<cf>\s*([A-Z]+)\s*</cf>\s*<pdp_per_row>\s*([0-9]{1,9})")


class Wrong(PimainsError):
    """This is no database that can be imported; the text says why."""


class Asked(NamedTuple):
    """Which of its data sources, None for its only one; `factor`: how many W (or m3/h) a value of 1 is; unit kWh or m3."""

    name: str | None
    factor: float | None
    unit: str


class _Archive(NamedTuple):
    kind: str
    steps: int


def is_one(path: Path) -> bool:
    """Whether the file looks like a database or a dump of one; raises OSError."""
    with path.open("rb") as file:
        head = file.read(4096)
    return head.startswith(b"RRD\0") or b"<rrd>" in head


def slices(path: Path, asked: Asked, progress: Callable[[int], None]) -> Iterator[Iterator[Slice]]:
    """What each archive of averages knows, the finest first, in the order of time; `progress` hears how many bytes were read.

    Raises Wrong and OSError.
    """
    archives = _archives(path)
    kind = next((kind for kind in _AVERAGES if any(each.kind == kind for each in archives)), None)
    if kind is None:
        raise Wrong(f"{path.name}: it has no archive of averages (AVERAGE)")
    wanted = sorted((each.steps, number) for number, each in enumerate(archives) if each.kind == kind)
    for _, number in wanted:
        yield _of_archive(path, number, asked, progress)


def _archives(path: Path) -> list[_Archive]:
    """Those that a dump has, in its order: a quick look, that need not understand it."""
    found, before = [], b""
    with _Dump(path) as file:
        while block := file.read(_BLOCK):
            text = before + block
            end = 0
            for match in _ARCHIVE.finditer(text):
                found.append(_Archive(match[1].decode(), int(match[2])))
                end = match.end()
            before = text[max(end, len(text) - 256) :]
    return found


def _of_archive(path: Path, number: int, asked: Asked, progress: Callable[[int], None]) -> Iterator[Slice]:
    reader = _Reader(number, asked)
    with _Dump(path) as file:
        done = 0
        try:
            while not reader.is_done and (block := file.read(_BLOCK)):
                reader.feed(block)
                done += len(block)
                progress(done)
                yield from reader.found
                reader.found.clear()
            if not reader.is_done:
                reader.end()
        except expat.ExpatError as error:
            raise Wrong(f"{path.name} line {error.lineno}: this is no dump: {expat.ErrorString(error.code)}") from None
        except ValueError as error:
            raise Wrong(f"{path.name} line {reader.line}: {error}") from None


class _Dump:
    """The XML of a dump, or what rrdtool makes of a database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> IO[bytes]:
        file = self._path.open("rb")
        if file.read(4) != b"RRD\0":
            file.seek(0)
            self._file: IO[bytes] = file
            return file
        file.close()
        try:
            self._child = subprocess.Popen(
                ["rrdtool", "dump", str(self._path.absolute())], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except FileNotFoundError:
            raise Wrong("rrdtool is missing: apt install rrdtool") from None
        assert self._child.stdout is not None  # noqa: S101  # made with pipes
        self._file = self._child.stdout
        return self._file

    def __exit__(self, kind: object, *_: object) -> None:
        is_read = self._child is not None and kind is None and not self._file.read(1)
        self._file.close()
        if self._child is None:
            return
        assert self._child.stderr is not None  # noqa: S101  # made with pipes
        if not is_read:
            self._child.terminate()
        said = self._child.stderr.read(4096).decode("utf-8", "replace")
        self._child.stderr.close()
        if self._child.wait() and is_read:
            raise Wrong(f"{self._path.name}: {one_line(said)}")


class _Reader:
    """Hears what expat finds; `found` is what it has of the archive `number`."""

    def __init__(self, number: int, asked: Asked) -> None:
        self.found: list[Slice] = []
        self.is_done = False
        self._number = number
        self._asked = asked
        self._archive = -1
        self._step = 0
        self._seconds = 0.0
        self._amount = 0.0
        self._names: list[str] = []
        self._types: list[str] = []
        self._column = 0
        self._values: list[str] = []
        self._text = ""
        self._time = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.EntityDeclHandler = self._entity
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._finish
        self._parser.CharacterDataHandler = self._hear

    def feed(self, block: bytes) -> None:
        """Raises ExpatError and ValueError."""
        self._parser.Parse(block, False)

    def end(self) -> None:
        """There is no more."""
        self._parser.Parse(b"", True)

    @property
    def line(self) -> int:
        """Where it is."""
        return self._parser.CurrentLineNumber

    def _entity(self, *_: object) -> None:
        raise ValueError("entities do not belong into a dump")

    def _hear(self, text: str) -> None:
        self._text = text

    def _begin(self, name: str, _: dict[str, str]) -> None:
        if name == "rra":
            self._archive += 1
        elif name == "database" and self._archive == self._number:
            self._choose()
            self._parser.StartElementHandler = None
            self._parser.EndElementHandler = self._finish_in_rows
            self._parser.CommentHandler = self._comment

    def _finish(self, name: str) -> None:
        if name == "step":
            self._step = int(self._text)
        elif name == "name":
            self._names.append(self._text.strip())
        elif name == "type":
            self._types.append(self._text.strip())
        elif name == "pdp_per_row" and self._archive == self._number:
            self._seconds = float(self._step * int(self._text))

    def _choose(self) -> None:
        """Which column is asked for, and what a value of it means."""
        if self._seconds <= 0 or not self._names:
            raise ValueError("its step or its data sources are missing")
        name, factor, unit = self._asked
        if name is None and len(self._names) > 1:
            raise ValueError(f"it has several data sources; --ds says which: {', '.join(self._names)}")
        if name is not None and name not in self._names:
            raise ValueError(f"it has no data source {name}; it has {', '.join(self._names)}")
        self._column = 0 if name is None else self._names.index(name)
        kind = self._types[self._column]
        if kind != "GAUGE" and factor is None:
            raise ValueError(f"{self._names[self._column]} is a {kind}, a rate: --factor says how many W (or m3/h) a value of 1 is")
        self._amount = (1 if factor is None else factor) * self._seconds / (3_600_000 if unit == "kWh" else 3600)

    def _comment(self, text: str) -> None:
        """2026-11-21 14:05:00 CET / 1795266300"""
        self._time = int(text.rpartition("/")[2])

    def _finish_in_rows(self, name: str) -> None:
        if name == "v":
            self._values.append(self._text)
        elif name == "row":
            value = float(self._values[self._column])
            if not self._time:
                raise ValueError("its rows have no times: dump it again, with its comments")
            if value >= 0 and not math.isinf(value):  # nan is neither
                self.found.append(Slice(self._time, self._seconds, value * self._amount))
            self._values.clear()
            self._time = 0
        elif name == "database":
            self.is_done = True
            self._parser.EndElementHandler = None
            self._parser.CommentHandler = None
            self._parser.CharacterDataHandler = None

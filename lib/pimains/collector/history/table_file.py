"""Tables as files: their encoding, their separator, the names of their columns, and their lines with their numbers."""

import codecs
import csv
import re
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_LINE = 64 * 1024
_BLOCK = 1024 * 1024
_SEPARATOR_LINE = re.compile(r"sep=(.)", re.IGNORECASE)
_UNIT_FIELD = re.compile(r"\[[^\]]*\]")


def encoding_of(path: Path) -> str:
    """What its bytes are: utf-8-sig, utf-16, or cp1252 when they are no UTF-8. Raises ValueError for none of these, and OSError."""
    with path.open("rb") as file:
        head = file.read(_BLOCK)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while head:
                decoder.decode(head)
                head = file.read(_BLOCK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"


def is_workbook(path: Path) -> bool:
    """Whether it is what a spreadsheet program saves for itself: .xlsx and .ods are archives, .xls is older. Raises OSError."""
    with path.open("rb") as file:
        return file.read(8).startswith(_WORKBOOKS)


class Sheet:
    """An open table: `names` of its columns, from its line `line`. Raises csv.Error and UnicodeError."""

    def __init__(self, file: TextIO, progress: Callable[[int], None]) -> None:
        self._lines = _counted(file, progress)
        self.line, head = self._next_line(0)
        told = _SEPARATOR_LINE.fullmatch(head)
        if told:
            self.line, head = self._next_line(self.line)
        self.separator = told[1] if told else next((each for each in (";", "\t") if each in head), ",")
        self.names = next(csv.reader([head], delimiter=self.separator), [])
        self._rows = self._read()
        first = list(islice(self._rows, 1))
        fields = [field.strip() for field in first[0][1]] if first else []
        if fields and any(fields) and all(_UNIT_FIELD.fullmatch(field) for field in fields if field):  # units in a line of their own
            units = [*fields, *([""] * len(self.names))]
            self.names = [f"{name} {unit}".strip() for name, unit in zip(self.names, units, strict=False)]
            first = []
        self._rows = chain(first, self._rows)

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each with its line; those in which nothing is are none."""
        return self._rows

    def _next_line(self, before: int) -> tuple[int, str]:
        return next(((number, line.strip()) for number, line in enumerate(self._lines, before + 1) if line.strip()), (before + 1, ""))

    def _read(self) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(self._lines, delimiter=self.separator)
        for row in reader:
            if "".join(row).strip():
                yield self.line + reader.line_num, row


def _counted(file: TextIO, progress: Callable[[int], None]) -> Iterator[str]:
    done = 0
    while line := file.readline(_LINE):
        done += len(line)
        progress(done)
        yield line

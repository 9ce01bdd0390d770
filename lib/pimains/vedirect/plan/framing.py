r"""Bytes of a VE.Direct port in, blocks out (Victron's "VE.Direct Protocol", text mode).

A block is fields, each `\r\nLABEL\tVALUE`; the last is `Checksum`, whose value is one raw byte that makes the sum of all bytes of the
block 0 modulo 256: it may be CR, LF, TAB or `:`, too. HEX messages (`:`, hexadecimal digits, LF) stand anywhere, also within a
value; they are no part of the block and are not summed.
"""

import re
from collections.abc import Iterator
from typing import TypeAlias

Block: TypeAlias = tuple[tuple[str, str], ...]
"""(label, value) in the order of the block, without its checksum."""

_LAST = b"\r\nChecksum\t"
_HEX = re.compile(rb"[0-9A-Fa-f]*")
_FIELD = re.compile(r"([!-~]{1,32})\t([ -~]{0,64})")
_BLOCK_BYTES_MAX = 2048  # the protocol's own bound is 22 fields of 44
_HEX_BYTES_MAX = 1024
_FIELDS_MAX = 64
_FIRSTS_MAX = 8


class Framing:
    """Takes bytes as they come, in pieces of any size; keeps no more than a block and a piece."""

    def __init__(self) -> None:
        self.good = 0
        self.damaged = 0
        self._coming = b""
        self._text = b""
        self._firsts: dict[bytes, None] = {}  # how its blocks begin, the last seen last
        self._hex: int | None = None  # digits of the HEX message we are in
        self._took_its_colon = False  # for a checksum byte, maybe wrongly

    def feed(self, data: bytes) -> Iterator[Block]:
        """The blocks that are complete now and whose sum is right."""
        self._coming += data
        while self._coming:
            if self._hex is not None:
                self._skip_hex()
                continue
            if self._text.endswith(_LAST):
                yield from self._end(self._coming[0])
                continue
            self._take_text()

    def _take_text(self) -> None:
        """Up to a HEX message, or to where the checksum byte has to stand."""
        length = self._coming.find(b":")
        text = self._text + (self._coming if length < 0 else self._coming[:length])
        end = text.find(_LAST, max(0, len(self._text) - len(_LAST)))
        if end >= 0:
            end += len(_LAST)
            self._coming = self._coming[end - len(self._text) :]
            self._text = text[:end]
            return
        self._text = text
        self._coming = b"" if length < 0 else self._coming[length + 1 :]
        self._hex = None if length < 0 else 0
        if len(self._text) > _BLOCK_BYTES_MAX:
            self._text = self._text[-len(_LAST) :]
            self.damaged += 1

    def _skip_hex(self) -> None:
        digits = _HEX.match(self._coming)
        count = len(digits[0]) if digits else 0
        self._hex = (self._hex or 0) + count
        self._coming = self._coming[count:]
        if self._hex > _HEX_BYTES_MAX:
            self._leave_hex(whole=False)
        elif self._coming:
            ending = self._coming[:1]
            if ending != b"\r":  # what stands in the place of its LF goes; a CR begins the next field
                self._coming = self._coming[1:]
            self._leave_hex(whole=ending == b"\n" and self._hex > 0)

    def _leave_hex(self, *, whole: bool) -> None:
        self._hex = None
        if self._took_its_colon and not whole:
            self._text = b""
            self.damaged += 1
        self._took_its_colon = False

    def _end(self, checksum: int) -> Iterator[Block]:
        """`checksum` stands where the byte of that has to; it stays there when it makes no right sum: then it may begin the next block."""
        block = self._whole(self._text + bytes((checksum,)))
        if block is not None:
            self.good += 1
            self._coming, self._text = self._coming[1:], b""
            yield block
            return
        if checksum == ord(":"):  # a HEX message between the tab and the byte: that is still to come
            self._hex, self._took_its_colon, self._coming = 0, True, self._coming[1:]
            return
        self.damaged += 1
        self._text = b""
        if checksum != ord("\r"):
            self._coming = self._coming[1:]

    def _whole(self, text: bytes) -> Block | None:
        """The block at the end of `text`, if its sum is right; before it may be what is left of another."""
        start = text.find(b"\r\n")
        fields = _fields(text[start:])
        if fields is not None:
            first = f"\r\n{fields[0][0]}\t".encode()
            self._firsts.pop(first, None)
            self._firsts[first] = None
            if len(self._firsts) > _FIRSTS_MAX:
                del self._firsts[next(iter(self._firsts))]
            return fields
        starts = sorted({place for first in self._firsts if (place := text.rfind(first)) > start})
        return next(filter(None, (_fields(text[place:]) for place in starts)), None)


def _fields(text: bytes) -> Block | None:
    if sum(text) % 256 or not text[:-1].isascii():
        return None
    lines = text[2 : -len(_LAST) - 1].decode("ascii").split("\r\n")
    matches = [_FIELD.fullmatch(line) for line in lines]
    fields = tuple((match[1], match[2]) for match in matches if match)
    return fields if 0 < len(fields) == len(matches) <= _FIELDS_MAX else None

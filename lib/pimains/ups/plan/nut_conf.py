"""NUT's configuration files, line by line (nutupsdrv(8), upsd.conf(5), upsd.users(5), upsmon.conf(5)): words, of which = is one by itself.

`[name]` begins a section; before the first one, and in files without any, a line belongs to section "". A backslash and double quotes
quote, # begins a comment.
"""

import re
import shlex
from collections.abc import Sequence
from typing import NamedTuple

_ESCAPED = re.compile(r"\\([ -~])")
_BROKEN = ('"',)
_BYTE_ORDER_MARK = "\ufeff"  # of editors on Windows
_ASIDE = 0xF0000  # characters of nobody's, in the place of escaped ones while words are split: shlex keeps some backslashes


class Line(NamedTuple):
    """Line `number` of a file, from 1."""

    number: int
    section: str
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """What is set, or the first word."""
        return self.words[0]

    @property
    def is_broken(self) -> bool:
        """Whether a quotation mark in it has no end: NUT leaves it out."""
        return self.words == _BROKEN

    @property
    def value(self) -> str:
        """What it is set to: the words after the first one, or after an =."""
        return " ".join(self.words[2:] if self.words[1:2] == ("=",) else self.words[1:])


def read(text: str) -> list[Line]:
    """The lines that say something, also those that NUT leaves out because a quotation mark has no end."""
    found, section = [], ""
    for number, line in enumerate(text.removeprefix(_BYTE_ORDER_MARK).split("\n"), 1):
        if line.strip().startswith("[") and "]" in line:
            section = line.strip()[1:].partition("]")[0]
            found.append(Line(number, section, ("[]",)))
            continue
        words = shlex.shlex(_ESCAPED.sub(lambda found: chr(_ASIDE + ord(found[1])), line), posix=True, punctuation_chars="=")
        words.whitespace_split, words.quotes, words.escape = True, '"', ""
        try:
            split = tuple("".join(chr(ord(each) % _ASIDE) for each in word) for word in words)
        except ValueError:
            split = _BROKEN
        if split:
            found.append(Line(number, section, split))
    return found


def sections(lines: Sequence[Line]) -> list[Line]:
    """Where each section begins."""
    return [line for line in lines if line.words == ("[]",)]


def last(lines: Sequence[Line], name: str, section: str = "") -> Line | None:
    """The line that counts: the last one of that name in the section."""
    return next((line for line in reversed(lines) if line.section == section and line.name.lower() == name.lower()), None)


def number(line: Line | None) -> float | None:
    """What it is set to, None where that is no number."""
    try:
        return float(line.value) if line else None
    except ValueError:
        return None

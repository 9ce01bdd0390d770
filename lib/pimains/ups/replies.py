"""What is asked of upsd and what it answers, in lines (RFC 9271), so that nut2 never sees anything but the answer to what it asked.

nut2 takes any answer for its own, and a quotation mark for the end of a value whatever stands before it.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from pimains.core.errors import PimainsError
from pimains.core.plan.text import one_line, short_line

_LINES_KNOWN = 256
_LINE_KNOWN_LONGEST = 256
_QUOTATION_MARK = "\ue022"  # in its place while nut2 reads a value
_OK = {
    "PRIMARY": "OK PRIMARY-GRANTED",
    "MASTER": "OK MASTER-GRANTED",
    "FSD": "OK FSD-SET",
    "STARTTLS": "OK STARTTLS",
    "LOGOUT": "OK Goodbye",
}
_ERROR = re.compile(r"ERR ([A-Z][A-Z0-9-]{0,60})( .*)?")
_TRACKED = re.compile(r"OK TRACKING [0-9a-fA-F-]{1,64}")
_NAMED_VALUE = re.compile(r'([!#-~]+) "([^"\\]*(?:\\.[^"\\]*)*)"')
_WORD = re.compile(r"[!#-~]+")
_ESCAPED = re.compile(r"\\(.)")
_TO_ESCAPE = re.compile(r'(["\\#])')  # upsd's parser takes # for a comment between quotation marks, too


class ErrorReply(PimainsError):
    """upsd will not do it; `word` says why, such as DATA-STALE. The connection is as good as before."""

    def __init__(self, word: str, asked: str) -> None:
        super().__init__(f"{asked}: ERR {word}")
        self.word = word


class Unfit(PimainsError):
    """It is no answer to what was asked."""


def request(words: Sequence[str]) -> bytes:
    """The line that asks for `words`, all but the command itself in quotation marks; raises ValueError where it would end early."""
    if not all(word.isprintable() for word in words):
        raise ValueError("what is asked of upsd has characters that are no text")
    bare = 2 if words[0] in ("GET", "LIST") else 1
    return (" ".join([*words[:bare], *map(_quoted, words[bare:])]) + "\n").encode()


def first_line(asked: Sequence[str], line: str) -> str:
    """The first line of the answer to `asked`, as nut2 reads it; raises ErrorReply and Unfit."""
    if error := _ERROR.fullmatch(line):
        raise ErrorReply(error[1], asked[0] if asked[0] in ("USERNAME", "PASSWORD") else " ".join(asked))
    verb = asked[0]
    if verb == "LIST":
        if line == f"BEGIN {' '.join(asked)}":
            return line
    elif verb == "GET":
        prefix = f"VAR {asked[2]} "
        named = _NAMED_VALUE.fullmatch(line.removeprefix(prefix)) if line.startswith(prefix) else None
        if named and named[1] == asked[3]:
            return f'{prefix}{asked[3]} "{_clean(named[2])}"'
    elif line == _OK.get(verb, "OK"):
        return line
    elif verb == "INSTCMD" and _TRACKED.fullmatch(line):
        return "OK"
    raise Unfit(f"{' '.join(asked[:3]) if verb != 'PASSWORD' else verb} was answered by {short_line(line[:200])!r}")


def listed(asked: tuple[str, ...], line: str) -> str | None:
    """A line of the list that was asked for, as nut2 reads it, None for the one that ends it; raises Unfit."""
    return (_listed if len(line) > _LINE_KNOWN_LONGEST else _listed_before)(asked, line)


def _listed(asked: tuple[str, ...], line: str) -> str | None:
    if line == f"END {' '.join(asked)}":
        return None
    prefix = f"{' '.join(asked[1:])} "
    rest = line.removeprefix(prefix) if line.startswith(prefix) else ""
    if asked[1] == "CLIENT":
        if _WORD.fullmatch(rest):
            return line
    elif named := _NAMED_VALUE.fullmatch(rest):
        return f'{prefix}{named[1]} "{_clean(named[2])}"'
    raise Unfit(f"{' '.join(asked)} has the line {short_line(line[:200])!r}")


_listed_before = lru_cache(_LINES_KNOWN)(_listed)  # most are the same at each look


def value(read: str) -> str:
    """A value that nut2 has read, as the UPS says it."""
    return read.replace(_QUOTATION_MARK, '"').strip()


def _quoted(word: str) -> str:
    escaped = _TO_ESCAPE.sub(r"\\\1", word)
    return f'"{escaped}"'


def _clean(escaped: str) -> str:
    text = _ESCAPED.sub(r"\1", escaped) if "\\" in escaped else escaped
    return (text if text.isprintable() else one_line(text)).replace('"', _QUOTATION_MARK)

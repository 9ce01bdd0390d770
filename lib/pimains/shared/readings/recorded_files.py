"""State files that a collector records, as RECORD names them: each is a source of its own, called like the file."""

import re
from typing import NamedTuple

_WORD = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.@-]{0,60})/([A-Za-z0-9_][A-Za-z0-9_.@-]{0,60})(?:=(\S{1,12}))?")
_MOST = 50


class Recorded(NamedTuple):
    """The file VALUE of an instance; its unit, '' where nobody said."""

    instance: str
    value: str
    unit: str

    @property
    def name(self) -> str:
        """What its source is called; no token can be made for that."""
        return f"{self.instance}/{self.value}"


def parse(text: str) -> list[Recorded]:
    """Names of state files with blanks between them. Raises ValueError."""
    found = [_WORD.fullmatch(word) for word in text.split()]
    if not all(found) or len(found) > _MOST:
        raise ValueError
    values = [Recorded(match[1], match[2], match[3] or "") for match in found if match]
    if len({value.name for value in values}) < len(values) or any(len(value.name) > 64 or value.instance == "powerpi" for value in values):
        raise ValueError
    return values

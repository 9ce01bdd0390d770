"""What prices hold at a collector: its prices file, and what PRICE and PRICE_M3 said since when. It only looks.

DATA_DIR/prices-seen and DATA_DIR/prices-right: see collector/prices.py, which writes them.
"""

import errno
import json
from pathlib import Path
from typing import Any, NamedTuple

from pimains.core import state
from pimains.shared.readings.plan.price_lines import PriceLine, WrongPrices, read
from pimains.shared.readings.plan.tariffs import BEGINNING, Seen, Tariffs

_BYTES_MAX = 60_000
SEEN, RIGHT = "prices-seen", "prices-right"


class Asked(NamedTuple):
    """What the settings say."""

    file: Path | None
    kwh: float | None
    m3: float | None
    currency: str


class Held(NamedTuple):
    """What the file says, or what it said when it was last right; `trouble` names each line that is wrong. `text` is what is right."""

    lines: list[PriceLine]
    trouble: list[str]
    text: str


class Standing(NamedTuple):
    """What holds: all of it, what the settings said since when, and what the file says."""

    tariffs: Tariffs
    seen: list[Seen]
    held: Held


def standing(asked: Asked, directory: Path) -> Standing:
    """What holds, for whoever only looks; what is damaged is as if it were not there."""
    try:
        seen = remembered(directory)
    except ValueError:
        seen = []
    found = held(asked.file, directory)
    seen = seen or [Seen(BEGINNING, asked.kwh, asked.m3)]
    return Standing(Tariffs(found.lines, seen, asked.currency), seen, found)


def remembered(directory: Path) -> list[Seen]:
    """What the settings said since when, oldest first. Raises ValueError where that is damaged."""
    try:
        said = json.loads(state.whole(directory / SEEN) or "[]")
        return [Seen(BEGINNING if since is None else float(since), _number(kwh), _number(m3)) for since, kwh, m3 in said]
    except state.Damaged as damage:
        raise ValueError(f"{directory / SEEN}: {damage}") from None
    except (ValueError, TypeError):
        raise ValueError(f"{directory / SEEN}: is damaged") from None


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def held(file: Path | None, directory: Path) -> Held:
    """What holds by the prices file, and what is wrong with it."""
    try:
        text = _text_of(file) if file else ""
        return Held(read(text), [], text)
    except OSError as error:
        trouble = [f"{file}: {error.strerror}; user pimains must be able to read it"]
    except UnicodeDecodeError:
        trouble = [f"{file}: is no text in UTF-8"]
    except WrongPrices as wrong:
        trouble = [f"{file} line {each.number}: {each.what}" for each in wrong.wrong]
    try:
        return Held(read(state.whole(directory / RIGHT) or ""), trouble, "")
    except (WrongPrices, state.Damaged):
        return Held([], trouble, "")


def _text_of(path: Path) -> str:
    """'' where there is none. Raises OSError, UnicodeDecodeError."""
    try:
        if not path.is_file():
            if path.exists():
                raise OSError(errno.EINVAL, "is no file")
            return ""
        with path.open("rb") as file:
            text = file.read(_BYTES_MAX + 1)
    except FileNotFoundError:
        return ""
    if len(text) > _BYTES_MAX:
        raise OSError(errno.EFBIG, f"is longer than {_BYTES_MAX} bytes")
    return text.decode("utf-8-sig")

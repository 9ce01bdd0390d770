"""What prices hold: the prices file, read anew when it changes, and what PRICE and PRICE_M3 said since when.

DATA_DIR/prices-seen     JSON: [[since, PRICE, PRICE_M3], ...]; a changed setting holds from when it was first seen, and not before
DATA_DIR/prices-right    the prices file as it was when it was last right: that holds while it is wrong
"""

import contextlib
import errno
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from pimains.collector.plan.price_lines import PriceLine, WrongPrices, read
from pimains.collector.plan.tariffs import BEGINNING, Seen, Tariffs
from pimains.collector.series.costs import Costs
from pimains.core import kept, state

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


class Prices:
    """Those of one collector, in whose `directory` it is remembered what was seen. Any thread may ask."""

    def __init__(self, asked: Asked, directory: Path) -> None:
        self.trouble = ""
        self._asked = asked
        self._directory = directory
        self._stat: object = None
        self._lock = threading.Lock()
        try:
            self._seen = remembered(directory)
        except ValueError as damaged:
            print(f"{damaged}: {_put_away(directory / SEEN)}; what the settings say holds from the beginning")
            self._seen = []
        self._costs = Costs(self._tariffs(held(asked.file, directory).lines))

    @property
    def costs(self) -> Costs:
        """By what holds now."""
        with self._lock:
            now = _stat_of(self._asked.file)
            if now != self._stat:
                self._stat = now
                found = held(self._asked.file, self._directory)
                self.trouble = found.trouble[0] if found.trouble else ""
                self._costs = Costs(self._tariffs(found.lines))
                if not found.trouble:
                    self._keep(found.text)
            return self._costs

    def forget(self, source: str) -> None:
        """Its past is another now."""
        self._costs.forget(source)

    def see(self, now: float, tell: Callable[[str, str], None]) -> None:
        """Remember what the settings say from `now` on, if they said something else before; the first price there is holds ever since.

        `tell` hears what is other now, and what was before, when it is on the disk. Raises OSError.
        """
        new = Seen(now if self._seen else BEGINNING, self._asked.kwh, self._asked.m3)
        before = self._seen[-1] if self._seen else Seen(BEGINNING, None, None)
        if new[1:] == before[1:]:
            return
        seen = [*self._seen, new]
        written = json.dumps([[None if each.start == BEGINNING else each.start, *each[1:]] for each in seen])
        state.write(self._directory / SEEN, written, durable=True)
        self._seen, self._stat = seen, None
        for name, then, is_now in (("PRICE", before.kwh, new.kwh), ("PRICE_M3", before.m3, new.m3)):
            if then != is_now and then is not None:
                to = "is empty" if is_now is None else f"is {is_now:g}"
                tell(f"{name} {to} from now on", f"it was changed; what was before stays at {then:g} (PRICES says otherwise)")

    def _tariffs(self, lines: list[PriceLine]) -> Tariffs:
        return Tariffs(lines, self._seen or [Seen(BEGINNING, self._asked.kwh, self._asked.m3)], self._asked.currency)

    def _keep(self, text: str) -> None:
        right = self._directory / RIGHT
        if text.strip() and text.strip() != state.read(right):
            with contextlib.suppress(OSError):  # a full disk: it is right now, and this is for when it is wrong
                state.write(right, text.strip(), durable=True)


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


def _put_away(path: Path) -> str:
    try:
        return f"kept as {kept.set_aside(path).name}"
    except OSError as error:
        return f"it cannot be set aside ({error.strerror})"


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


def _stat_of(path: Path | None) -> object:
    try:
        found = path and path.stat()
    except OSError as error:
        return error.errno
    return found and (found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode, found.st_ctime_ns)

"""What prices hold: the prices file, read anew when it changes, and what PRICE and PRICE_M3 said since when.

DATA_DIR/prices-seen     JSON: [[since, PRICE, PRICE_M3], ...]; a changed setting holds from when it was first seen, and not before
DATA_DIR/prices-right    the prices file as it was when it was last right: that holds while it is wrong
"""

import contextlib
import json
import threading
from collections.abc import Callable
from pathlib import Path

from pimains.core import kept, state
from pimains.shared.readings.plan.price_lines import PriceLine
from pimains.shared.readings.plan.tariffs import BEGINNING, Seen, Tariffs
from pimains.shared.readings.series.costs import Costs
from pimains.shared.readings.standing_prices import RIGHT, SEEN, Asked, held, remembered


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


def _put_away(path: Path) -> str:
    try:
        return f"kept as {kept.set_aside(path).name}"
    except OSError as error:
        return f"it cannot be set aside ({error.strerror})"


def _stat_of(path: Path | None) -> object:
    try:
        found = path and path.stat()
    except OSError as error:
        return error.errno
    return found and (found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode, found.st_ctime_ns)

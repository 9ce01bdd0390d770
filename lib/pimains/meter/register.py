"""What the meter's register shows: remembered as what it showed once, when so many pulses had come."""

import json
import socket
from typing import NamedTuple

from pimains.core import notify_queue, state
from pimains.core.ledger import Entry
from pimains.core.ledger import Reading as Input
from pimains.core.service import Instance
from pimains.meter.measure import Measure
from pimains.meter.own_readings import Unsent
from pimains.shared.plan.delivery import NAME_LENGTH_MAX, Batch, RegisterReading

TOTAL_MAX = 1e9
_SET, _PULSES, _START = "set its total to ", "pulses", "START_TOTAL"  # words in the ledger, by which it is found there again
_ENTRIES = 200


class Register:
    """`shown` is what is remembered, None while nobody ever told; it begins at `start_total` when `pulses` have come. `run`: this start's.

    Another `start_total` than before is one that somebody edited: it counts from now on. What is lost or damaged is taken from the
    ledger; `is_known` is whether it stands there, if there ever was something. Raises OSError.
    """

    def __init__(
        self, me: Instance, source: str, unit: str, impulses_per_unit: float, start_total: float | None, pulses: int, run: str
    ) -> None:
        self._me = me
        self._run = run
        self._source = source
        self._unit = unit
        self._impulses = impulses_per_unit
        self._start = start_total
        self._path = me.lib / "face"
        self.is_known = True
        self.shown = self._read() or self._from_ledger(pulses)
        if self.shown is None and start_total is not None and self.is_known:
            self._note(f"{_SET}{start_total:.3f} {unit}", "START_TOTAL says so", self._inputs(pulses))
            self._write(RegisterReading(pulses, start_total))

    def batch(self, unsent: Unsent) -> Batch:
        """A request to the collector, with what each of them says about its source."""
        host = socket.gethostname()[:NAME_LENGTH_MAX]
        return Batch(self._source, self._unit, self._impulses, self.shown, unsent.boots, unsent.readings, unsent.runs, self._run, host)

    def total(self, pulses: int) -> float:
        """What it shows when so many pulses have come, in its unit."""
        shown = self.shown or RegisterReading(0, 0.0)
        return shown.total + (pulses - shown.pulses) / self._impulses

    def set(self, total: float, pulses: int, who: str) -> str:
        """It shows `total` now, as `who` has read; returns what that changes, in words. Raises ValueError, too."""
        if not 0 <= total <= TOTAL_MAX:
            raise ValueError(f"{total:g} is no total from 0 to {TOTAL_MAX:.0f}")
        was = f"{self.total(pulses):.3f} {self._unit}" if self.is_known else "not known"
        now = f"{total:.3f} {self._unit}"
        inputs = {"total before": Input(was, 0.0), **self._inputs(pulses)}
        self._me.ledger.record(self._me.name, f"{_SET}{now}", f"{who} read it from the meter", inputs)
        self._write(RegisterReading(pulses, total))
        words = f"{self._source}: total is {now} now, was {was}"
        print(f"{words} ({who})")
        return words

    def counts_on(self, measure: Measure, pulses: int, total: float | None, cause: str, run: str) -> str:
        """When `pulses` have come it shows `total`, None where that is lost, and counts by `measure` from then on; that in words."""
        now = "not known" if total is None else f"{total:.3f} {measure.unit}"
        was = f"{self.total(pulses):.3f} {self._unit}" if self.is_known else "not known"
        action = f"counts {measure} from now on" if total is None else f"{_SET}{now}"
        self._note(action, cause, {"total before": Input(was, 0.0), **self._inputs(pulses)})
        if total is not None:
            self._write(RegisterReading(pulses, total))
        self._run, self._unit, self._impulses = run, *measure
        words = f"{self._source}: total is {now} now, was {was}; {cause}"
        print(words)
        return words

    def _read(self) -> RegisterReading | None:
        there = self._path.exists()
        found = self._me.kept("face", _parsed, "the ledger is asked what the meter showed")
        self.is_known = found is not None or not there
        if found is None or self._is_edited(found.start_total):
            return None
        return RegisterReading(found.pulses, found.total)

    def _is_edited(self, start_then: float | None) -> bool:
        return self._start is not None and self._start != start_then

    def _from_ledger(self, pulses: int) -> RegisterReading | None:
        """What it was set to last, of this count, unless the note of it is there and tells that START_TOTAL was edited since."""
        if self._path.exists():
            return None
        entries = self._me.with_ledger(lambda ledger: ledger.entries(self._me.name, limit=_ENTRIES)) or []
        for entry in entries:
            then, start = state.number(_value(entry, _PULSES)), state.number(_value(entry, _START))
            total = state.number(entry.action.removeprefix(_SET).split()[0]) if entry.action.startswith(_SET) else None
            if total is None:
                continue
            if then is None or then > pulses or self._is_edited(start):
                return None
            line = f"it showed {total:g} {self._unit} at the count {then:.0f}, as the ledger has it"
            print(f"{self._path}: was lost: {line}")
            notify_queue.post(f"{self._source}: what its meter showed was lost, and is known from the ledger", line, "face-lost")
            self.is_known = True
            self._write(RegisterReading(int(then), total))
            return self.shown
        return None

    def _note(self, action: str, cause: str, inputs: dict[str, Input]) -> None:
        """Nobody stops counting because the ledger cannot be written."""
        self._me.with_ledger(lambda ledger: ledger.record(self._me.name, action, cause, inputs))

    def _inputs(self, pulses: int) -> dict[str, Input]:
        start = {} if self._start is None else {_START: Input(repr(self._start))}
        return {_PULSES: Input(str(pulses), 0.0), **start}

    def _write(self, reading: RegisterReading) -> None:
        state.write(self._path, json.dumps([reading.pulses, reading.total, self._start]), durable=True)
        self.shown, self.is_known = reading, True


class _Face(NamedTuple):
    """As it is noted."""

    pulses: int
    total: float
    start_total: float | None


def _parsed(text: str) -> _Face:
    pulses, total, start_then = json.loads(text)
    return _Face(int(pulses), float(total), start_then)


def _value(entry: Entry, name: str) -> str:
    return entry.inputs[name].value if name in entry.inputs else ""

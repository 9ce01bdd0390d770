"""What the meter's register shows: remembered as what it showed once, when so many pulses had come."""

import json
import socket
from contextlib import suppress

from pimains.core import state
from pimains.core.ledger import Reading as Input
from pimains.core.service import Instance
from pimains.meter.measure import Measure
from pimains.meter.own_readings import Unsent
from pimains.shared.plan.delivery import NAME_LENGTH_MAX, Batch, RegisterReading

TOTAL_MAX = 1e9


class Register:
    """`shown` is what is remembered, None while nobody ever told; it begins at `start_total` when `pulses` have come. `run`: this start's.

    Another `start_total` than before is one that somebody edited: it counts from now on. Raises OSError and sqlite3.Error.
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
        self.shown = self._read()
        if self.shown is None and start_total is not None:
            me.ledger.record(me.name, f"set its total to {start_total:.3f} {unit}", "START_TOTAL says so", {})
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
        was = f"{self.total(pulses):.3f} {self._unit}"
        now = f"{total:.3f} {self._unit}"
        self._me.ledger.record(self._me.name, f"set its total to {now}", f"{who} read it from the meter", {"total before": Input(was, 0.0)})
        self._write(RegisterReading(pulses, total))
        words = f"{self._source}: total is {now} now, was {was}"
        print(f"{words} ({who})")
        return words

    def counts_on(self, measure: Measure, pulses: int, total: float, cause: str, run: str) -> str:
        """When `pulses` have come it shows `total`, and counts by `measure` from then on; returns that in words."""
        now, was = f"{total:.3f} {measure.unit}", f"{self.total(pulses):.3f} {self._unit}"
        self._me.ledger.record(self._me.name, f"set its total to {now}", cause, {"total before": Input(was, 0.0)})
        self._write(RegisterReading(pulses, total))
        self._run, self._unit, self._impulses = run, *measure
        words = f"{self._source}: total is {now} now, was {was}; {cause}"
        print(words)
        return words

    def _read(self) -> RegisterReading | None:
        with suppress(ValueError, TypeError):
            pulses, total, start_then = json.loads(state.read(self._path) or "")
            if self._start is None or self._start == start_then:
                return RegisterReading(int(pulses), float(total))
        return None

    def _write(self, reading: RegisterReading) -> None:
        state.write(self._path, json.dumps([reading.pulses, reading.total, self._start]), durable=True)
        self.shown = reading

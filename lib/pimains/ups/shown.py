"""The state files of one UPS, for the collector and for scripts; written when they change, and with an age that says when they were read.

/run/pimains/<instance>/battery.charge, battery.runtime, ups.load   percent, seconds, percent; as far as they are believed
/run/pimains/<instance>/input.voltage, output.voltage, battery.voltage   V
/run/pimains/<instance>/device.model   what it calls itself
/run/pimains/<instance>/ups.status   the words of NUT as they came
/run/pimains/<instance>/line         how the load is fed: on line, on battery, calibrating, on bypass, off or unknown
/run/pimains/<instance>/words        how it stands, in a sentence
/run/pimains/<instance>/alarm        1 while somebody has to look after it
/run/pimains/<instance>/lost         1 while it cannot be read
/run/pimains/<instance>/battery.end  seconds since boot, while it feeds the load: when the battery will be empty

Those of the second UPS and of further ones begin with its name: cellar.battery.charge.
"""

import os
from contextlib import suppress

from pimains.core.instance import Instance
from pimains.core.plan.text import one_line
from pimains.core.state import number
from pimains.ups.plan.standing import Standing
from pimains.ups.plan.words import is_away, is_well

_TOUCH_SECONDS = 10.0
_VOLTAGES = ("input.voltage", "output.voltage", "battery.voltage")
_STATES = ("line", "words", "alarm", "lost", "battery.end")  # how it stands, with data or without


class Shown:
    """`prefix` is "" for the first UPS of the instance."""

    def __init__(self, me: Instance, prefix: str) -> None:
        self._me = me
        self._prefix = prefix
        self._is_there: dict[str, str] = {}
        self._is_new = True
        self._touched_at = 0.0

    def show(self, standing: Standing, variables: dict[str, str], words: str, end: float | None, now: float) -> None:
        """How it stands at `now`, monotonic seconds; `variables` are those that were read last, `end` is when its battery will be empty."""
        is_fresh = standing.fresh_at == now
        values = {"line": str(standing.line or ""), "words": words, "battery.end": "" if end is None else f"{end:.0f}"}
        values |= {"alarm": "" if is_well(standing, now) else "1", "lost": "1" if is_away(standing, now) else ""}
        if is_fresh or self._is_new:
            numbers = {
                "battery.charge": standing.numbers.charge,
                "battery.runtime": standing.numbers.runtime,
                "ups.load": standing.numbers.load,
            }
            values |= {name: "" if value is None else f"{value:g}" for name, value in numbers.items()}
            values |= {name: text if number(text := variables.get(name, "")) is not None else "" for name in _VOLTAGES}
            values["ups.status"] = variables.get("ups.status", "")
            values["device.model"] = one_line(variables.get("device.model") or variables.get("ups.model", ""))
        for name, value in values.items():
            if self._is_new or self._is_there.get(name) != value:
                self._is_there[name] = value
                self._me.leave(f"{self._prefix}{name}", value or None)
        self._is_new = False
        if is_fresh and now - self._touched_at >= _TOUCH_SECONDS:
            self._touched_at = now
            for name in self._is_there.keys() - set(_STATES):
                with suppress(OSError):  # it has no value
                    os.utime(self._me.run / f"{self._prefix}{name}")

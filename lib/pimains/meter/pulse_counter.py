"""Counts the pulses of a contact at a pin: without its bounces, and so that no end of this process loses or repeats one.

Raises GpioError of shared/gpio/pin.py.
"""

import threading
from pathlib import Path

from pimains.core.clock import Clock
from pimains.meter import pins
from pimains.meter.plan import Contact
from pimains.meter.pulse_count import PulseCount

_QUIET_SECONDS = 1.0  # an edge that is this old has reached us


class PulseCounter:
    """The contact at `pin` (BCM number), closed when that is high or low, counted into `count`; bounces last less than `bounce` seconds.

    Called by the thread of the pin, and by ours for a contact that stays closed.
    """

    def __init__(self, pin: int, pull: str, *, closed_is_high: bool, bounce: float, count: PulseCount, clock: Clock, scratch: Path) -> None:
        self._lock = threading.Lock()
        self._closed_is_high = closed_is_high
        self._count = count
        self._clock = clock
        self._edges = 0
        self._looked_at = -1e9
        self._unheard_since: int | None = None
        self.pin = pins.take(pin, pull, clock, self._edge, scratch)
        is_closed = self.pin.is_high == closed_is_high
        # a contact that was open when we were killed and is closed now has begun a pulse
        had_closed = is_closed if count.had_closed is None else count.had_closed
        self.contact = Contact(bounce, had_closed)
        self._settle_if(self.contact.edge(clock.monotonic(), is_closed))
        self.pin.listen()

    def settle(self) -> None:
        """Count a pulse that has begun and goes on. Raises GpioError when the pin is gone."""
        now = self._clock.monotonic()
        is_closed = self.pin.is_high == self._closed_is_high
        with self._lock:
            # held up as we may be, the other thread may be, too: what it knew at our last look is sure
            self._settle_if(self.contact.settle(min(now - _QUIET_SECONDS, self._looked_at)))
            self._looked_at = now
            if is_closed == self.contact.is_seen_closed:
                self._unheard_since = None
            elif self._unheard_since == self._edges:  # not since the last look: an edge was lost
                self._settle_if(self.contact.edge(now, is_closed))
            else:
                self._unheard_since = self._edges

    def _edge(self, at: float, is_high: bool) -> None:
        with self._lock:
            self._edges += 1
            self._settle_if(self.contact.edge(at, is_high == self._closed_is_high))

    def _settle_if(self, pulse: bool) -> None:
        if pulse or self.contact.is_closed != self._count.had_closed:
            self._count.had_closed = self.contact.is_closed
            self._count.contact(self.contact.is_closed, pulse, self.contact.pulse_at)

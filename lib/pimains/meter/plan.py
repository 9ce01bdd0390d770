"""What a meter's pulses say: which edges are pulses, and how much flows.

S0 outputs (DIN 43864, EN 62053-31) close for at least 30 ms and stay open for at least 30 ms.
"""

from typing import NamedTuple

S0_SECONDS = 0.030
_S0_TOLERANCE = 0.005  # bounces, and edges that are seen late
_UNKNOWN_SECONDS = 60.0


class Contact:
    """A meter's contact without its bounces: it is open or closed when it was so for `bounce` seconds.

    A pulse is counted when its closing is sure, at the latest when it opens again. With a bounce of 0 every closing is one.
    `pulse_at` is when the last pulse began; `too_short` counts pulses and pauses that are shorter than S0 allows,
    `ignored` closings that did not last. `is_seen_closed` is what the last edge said.
    """

    def __init__(self, bounce: float, is_closed: bool) -> None:
        self.is_closed = is_closed
        self.pulse_at: float | None = None
        self.too_short = 0
        self.ignored = 0
        self._bounce = bounce
        self.is_seen_closed = is_closed
        self._since = -1e9
        self._changed_at = -1e9

    def edge(self, at: float, is_closed: bool) -> bool:
        """It closed or opened at `at`; returns whether a pulse is sure by that."""
        pulse = self.settle(at)
        if self.is_seen_closed and not self.is_closed:
            self.ignored += 1
        self.is_seen_closed, self._since = is_closed, at
        return self.settle(at) or pulse

    def settle(self, at: float) -> bool:
        """Nothing happened until `at`; returns whether a pulse is sure by that."""
        if self.is_seen_closed == self.is_closed or at - self._since < self._bounce:
            return False
        self.is_closed = self.is_seen_closed
        if self._since - self._changed_at < S0_SECONDS - _S0_TOLERANCE:
            self.too_short += 1
        self._changed_at = self._since
        if self.is_closed:
            self.pulse_at = self._since
        return self.is_closed


class Flow(NamedTuple):
    """How much flows, in units per hour; `is_bound`: it is at most that."""

    per_hour: float
    is_bound: bool


class FlowMeter:
    """How much flows now, judged by when the last pulses came.

    As long as no pulse comes, one may come at once: the flow is at most one pulse in the time since the last one, and so
    it falls, and is never a value that stands still. While the service did not run, nobody counted: nothing is measured over
    that time. What was known before it, `per_hour`, is handed over where the last pulse, at `pulse_at`, was a minute ago at most.
    """

    def __init__(self, impulses_per_unit: float, now: float, pulses: int, pulse_at: float | None, per_hour: float | None) -> None:
        self.per_hour = per_hour if pulse_at is not None and now - pulse_at <= _UNKNOWN_SECONDS else None
        self.pulse_at: float | None = None
        self._impulses = impulses_per_unit
        self._pulses = pulses
        self._since = now

    def look(self, now: float, pulses: int, pulse_at: float | None) -> Flow | None:
        """The flow at `now`, when so many pulses have come, the last of them at `pulse_at`; None while it is not known."""
        if pulses > self._pulses and pulse_at is not None:
            if self.pulse_at is not None and pulse_at > self.pulse_at:
                self.per_hour = self._units_per_hour(pulses - self._pulses, pulse_at - self.pulse_at)
            self._pulses, self.pulse_at = pulses, pulse_at
        since = now - (self._since if self.pulse_at is None else self.pulse_at)
        if self.per_hour is None and since < _UNKNOWN_SECONDS:
            return None
        bound = self._units_per_hour(1, since) if since > 0 else self.per_hour or 0.0
        if self.per_hour is None or bound < self.per_hour:
            return Flow(bound, is_bound=True)
        return Flow(self.per_hour, is_bound=False)

    def _units_per_hour(self, pulses: int, seconds: float) -> float:
        return pulses * 3600 / (self._impulses * seconds)

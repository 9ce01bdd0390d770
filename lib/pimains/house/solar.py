"""The physics of the simulated solar house: sun, clouds, panels, a charger, a battery of 24 V, loads. It has no clock: `live` moves it on.

Its battery is fed by the charger and feeds the loads; what it takes beyond that charges it, with a loss. Powers are in W, currents in A
(positive charges), times in seconds.
"""

import math
from enum import IntEnum

DAY_SECONDS = 86_400.0
_HOUR_SECONDS = 3600.0
_ABSORPTION_VOLTS = 28.8
_FLOAT_VOLTS = 27.6
_EMPTY_VOLTS = 24.0
_FULL_VOLTS = 26.2  # at rest
_OHMS = 0.02
_VOLTS_SETTLE_SECONDS = 60.0
_CHARGE_EFFICIENCY = 0.97  # of the ampere-hours
_ABSORPTION_SECONDS = 2 * _HOUR_SECONDS
_TAIL = 0.02  # of the capacity in an hour: absorption is over
_CLOUD_SHADES = 0.8
_LEAST_WATTS = 2.0  # a charger that gets less is off
_PANEL_VOLTS = 68.0
_CUT_SOC = 0.02  # its loads are cut off below it
_BACK_SOC = 0.1


class Charging(IntEnum):
    """What a charger does, by VE.Direct's numbers (CS)."""

    OFF = 0
    BULK = 3
    ABSORPTION = 4
    FLOAT = 5


class SolarHouse:
    """One house, from the `hour` (0-24) of its first day on, with `peak` W of panels and a battery of `capacity` Ah."""

    def __init__(self, hour: float = 12.0, peak: float = 1500.0, capacity: float = 200.0, soc: float = 0.8) -> None:
        self.seconds = hour * _HOUR_SECONDS
        self.peak = peak
        self.capacity = capacity
        self.soc = soc
        self.clouds = 0.0
        self.load = 120.0
        self.charging = Charging.OFF
        self.panel_watts = 0.0
        self.battery_watts = 0.0
        self.amperes = 0.0
        self.volts = self._at_rest()
        self.charged_wh = self.discharged_wh = 0.0
        self.yields_wh = [0.0, 0.0]  # today, yesterday
        self.most_watts = [0.0, 0.0]
        self._absorbed = 0.0
        self._is_cut = False

    @property
    def hour(self) -> float:
        """Of the day, 0-24."""
        return self.seconds % DAY_SECONDS / _HOUR_SECONDS

    @property
    def day(self) -> int:
        """0 for the first one."""
        return int(self.seconds // DAY_SECONDS)

    @property
    def consumed_ah(self) -> float:
        """What is missing in the battery, negative."""
        return (self.soc - 1) * self.capacity

    @property
    def stored_wh(self) -> float:
        """What the battery holds: it would give that at the voltage that it has at rest."""
        return self.capacity * (_EMPTY_VOLTS * self.soc + (_FULL_VOLTS - _EMPTY_VOLTS) * self.soc**2 / 2)

    @property
    def panel_volts(self) -> float:
        """Lower when it gives more."""
        return 0.0 if not self.available() else _PANEL_VOLTS * (1.1 - 0.1 * self.panel_watts / self.peak)

    def available(self) -> float:
        """What the panels would give now."""
        height = math.sin(math.pi * (self.hour - 6) / 12)
        return self.peak * 0.85 * math.pow(max(0.0, height), 1.2) * (1 - _CLOUD_SHADES * self.clouds)

    def live(self, seconds: float, relays_watts: float = 0.0) -> None:
        """`seconds` go by (a few at a time: what flows is taken for constant), while relays feed another `relays_watts`."""
        day = self.day
        self._is_cut = self.soc < (_BACK_SOC if self._is_cut else _CUT_SOC)
        load = 0.0 if self._is_cut else self.load + relays_watts
        available = self.available()
        accepted = self.volts * self._accepted()
        self.panel_watts = min(available, load + accepted)
        self._charge_on(available < load + accepted, seconds)
        self.battery_watts = self.panel_watts - load
        self.amperes = self.battery_watts / self.volts
        hours = seconds / _HOUR_SECONDS
        efficiency = _CHARGE_EFFICIENCY if self.amperes > 0 else 1.0
        self.soc = min(1.0, max(0.0, self.soc + self.amperes * efficiency * hours / self.capacity))
        self.charged_wh += max(0.0, self.battery_watts) * hours
        self.discharged_wh += max(0.0, -self.battery_watts) * hours
        self.yields_wh[0] += self.panel_watts * hours
        self.most_watts[0] = max(self.most_watts[0], self.panel_watts)
        self.volts += (self._aims_at() - self.volts) * (1 - math.exp(-seconds / _VOLTS_SETTLE_SECONDS))
        self.seconds += seconds
        if self.day != day:
            self.yields_wh, self.most_watts = [0.0, self.yields_wh[0]], [0.0, self.most_watts[0]]

    def _charge_on(self, takes_all: bool, seconds: float) -> None:
        """`takes_all`: whether loads and battery would take more than the panels give."""
        if self.available() < _LEAST_WATTS:
            self.charging, self._absorbed, self.panel_watts = Charging.OFF, 0.0, 0.0
        elif self.charging == Charging.OFF:
            self.charging = Charging.BULK
        elif self.charging == Charging.BULK and not takes_all:
            self.charging = Charging.ABSORPTION
        elif self.charging == Charging.ABSORPTION:
            self._absorbed += seconds
            is_full = self._accepted() < _TAIL * self.capacity or self._absorbed > _ABSORPTION_SECONDS
            self.charging = Charging.FLOAT if is_full else Charging.ABSORPTION
        elif self.charging == Charging.FLOAT and self.soc < 0.95:
            self.charging = Charging.BULK

    def _accepted(self) -> float:
        """The current that the battery takes at most: less and less when it is nearly full."""
        if self.charging == Charging.FLOAT:
            return self.capacity * min(0.02, max(0.0, 1 - self.soc))
        return self.capacity * (0.25 * min(1.0, (1 - self.soc) / 0.15) + 0.001)

    def _at_rest(self) -> float:
        return _EMPTY_VOLTS + (_FULL_VOLTS - _EMPTY_VOLTS) * self.soc

    def _aims_at(self) -> float:
        if self.amperes >= 0 and self.charging in (Charging.ABSORPTION, Charging.FLOAT):
            return _ABSORPTION_VOLTS if self.charging == Charging.ABSORPTION else _FLOAT_VOLTS
        return min(_ABSORPTION_VOLTS, self._at_rest() + _OHMS * self.amperes + (1.2 * self.soc if self.amperes > 0 else 0.0))

"""The Pi of a living demo: down once its HALT_COMMAND was called, cut by its plug's relay, and booted when that closes again."""

from collections.abc import Callable
from enum import Enum

from pimains.house import demo_plug
from pimains.house.demo_house import House
from pimains.house.demo_machine import halted

_SYNCS_SECONDS = 4.0  # from HALT_COMMAND until it draws nearly nothing


class Power(Enum):
    """How it is."""

    UP = "up"
    HALTED = "halted, and still fed"
    OFF = "not fed"


class Pi:
    """Moved on by `step`; `say` hears what becomes of it, `button` is the line that presses the plug's."""

    def __init__(self, house: House, button: str, say: Callable[[str], None]) -> None:
        self.power = Power.UP
        self._house = house
        self._button = button
        self._say = say
        self._halted = halted(house.site)
        self._idle_at: float | None = None
        self._is_fed = True
        house.plug.relay_changed = self._relay_changed

    def _relay_changed(self, is_closed: bool) -> None:
        self._is_fed = is_closed  # heard in another thread; seen by the next step

    def step(self, now: float) -> None:
        """What has become of it since the last one; `now` in seconds."""
        if self.power == Power.UP and self._halted.exists():
            self._house.machine.switch_off()
            self._halted.unlink()
            self.power, self._idle_at = Power.HALTED, now + _SYNCS_SECONDS
            self._say("the Pi has shut down; its plug cuts the power once it sees that it draws nearly nothing")
        if self._idle_at is not None and now >= self._idle_at:
            self._idle_at = None
            self._house.plug.tell(f"load {demo_plug.HALTED_WATTS}")
        if self.power != Power.OFF and not self._is_fed:
            self._be_cut()
        if self.power == Power.OFF and self._is_fed:
            self._house.plug.tell(f"load {demo_plug.UP_WATTS}")
            self._house.machine.switch_on()
            self.power = Power.UP
            self._say("the plug is on: the Pi boots")

    def _be_cut(self) -> None:
        what = "the plug has cut the power"
        if self.power == Power.UP:
            self._house.machine.switch_off(is_cut=True)
            what = "the power was cut while the Pi ran"
        self.power, self._idle_at = Power.OFF, None
        self._say(f"{what}; this presses its button: {self._button}")

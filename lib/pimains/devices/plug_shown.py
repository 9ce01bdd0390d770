"""What people see of a plug: the status line, and the state files relay and power."""

from collections.abc import Callable

from pimains.core import state
from pimains.core.instance import Instance
from pimains.devices.plug import Plug
from pimains.settings.plug import PlugSettings

_POWER_SECONDS = 10.0


class PlugShown:
    """For one plug; `countdown_seconds` tells how long after a shutdown it would cut."""

    def __init__(self, me: Instance, settings: PlugSettings, countdown_seconds: Callable[[], int]) -> None:
        self._me = me
        self._settings = settings
        self._countdown_seconds = countdown_seconds
        self._power_shown_at = -_POWER_SECONDS

    def show(self, plug: Plug) -> None:
        """How it stands."""
        host, is_on = self._settings.HOST, plug.value(plug.relay)
        if is_on is not None:
            self._leave_changed("relay", "on" if is_on else "off")
        if not plug.is_ours:
            missing = f"its firmware has no number {self._settings.COUNTDOWN_NUMBER!r}"
            self._me.status(f"connected to {host}, but {missing}: its power stays on after a shutdown; flash it with esphome/", well=False)
        elif plug.is_counting_down:
            self._me.status(f"connected to {host}, which cuts the power soon")
        else:
            power = {True: ", power on", False: ", power off", None: ""}[None if is_on is None else bool(is_on)]
            asked = ", switched off" if plug.value(plug.delay) is False else ""
            self._me.status(f"connected to {host}{power}{asked}, cut {self._countdown_seconds()} s after a shutdown")

    def show_power(self, watts: float | None) -> None:
        """A reading a second would be too many; one that stays the same is new all the same."""
        now = self._me.clock.monotonic()
        if watts is not None and now - self._power_shown_at >= _POWER_SECONDS:
            self._power_shown_at = now
            self._me.leave("power", f"{watts:.1f}")

    def _leave_changed(self, name: str, value: str) -> None:
        if state.read(self._me.run / name) != value:
            self._me.leave(name, value)

"""What a plug service says: as much as LOG_LEVEL wants into the log, to people what they have to know, into the ledger what it will do."""

from pimains.core import notify_queue, state
from pimains.core.instance import Instance
from pimains.core.ledger import Reading
from pimains.plug.device import Plug
from pimains.plug.settings import PlugSettings

_POWER_SECONDS = 10.0


class PlugReport:
    """Of one plug service."""

    def __init__(self, me: Instance, settings: PlugSettings) -> None:
        self._me = me
        self._settings = settings
        self._power_shown_at = -_POWER_SECONDS

    def say(self, line: str) -> None:
        """An event, for the log."""
        if self._settings.LOG_LEVEL in ("info", "debug"):
            print(line)

    def fail(self, line: str) -> None:
        """Somebody has to know."""
        self._me.complain(line)
        self._me.status(line, well=False)
        notify_queue.post(line, "", "plug")

    def note(self, action: str, cause: str, inputs: dict[str, Reading]) -> None:
        """Into the ledger; a ledger that cannot be written keeps nobody from shutting down."""
        self._me.with_ledger(lambda ledger: ledger.record(self._me.name, action, cause, inputs))

    def show(self, plug: Plug, countdown_seconds: int) -> None:
        """How it stands; so long after a shutdown it would cut."""
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
            self._me.status(f"connected to {host}{power}{asked}, cut {countdown_seconds} s after a shutdown")

    def show_switched(self, plug: Plug) -> None:
        """How it stands with the plug of another machine."""
        is_on = plug.value(plug.relay)
        if is_on is not None:
            self._leave_changed("relay", "on" if is_on else "off")
        power = {True: ", power on", False: ", power off", None: ""}[None if is_on is None else bool(is_on)]
        asked = ", switched off" if plug.value(plug.delay) is False else ""
        self._me.status(f"connected to {self._settings.HOST}{power}{asked}, the plug of another machine")

    def show_power(self, watts: float | None) -> None:
        """A reading a second would be too many; one that stays the same is new all the same."""
        now = self._me.clock.monotonic()
        if watts is not None and now - self._power_shown_at >= _POWER_SECONDS:
            self._power_shown_at = now
            self._me.leave("power", f"{watts:.1f}")

    def _leave_changed(self, name: str, value: str) -> None:
        if state.read(self._me.run / name) != value:
            self._me.leave(name, value)

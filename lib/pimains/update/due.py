"""When it is time to look for newer versions: the interval, what was put off, the time of day, and what does not allow it now."""

import math
import time
from collections.abc import Callable, Generator
from contextlib import suppress

from pimains.core import state
from pimains.core.instance import Instance
from pimains.core.naps import Nap, Readable, within
from pimains.core.plan import back_off
from pimains.core.plan.sentences import clock_was_set
from pimains.shared import battery_end, fserver_clients, halt_request, kept_file, plug_cuts
from pimains.shared.fserver_clients import ClientsWatch
from pimains.update.plan.put_off import PutOff
from pimains.update.settings import UpdateSettings

_FIRST_SECONDS = 300.0
_RETRY_SECONDS = 600.0
_RETRY_SECONDS_MAX = 21600.0
_WINDOW_LOOK_SECONDS = 600.0  # the wall clock may be set meanwhile
_OBSTACLE_LOOK_SECONDS = 60.0


class UpgradeTime:
    """Of one update service; when it last looked and what it put off outlive a restart."""

    def __init__(self, me: Instance, settings: UpdateSettings) -> None:
        self._me = me
        self._settings = settings
        self._now = me.run / "now"
        self._keep_now()
        self._wishes = state.Watch(me.run)
        self._clients_watch = ClientsWatch()
        self._put_off = PutOff(state.read(me.run / "put-off") or "")
        self.failures = 0  # in a row, when the repositories were asked

    def clients(self) -> list[str]:
        """Who keeps pimains from being upgraded."""
        return fserver_clients.names() if self._settings.SKIP_WHILE_CLIENTS else []

    def put_off(self, what: str) -> None:
        """`what`, in words, is to be made up for; "" when nothing is."""
        self._put_off = PutOff(what)
        self._me.leave("put-off", what or None)

    def has_looked(self) -> None:
        """Just now."""
        self._me.leave("last", f"{self._me.clock.monotonic():.0f}")

    def obstacle(self) -> str:
        """Why nothing may be begun now that must not be cut off; "" if it may."""
        if halt_request.pending():
            return "this machine is about to halt"
        if instance := plug_cuts.unheard(self._me.clock.monotonic()):
            return f"the plug of the service {instance} does not hear this machine and may cut its power"
        if instance := battery_end.on_battery():
            return f"the service {instance} says that this machine is on battery"
        return ""

    def until_due(self, tell: Callable[[str], None]) -> Generator[Nap, tuple[Readable, ...], str]:
        """Wait until it is time to look; `tell` gets what it waits for. Returns why it is time."""
        while True:
            self._wishes.changed()
            self._clients_watch.end()
            wait, why = self._wait(is_asked=not kept_file.is_no_file(self._now) and kept_file.is_touched(self._now))
            if not wait:
                self._keep_now()
                with suppress(OSError):
                    kept_file.forget(self._now)
                self._clients_watch.end()
                return why
            tell(why)
            yield within(wait, self._wishes, *self._clients_watch.files)

    def _keep_now(self) -> None:
        with suppress(OSError):  # no room; or root has put something else there
            kept_file.keep(self._now)

    def _wait(self, *, is_asked: bool) -> tuple[float, str]:
        """How long to wait and for what; 0 and the cause if it is time."""
        if obstacle := self.obstacle():
            return _OBSTACLE_LOOK_SECONDS, f"waiting: {obstacle}"
        if is_asked:
            return 0, "somebody asked for it"
        now = self._me.clock.monotonic()
        if self._put_off.what:
            self._clients_watch.begin()
        here = self.clients()
        until_made_up = self._put_off.seconds_left(here, self._last() or 0.0, now)
        if (left := min(self._due() - now, until_made_up)) > 0:
            return left, self._put_off.why(here, "soon, unless a client comes") if self._put_off.what else ""
        wait, why = self._until_window()
        if wait:
            return wait, self._put_off.why(here, why)
        return 0, "the clients have left" if until_made_up <= 0 else "newer versions are there"

    def _until_window(self) -> tuple[float, str]:
        window = self._settings.WINDOW
        wall = self._me.clock.wall()
        if window is None:
            return 0, ""
        if not clock_was_set(wall):
            return _WINDOW_LOOK_SECONDS, f"waiting for {window}: the clock was not set"
        time.tzset()  # somebody may have set the zone since
        now = time.localtime(wall)
        wait = window.seconds_until(now.tm_hour * 3600 + now.tm_min * 60 + now.tm_sec)
        return min(wait, _WINDOW_LOOK_SECONDS), f"waiting for {window}"

    def _last(self) -> float | None:
        last = state.number(state.read(self._me.run / "last"))
        return last if last is not None and math.isfinite(last) else None

    def _due(self) -> float:
        last = self._last()
        if last is None:
            return _FIRST_SECONDS
        again = float(self._settings.INTERVAL)
        if self.failures:
            again = min(again, back_off.wait_seconds(self.failures - 1, first=_RETRY_SECONDS, longest=_RETRY_SECONDS_MAX))
        return min(last, self._me.clock.monotonic()) + again

"""The time of this machine in an outage: how long its shutdown takes from now on, and when its power ends, which halt and update go by."""

from collections.abc import Mapping, Sequence

from pimains.core.instance import Instance
from pimains.shared import battery_end, halt_length
from pimains.shared.plan.outage import Role
from pimains.ups.clients import Clients
from pimains.ups.orders import off_delay_seconds
from pimains.ups.plan import supplies
from pimains.ups.settings import UpsSettings
from pimains.ups.watched import Watched


class TimeLeft:
    """Of one instance; `commanded` are the names of the UPSes that this machine commands, `role` is what it is to all of them."""

    def __init__(self, me: Instance, settings: UpsSettings, upses: Mapping[str, Watched], clients: Clients) -> None:
        self._me, self._settings, self._upses, self._clients = me, settings, upses, clients
        self._has_left_an_end = True  # the one before may have

    def need_seconds(self, role: Role, commanded: Sequence[str], hosts_seconds: float) -> float:
        """Of a shutdown; what a primary waits for, clients and other machines (`hosts_seconds`), goes down side by side."""
        halting = self.halting_seconds(role, commanded)
        if role is Role.SECONDARY:
            return halting + self._settings.HOSTSYNC_SECONDS_MAX + hosts_seconds
        return halting + max(self._clients.budget(self._clients.there(commanded)), hosts_seconds)

    def halting_seconds(self, role: Role, commanded: Sequence[str]) -> float:
        """From FINALDELAY on, until the power may go."""
        halting = self._settings.FINALDELAY_SECONDS + halt_length.read().measured + halt_length.shutdown_seconds()
        ours = [] if role is Role.SECONDARY else commanded
        return halting + max((delay for name in ours if (delay := off_delay_seconds(self._upses[name])) is not None), default=0.0)

    def leave_battery_end(self, now: float) -> None:
        """When this machine is fed too little, for others to read; nothing while it is fed by the mains."""
        feeding = [ups for ups in self._upses.values() if ups.power]
        if not any(ups.standing.is_on_battery for ups in feeding):
            if self._has_left_an_end:
                battery_end.forget(self._me)
                self._has_left_an_end = False
            return
        self._has_left_an_end = True
        ends = [(ups.power, end.at if (end := ups.ends(now)) else None) for ups in feeding if ups.standing.is_on_battery]
        left = sum(ups.power for ups in feeding if not ups.standing.is_on_battery)
        if left < self._settings.MINSUPPLIES:
            battery_end.leave(self._me, supplies.power_ends(ends, left, self._settings.MINSUPPLIES))

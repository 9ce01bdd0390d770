"""The clients that a primary waits for: who is still logged in at its UPSes, how long that may take, and how long it took."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pimains.core.instance import Instance
from pimains.ups.forcing import Forcing
from pimains.ups.plan import clients
from pimains.ups.plan.outage import Wait
from pimains.ups.settings import UpsSettings

if TYPE_CHECKING:
    from pimains.core.ledger import Ledger  # sqlite3 costs a megabyte, and is used when there is an outage


class Clients:
    """By the UPSes that they hang on; `forcing` is what upsd said of each."""

    def __init__(self, me: Instance, settings: UpsSettings, forcing: Mapping[str, Forcing]) -> None:
        self._me, self._settings, self._forcing = me, settings, forcing
        self._took: dict[str, Sequence[float]] = {}
        self._there: tuple[str, ...] = ()

    def there(self, names: Sequence[str]) -> tuple[str, ...]:
        """The addresses of who is logged in at these UPSes, once for each login."""
        return tuple(address for name in names for address in self._forcing[name].clients or ())

    def wait(self, names: Sequence[str]) -> Wait:
        """How long they are waited for."""
        forcing = [self._forcing[name] for name in names]
        there = None if any(not each.is_over or each.clients is None for each in forcing) else self.there(names)
        settings = self._settings
        return Wait(there, self.budget(there), settings.FINALDELAY_SECONDS, settings.HOSTSYNC_SECONDS_MAX)

    def budget(self, there: Sequence[str] | None) -> float:
        """Seconds from the FSD on, by what each address took before; None for not known who is there."""
        if there is None:
            return self._settings.HOSTSYNC_SECONDS_MAX
        if unknown := [address for address in dict.fromkeys(there) if address not in self._took]:

            def look(ledger: "Ledger") -> dict[str, list[float]]:
                return {address: ledger.durations(_subject(address)) for address in unknown}

            self._took.update(self._me.with_ledger(look) or {address: [] for address in unknown})
        return clients.wait_seconds(there, self._took, self._settings.HOSTSYNC_SECONDS_MAX)

    def note_who_left(self, names: Sequence[str], seconds: float) -> None:
        """`seconds` after the FSD."""
        there = self.there(names)
        if gone := clients.gone(self._there, there):

            def note(ledger: "Ledger") -> None:
                for address in gone:
                    ledger.took(_subject(address), seconds)

            print(f"logged out after {seconds:.1f} s: {', '.join(gone)}")
            self._me.with_ledger(note)
        self._there = there


def _subject(address: str) -> str:
    return f"ups client {address}"

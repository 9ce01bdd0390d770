"""How long each host is given to go down, by how long it took before: from the order until it was proved down.

The times are durations of the ledger, `host NAME down`; DOWN_SECONDS_MAX counts until there is one.
"""

from collections.abc import Sequence

from pimains.core.instance import Instance
from pimains.core.ledger import Ledger
from pimains.core.plan.budget import budget
from pimains.ups.hosts.settings import HostSettings


class Budgets:
    """Of the hosts of one instance; each is looked up once."""

    def __init__(self, me: Instance) -> None:
        self._me = me
        self._took: dict[str, Sequence[float]] = {}

    def down_seconds(self, host: HostSettings) -> float:
        """Seconds from its order on."""
        if host.name not in self._took:

            def look(ledger: Ledger) -> list[float]:
                return ledger.durations(_subject(host))

            self._took[host.name] = self._me.with_ledger(look) or []
        return budget(self._took[host.name], host.DOWN_SECONDS_MAX)

    def went_down(self, host: HostSettings, seconds: float) -> None:
        """It was proved down `seconds` after its order: remember that for the next time."""
        self._took.pop(host.name, None)
        self._me.with_ledger(lambda ledger: ledger.took(_subject(host), seconds))


def _subject(host: HostSettings) -> str:
    return f"host {host.name} down"

"""How often each contact has closed, for ever: /var/lib/pimains/relays/<n>.switches; people are told when it is worn by its rating."""

from pimains.core import notify_queue
from pimains.core.instance import Instance
from pimains.shared.relays.plan.relay import Relay

_WARNED = "worn"


class Counts:
    """Those of all relays."""

    def __init__(self, me: Instance) -> None:
        self._me = me
        self._known: dict[str, int] = {}

    def of(self, number: str) -> int:
        """How often it has closed."""
        if number not in self._known:
            self._known[number] = self._me.kept(f"{number}.switches", _count, "it is counted anew") or 0
        return self._known[number]

    def closed(self, relay: Relay, rated: int | None) -> None:
        """Once more."""
        count = self._known[relay.number] = self.of(relay.number) + 1
        self._me.keep(f"{relay.number}.switches", str(count))
        if rated is None or count < rated:
            return
        warned = f"{relay.number}.{_WARNED}"
        if self._me.kept(warned, int, "people are told once more") != rated:
            line = (
                f"{relay.title} has switched {count} times, and its contact is rated for {rated}: exchange it, and write 0 into its count"
            )
            self._me.complain(line)
            notify_queue.post(f"{relay.title} is worn", line, "relay-worn")
            self._me.keep(warned, str(rated))


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError
    return int(text)

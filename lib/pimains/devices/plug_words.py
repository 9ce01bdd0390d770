"""What a plug service says: as much as LOG_LEVEL wants into the log, to people what they have to know, into the ledger what it will do."""

from pimains.core import notify
from pimains.core.instance import Instance
from pimains.core.ledger import Reading


class PlugWords:
    """For one plug service."""

    def __init__(self, me: Instance, log_level: str) -> None:
        self._me = me
        self._log_level = log_level

    def say(self, line: str) -> None:
        """An event, for the log."""
        if self._log_level in ("info", "debug"):
            print(line)

    def fail(self, line: str) -> None:
        """Somebody has to know."""
        self._me.complain(line)
        self._me.status(line, well=False)
        notify.post(line, "", "plug")

    def note(self, action: str, cause: str, inputs: dict[str, Reading]) -> None:
        """Into the ledger; a ledger that cannot be written keeps nobody from shutting down."""
        self._me.with_ledger(lambda ledger: ledger.record(self._me.name, action, cause, inputs))

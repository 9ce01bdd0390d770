"""This service's request to halt: made until halt has it, taken back, and missed when it is gone."""

from contextlib import suppress

from pimains.core.instance import Instance
from pimains.shared import halt_request
from pimains.shared.plan.outage import Outage


class Request:
    """Of one instance."""

    def __init__(self, me: Instance) -> None:
        self._me = me
        self.is_wanted = False  # and not made yet
        self._was_gone = False

    def want(self, outage: Outage | None) -> None:
        """Make it, unless halt has it and, where nobody may take it back, lets nobody do that."""
        self._was_gone = False
        request = halt_request.pending()
        is_final = bool(outage and outage.is_final)
        self.is_wanted = not (request and request.requester == self._me.name and (request.is_final or not is_final))

    def make(self, outage: Outage | None) -> None:
        """Ask halt, if that is wanted; until it is there that is tried again."""
        if not self.is_wanted or outage is None:
            self.is_wanted = False
            return
        try:
            halt_request.ask(outage.why, self._me.name, is_final=outage.is_final)
            self.is_wanted = False
        except OSError as error:
            self._me.complain(f"this machine cannot be shut down: {error.strerror} (is there a halt service?)")

    def take_back(self) -> None:
        """Only this one: others may have asked as well."""
        self.is_wanted = False
        with suppress(OSError):
            halt_request.cancel(self._me.name, only_own=True)

    def is_missed(self) -> bool:
        """Whether halt knows of no request, twice in succession: between two files it may be in neither."""
        is_gone = not self.is_wanted and halt_request.pending() is None
        was_gone, self._was_gone = self._was_gone, is_gone
        return is_gone and was_gone

"""The last error of a service, as `pimains status` shows it, for as long as it is one."""

from pimains.core import state
from pimains.core.instance import Instance


class LastError:
    """Complains for one instance, and takes back what it has said itself, or with `adopts` what the process before this one did."""

    def __init__(self, me: Instance, *, adopts: bool = False) -> None:
        self._me = me
        self._said = (state.read(me.run / "error") or "") if adopts else ""

    def complain(self, line: str) -> None:
        """Log an error and keep it as the last one."""
        self._me.complain(line)
        self._said = line

    def is_over(self) -> None:
        """What was complained of is well again: unless somebody else had something to say since, there is no last error any more."""
        if self._said and state.read(self._me.run / "error") == self._said:
            self._me.leave("error", None)
        self._said = ""

"""What is wrong now: each trouble is said once, and once when it is over."""

from pimains.core.service import Instance


class Troubles:
    """Those of one instance, each known by what it is about."""

    def __init__(self, me: Instance) -> None:
        self._me = me
        self._known: dict[str, str] = {}

    def look(self, about: str, trouble: str) -> None:
        """`trouble` is what is wrong about it now, '' when nothing is."""
        before = self._known.get(about, "")
        if trouble and not before:
            self._me.complain(trouble)
        elif before and not trouble:
            print(f"{about}: well again")
        self._known[about] = trouble

    def now(self) -> list[str]:
        """Everything that is wrong."""
        return [trouble for trouble in self._known.values() if trouble]

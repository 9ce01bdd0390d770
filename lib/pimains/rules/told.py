"""What is told of each rule: /run/pimains/rules/<n>.says .reason .file .uses, one value each; the age of the first is the answer's."""

import os

from pimains.core.instance import Instance

SAYS, REASON, FILE, USES = "says", "reason", "file", "uses"
NAMES = (SAYS, REASON, FILE, USES)
LOST = "lost"


class Told:
    """Written when it changes; an answer that stays the same is touched."""

    def __init__(self, me: Instance) -> None:
        self._me = me
        self._texts: dict[str, str] = {}

    def tell(self, number: int, says: str, reason: str, file: str, uses: frozenset[str]) -> None:
        """What came of asking it just now."""
        self._leave(number, FILE, file)
        self._leave(number, USES, " ".join(sorted(uses)))
        self._leave(number, REASON, reason)
        if not self._leave(number, SAYS, says):
            try:
                os.utime(self._me.run / f"{number}.{SAYS}", follow_symlinks=False)
            except OSError:  # somebody has taken it away
                self._texts.pop(f"{number}.{SAYS}", None)

    def forget(self, number: int) -> None:
        """There is no such rule any more."""
        for name in NAMES:
            self._texts.pop(f"{number}.{name}", None)
            self._me.leave(f"{number}.{name}", None)

    def numbers(self) -> set[int]:
        """Of which something is told, also by a service before this one."""
        names = [name.removesuffix(f".{SAYS}") for name in os.listdir(self._me.run) if name.endswith(f".{SAYS}")]
        return {int(name) for name in names if name.isdecimal()}

    def _leave(self, number: int, what: str, text: str) -> bool:
        """Whether it was written."""
        name = f"{number}.{what}"
        if self._texts.get(name) == text:
            return False
        if self._me.leave(name, text):
            self._texts[name] = text  # on a full disk it is tried again
        return True

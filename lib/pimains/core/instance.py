"""What a service is told about itself, and where it leaves word for others."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pimains.core import kept, paths, state
from pimains.core.clock import Clock, SystemClock
from pimains.core.failure import in_words
from pimains.core.plan.text import shortened
from pimains.core.troubles import Troubles

if TYPE_CHECKING:
    from pimains.core.ledger import Ledger

_UNFORESEEN = "it met what nobody has foreseen"
_WORDS = 70  # characters: with what stands around them a line of failure.LONGEST
T = TypeVar("T")


class Instance:
    """What a service is told about itself, and where it leaves word for others.

    `directory` is the service directory, `name` its last part.
    """

    def __init__(self, name: str, directory: Path, clock: Clock | None = None) -> None:
        self.name = name
        self.directory = directory
        self.clock = clock or SystemClock()
        self.needed_for: Callable[[], str] = str  # why it may not be stopped now
        self._troubles = Troubles(_log)
        self._stands = ("", True)
        self._beside = ""

    @property
    def run(self) -> Path:
        """/run/pimains/<instance>: its state until the next boot."""
        return paths.run() / self.name

    @property
    def lib(self) -> Path:
        """/var/lib/pimains/<instance>: its state that outlives a reboot."""
        return paths.lib() / self.name

    @property
    def ledger(self) -> "Ledger":
        """Where actuations are written down."""
        from pimains.core.ledger import Ledger  # sqlite3 costs a megabyte that an idle service need not have

        return Ledger(clock=self.clock, tell=self._tell_of_a_new_ledger)

    def _tell_of_a_new_ledger(self, line: str) -> None:
        from pimains.core import notify_queue

        self.complain(line)
        notify_queue.post("the ledger was broken, a new one is begun", line, "ledger")

    def status(self, line: str, *, well: bool = True) -> None:
        """Say in the words of the user how things stand; `well` is whether nobody needs to look after it."""
        self._stands = line, well
        line = "; ".join(filter(None, (line, self._beside)))
        if well:
            self.leave("unwell", None)
        elif line != state.read(self.run / "unwell"):
            self.leave("unwell", line)
        if line != state.read(self.run / "status"):
            self.leave("status", line)

    def say_beside(self, words: str) -> None:
        """From now on this stands in the status beside how things stand."""
        if words != self._beside:
            self._beside = words
            line, well = self._stands
            self.status(line, well=well)

    def starts(self) -> None:
        """Before its service has said anything: whether it is well stays as it was, until the service knows."""
        self.leave("status", "starting")

    def complain(self, line: str) -> None:
        """Log an error and keep it for `pimains status` as the last one."""
        print(line)
        self.leave("error", line)

    def fails(self, error: Exception) -> None:
        """Its last words; what the error is called and where it came from is in the log."""
        line = f"{shortened(in_words(error, unknown=_UNFORESEEN), _WORDS)}; its log has the traceback"
        self.leave("error", line)
        self.status(f"failed, trying again: {line}", well=False)

    def leave(self, name: str, line: str | None) -> bool:
        """Write the state file /run/pimains/<instance>/`name`, or remove it for None; whether that was done.

        A full disk is said once and keeps no service from its work; so nothing that others rely on is left this way.
        """
        try:
            if line is None:
                state.remove(self.run / name)  # of what is not there proves nothing
            else:
                state.write(self.run / name, line)
                self._troubles.look("run", "")
        except OSError as error:
            self._troubles.look("run", f"cannot write to {self.run}: {error.strerror}")
            return False
        return True

    def keep(self, name: str, value: str | None, *, durable: bool = False) -> bool:
        """Write /var/lib/pimains/<instance>/`name`, which outlives a reboot, or remove it for None; whether the disk took it."""
        try:
            if value is None:
                state.remove(self.lib / name, durable=durable)
            else:
                state.write(self.lib / name, value, durable=durable)
        except OSError as error:
            self.complain(f"{self.lib / name}: {error.strerror}")
            return False
        return True

    def kept(self, name: str, parse: Callable[[str], T], what_then: str) -> T | None:
        """What `keep` wrote, as `parse` has it, which raises ValueError or TypeError for what cannot be it; None while there is nothing.

        One that is damaged is set aside, and that is said with what it means: `what_then`.
        """
        path = self.lib / name
        try:
            text = state.whole(path)
            return None if text is None else parse(text)
        except (state.Damaged, ValueError, TypeError) as damage:
            why = str(damage) if isinstance(damage, state.Damaged) else "makes no sense"
        try:
            line = f"{path}: {why}: kept as {kept.set_aside(path).name}; {what_then}"
        except OSError as error:
            line = f"{path}: {why} ({error.strerror}); {what_then}"
        self.complain(line)
        return None

    def with_ledger(self, use: "Callable[[Ledger], T]") -> "T | None":
        """What `use` returns; None, and a line, when the ledger cannot be used: that keeps nobody from what he has to do."""
        from sqlite3 import Error

        try:
            return use(self.ledger)
        except (OSError, Error) as error:
            self.complain(f"the ledger cannot be used: {in_words(error)}")
            return None


def _log(line: str) -> None:
    print(line)

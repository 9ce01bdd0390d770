"""This machine in a rehearsal: an instance that leaves nothing anywhere, and a halt that shuts nothing down."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pimains.core import paths
from pimains.core.clock import Clock
from pimains.core.instance import Instance
from pimains.core.ledger import Ledger
from pimains.shared.orders.service_end import Order, Orders
from pimains.shared.outage_file import OutageFile
from pimains.shared.plan.outage import Outage
from pimains.ups.request import Request

T = TypeVar("T")
_BEFORE = "the boot before"
_STEP_40, _STEP_85 = "40", "85"


class VirtualInstance(Instance):
    """It reads what lasts, and nothing of this boot; it writes neither."""

    def __init__(self, name: str, directory: Path, clock: Clock) -> None:
        super().__init__(name, directory, clock)
        self._ledger = _ReadLedger(clock)

    @property
    def run(self) -> Path:
        """Where nothing is."""
        return paths.run() / f".{self.name}.rehearsed"

    @property
    def ledger(self) -> Ledger:
        """How long things took."""
        return self._ledger

    def leave(self, name: str, line: str | None) -> bool:  # noqa: ARG002  # as Instance has it
        """Nowhere."""
        return True

    def keep(self, name: str, value: str | None, *, durable: bool = False) -> bool:  # noqa: ARG002  # as Instance has it
        """Nowhere."""
        return True


class _ReadLedger(Ledger):
    def __init__(self, clock: Clock) -> None:
        super().__init__(clock=clock, tell=print)

    def record(self, *_: object, **__: object) -> None:
        """Nothing is done that anybody would ask for."""

    def took(self, subject: str, seconds: float) -> None:
        """It took no time."""

    def _begin_anew(self, path: Path, broken_inode: int, error: sqlite3.DatabaseError) -> None:  # noqa: ARG002  # as Ledger has it
        raise error

    @contextmanager
    def _open(self, path: Path) -> Iterator[sqlite3.Connection]:
        raise sqlite3.OperationalError(f"{path} would have to be written first")
        yield  # a context manager all the same


class VirtualFile(OutageFile):
    """The outage file; `changed` is called with what it had and has."""

    def __init__(self, me: Instance, changed: Callable[[Outage | None, Outage | None], None]) -> None:
        super().__init__(me)
        self.outage: Outage | None = None
        self._changed = changed

    def read(self) -> Outage | None:
        """As a service finds it that was started after a boot."""
        return self.outage._replace(boot=_BEFORE) if self.outage else None

    def write(self, outage: Outage | None) -> None:
        """From now on."""
        before, self.outage = self.outage, outage
        self._changed(before, outage)


class VirtualOrders(Orders):
    """What halt's steps ask of the service, and the answers by the number of the step."""

    def __init__(self) -> None:
        self._asked: list[Order] = []
        self.answers: dict[str, str] = {}

    def ask(self, order: Order) -> None:
        """A step does."""
        self._asked.append(order)

    def take(self) -> list[Order]:
        """What was asked."""
        asked, self._asked = self._asked, []
        return asked

    def answer(self, id_: str, text: str, *, ok: bool = True) -> None:  # noqa: ARG002  # as Orders has it
        """For the step."""
        self.answers[id_] = text

    def fileno(self) -> int:
        """There is no FIFO."""
        return -1

    def close(self) -> None:
        """There is no FIFO."""


class VirtualHalt:
    """The halt service and what follows its HALT_COMMAND, in `steps` and `shutdown` seconds."""

    def __init__(self, steps: float, shutdown: float, orders: VirtualOrders) -> None:
        self._steps, self._shutdown, self._orders = steps, shutdown, orders
        self._why = ""
        self._asked_at: float | None = None
        self._off_at: float | None = None
        self.cut = ""  # what the last act is told

    @property
    def is_asked(self) -> bool:
        """Whether it is under way."""
        return self._asked_at is not None

    @property
    def has_commanded(self) -> bool:
        """Whether HALT_COMMAND was called."""
        return self._off_at is not None

    def ask(self, why: str, now: float) -> None:
        """Shut down."""
        self._why, self._asked_at = why, now
        self._orders.ask(Order(_STEP_40, "outage-halt", why))

    def call_off(self) -> None:
        """Stay up, as long as step 85 was not there."""
        if _STEP_85 not in self._orders.answers:
            self._asked_at = None
            self._orders.answers.clear()

    def live(self, now: float) -> None:
        """Whatever the time has brought."""
        if self._asked_at is None or self.has_commanded or now < self._asked_at + self._steps or _STEP_40 not in self._orders.answers:
            return
        if _STEP_85 in self._orders.answers:
            self.cut = self._orders.answers[_STEP_85]
            self._off_at = now + self._shutdown
        elif self._why:
            self._orders.ask(Order(_STEP_85, "outage-last", self._why))
            self._why = ""

    def is_off(self, now: float) -> bool:
        """Whether everything is stopped."""
        return self._off_at is not None and now >= self._off_at

    def begin_anew(self) -> None:
        """After a boot."""
        self._asked_at = self._off_at = None
        self._why = self.cut = ""
        self._orders.answers.clear()
        self._orders.take()


class VirtualRequest(Request):
    """The request to that halt."""

    def __init__(self, me: Instance, halt: VirtualHalt) -> None:
        super().__init__(me)
        self._halt, self._clock = halt, me.clock

    def want(self, outage: Outage | None) -> None:  # noqa: ARG002  # as Request has it
        """Make it."""
        self.is_wanted = not self._halt.is_asked

    def make(self, outage: Outage | None) -> None:
        """Ask, if that is wanted."""
        if self.is_wanted and outage:
            self._halt.ask(outage.why, self._clock.monotonic())
        self.is_wanted = False

    def take_back(self) -> None:
        """Think better of it."""
        self.is_wanted = False
        self._halt.call_off()

    def is_missed(self) -> bool:
        """It is never lost."""
        return False

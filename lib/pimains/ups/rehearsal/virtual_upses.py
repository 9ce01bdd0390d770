"""Simulated UPSes with their batteries, and what upsd says of them: a Nut and a Link as the service has them, without a connection."""

from collections.abc import Callable, Sequence
from enum import StrEnum

from pimains.core.errors import WrongSetting
from pimains.core.instance import Instance
from pimains.shared.host_address import Address
from pimains.ups.link import Answer, Link
from pimains.ups.nut import Credentials, Encryption, Nut
from pimains.ups.plan.telling import OfAShutdown
from pimains.ups.rehearsal.assumed import Battery
from pimains.ups.settings import Ups, UpsSettings
from pimains.ups.watched import Watched

HERE = "this machine"
LOW_PERCENT = 20.0  # where most UPSes say LB; drivers have it as battery.charge.low
CHARGING_SECONDS = 8 * 3600.0  # from empty to full
_RETURNS_AFTER_SECONDS = 30.0  # from the cut, where the mains are there


class Model(StrEnum):
    """What a UPS does that is told to cut its output and to give it back with the mains."""

    RETURNS = "returns"
    IGNORES = "ignores"  # while the mains are there
    CANNOT = "cannot"


class VirtualUps:
    """One; times are seconds of the rehearsal's clock."""

    def __init__(self, name: str, battery: Battery, model: Model) -> None:
        self.name, self.battery, self.model = name, battery, model
        self.charge = battery.charge
        self.has_mains = True
        self.is_fed = True  # what hangs on it
        self.is_forced = False  # FSD stands in its upsd
        self.clients: dict[str, str] = {}  # who is logged in, and the address
        self._cut_at: float | None = None
        self._dark_at = 0.0

    @property
    def is_to_cut(self) -> bool:
        """Whether it was told to, and has not yet."""
        return self._cut_at is not None

    @property
    def is_low(self) -> bool:
        """Whether it says LB."""
        return not self.has_mains and self.charge <= LOW_PERCENT

    def lasts(self) -> float:
        """Seconds from now on without mains."""
        return self.charge / 100 * self.battery.seconds

    def cut(self, now: float) -> None:
        """It is told to."""
        if self._cut_at is None:
            self._cut_at = now + self.battery.cuts_after

    def live(self, now: float, seconds: float) -> str:
        """What comes about within the last `seconds`, in words; "" for nothing."""
        self.charge += seconds * (100 / CHARGING_SECONDS if self.has_mains else -100 / self.battery.seconds if self.is_fed else 0)
        self.charge = min(100.0, max(0.0, self.charge))
        if self._cut_at is not None and now >= self._cut_at:
            self._cut_at = None
            if self.model is Model.CANNOT or (self.model is Model.IGNORES and self.has_mains):
                return "does not cut its output"
            self.is_fed, self._dark_at = False, now
            return "cuts its output"
        if self.is_fed and not self.has_mains and self.charge <= 0:
            self.is_fed, self._dark_at = False, now
            return "is empty"
        if not self.is_fed and self.has_mains and now - self._dark_at >= _RETURNS_AFTER_SECONDS:
            self.is_fed = True
            return "gives power again"
        return ""

    def variables(self) -> dict[str, str]:
        """LIST VAR."""
        words = ["OL", "CHRG"] if self.has_mains else ["OB", "DISCHRG"]
        words += ["LB"] if self.is_low else []
        words += ["FSD"] if self.is_forced else []
        told = {"battery.charge": f"{int(self.charge)}", "battery.runtime": f"{int(min(86399, self.lasts()))}"}
        found = {"ups.status": " ".join(words), **{name: value for name, value in told.items() if name in self.battery.tells}}
        if self.battery.off_delay is not None:
            found["ups.delay.shutdown"] = f"{self.battery.off_delay:g}"
        return found


class VirtualNut(Nut):
    """What is asked of its upsd over a connection."""

    def __init__(self, ups: VirtualUps, clock: Callable[[], float], note: Callable[[str, str], None], *, logs_in: bool) -> None:
        super().__init__(ups.name, Address("", 0), Credentials("", ""), Encryption("off", None), _wrong)
        self._virtual, self._now, self._note = ups, clock, note
        self.is_logged_in = logs_in

    @property
    def own_address(self) -> str:
        """As LIST CLIENT has it."""
        return HERE

    def force_shutdown(self) -> None:
        """FSD."""
        if not self._virtual.is_forced:
            self._virtual.is_forced = True
            self._note(self._virtual.name, "FSD: its clients are told to shut down")

    def clients(self) -> list[str]:
        """LIST CLIENT."""
        return [*self._virtual.clients.values(), *([HERE] if self.is_logged_in else [])]

    def command(self, name: str) -> None:
        """INSTCMD."""
        self._note(self._virtual.name, f"{name}: is told to cut its output")
        self._virtual.cut(self._now())

    def log_in(self) -> None:
        """LOGIN."""
        self.is_logged_in = True

    def log_out(self) -> None:
        """LOGOUT."""
        self.is_logged_in = False


def _wrong(name: str, what: str) -> WrongSetting:
    return WrongSetting(f"{name}: {what}")


class VirtualLink(Link):
    """What is asked is done before the next look, as over a real one."""

    def __init__(self, nut: VirtualNut) -> None:
        self.nut = self._nut = nut
        self._calls: list[Callable[[Nut], None]] = []
        self._logs_in = self._is_fed = nut.is_logged_in

    def ask(self, call: Callable[[Nut], None]) -> None:
        """Between two looks."""
        self._calls.append(call)

    def hurry(self) -> None:
        """There is no upsd that is away."""

    def close(self) -> None:
        """There is no thread."""

    def answer_at(self, now: float, variables: Callable[[], dict[str, str]]) -> Answer:
        """A look, after all that was asked."""
        if self._logs_in and not self._nut.is_logged_in:
            self._nut.log_in()
        calls, self._calls = self._calls, []
        for call in calls:
            call(self._nut)
        return Answer(now, variables())


class WatchedVirtually(Watched):
    """What the service knows of one; nobody is told of anything."""

    def __init__(self, me: Instance, settings: UpsSettings, ups: Ups, nut: VirtualNut) -> None:
        self.virtual_link = VirtualLink(nut)
        super().__init__(me, settings, ups, self.virtual_link)

    def tell(self, events: Sequence[str], now: float) -> None:
        """Nobody."""

    def tell_of_a_shutdown(self, event: OfAShutdown, upses: Sequence[str], about: str, now: float) -> None:
        """Nobody."""

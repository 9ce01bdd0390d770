"""How the batteries stand for the other machines: one that names the UPSes that feed it goes by those, any other by all of the instance.

feedings = {"eaton": Feeding(all_go="UPS eaton: low", on_battery=60.0, charge=12.0), "cellar": Feeding()}
of_any(feedings.values(), "UPS eaton: low")       # a machine of which nobody knows what feeds it: the first that is empty counts
of_all([feedings["cellar"]])                      # one that names them: it is fed as long as one of them feeds it
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple


class Strain(NamedTuple):
    """How the battery stands, in percent and seconds, None where nobody knows; `all_go` is why nobody waits any longer, "" if some do.

    `own` has it for each host that names its UPSes.
    """

    all_go: str = ""
    charge: float | None = None
    runtime: float | None = None
    on_battery: float = 0.0
    own: Mapping[str, "Strain"] = MappingProxyType({})

    def of(self, host: str) -> "Strain":
        """Of one host."""
        return self.own.get(host, self)

    def does_all_go(self) -> bool:
        """Whether there is a host that has to go, whatever its SHED_AT."""
        return bool(self.all_go) or any(each.all_go for each in self.own.values())


class Feeding(NamedTuple):
    """One UPS: `all_go` is why what hangs on it has to go, "" while it need not; None: not on battery for so many seconds, or not known."""

    all_go: str = ""
    on_battery: float | None = None
    charge: float | None = None
    runtime: float | None = None


def of_any(feedings: Collection[Feeding], all_go: str) -> Strain:
    """Of who hangs on all of them, or on one of which nobody knows which: by the worst."""
    charges, runtimes = _numbers(feedings)
    return Strain(all_go, min(charges, default=None), min(runtimes, default=None), max(_on_battery(feedings), default=0.0))


def of_all(feedings: Collection[Feeding]) -> Strain:
    """Of who is fed as long as one of them feeds it: by the best."""
    all_go = "; ".join(dict.fromkeys(each.all_go for each in feedings)) if all(each.all_go for each in feedings) else ""
    on_battery = _on_battery(feedings)
    if len(on_battery) < len(feedings):
        return Strain(all_go)
    charges, runtimes = _numbers(feedings)
    return Strain(all_go, max(charges, default=None), max(runtimes, default=None), min(on_battery, default=0.0))


def _on_battery(feedings: Collection[Feeding]) -> list[float]:
    return [each.on_battery for each in feedings if each.on_battery is not None]


def _numbers(feedings: Collection[Feeding]) -> tuple[list[float], list[float]]:
    on = [each for each in feedings if each.on_battery is not None]
    return [each.charge for each in on if each.charge is not None], [each.runtime for each in on if each.runtime is not None]

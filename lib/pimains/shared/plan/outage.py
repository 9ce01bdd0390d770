"""One outage: how far it has come, and what this machine is to its UPSes. What is decided in each phase is the ups service's."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Phase(StrEnum):
    """How far it has come; the last act, after everything was killed, is none of the service's."""

    WELL = "well"
    ON_BATTERY = "on battery"  # nobody ordered
    SHEDDING = "shedding"  # a host was ordered down at least
    FORCED = "forced"  # FSD set or seen: clients are waited for
    DELAYED = "delayed"  # they are gone, or their time is; FINALDELAY
    ASKED = "asked"  # halt was
    CUTTING = "cutting"  # its step 85 has been here
    RETURNING = "returning"  # the mains are back, or will be
    WAKING = "waking"


BEGUN = frozenset({Phase.FORCED, Phase.DELAYED, Phase.ASKED, Phase.CUTTING})


class Role(StrEnum):
    """What this machine is to the UPSes that it is about."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    ALONE = "alone"  # a secondary whose primary did not force it: it goes by its own limits, and may think better of it
    APART = "apart"  # it stays up: it is not fed by that UPS, or by another one as well


class Outage(NamedTuple):
    """One; seconds are monotonic, but for `began_wall`.

    `since` is when its phase began, `low_at` since when a secondary waits for its primary's FSD; `upses` are those that it is forced for,
    `hosts` other machines as host_steps has them, `apart` the UPSes that go their own way while this machine stays up; `is_called_off`
    while somebody wants no more hosts to go down until the mains were back.
    """

    id: str
    boot: str
    began_wall: float
    began: float
    phase: Phase = Phase.ON_BATTERY
    since: float = 0.0
    role: Role = Role.SECONDARY
    why: str = ""
    low_at: float | None = None
    upses: tuple[str, ...] = ()
    told_of_cut: bool = False
    hosts: Mapping[str, Mapping[str, object]] = {}
    apart: Mapping[str, "Outage"] = {}
    is_called_off: bool = False

    @property
    def is_begun(self) -> bool:
        """Whether the shutdown has begun."""
        return self.phase in BEGUN

    @property
    def is_final(self) -> bool:
        """Whether nobody can take the shutdown back: who heard of the FSD goes down whatever we do."""
        return self.is_begun and self.role is not Role.ALONE

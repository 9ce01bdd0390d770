"""What ups.status says: its words, how a UPS stands by them, and which FSD is believed.

The words are those of NUT 2.8.0 to 2.8.5 (docs/new-drivers.txt, clients/upsmon.c); in any order and any case, and they may repeat.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import NamedTuple

KNOWN = frozenset(
    {"OL", "OB", "LB", "HB", "RB", "CHRG", "DISCHRG", "BYPASS", "CAL", "OFF", "OVER", "TRIM", "BOOST", "FSD", "ALARM", "ECO", "WAIT"}
)
_UNKNOWN_MAX = 16
_LONGEST_WORD = 32
_MAINS = frozenset({"OL", "TRIM", "BOOST"})


class Line(StrEnum):
    """How the load is fed."""

    ON_LINE = "on line"
    ON_BATTERY = "on battery"
    CALIBRATING = "calibrating"  # on battery on purpose
    BYPASS = "on bypass"
    OFF = "off"
    UNKNOWN = "unknown"  # acted on as on line


class Seen(NamedTuple):
    """What one answer of upsd's says, or `line` None where it says nothing: no data, or a driver that has just connected (`is_waiting`).

    `low_word` is LB, whatever stands beside it; `fsd` is what of FSD is to be believed.
    """

    words: frozenset[str]
    line: Line | None
    is_waiting: bool = False
    low_word: bool = False
    fsd: "Fsd | None" = None


class Fsd(StrEnum):
    """A forced shutdown, as it stands in ups.status."""

    BELIEVED = "believed"
    STANDING = "standing"  # since before this machine came up, so it is told and not acted on


def words_of(status: str | None) -> frozenset[str]:
    """The words of `status`; none for no data. Of unknown ones there may be any number: sixteen are kept, and their beginnings."""
    found = dict.fromkeys((status or "").upper().split())
    return frozenset([*KNOWN & found.keys(), *[word[:_LONGEST_WORD] for word in found if word not in KNOWN][:_UNKNOWN_MAX]])


def unknown(words: Collection[str]) -> frozenset[str]:
    """The words that are shown, and never acted on: single drivers have some of their own."""
    return frozenset(words) - KNOWN


def line_of(words: Collection[str]) -> Line:
    """How the load is fed; OL beside OB is no power cut, and neither is a calibration or a bypass."""
    if "CAL" in words:
        return Line.CALIBRATING
    if "BYPASS" in words:
        return Line.BYPASS
    if "OL" in words:
        return Line.ON_LINE
    if "OB" in words:
        return Line.ON_BATTERY
    if "OFF" in words:
        return Line.OFF
    return Line.ON_LINE if _MAINS & set(words) else Line.UNKNOWN


def see(status: str | None, *, may_begin: bool) -> Seen:
    """What `status` says, None or empty for no data. `may_begin`: this UPS was seen without FSD since this machine's boot.

    FSD is a shutdown if it began while somebody looked, or stands together with a power cut: upsd keeps it until it is restarted, and a
    machine that believed any FSD would be shut down again each time it has come up.
    """
    words = words_of(status)
    if not words:
        return Seen(words, None)
    if "WAIT" in words and not words & {"OL", "OB"}:
        return Seen(words, None, is_waiting=True)
    fsd = None
    if "FSD" in words:
        fsd = Fsd.BELIEVED if may_begin or ("OB" in words and "OL" not in words) else Fsd.STANDING
    return Seen(words, line_of(words), low_word="LB" in words, fsd=fsd)

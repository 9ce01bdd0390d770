"""How long a halt of this machine takes: the halt service leaves it for those that have to be done before the power is gone.

/var/lib/pimains/halt/length     MEASURED LONGEST UPGRADE, in seconds; of the steps and what is waited for before and between them
/var/lib/pimains/halt/shutdown   in seconds, what HALT_COMMAND and all that it begins may take
"""

import math
from pathlib import Path
from typing import NamedTuple

from pimains.core import paths, state


class HaltLength(NamedTuple):
    """In seconds, from the request to the start of HALT_COMMAND.

    `measured` is what the steps took before, `longest` what they take if each uses up its budget; `upgrade` is how long an
    upgrade is waited for on top of that.
    """

    measured: float
    longest: float
    upgrade: float


UNKNOWN = HaltLength(30.0, 3600.0, 0.0)  # as long as no halt service was ever started here: some steps, none of them measured
UNKNOWN_SHUTDOWN = 30.0  # as long as that was never measured


def read() -> HaltLength:
    """What the halt service left last; UNKNOWN where it left nothing, or nothing that can be true."""
    try:
        words = (state.whole(_path()) or "").split()
    except state.Damaged:  # the halt service leaves it again when it starts
        return UNKNOWN
    numbers = [number for word in words if (number := state.number(word)) is not None and math.isfinite(number) and number >= 0]
    return HaltLength(*numbers) if len(numbers) == len(words) == len(HaltLength._fields) else UNKNOWN


def leave(length: HaltLength) -> None:
    """For the halt service; raises OSError."""
    _leave(_path(), " ".join(f"{seconds:g}" for seconds in length))


def shutdown_seconds() -> float:
    """What the halt service left last of how long this machine takes from HALT_COMMAND's start on, or UNKNOWN_SHUTDOWN."""
    try:
        seconds = state.number(state.whole(_shutdown_path()))
    except state.Damaged:  # the halt service leaves it again when it starts
        return UNKNOWN_SHUTDOWN
    return seconds if seconds is not None and math.isfinite(seconds) and seconds > 0 else UNKNOWN_SHUTDOWN


def leave_shutdown(seconds: float) -> None:
    """For the halt service; raises OSError."""
    _leave(_shutdown_path(), f"{seconds:g}")


def _leave(path: Path, words: str) -> None:
    try:
        if state.whole(path) == words:  # an SD card wears out
            return
    except state.Damaged as why:
        print(f"{path}: {why}: written anew")
    state.write(path, words, durable=True)


def _path() -> Path:
    return paths.lib() / "halt/length"


def _shutdown_path() -> Path:
    return paths.lib() / "halt/shutdown"

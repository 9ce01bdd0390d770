"""How long this machine still has power while it is on battery: what each ups service leaves, for halt and update.

/run/pimains/<instance>/battery_end   when the battery will be empty, seconds since boot, `inf` where nothing is known of that; rewritten
                                      at each look, not there while the mains are; it stands while no data come, and without the service
"""

import math
from collections.abc import Iterator
from contextlib import suppress

from pimains.core import paths, state
from pimains.core.instance import Instance
from pimains.shared import halt_length


def leave(me: Instance, at: float | None) -> None:
    """For an ups service on battery: it will be empty at that time of this boot, None where that is not known."""
    text = "inf" if at is None else f"{at:.0f}"
    if state.read(me.run / "battery_end") != text:
        me.leave("battery_end", text)


def forget(me: Instance) -> None:
    """The mains are there."""
    me.leave("battery_end", None)


def seconds_left(now: float) -> float:
    """Until HALT_COMMAND has to be started, so that the machine is off before the first battery is empty; endless where none is known."""
    first = min((end for _, end in _ends()), default=math.inf)
    return first if first == math.inf else first - halt_length.shutdown_seconds() - now


def on_battery() -> str:
    """The instance whose UPS feeds this machine from its battery; "" if there is none."""
    return next((name for name, _ in _ends()), "")


def _ends() -> Iterator[tuple[str, float]]:
    for path in sorted(paths.run().glob("*/battery_end")):
        end = None
        with suppress(OSError):
            end = state.number(state.read(path))
        if end is not None and not math.isnan(end):
            yield path.parent.name, end

"""Plugs that will cut this machine's power, or would if they heard no more of it: what each plug service leaves about that.

The plug service writes and goes on from there after a restart; halt and update read:

/var/lib/pimains/<instance>/armed      after how many seconds without a heartbeat it cuts, while it is on
/run/pimains/<instance>/contact        when the plug last heard us, seconds since boot; before the first time that is the boot
/run/pimains/<instance>/countdown      how many seconds before the cut HALT_COMMAND has to be started
/run/pimains/<instance>/cut            when it cuts after the halt that it was told of, seconds since boot
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pimains.core import paths, state
from pimains.core.instance import Instance
from pimains.shared.plan import cuts

SHORTEST_SECONDS = 60.0  # that a plug can be told


class Cut(NamedTuple):
    """Of one plug, in seconds."""

    instance: str
    armed: float
    countdown: float
    silent: float


def arm(me: Instance, seconds: int) -> bool:
    """For a plug service: its plug is about to be told to cut after so many seconds of silence; whether that is noted for good."""
    return me.keep("armed", str(seconds), durable=True)


def disarm(me: Instance) -> None:
    """Its plug cuts nobody, and after a power cut nobody believes that it does."""
    me.keep("armed", None, durable=True)


def armed_seconds(me: Instance) -> float | None:
    """After how many seconds without a heartbeat it cuts; None while it does not."""
    return _armed(me.lib / "armed")


def may_be_armed(me: Instance) -> bool:
    """Whether it was told to cut, and not told since not to, whatever has become of the note."""
    return os.path.lexists(me.lib / "armed")


def damage(me: Instance) -> str:
    """What is wrong with the note of it, and what that means; '' where nothing is."""
    try:
        state.whole(me.lib / "armed")
    except state.Damaged as why:
        return f"{me.lib / 'armed'}: {why}: its plug is taken to cut after {SHORTEST_SECONDS:.0f} s, the least there is"
    return ""


def was_heard(me: Instance) -> float:
    """Its plug has just confirmed a heartbeat; when that was. A full /run may keep it from being left: remember it."""
    now = me.clock.monotonic()
    me.leave("contact", f"{now:.1f}")
    return now


def heard_at(me: Instance) -> float:
    """When its plug last heard this machine, in seconds since boot; 0 before the first time."""
    return _seconds(state.read(me.run / "contact")) or 0.0


def leave_countdown(me: Instance, seconds: int) -> None:
    """How many seconds before the cut HALT_COMMAND has to be started."""
    if state.read(me.run / "countdown") != str(seconds):
        me.leave("countdown", str(seconds))


def leave_cut(me: Instance, at: float) -> None:
    """Its plug was told of a halt: at that time of this boot it cuts."""
    me.leave("cut", f"{at:.1f}")


def no_cut(me: Instance) -> None:
    """Its plug leaves the power on."""
    me.leave("cut", None)


def seconds_to_cut(now: float) -> float:
    """Until the first plug that was told of a halt cuts; endless where none will."""
    told = [at - now for path in paths.run().glob("*/cut") if (at := _seconds(state.read(path))) is not None]
    return min((seconds for seconds in told if seconds > 0), default=math.inf)


def seconds_left(now: float) -> float:
    """Until HALT_COMMAND has to be started, if no plug hears this machine any more; endless where none would cut."""
    return min((cuts.seconds_left(cut.armed, cut.countdown, cut.silent) for cut in _cuts(now)), default=math.inf)


def unheard(now: float) -> str:
    """The instance whose plug does not hear this machine and may soon cut its power; "" if there is none."""
    return next((cut.instance for cut in _cuts(now) if cuts.is_unheard(cut.armed, cut.silent)), "")


def _cuts(now: float) -> Iterator[Cut]:
    for path in sorted(paths.lib().glob("*/armed")):
        name = path.parent.name
        if (armed := _armed(path)) is not None:
            contact = _seconds(state.read(paths.run() / name / "contact")) or 0.0
            countdown = _seconds(state.read(paths.run() / name / "countdown")) or 0.0
            yield Cut(name, armed, countdown, max(0.0, now - contact))


def _armed(path: Path) -> float | None:
    """Where the note is damaged nobody knows: the plug may be as quick as any."""
    try:
        text = state.whole(path)
    except state.Damaged:
        return SHORTEST_SECONDS
    return _seconds(text)


def _seconds(text: str | None) -> float | None:
    number = state.number(text)
    return number if number is not None and math.isfinite(number) and number >= 0 else None

"""Which events people are told of, and when: most at once, some after a while, and none twenty times an hour.

    matters, messages = tell(matters, events, now)      # after each look, of one UPS; times are monotonic seconds

What comes and goes together is one matter, such as ONBATT and ONLINE. What is not told is counted, and the next message has the count.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

AGAIN_SECONDS = 300.0
COMMBAD_SECONDS = 30.0
MESSAGES_PER_HOUR = 4
_HOUR = 3600.0
_AGAIN = frozenset({"ONBATT", "ONLINE"})
_MATTERS = {"ONBATT": "line", "ONLINE": "line", "COMMBAD": "data", "COMMOK": "data", "NOCOMM": "data"}
_WELL = frozenset({"ONLINE", "COMMOK"})
_KNOWN_LATE = frozenset({"SUSPEND_STARTING"})  # when it is over
_EXACT = frozenset({"REPLBATT", "NOCOMM"})  # come no oftener than people want to hear of them


class OfAShutdown(StrEnum):
    """Events of a shutdown, of all its UPSes together; SHUTDOWN is NUT's, for the others it has no name."""

    SHUTDOWN = "SHUTDOWN"
    MISSING = "MISSING"  # who did not log out
    REFUSED = "REFUSED"  # FSD, by upsd
    ALONE = "ALONE"  # the primary has not forced a shutdown
    STANDS = "STANDS"  # the FSD of this machine, when that UPS has its mains again
    RETURNS = "RETURNS"  # shutdown.return was taken
    EMPTIES = "EMPTIES"  # it was not
    CUT = "CUT"  # the mains are back after FSD
    SHED = "SHED"  # other machines of the house are told to shut down
    UNTOLD = "UNTOLD"  # one does not take that
    WAKING = "WAKING"
    BACK = "BACK"  # all of them are up again: the end of an outage
    ABSENT = "ABSENT"  # or not


class Message(NamedTuple):
    """`event` is told; it has been so for `for_seconds`, 0 where it has just begun. `times` more came since `since` and were not told."""

    event: str
    for_seconds: float = 0.0
    times: int = 0
    since: float | None = None


class Matter(NamedTuple):
    """`event` is how it stands since `at`, told or not yet; `told_at` are the last hour's messages, `times` is what was only counted."""

    event: str = ""
    at: float = 0.0
    is_told: bool = True
    is_told_again: bool = True
    told: str = ""  # the event that people heard of last
    told_at: tuple[float, ...] = ()
    times: int = 0
    since: float | None = None


def tell(before: Mapping[str, Matter], events: Iterable[str], now: float) -> tuple[dict[str, Matter], tuple[Message, ...]]:
    """What is told now of `events`, which have just come, and of earlier ones whose time has come."""
    matters, messages = dict(before), []
    for event in events:
        if event in _EXACT:
            messages.append(Message(event))
        elif event not in _KNOWN_LATE:
            name = _MATTERS.get(event, event.removeprefix("NOT"))
            matters[name] = _come(matters.get(name, Matter()), event, now)
            if (told := _due(matters[name], now)) is not None:
                matters[name], message = told
                messages.append(message)
    for name, matter in matters.items():
        if (told := _due(matter, now)) is not None:
            matters[name], message = told
            messages.append(message)
    return matters, tuple(messages)


def _is_well(event: str) -> bool:
    return event in _WELL or event.startswith("NOT")


def _come(matter: Matter, event: str, now: float) -> Matter:
    if not matter.is_told and not _is_well(matter.event) and matter.event != "COMMBAD":  # nobody hears of a moment without data
        matter = matter._replace(times=matter.times + 1, since=matter.at if matter.since is None else matter.since)
    has_nothing_to_say = _is_well(event) and not matter.times and (_is_well(matter.told) or not matter.told)
    return matter._replace(event=event, at=now, is_told=has_nothing_to_say, is_told_again=has_nothing_to_say or event not in _AGAIN)


def _due(matter: Matter, now: float) -> tuple[Matter, Message] | None:
    """The message whose time has come, and what is known then."""
    for_seconds = now - matter.at
    told_at = tuple(at for at in matter.told_at if now - at < _HOUR)
    if not matter.is_told:
        if for_seconds < (COMMBAD_SECONDS if matter.event == "COMMBAD" else 0.0):
            return None
    elif matter.is_told_again or for_seconds < AGAIN_SECONDS:
        return None
    is_settled = for_seconds >= AGAIN_SECONDS
    is_an_outage = is_settled and matter.event == "ONBATT"
    if not is_an_outage and len(told_at) >= MESSAGES_PER_HOUR - (matter.event in _AGAIN and not is_settled):
        return None
    message = Message(matter.event, for_seconds if is_settled else 0.0, matter.times, matter.since)
    told_again = matter.is_told_again or is_settled
    return matter._replace(is_told=True, is_told_again=told_again, told=matter.event, told_at=(*told_at, now), times=0, since=None), message

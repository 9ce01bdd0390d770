"""Whether an instance is unwell, and why, from what supervise and the instance itself say."""

from typing import NamedTuple

SETTLED_SECONDS = 3  # supervise restarts what ends after one second: what has been up for longer does not end at once


class Facts(NamedTuple):
    """What is known of one instance; states are "up", "down", "stopped", "unsupervised" and "unseen"."""

    state: str
    wanted_up: bool | None  # None: not known
    paused: bool
    restarts: bool
    log_state: str
    unwell: str
    template_is_there: bool = True
    unreadable: str = ""  # the setting that it cannot be started with
    is_new: bool = False  # svscan looks every five seconds


def troubles(facts: Facts) -> list[str]:
    """What somebody has to look after, worst first; nothing when all is well.

    An instance that was told to be down is well. What cannot be seen is not held against it.
    """
    found = []
    if not facts.template_is_there:
        found.append("its run is missing: the package was removed, or has no such service any more")
    if facts.state == "unsupervised" and not facts.is_new:
        found.append("no supervise runs for it: is svscan running on this directory?")
    if facts.state == "stopped":
        found.append("its supervise does not answer: it is stopped (kill -CONT lets it go on)")
    if facts.unreadable:
        found.append(facts.unreadable)
    elif facts.restarts:
        found.append("ends and is restarted again and again: its log says why")
    elif facts.state == "down" and facts.wanted_up:
        found.append("down, though wanted up")
    if facts.paused:
        found.append("paused: svc -c lets it go on")
    if facts.unwell:
        found.append(facts.unwell)
    if facts.state != "unsupervised" and facts.log_state in ("down", "unsupervised"):
        found.append("its log service is down: what it says is lost")
    elif facts.log_state == "stopped":
        found.append("the supervise of its log does not answer: it is stopped (kill -CONT lets it go on)")
    return found


def unsettled(
    state: str, seconds: float | None, *, wanted_up: bool | None, status: str, status_age: float | None, error_age: float | None
) -> bool:
    """Whether a second look is needed to tell a service that was just started from one that is restarted every second.

    One that has got as far as a status line of its own since it was started, and had no error lately, needs none.
    """
    if state != "up":
        return state == "down" and bool(wanted_up)
    if seconds is None or seconds >= SETTLED_SECONDS:
        return seconds is None
    spoke = status_age is not None and status_age <= seconds and status != "starting"
    return not spoke or (error_age is not None and error_age < 10)

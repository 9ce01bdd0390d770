"""How each service is, for people: up, stopped, down, and what somebody has to look after, the worst first."""

from typing import Any, NamedTuple

STOPPED = "stopped"  # the last word of a service that was told to stop
_PLACES = {"down": 0, "up": 1, "unknown": 1, "stopped": 2}


class Facts(NamedTuple):
    """What is known of one instance.

    `is_up` is None where it cannot be told; `is_wanted` is whether it is to be up after a boot; `unreadable` is the setting that it
    cannot be started with, "" for none. Ages are seconds, None where no clock can tell.
    """

    instance: str
    service: str
    is_up: bool | None
    seconds: float | None
    is_wanted: bool
    unreadable: str
    status: str
    status_age: float | None
    unwell: str
    error: str
    error_age: float | None


def state(facts: Facts) -> str:
    """One word: up, stopped (it was told to), down (though nobody wanted that) or unknown."""
    if facts.is_up is not False:
        return "up" if facts.is_up else "unknown"
    if facts.status == STOPPED or (not facts.status and not facts.is_wanted):
        return "stopped"
    return "down"


def row(facts: Facts) -> dict[str, Any]:
    """For the page; null is "not known"."""
    found, troubles = state(facts), [each for each in (facts.unreadable, facts.unwell) if each]
    return {
        "instance": facts.instance,
        "service": facts.service,
        "state": found,
        "since_seconds": facts.seconds,
        "well": not troubles and found != "down",
        "troubles": troubles,
        "status": facts.status or None,
        "status_age_seconds": facts.status_age,
        "last_error": facts.error or None,
        "last_error_age_seconds": facts.error_age,
    }


def ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is unwell first, of that what is down; what was stopped last."""
    return sorted(rows, key=lambda each: (each["well"], _PLACES[each["state"]], each["instance"]))

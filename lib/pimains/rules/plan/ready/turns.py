"""Whose turn it is: of relays that live on one surplus, the one with the highest PRIORITY begins first and ends last.

One that is ready waits until what was switched last shows in the value, and for those that are ready, too, and come before it. Nobody
has to know the others' rules for that: a timer of each says that it is ready. One that its guards keep up is not waited for.
"""

from pimains.core.plan.sentences import duration
from pimains.rules.plan.relay_view import Relays, RelayView

SHOWS_SECONDS = 5.0  # from a switching until a new reading has it
TICK_SECONDS = 0.05  # a rule that is asked again after a while may be asked so much too early
_READY = "ready"
_LISTEN_SECONDS = 2.0  # so that all of them have been asked once
_PATIENCE_SECONDS = 150.0


def lasted(words: str, seconds: float) -> str:
    """`words`, and for how long it has been so, if there is something to tell."""
    return f"{words} for {duration(seconds)}" if seconds >= 1 else words


def giving_way(relay: RelayView, relays: Relays, surplus: str) -> tuple[float, str]:
    """What others of lower PRIORITY take of the same surplus, W, and who they are: they go off for it once their MIN_ON is over."""
    watts, names = 0.0, ""
    for each in relays:
        if not each.on or each.priority >= relay.priority or each.mode != "auto" or each.timer(surplus).seconds is None:
            continue
        if (each.on_for or 0.0) >= each.min_on:
            watts += each.watts
            names += f"{' and ' if names else ''}{each.number}"
    return watts, names


def not_ready(relay: RelayView) -> None:
    """It does not want to be switched."""
    relay.held(_READY, False)


def what_begins_first(relay: RelayView, relays: Relays, settle: float, age: float) -> str:
    """It is ready to come on: what it waits for, '' if it is its turn. `settle` is how long others are waited for, `age` the reading's."""
    within = max(settle, age + SHOWS_SECONDS)
    for each in relays:
        if each.on and each.watts and each.number != relay.number and (each.on_for or 0.0) < within:
            relay.held(_READY, False)
            return f"it waits until relay {each.number}, which has come on, shows there"
    mine = -relay.priority, relay.number
    before = [each for each in relays if not each.on and each.mode == "auto" and (-each.priority, each.number) < mine]
    return _one_of(before, relay, "begins")


def what_ends_first(relay: RelayView, relays: Relays, age: float) -> str:
    """It is ready to go off: what it waits for, '' if it is its turn."""
    for each in relays:
        if not each.on and each.watts and each.number != relay.number:
            ago = each.last_off
            if ago is not None and ago < age + SHOWS_SECONDS:
                relay.held(_READY, False)
                return f"it waits until relay {each.number}, which has gone off, shows there"
    mine = -relay.priority, relay.number
    before = [each for each in relays if each.on and each.mode == "auto" and (-each.priority, each.number) > mine]
    return _one_of(before, relay, "ends")


def _one_of(before: list[RelayView], relay: RelayView, does: str) -> str:
    seconds = relay.held(_READY, True, _LISTEN_SECONDS)
    for each in before:
        ready = each.timer(_READY).seconds
        if ready is not None and ready < _PATIENCE_SECONDS:
            return f"relay {each.number} {does} first, by its PRIORITY"
    return "it sees whether another one comes first" if before and seconds < _LISTEN_SECONDS - TICK_SECONDS else ""

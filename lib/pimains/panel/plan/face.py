"""What a board shows of its relays: LEDs their states, digits their modes, and in turn with these the name or value of each.

modes            digit n: forced on the bar at the top, forced off the one at the bottom, auto dark, not known the middle one
name or value    the relay's number, its mode as above, then the text
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pimains.panel.plan import segments

PLACES = 8
NAME, VALUE = "name", "value"
_MODES_SECONDS = 6.0
_TEXT_SECONDS = 2.0
_BLINK_SECONDS = 0.2
_BARS = {"on": segments.TOP, "off": segments.BOTTOM, "auto": segments.DARK}
_NOT_KNOWN = "---"
_NEVER = float("inf")


class Shown(NamedTuple):
    """What is known of a relay; None of what is not. `value` is in W."""

    name: str = ""
    is_on: bool | None = None
    mode: str | None = None
    value: str | None = None


class Face(NamedTuple):
    """The segments of each digit, and which LEDs are lit, from the left."""

    digits: tuple[int, ...]
    leds: tuple[bool, ...]


DARK = Face((segments.DARK,) * PLACES, (False,) * PLACES)


class Turn(NamedTuple):
    """Which of the relays' texts is shown, None for the modes of all, and in how many seconds that changes."""

    place: int | None
    seconds: float


def turn(places: Sequence[str | None], text: str | None, elapsed: float) -> Turn:
    """So long after the modes began to be shown; `places` are the relays at the keys."""
    texts = [place for place, relay in enumerate(places) if relay is not None] if text else []
    if not texts:
        return Turn(None, _NEVER)
    at = elapsed % (_MODES_SECONDS + _TEXT_SECONDS * len(texts)) - _MODES_SECONDS
    if at < 0:
        return Turn(None, -at)
    return Turn(texts[int(at // _TEXT_SECONDS)], _TEXT_SECONDS - at % _TEXT_SECONDS)


def face(places: Sequence[str | None], relays: Mapping[str, Shown], text: str | None, place: int | None) -> Face:
    """Of the relays at these places; with the `text` of the one at `place`, if there is one."""
    shown = [relays.get(relay) if relay else None for relay in places]
    digits = [_bar(each) if each else segments.DARK for each in shown]
    relay, its = (places[place], shown[place]) if place is not None else (None, None)
    if relay and its:
        digits = _of_one(relay, its, text)
    return Face(tuple(digits), tuple(bool(each and each.is_on) for each in shown))


def blinking(face: Face, since_press: float) -> Face:
    """The same while something is chosen that is not said yet: the last point is lit and dark in turn."""
    if int(since_press / _BLINK_SECONDS) % 2:
        return face
    return face._replace(digits=(*face.digits[:-1], face.digits[-1] | segments.POINT))


def seconds_to_blink(since_press: float) -> float:
    """Until the point changes."""
    return _BLINK_SECONDS - since_press % _BLINK_SECONDS


def _bar(shown: Shown) -> int:
    return segments.MIDDLE if shown.mode is None else _BARS[shown.mode]


def _of_one(relay: str, shown: Shown, text: str | None) -> list[int]:
    head = [*segments.written(relay, len(relay)), _bar(shown)]
    left = PLACES - len(head)
    if text == VALUE:
        return [*head, *segments.at_the_right(shown.value or _NOT_KNOWN, left)]
    return [*head, *segments.written(shown.name, left)]

"""What a rule may answer: (ON, why), (OFF, why) or KEEP."""

from typing import NamedTuple

from pimains.core.plan.text import one_line, shortened

ON, OFF, KEEP = "on", "off", "keep"
_REASON_LONGEST = 200


class Nonsense(Exception):
    """What a rule returned is no answer; the text is one line for who wrote it."""


class Answer(NamedTuple):
    """ON, OFF or KEEP, and why; "" for a KEEP that says nothing."""

    word: str
    reason: str


_KEEP = Answer(KEEP, "")


def answered(what: object) -> Answer:
    """What a rule returned. Raises Nonsense."""
    if what == KEEP:
        return _KEEP
    if not isinstance(what, tuple) or len(what) != 2:
        raise Nonsense(f"it returned {shown(what)}, and not (ON, why), (OFF, why) or KEEP")
    word, reason = what
    if not isinstance(word, str) or word not in (ON, OFF, KEEP):
        raise Nonsense(f"it returned {shown(word)}, which is not ON, OFF or KEEP")
    if not isinstance(reason, str):
        reason = ""
    if not reason.isprintable() or len(reason) > _REASON_LONGEST:
        reason = shortened(one_line(reason[: 10 * _REASON_LONGEST]), _REASON_LONGEST)  # of a million characters that takes its time
    if not reason or reason.isspace():
        raise Nonsense(f"it returned {word.upper()} without a reason, which is a text: return {word.upper()}, 'why'")
    return Answer(word, reason)


def shown(what: object) -> str:
    """In a few words, for a line that says what is wrong with it."""
    if what is None:
        return "nothing (None)"
    text = repr(what) if isinstance(what, str | int | float | bool | tuple) else f"a {type(what).__name__}"
    return shortened(one_line(text[:_REASON_LONGEST]), 60)

"""How a UPS stands, in the words of who hangs on it: "on battery for 3 min, 41 %, shutting down in about 9 min"."""

from pimains.core.plan.sentences import duration
from pimains.ups.plan.battery import Battery
from pimains.ups.plan.standing import Standing
from pimains.ups.plan.status import Fsd, Line

LOST_FOR_A_MOMENT_SECONDS = 30.0  # what is away for less is nobody's trouble
SHUTS_DOWN = "shutting down"
OTHERS_SHUT_DOWN = "shutting its other machines down"  # where this one is fed by another UPS
_SHOWN = {
    "LB": "battery low",
    "RB": "its battery has to be replaced",
    "OVER": "overloaded",
    "ALARM": "alarm",
    "TRIM": "voltage lowered",
    "BOOST": "voltage raised",
    "ECO": "saving energy",
}
_UNWELL = ("LB", "RB", "OVER", "ALARM")


def how_it_is(standing: Standing, battery: Battery, why_not: str, due_at: float | None, now: float, then: str = SHUTS_DOWN) -> str:
    """`why_not` is why no data come; `due_at` is when a shutdown is due, None where nobody knows, and `then` what is done."""
    if standing.line is None:
        return f"no data yet: {why_not}" if why_not else "no data yet"
    words = [str(standing.line)]
    if battery.began is not None and standing.is_on_battery:
        words[0] += f" for {duration(now - battery.began)}"
    if standing.lost_at is not None:
        words[0] = f"was {words[0]}" if not standing.is_on_battery else words[0]
        words.insert(0, f"no data for {duration(now - standing.lost_at)} ({why_not})")
    elif standing.numbers.charge is not None:
        words.append(f"{standing.numbers.charge:g} %")
    if standing.fsd:
        words.append("forced shutdown" if standing.fsd is Fsd.BELIEVED else "an old forced shutdown stands there: restart its nut-server")
    if standing.is_off and standing.line is not Line.OFF:
        words.append("its output is off")
    words += [text for word, text in _SHOWN.items() if word in standing.words]
    if standing.unknown_words:
        words.append(f"says {' '.join(sorted(standing.unknown_words))}")
    if standing.is_critical:
        words.append(SHUTS_DOWN if then == SHUTS_DOWN else "this machine stays up")
    elif then and due_at is not None and standing.is_on_battery:
        words.append(f"{then} in about {duration(max(0.0, due_at - now))}")
    return ", ".join(words)


def is_away(standing: Standing, now: float) -> bool:
    """Whether it cannot be read, and not only for a moment."""
    return standing.line is None or (standing.lost_at is not None and now - standing.lost_at >= LOST_FOR_A_MOMENT_SECONDS)


def is_well(standing: Standing, now: float) -> bool:
    """Whether nobody need look after it."""
    return not (is_away(standing, now) or standing.is_on_battery or standing.fsd or standing.is_off or standing.words.intersection(_UNWELL))

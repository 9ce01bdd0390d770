"""What people are told of a UPS, in their language, and in an administrator's own words where there are some.

The files beside this one are the shipped words, a language each. A file EVENT, such as /etc/pimains/ups/ONBATT, takes their place for this
event: line 1 the subject, the rest the body; an empty one is the shipped text. In both, names after $ stand for what `Facts` has, and
$words for the event in plain language (string.Template).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pimains.core import state

LANGUAGES = ("en", "de", "fr")
_HERE = Path(__file__).parent


class Facts(NamedTuple):
    """What a message may say: texts, or numbers that are None where they are not known (percent, seconds, percent)."""

    host: str
    ups: str
    event: str
    status: str
    charge: float | None
    runtime: float | None
    load: float | None
    alarm: str = ""
    minutes: int = 0  # for so long it has been so; 0 where it has just begun
    times: int = 0  # how many more came that nobody was told of
    since: str = ""  # the time of day of the first of them
    about: str = ""  # whom or what else it is about, in words of the log


def written(facts: Facts, language: str, own: Path | None) -> tuple[str, str]:
    """Subject and body; `own` is the directory of the administrator's words. Raises OSError where those cannot be read."""
    import configparser  # people are told seldom

    shipped = configparser.ConfigParser(interpolation=None)
    shipped.optionxform = str  # type: ignore[method-assign,assignment]  # names of events are in capital letters
    shipped.read_string((_HERE / language).read_text(encoding="utf-8"))
    message, unknown = shipped["message"], shipped["message"]["unknown"]
    names = {
        **{name: str(value) for name, value in facts._asdict().items()},
        "status": facts.status or unknown,
        "alarm": facts.alarm or unknown,
        "charge": unknown if facts.charge is None else f"{facts.charge:g} %",
        "load": unknown if facts.load is None else f"{facts.load:g} %",
        "runtime": unknown if facts.runtime is None else _clock(int(facts.runtime)),
    }
    names["words"] = _filled(shipped["words"].get(facts.event, facts.event), names)
    for name, is_so in (("again", facts.minutes > 0), ("more", facts.times > 0)):
        if is_so:
            names["words"] = _filled(message[name], names)
    subject, _, body = ((state.read(own / facts.event) if own else "") or "").partition("\n")
    if not subject:
        subject, body = message["subject"], message["body"]
    return _filled(subject, names), _filled(body, names)


def _filled(text: str, names: Mapping[str, str]) -> str:
    from string import Template

    return Template(text).safe_substitute(names)


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"

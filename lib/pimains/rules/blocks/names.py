"""The names that the Python of blocks is made of: those of variables, and functions of its own for what a block does in several steps."""

import re
import unicodedata
from collections.abc import Mapping

_LONGEST = 30
_PLAIN = {"ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "æ": "ae", "ø": "o", "œ": "oe"}

FUNCTIONS = {
    "since": '''
def since(seconds):
    """Seconds; very many since what never was."""
    return 1000000000.0 if seconds is None else seconds
''',
    "sun_at": '''
def sun_at(minutes, what):
    """Minutes since midnight; who asks on a day without that is lost."""
    if minutes is None:
        raise NotKnown(what, 'there is none today')
    return minutes
''',
    "held_for": '''
def held_for(name, condition, seconds):
    """Whether that has been so for so long; the rule is asked again when that is over."""
    so_far = held(name, condition, seconds)
    return bool(condition) and so_far >= seconds
''',
    "answers_or": '''
def answers_or(host, otherwise):
    """Whether it answers a ping; what is to be taken for that where nobody can tell."""
    try:
        return answers(host)
    except NotKnown:
        return otherwise
''',
}  # by their names


def of_variables(names: Mapping[str, str]) -> dict[str, str]:
    """For each variable, by its id, a name of our own: no two alike, and none that a rule sees already."""
    found: dict[str, str] = {}
    for its_id, name in names.items():
        first = wanted = f"v_{_slug(name)}"
        count = 1
        while wanted in found.values():
            count += 1
            wanted = f"{first}_{count}"
        found[its_id] = wanted
    return found


def _slug(name: str) -> str:
    plain = "".join(_PLAIN.get(letter, letter) for letter in unicodedata.normalize("NFC", name))
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "_", plain).strip("_")[:_LONGEST] or "x"

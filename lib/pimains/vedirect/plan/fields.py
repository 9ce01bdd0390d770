"""The fields of VE.Direct: which are numbers and of what, which are enumerations, and how far each may jump from one block to the next."""

import re
from typing import NamedTuple

from pimains.vedirect.plan import words


class Number(NamedTuple):
    """A field that is a whole number of units of the device's.

    `factor` and `decimals` make the SI unit `unit` of it; `jump` is how far it goes from one block to the next, in the device's units,
    without the line being suspected.
    """

    unit: str
    factor: float
    decimals: int
    jump: int


def _many(names: str, number: Number) -> dict[str, Number]:
    return dict.fromkeys(names.split(), number)


NUMBERS: dict[str, Number] = {
    **_many("V V2 V3 VS VM H7 H8 H15 H16", Number("V", 0.001, 3, 300)),
    **_many("VPV", Number("V", 0.001, 3, 1500)),
    **_many("I I2 I3 IL", Number("A", 0.001, 3, 1500)),
    **_many("P PPV H21 H23 DC_IN_P", Number("W", 1, 0, 50)),
    **_many("CE H1 H2 H3 H6", Number("Ah", 0.001, 3, 300)),
    **_many("SOC DM", Number("%", 0.1, 1, 3)),
    **_many("TTG", Number("s", 60, 0, 15)),
    **_many("T", Number("°C", 1, 0, 2)),
    **_many("H4 H5 H10 H11 H12 H13 H14 HSDS", Number("", 1, 0, 1)),
    **_many("H9", Number("s", 1, 0, 15)),
    **_many("H17 H18 H19 H20 H22", Number("Wh", 10, 0, 2)),
    **_many("AC_OUT_V DC_IN_V", Number("V", 0.01, 2, 300)),
    **_many("AC_OUT_I DC_IN_I", Number("A", 0.1, 1, 15)),
    **_many("AC_OUT_S", Number("VA", 1, 0, 50)),
}
_WHOLE = re.compile(r"-?[0-9]{1,9}")
_ENUMERATED = re.compile(r"-?[0-9]{1,9}|0[xX][0-9A-Fa-f]{1,8}|on|off", re.IGNORECASE)
_FILE_NAME = re.compile(r"[A-Za-z0-9_#+-][A-Za-z0-9_#+.-]{0,31}")
_NAMES = ("PID", "FW", "FWE", "SER#", "BMV")
_UNKNOWN = "---"
_INFINITE = ("TTG", "-1")
_SWITCH = {"off": 0, "on": 1}


def is_well_formed(label: str, text: str) -> bool:
    """Whether there is a number where a number belongs."""
    if label in NUMBERS:
        return bool(_WHOLE.fullmatch(text)) or text == _UNKNOWN
    if label in words.ENUMERATIONS:
        return bool(_ENUMERATED.fullmatch(text)) or text == _UNKNOWN
    return True


def jump(label: str) -> int | None:
    """How far a number may jump, in the device's units; None for what only is the same or another."""
    return NUMBERS[label].jump if label in NUMBERS else None


def is_unknown(label: str) -> bool:
    """Whether nothing is known of such a field."""
    return label not in NUMBERS and label not in words.ENUMERATIONS and label not in _NAMES


def whole(text: str) -> int | None:
    """The number that a field has, in the device's units; None for `---` and other text."""
    return int(text) if _WHOLE.fullmatch(text) else None


def published(label: str, text: str) -> dict[str, str | None]:
    """The state files of a well-formed field: their names and values, None for one that is not known.

    There are none where `label` can be no file's name. Numbers are in SI units; enumerations have their words beside them, in LABEL.words.
    """
    if label in NUMBERS:
        return {label: _si(label, text)}
    if label in words.ENUMERATIONS:
        if text == _UNKNOWN:
            return {label: None, f"{label}.words": None}
        number = enumerated(text)
        return {label: str(number), f"{label}.words": words.of(label, number)}
    if not _FILE_NAME.fullmatch(label) or label.islower() or label.endswith(".words"):  # our own are in small letters: status, error
        return {}
    return {label: text if text not in ("", _UNKNOWN) else None}


def why_not_known(label: str, text: str) -> str:
    """What the device says instead of a value: "---", "infinite"; "" where it is known."""
    if (label, text) == _INFINITE:
        return "infinite"
    return _UNKNOWN if text == _UNKNOWN else ""


def enumerated(text: str) -> int:
    """The number of an enumeration; ON is 1, OFF 0."""
    return _SWITCH[text.lower()] if text.lower() in _SWITCH else int(text, 0 if text[:2].lower() == "0x" else 10)


def _si(label: str, text: str) -> str | None:
    number = whole(text)
    if number is None or (label, text) == _INFINITE:
        return None
    of = NUMBERS[label]
    return f"{number * of.factor:.{of.decimals}f}"

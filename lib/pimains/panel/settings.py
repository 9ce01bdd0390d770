"""What the panel service may be told."""

import re

from pimains.core.settings import Setting, Settings, choice, integer, optional, path
from pimains.panel.plan import brightness
from pimains.panel.plan.brightness import LEVEL_MAX, Brightness
from pimains.panel.plan.face import NAME, PLACES, VALUE

_HEADER_LAST = 27
_MOST_BOARDS = 2
_RELAY = re.compile(r"[1-9][0-9]{0,2}")


def _parse_strobes(value: str) -> list[int]:
    words = value.split()
    if not 1 <= len(words) <= _MOST_BOARDS or not all(re.fullmatch("[0-9]{1,2}", word) and int(word) <= _HEADER_LAST for word in words):
        raise ValueError
    return [int(word) for word in words]


def _parse_keys(value: str) -> list[str]:
    words = value.split()
    if not all(_RELAY.fullmatch(word) for word in words) or len(set(words)) < len(words):
        raise ValueError
    return words


class PanelSettings(Settings):
    """services/panel/variables/."""

    DIO = integer(0, _HEADER_LAST, "GPIO number")
    CLK = integer(0, _HEADER_LAST, "GPIO number")
    STBS = Setting(_parse_strobes, "list of GPIO numbers", f"one or two of 0-{_HEADER_LAST}, such as: 26, or 26 6")
    BRIGHTNESS: Setting[Brightness] = Setting(
        brightness.parse, "brightness", f"0-{LEVEL_MAX}, and others from times of day on, such as: 2 22:00=0 07:00=2"
    )
    TEXT = optional(choice(NAME, VALUE))
    KEYS = Setting(_parse_keys, "list of relays", "numbers 1-999, each once, such as: 3 5 12, or empty", may_be_empty=True)
    RELAYS = path()

    def check_together(self) -> None:
        """Each wire has a pin of its own, each relay a key."""
        names: dict[int, str] = {}
        for name, number in (("DIO", self.DIO), ("CLK", self.CLK), *(("STBS", each) for each in self.STBS)):
            if number in names:
                raise self.wrong(name, f"{number} is {'there twice' if names[number] == name else f'the pin of {names[number]} already'}")
            names[number] = name
        if len(self.KEYS) > len(self.STBS) * PLACES:
            raise self.wrong("KEYS", f"has {len(self.KEYS)} relays for {len(self.STBS) * PLACES} keys")

    @property
    def places(self) -> list[str]:
        """The number of the relay at each key, all boards' in their order; '' where there is none."""
        keys = len(self.STBS) * PLACES
        return (self.KEYS + [""] * keys)[:keys] if self.KEYS else [str(place + 1) for place in range(keys)]

    def name_of(self, pin: int) -> str:
        """The file that says that this pin is ours."""
        return next((name for name, number in (("DIO", self.DIO), ("CLK", self.CLK)) if number == pin), "STBS")

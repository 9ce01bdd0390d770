"""What all relays may be told together; what each may be told is in relay_settings.py."""

import re

from pimains.core.settings import Setting, Settings, number, path
from pimains.shared.relays.plan.relay import GroupLimit

_LIMIT = re.compile(r"([A-Za-z0-9_-]{1,32})=([0-9]{1,6})(W?)")
_LONGEST_STAGGER_SECONDS = 60
_LONGEST_LOST_SECONDS = 86400


def _parse_group_limits(value: str) -> dict[str, GroupLimit]:
    found: dict[str, GroupLimit] = {}
    for word in value.split():
        match = _LIMIT.fullmatch(word)
        if match is None or match[1] in found:
            raise ValueError
        found[match[1]] = GroupLimit(float(match[2]), bool(match[3]))
    return found


def group_limits() -> Setting[dict[str, GroupLimit]]:
    """How many relays, or watts, of each group may be on at a time."""
    return Setting(_parse_group_limits, "list of limits", "such as: heaters=1 all=3000W, each group once, or empty", may_be_empty=True)


class GuardSettings(Settings):
    """What guards hold of all relays together, and where the relays are."""

    RELAYS = path()
    STAGGER_SECONDS = number(0, _LONGEST_STAGGER_SECONDS, "time in seconds")
    GROUP_LIMITS = group_limits()
    LOST_SECONDS = number(1, _LONGEST_LOST_SECONDS, "time in seconds")

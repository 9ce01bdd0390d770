"""What the update service may be told."""

import re

from pimains.core.settings import Setting, Settings, flag, integer, optional
from pimains.update.plan import window

# Debian Policy 5.6.1; a name that ends in a hyphen would have apt remove what stands before it
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]*[a-z0-9+.]")


def _packages(value: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(value.split()))
    if not names or not all(_PACKAGE.fullmatch(name) for name in names):
        raise ValueError
    return names


class UpdateSettings(Settings):
    """services/update/variables/."""

    UPGRADE = Setting(_packages, "list of packages", "names such as: pimains mpd, with blanks between")
    INTERVAL = integer(600, 2_592_000, "time in seconds")
    WINDOW = optional(Setting(window.parse, "window of time", "such as 02:00-05:00"))
    SKIP_WHILE_CLIENTS = flag()

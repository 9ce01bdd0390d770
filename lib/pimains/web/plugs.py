"""The plugs that plug services of this machine know: how each is, and whether it may be switched from here."""

import os
from pathlib import Path
from typing import Any

from pimains.core import alive, state
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared import plug_switch
from pimains.shared.orders.asker_end import understood
from pimains.web import setting_files

_SWITCH_SECONDS = 20.0
_NOT_UP = "its service does not run (pimains status)"


def told(plug: ServiceDirectory) -> dict[str, Any]:
    """As the service left word: how it was last, unless it `is_up` (None: not known).

    `feeds` is "this" machine or "another", `may_switch` whether this user may order it, else `why_not`.
    """
    feeds = setting_files.value(plug.path / "variables/FEEDS") or "this"
    is_up = alive.look(plug.run).is_up
    why_not = "" if feeds != "another" else _NOT_UP if is_up is False else _why_not(plug.run)
    return {
        "name": plug.name,
        "is_up": is_up,
        "feeds": feeds,
        "host": setting_files.value(plug.path / "variables/HOST"),
        "relay": state.read(plug.run / "relay"),
        "watts": state.number(state.read(plug.run / "power")),
        "status": state.read(plug.run / "status"),
        "is_well": state.read(plug.run / "unwell") is None,
        "may_switch": feeds == "another" and not why_not,
        "why_not": why_not,
    }


def switch(plug: ServiceDirectory, word: str, reason: str) -> str:
    """Returns what the service says when its plug has confirmed; waits for that. Raises PimainsError."""
    return plug_switch.give(plug.run, word, reason, _SWITCH_SECONDS)


def _why_not(run: Path) -> str:
    if plug_switch.ON not in understood(run):
        return "its service takes no orders now"
    return "" if os.access(run / "orders", os.W_OK | os.X_OK) else "only members of group pimains may order that"

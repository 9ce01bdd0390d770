"""A host that hangs on a plug: the plug service of this machine switches it, and tells whether it has power.

It blocks: talk.py has it done by a child.
"""

from pimains.core import paths
from pimains.core.errors import WrongSetting
from pimains.shared import plug_switch
from pimains.ups.hosts.settings import HostSettings
from pimains.ups.plan.proving import SILENT, UP

SECONDS = 15.0


def look(host: HostSettings, seconds: float = SECONDS) -> str:
    """SILENT while the plug has cut the power, UP else. Raises Away and Refused."""
    return SILENT if _give(host, plug_switch.POWER, "", seconds) == "off" else UP


def switch_off(host: HostSettings, seconds: float = SECONDS) -> str:
    """Ask the machine behind it to shut down, as the plug's button does; returns what the plug service says. Raises Away and Refused."""
    return _give(host, plug_switch.OFF, f"{host.name} goes down with its UPS", seconds)


def switch_on(host: HostSettings, seconds: float = SECONDS) -> str:
    """Give it power; returns what the plug service says. Raises Away and Refused."""
    return _give(host, plug_switch.ON, f"{host.name} comes up again", seconds)


def _give(host: HostSettings, word: str, reason: str, seconds: float) -> str:
    if host.PLUG is None:
        raise WrongSetting(f"{host.directory / 'PLUG'}: is empty; {host.name} hangs on no plug")
    return plug_switch.give(paths.run() / host.PLUG, word, reason, seconds)

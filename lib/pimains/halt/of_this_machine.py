"""The settings of this machine's halt service, for others that have to know how long a halt may take."""

from pathlib import Path

from pimains.core import scan_directory, templates
from pimains.halt.settings import HaltSettings


def halt(servicedir: Path) -> HaltSettings:
    """Those of the instance in the directory `servicedir`, or as they come where there is none; raises WrongSetting."""
    instance = scan_directory.at(servicedir / "halt")
    if instance is None:
        return as_they_come()
    return HaltSettings({name: value or "" for name, value in instance.variables().items()}, instance.path / "variables")


def as_they_come() -> HaltSettings:
    """Nobody has edited them."""
    return HaltSettings({variable.name: variable.default for variable in templates.all_of_them()["halt"].variables().values()})

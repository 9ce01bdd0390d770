"""A ready-made rule: the directory `<n>.rule`, whose settings say all of it."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from pimains.core.errors import WrongSetting
from pimains.rules.plan.given import Rule
from pimains.rules.ready_settings import KINDS, OfKind
from pimains.shared import settings_directory

KIND = "KIND"
_SETTING = re.compile(r"[A-Z][A-Z_]*")


def load(directory: Path, names: Mapping[str, object]) -> Rule:
    """The rule of this directory; `names` are those that the file of a rule would see. Raises WrongSetting, naming the file."""
    present = cast("Callable[[str], bool]", names["present"])
    return read(directory).made(present).rule


def read(directory: Path) -> OfKind:
    """Its settings. Raises WrongSetting, also for a file that is none of its settings: it is a mistyped one."""
    kind = settings_directory.read(directory, [KIND]).get(KIND, "")
    settings = KINDS.get(kind)
    if settings is None:
        raise WrongSetting(f"{directory / KIND}: {_no_kind(kind)}")
    declared = settings.declared()
    try:
        strangers = [name for name in sorted(os.listdir(directory)) if _SETTING.fullmatch(name) and name not in declared]
    except OSError as error:
        raise WrongSetting(f"{directory}: {(error.strerror or str(error)).lower()}") from None
    if strangers:
        raise WrongSetting(f"{directory / strangers[0]}: is no setting of KIND {kind} ({', '.join(declared)})")
    return settings(settings_directory.read(directory, declared), directory)


def _no_kind(kind: str) -> str:
    allowed = ", ".join(KINDS)
    return f"{kind[:60]!r} is no kind of rule ({allowed})" if kind else f"is empty or not there; it needs a kind of rule ({allowed})"

"""A ready-made rule: the directory `<n>.rule`, whose settings say all of it."""

import json
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
    return _made(read(directory), names)


def text_of(directory: Path) -> str:
    """All that makes the rule of this directory, for `of_text`, once it was checked. Raises WrongSetting."""
    read(directory)
    return json.dumps(_values(directory))


def of_text(directory: Path, text: str, names: Mapping[str, object]) -> Rule:
    """The rule, without a look at its directory."""
    values: dict[str, str] = json.loads(text)
    return _made(KINDS[values[KIND]](values, directory), names)


def read(directory: Path) -> OfKind:
    """Its settings. Raises WrongSetting, also for a file that is none of its settings: it is a mistyped one."""
    values = _values(directory)
    settings = KINDS[values[KIND]]
    declared = settings.declared()
    try:
        strangers = [name for name in sorted(os.listdir(directory)) if _SETTING.fullmatch(name) and name not in declared]
    except OSError as error:
        raise WrongSetting(f"{directory}: {(error.strerror or str(error)).lower()}") from None
    if strangers:
        raise WrongSetting(f"{directory / strangers[0]}: is no setting of KIND {values[KIND]} ({', '.join(declared)})")
    return settings(values, directory)


def _made(settings: OfKind, names: Mapping[str, object]) -> Rule:
    return settings.made(cast("Callable[[str], bool]", names["present"])).rule


def _values(directory: Path) -> dict[str, str]:
    kind = settings_directory.read(directory, [KIND]).get(KIND, "").lower()
    if kind not in KINDS:
        raise WrongSetting(f"{directory / KIND}: {_no_kind(kind)}")
    return {**settings_directory.read(directory, KINDS[kind].declared()), KIND: kind}


def _no_kind(kind: str) -> str:
    allowed = ", ".join(KINDS)
    return f"{kind[:60]!r} is no kind of rule ({allowed})" if kind else f"is empty or not there; it needs a kind of rule ({allowed})"

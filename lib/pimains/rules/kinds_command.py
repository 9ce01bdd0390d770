"""pimains rule kinds: the ready-made rules there are, and the settings of one, as their files say it."""

import json
from typing import Any

from pimains.core import paths
from pimains.core.errors import Misused
from pimains.core.plan.columns import aligned
from pimains.core.settings import Setting
from pimains.rules import ready_settings
from pimains.rules.ready_rule import KIND
from pimains.rules.ready_settings import KINDS
from pimains.shared import settings_directory, variable_file

_CHOICE, _FLAG = "choice", "yes or no"


def show(words: list[str], as_json: bool) -> None:
    """All of them, or the settings of one. Raises Misused."""
    if len(words) > 1 or (words and words[0] not in KINDS):
        raise Misused(f"{' '.join(words)!r} is no kind of rule ({', '.join(KINDS)})")
    kinds = words or list(KINDS)
    if as_json:
        print(json.dumps([{"kind": kind, "settings": _settings(kind)} for kind in kinds], indent=2))
    elif not words:
        print("\n".join(kinds))
    else:
        rows = [(each["name"], each["value"], " ".join(each["meaning"].split())) for each in _settings(words[0])]
        print("\n".join(aligned([("setting", "begins as", "meaning"), *rows])))


def _settings(kind: str) -> list[dict[str, Any]]:
    template = ready_settings.template(paths.service_templates(), kind)
    declared = {name: setting for name, setting in KINDS[kind].declared().items() if name != KIND}
    values = settings_directory.defaults(template, declared)
    return [
        {
            "name": name,
            "value": values[name],
            "meaning": variable_file.meaning(template / name),
            "kind": setting.kind,
            "allowed": setting.allowed,
            "choices": _choices(setting),
            "may_be_empty": setting.may_be_empty,
        }
        for name, setting in declared.items()
    ]


def _choices(setting: Setting[object]) -> list[str]:
    """Where there are a few words to choose from."""
    if setting.kind == _CHOICE:
        return setting.allowed.replace(" or ", ", ").split(", ")
    return ["1", "0"] if setting.kind == _FLAG else []

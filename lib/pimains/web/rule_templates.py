"""The rules to begin with that the editor offers: services/rules/blocks, in the page's language and with this house's names of values."""

import functools
import json
import re
from collections.abc import Mapping
from typing import Any

from pimains.core import paths
from pimains.shared.blocks import workspace

_VALUE = re.compile(r"(?!rules/|relays/)[A-Za-z0-9_@-][A-Za-z0-9_.@-]*/[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_OF_SERVICES = ("status", "alive", "url")  # what every service tells of itself
_ANY, _NAME = "*/", "NAME"
Json = dict[str, Any]


def is_value_of_rules(name: str) -> bool:
    """Whether rules would ask for a state file that is called so."""
    return _VALUE.fullmatch(name) is not None and name.partition("/")[2] not in _OF_SERVICES


@functools.cache
def _all(language: str) -> list[Json]:
    files = sorted((paths.service_templates() / "rules/blocks").glob("*.json"))
    return [{"file": path.stem, **workspace.in_language(json.loads(path.read_text(encoding="utf-8")), language)} for path in files]


def all_of_them(language: str, values: Mapping[str, str]) -> list[Json]:
    """Each with its title, its purpose, its workspace, the relays that it names, and which values nobody tells here."""
    return [_offered(each, values) for each in _all(language)]


def _offered(template: Json, values: Mapping[str, str]) -> Json:
    missing, names = [], {}
    for name in template["needs"]["values"]:
        end = name.partition("/")[2]
        found = sorted(each for each in values if each.endswith(f"/{end}"))
        if not found:
            missing.append(name.removeprefix(_ANY))
        elif not name.startswith(_ANY) and name not in found:
            names[name] = found[0]
    return {
        "name": template["file"],
        "title": template["name"],
        "purpose": template["purpose"],
        "missing": missing,
        "relays": template["needs"]["relays"],
        "workspace": _renamed(template["workspace"], names),
    }


def _renamed(content: Any, names: Mapping[str, str]) -> Any:
    """With other names of values, in the fields that have them."""
    if isinstance(content, dict):
        return {
            key: names.get(each, each) if key == "NAME" and isinstance(each, str) else _renamed(each, names)
            for key, each in content.items()
        }
    return [_renamed(each, names) for each in content] if isinstance(content, list) else content

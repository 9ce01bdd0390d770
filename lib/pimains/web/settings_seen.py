"""The settings of every service here, as JSON on standard output, for the page of settings.

    python3 -P -m pimains.web.settings_seen SCAN_DIRECTORY

A process of its own: what a setting may hold, and which are secrets, the classes of all services say; their memory goes with it.
"""

import json
import shlex
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from pimains.core import scan_directory, settings_told, templates
from pimains.core.errors import PimainsError, WrongSetting
from pimains.core.scan_directory import ServiceDirectory
from pimains.core.settings import Setting
from pimains.core.templates import Template
from pimains.shared import settings_directory, variable_file
from pimains.shared.relays import relay_settings, said, shown
from pimains.shared.relays.relay_settings import RelaySettings


def main(scan: Path) -> None:
    """Print them."""
    known = templates.all_of_them()
    found = [told for each in scan_directory.found(scan) if each.service in known for told in all_of(each, known[each.service])]
    json.dump(found, sys.stdout)


def all_of(of: ServiceDirectory, template: Template) -> list[dict[str, Any]]:
    """An instance, and its relays, where it has such."""
    relays = []
    if of.service == said.SERVICE:
        with suppress(PimainsError, OSError):  # it names no directory, or one that is not to be read
            directory = shown.directory(of)
            relays = [_relay(of, directory / number, template.directory / "relay") for number in relay_settings.numbers(directory)]
    return [instance(of, template), *relays]


def instance(of: ServiceDirectory, template: Template) -> dict[str, Any]:
    """One of them."""
    return {
        "instance": of.name,
        "service": of.service,
        "purpose": template.purpose(),
        "directory": str(of.path),
        "apply": f"sudo svc -t {shlex.quote(str(of.path))}",
        "settings": [_setting(of, each) for each in settings_told.told(template, of)],
        "others": [_other(of, name, value) for name, value in settings_told.others(template, of).items()],
    }


def _relay(of: ServiceDirectory, directory: Path, template: Path) -> dict[str, Any]:
    """The settings of one relay: they have a directory of their own, and are taken up as soon as they are written."""
    declared = RelaySettings.declared()
    defaults = settings_directory.defaults(template, declared)
    settings = [_relay_setting(directory / name, defaults.get(name, ""), template / name, each) for name, each in declared.items()]
    name = f"relay {directory.name}"
    purpose = relay_settings.name(directory)
    return {
        "instance": name,
        "service": of.service,
        "purpose": purpose,
        "directory": str(directory),
        "apply": None,
        "settings": settings,
        "others": [],
    }


def _relay_setting(path: Path, default: str, template: Path, setting: Setting[Any]) -> dict[str, Any]:
    value, meaning = None, variable_file.meaning(template)
    with suppress(WrongSetting, OSError):
        value = settings_directory.read(path.parent, [path.name]).get(path.name, "")
        meaning = variable_file.meaning(path) or meaning
    return {
        "name": path.name,
        "value": value,
        "is_set": None if value is None else bool(value),
        "default": default,
        "edited": None if value is None else value != default,
        "secret": False,
        "allowed": setting.allowed,
        "meaning": meaning,
        "file": str(path),
        "change": f"echo ... | sudo tee {shlex.quote(str(path))}",
    }


def _setting(of: ServiceDirectory, told: dict[str, Any]) -> dict[str, Any]:
    """As `create_service --show` tells it, but with the words that stand in the file, and nothing of one that not everybody may read."""
    path = of.path / "variables" / told["name"]
    meaning, secret = told["meaning"], told["secret"] or not _is_for_everybody(path)
    words = meaning
    with suppress(OSError):
        words = variable_file.meaning(path) or meaning
    value = None if secret else told["value"]
    return {
        **told,
        "secret": secret,
        "value": value,
        "is_set": told["is_set"] if told["is_set"] is not None else _looks_set(path, meaning),
        "edited": None if secret else told["edited"],
        "meaning": words,
        "file": str(path),
        "change": _change(of, told["name"], secret=secret),
    }


def _other(of: ServiceDirectory, name: str, value: str | None) -> dict[str, Any]:
    secret = not _is_for_everybody(of.path / "variables" / name)
    return {"name": name, "value": None if secret else value, "secret": secret}


def _change(of: ServiceDirectory, name: str, *, secret: bool) -> str:
    """What to type; a secret comes from a file, so that no history of a shell keeps it."""
    words = ["sudo", "create_service", f"--service_name={of.service}"]
    words += [f"--instance={of.name}"] if of.name != of.service else []
    words += [f"--servicedir={of.path.parent}"] if of.path.parent != scan_directory.SCAN_DIRECTORY else []
    value = "@FILE" if secret else "..."
    return shlex.join([*words, f"--{name.lower()}={value}", "--add-service", "--apply"])


def _is_for_everybody(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return not path.exists()


def _looks_set(path: Path, meaning: str) -> bool | None:
    """Whether a file that only its owner may read has a value, by its length: an empty one has the words alone; None: not known."""
    try:
        length = path.stat().st_size
    except OSError:
        return None
    empty = len(f"\n{meaning}\n".encode())
    return False if length in (0, 1, empty) else True if length > empty else None


if __name__ == "__main__":
    main(Path(sys.argv[1]))

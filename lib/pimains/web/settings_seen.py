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
from pimains.core.scan_directory import ServiceDirectory
from pimains.core.templates import Template
from pimains.shared import variable_file


def main(scan: Path) -> None:
    """Print them."""
    known = templates.all_of_them()
    found = [instance(each, known[each.service]) for each in scan_directory.found(scan) if each.service in known]
    json.dump(found, sys.stdout)


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

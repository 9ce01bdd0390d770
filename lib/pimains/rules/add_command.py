"""pimains rule add and remove: ready-made rules, whose settings are files in a directory."""

import argparse
from pathlib import Path

from pimains.core import paths, templates
from pimains.core.errors import Misused, PimainsError, WrongSetting
from pimains.rules import ready_settings
from pimains.rules.blocks import made_files
from pimains.rules.places import Places
from pimains.rules.ready_rule import KIND
from pimains.rules.ready_settings import KINDS
from pimains.shared import settings_directory
from pimains.shared.blocks import saving

_OPTION = "setting_"


def arguments(parser: argparse.ArgumentParser) -> None:
    """An option for the kind, and one for each setting of any kind."""
    parser.add_argument("--kind", choices=sorted(KINDS), help="with add: which rule")
    for name, kinds in _kinds_of_settings().items():
        parser.add_argument(f"--{name.lower()}", dest=_OPTION + name, metavar="VALUE", help=f"with add: {name} of {', '.join(kinds)}")


def is_used(options: argparse.Namespace) -> bool:
    """Whether one of them was given."""
    return options.kind is not None or bool(_given(options))


def add(places: Places, number: str, options: argparse.Namespace) -> None:
    """Make the rule of this relay. Raises Misused, PimainsError."""
    directory = places.rules / f"{number}.rule"
    if directory.exists():
        raise settings_directory.there_already(directory)
    if directory.with_suffix(".py").exists():
        raise Misused(f"{directory.with_suffix('.py')} is the rule of relay {number}, and would count more: remove that first")
    if options.kind is None:
        raise Misused(f"a rule needs its kind: pimains rule add {number} --kind=surplus; there are: {', '.join(KINDS)}")
    settings, given = KINDS[options.kind], _given(options)
    if strangers := [name for name in given if name not in settings.declared()]:
        allowed = " ".join(f"--{name.lower()}" for name in settings.declared() if name != KIND)
        raise Misused(f"--{strangers[0].lower()}: --kind={options.kind} has no such setting ({allowed})")
    template = ready_settings.template(paths.service_templates(), options.kind)
    values = {**settings_directory.defaults(template, settings.declared()), **given}
    try:
        settings(values, directory)
    except WrongSetting as wrong:
        name, _, what = str(wrong).removeprefix(f"{directory}/").partition(": ")
        raise Misused(f"--{name.lower()}: {what}") from None
    settings_directory.make(directory, template, values)
    print(f"relay {number} has a rule now: {options.kind}; its settings are files in {directory}, and are taken up when they change")
    for line in _notes(places, number, options.kind, values):
        print(line)


def remove(places: Places, number: str) -> None:
    """Take away a ready-made rule; a file that people have written is theirs. Raises Misused, PimainsError."""
    directory = places.rules / f"{number}.rule"
    if not directory.is_dir() and made_files.of(places.made, int(number)):
        _remove_made(places.made, int(number))
        return
    if not directory.is_dir():
        file = directory.with_suffix(".py")
        own = f"; {file} is a file of yours: sudo rm {file}" if file.exists() else " (pimains rule list)"
        raise Misused(f"relay {number} has no ready-made rule{own}")
    settings_directory.remove(directory)
    print(f"the rule of relay {number} is removed; what becomes of the relay, its ON_LOST says")


def _remove_made(top: Path, number: int) -> None:
    """One that was made of what an editor has saved; the service takes it away, and keeps its last versions."""
    current = saving.current(top, number)
    try:
        saving.save(top, number, {"format": 1, "remove": True, "made_from": current.digest if current else "", "overwrite": True})
    except OSError as error:
        raise PimainsError(f"{error.filename or top}: {(error.strerror or str(error)).lower()}") from None
    print(f"what was made for relay {number} goes as soon as rules runs; what becomes of the relay, its ON_LOST says")


def _notes(places: Places, number: str, kind: str, values: dict[str, str]) -> list[str]:
    """What its author would want to know."""
    if places.relays is None:
        return ["There is no relays service yet: create_service --service_name=relays --add-service"]
    relay = places.relays / number
    if not relay.is_dir():
        return [f"There is no relay {number} yet: pimains relay add {number} --pin=17"]
    if kind == "surplus" or values.get("WHEN") == "surplus":
        watts = _first_line(relay / "WATTS")
        if watts in ("", "0"):
            return [f"WATTS of relay {number} is 0: write what its load draws into {relay}/WATTS, so that this can be added back."]
    return []


def _first_line(path: Path) -> str:
    try:
        return templates.first_line(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""


def _kinds_of_settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for kind, settings in KINDS.items():
        for name in settings.declared():
            found.setdefault(name, []).append(kind)
    del found[KIND]
    return found


def _given(options: argparse.Namespace) -> dict[str, str]:
    values = {name.removeprefix(_OPTION): value for name, value in vars(options).items() if name.startswith(_OPTION)}
    return {name: value for name, value in values.items() if value is not None}

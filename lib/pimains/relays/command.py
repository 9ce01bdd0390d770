"""Tell how the relays are, say what you want of one, make one or remove it.

pimains relay                    all of them
pimains relay 3 on for 2h        off, auto or on; for 90s, 30min, 2h or 1d, or until 18:00, where you say so
pimains relay add 3 --pin=17     its settings are files in a directory; what the contact does from power-on is told
pimains relay remove 3           it goes off, and its settings go
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from pimains.core import coming_up, paths, scan_directory
from pimains.core.errors import Misused, PimainsError, WrongSetting
from pimains.core.plan.columns import aligned
from pimains.core.plan.text import one_line
from pimains.core.scan_directory import ServiceDirectory
from pimains.relays.plan import power_on
from pimains.shared import settings_directory
from pimains.shared.relays import relay_settings, said, shown
from pimains.shared.relays.plan import modes
from pimains.shared.relays.plan.modes import Mode
from pimains.shared.relays.relay_settings import RelaySettings
from pimains.shared.relays.said import Said

_SECONDS = 3.0
_SAME_AGAIN_SECONDS = 0.5  # nothing tells that a mode which it has already was heard
_HEADS = ("", "name", "is", "mode", "W", "switched", "may change", "because")
_ADD, _LIST, _REMOVE = "add", "list", "remove"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `pimains relay` may be told."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("words", nargs="*", metavar="WORD", help="list, N, N off|auto|on [for 2h|until 18:00], add N, or remove N")
    parser.add_argument("--pin", metavar="PIN", help="with add: its GPIO number (BCM), or LABEL:LINE of a GPIO chip")
    parser.add_argument("--name", metavar="TEXT", help="with add: what it switches")
    parser.add_argument("--active_low", action="store_true", help="with add: it is on while its pin is low, as with most boards of relays")
    parser.add_argument("--watts", metavar="W", help="with add: what its load draws")
    parser.add_argument("--servicedir", type=Path, default=scan_directory.SCAN_DIRECTORY, help="where services are (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="the same for programs")


def run(options: argparse.Namespace) -> int:
    """Do it."""
    service = shown.service(options.servicedir)
    words = options.words or [_LIST]
    if words[0] != _ADD and (options.pin or options.name or options.watts or options.active_low):
        raise Misused("--pin, --name, --watts and --active_low are for add: pimains relay add 3 --pin=17 --name=boiler")
    if words[0] == _LIST and len(words) == 1:
        _tell(shown.all_of_them(service), options.json)
    elif words[0] in (_ADD, _REMOVE):
        if len(words) != 2 or not relay_settings.is_number(words[1]):
            raise Misused(f"pimains relay {words[0]} wants the relay's number, 1-999")
        (_add if words[0] == _ADD else _remove)(service, words[1], options)
    elif not relay_settings.is_number(words[0]):
        raise Misused(f"{words[0]!r} is no relay's number (1-999), nor list, add or remove")
    elif len(words) == 1:
        _tell([shown.one(service, words[0], shown.there(service, words[0]))], options.json)
    else:
        print(_say(service, words[0], " ".join(words[1:])))
    return 0


def _tell(found: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(found, indent=2))
    elif not found:
        print("no relay yet: pimains relay add 1 --pin=17 --name=boiler")
    else:
        keys = ("number", "name", "state", "mode", "watts", "switches", "next", "reason")
        for line in aligned([_HEADS, *(tuple(_word(each[key]) for key in keys) for each in found)]):
            print(line)


def _word(value: object) -> str:
    return "?" if value is None else f"{value:g}" if isinstance(value, float) else one_line(str(value))


def _say(service: ServiceDirectory, number: str, text: str) -> str:
    """What became of it."""
    directory = shown.there(service, number)
    try:
        mode = modes.parse(text)
    except ValueError as wrong:
        raise Misused(str(wrong)) from None
    path = shown.mode_file(service, number)
    mode_before = shown.one(service, number, directory)["mode"]
    try:
        coming_up.patiently(service, lambda: said.write(path, text))
    except PermissionError:
        raise PimainsError(f"{path}: root and members of group pimains may do that") from None
    except OSError as error:
        raise PimainsError(f"{path}: {error.strerror}; does the service run? (pimains status)") from None
    wanted, begun, before = modes.in_words(mode), time.monotonic(), None
    heard_at = begun + _SAME_AGAIN_SECONDS if mode_before == wanted else begun
    while (now := time.monotonic()) < begun + _SECONDS:
        if (heard := said.read(path)) and not _says(heard, mode):
            return f"relay {number}: somebody else has said {heard.text} meanwhile"
        told = shown.one(service, number, directory)
        # not while it is just being told, file by file
        if told == before and told["mode"] == wanted and now >= heard_at:
            return f"relay {number}{' (' + told['name'] + ')' if told['name'] else ''} is {told['state']}: {told['reason']}"
        before = told
        time.sleep(0.02)
    return f"relay {number}: {wanted} is written down, and {service.name} has not taken it up yet (pimains status)"


def _says(heard: Said, mode: Mode) -> bool:
    try:
        return said.mode(heard) == mode
    except ValueError:
        return False


def _add(service: ServiceDirectory, number: str, options: argparse.Namespace) -> None:
    directory = shown.directory(service) / number
    if directory.exists():
        raise settings_directory.there_already(directory)
    if not options.pin:
        raise Misused(f"a relay needs its pin: pimains relay add {number} --pin=17")
    given = {"PIN": options.pin, "NAME": options.name, "ACTIVE_LOW": "1" if options.active_low else None, "WATTS": options.watts}
    template = paths.service_templates() / "relays/relay"
    defaults = settings_directory.defaults(template, RelaySettings.declared())
    values = {name: given.get(name) or default for name, default in defaults.items()}
    try:
        settings = RelaySettings(values, directory)
    except WrongSetting as wrong:
        raise Misused(str(wrong)) from None
    _is_free(service, number, settings)
    settings_directory.make(directory, template, values)
    print(f"relay {number} is made; its settings are files in {directory}, and are taken up when they change")
    if not settings.pin.label:
        print("\n".join(power_on.in_words(settings.pin.line, settings.ACTIVE_LOW)))
    else:
        print(f"What {settings.pin} does from power-on until this service runs, the data sheet of its chip tells.")


def _is_free(service: ServiceDirectory, number: str, settings: RelaySettings) -> None:
    directory = shown.directory(service)
    for other in relay_settings.numbers(directory):
        if other == number:  # somebody else has just made it, which is told when it is to be made
            continue
        try:
            taken = relay_settings.read(directory / other).pin
        except WrongSetting:
            continue
        if taken == settings.pin:
            raise Misused(f"--pin: {settings.pin} is the pin of relay {other} already")


def _remove(service: ServiceDirectory, number: str, options: argparse.Namespace) -> None:  # noqa: ARG001  # as _add
    directory = shown.there(service, number)
    settings_directory.remove(directory)
    print(f"relay {number} is removed: it goes off, and its pin is let go; how often it has switched stays known")

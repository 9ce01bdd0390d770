"""Tell how the UPSes are, check that NUT's files and the settings go together, cancel an outage, or import an upsmon.conf.

check ends with exit code 1 where it found something. It sees the most as root. cancel ends what an outage still has in hand, as far as
that can be taken back, and with exit code 1 where it cannot: others go down by then.

host add NAME makes or changes one of the other machines of the house, host remove NAME takes it away; host list shows all with the last
proof that they were up; host check logs in at them, or at one, and does nothing there.
"""

import argparse
import getpass
import json
import os
import time
from pathlib import Path
from typing import Any

from pimains.core import paths, scan_directory, state
from pimains.core.errors import Misused, PimainsError
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared import outage_file
from pimains.shared.orders.asker_end import ask_service
from pimains.shared.plan import host_steps
from pimains.ups import check, instances
from pimains.ups.hosts import command as host_command
from pimains.ups.hosts import directories, last_look
from pimains.ups.plan import host_words, importing, nut_conf

_VALUES = ("line", "words", "ups.status", "battery.charge", "battery.runtime", "battery.end", "ups.load", "input.voltage", "output.voltage")
_TEXTS = ("line", "words", "ups.status")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `pimains ups` may be told."""
    actions = ("show", "check", "cancel", "import", "host")
    parser.add_argument("action", nargs="?", choices=actions, default="show", help="what to do (default: %(default)s)")
    parser.add_argument(
        "what", nargs="?", metavar="FILE|WORD", help=f"with import: the upsmon.conf; with host: {', '.join(host_command.ACTIONS)}"
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="with host: which one")
    parser.add_argument("--to", metavar="DIRECTORY", type=Path, help="write the imported settings there, for an instance made of them")
    parser.add_argument(
        "--nut", metavar="DIRECTORY", type=Path, default=Path("/etc/nut"), help="where NUT's files are (default: %(default)s)"
    )
    parser.add_argument("--instance", help="the ups service, when there are several")
    parser.add_argument("--servicedir", type=Path, default=scan_directory.SCAN_DIRECTORY, help="where services are (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="for programs")
    host_command.arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Do it."""
    if options.action != "host":
        if (options.what is None) == (options.action == "import") or options.name:
            raise Misused("import needs a FILE, and nothing else does: pimains ups import /etc/nut/upsmon.conf")
        if host_command.given(options) or options.accept:
            raise Misused(f"settings of a host mean nothing with {options.action}: pimains ups host add NAME ...")
    if options.to and options.action != "import":
        raise Misused(f"--to means nothing with {options.action}")
    if options.action == "import":
        return _import(Path(options.what), options.to, as_json=options.json)
    services = instances.chosen(options)
    if options.action == "cancel":
        return _cancel(services, as_json=options.json)
    if options.action == "host":
        return host_command.run(options.what, options.name, instances.only_one(services), options)
    return _check(services, options.nut, as_json=options.json) if options.action == "check" else _show(services, as_json=options.json)


def _show(services: list[ServiceDirectory], *, as_json: bool) -> int:
    found = {each.name: _upses(each) for each in services}
    if as_json:
        print(json.dumps(found, indent=2))
        return 0
    for service, upses in found.items():
        for name, values in upses.items():
            print(f"{service}: {name}: {values['words'] or 'not known: does the service run?'}")
    for each in services:
        if hosts := state.read(each.run / "hosts"):
            print(f"{each.name}: hosts: {hosts}")
    return 0


def _upses(service: ServiceDirectory) -> dict[str, dict[str, Any]]:
    settings = check.settings_of(service)
    hosts, outage = directories.read(service.path).good, _hosts_in_outage(service)
    now = time.monotonic()
    found = {}
    for ups in settings.UPS:
        name = settings.called(ups)
        prefix = "" if ups == settings.UPS[0] else f"{name}."
        texts = {value: state.read(service.run / f"{prefix}{value}") for value in _VALUES}
        found[name] = {
            **{value: text if value in _TEXTS else state.number(text) for value, text in texts.items()},
            "hosts": {each: _host(service, each, outage, now) for each, host in hosts.items() if not host.UPS or name in host.UPS},
        }
    return found


def _hosts_in_outage(service: ServiceDirectory) -> host_steps.Hosts:
    outage = outage_file.seen_by_others(service.run, paths.lib(service.root) / service.name)
    return host_steps.read(outage.hosts) if outage else {}


def _host(service: ServiceDirectory, name: str, outage: host_steps.Hosts, now: float) -> dict[str, Any]:
    """`step` and `words`: how far it has come in an outage, None without one."""
    host = outage.get(name)
    return {
        "step": host.step if host else None,
        "words": host_words.shown(host) if host else None,
        "last_proof": host_command.proved(last_look.read(service.run, name), now),
    }


def _cancel(services: list[ServiceDirectory], *, as_json: bool) -> int:
    said: dict[str, dict[str, Any]] = {}
    for service in services:
        try:
            said[service.name] = {"ok": True, "said": ask_service(service, f"outage-cancel {getpass.getuser()}")}
        except PimainsError as refused:
            said[service.name] = {"ok": False, "said": str(refused)}
    if as_json:
        print(json.dumps(said, indent=2))
    else:
        for name, each in said.items():
            print(f"{name}: {each['said']}")
    return 0 if all(each["ok"] for each in said.values()) else 1


def _check(services: list[ServiceDirectory], nut: Path, *, as_json: bool) -> int:
    found = {each.name: check.findings(each, nut) for each in services}
    if as_json:
        print(json.dumps({name: [each._asdict() for each in listed] for name, listed in found.items()}, indent=2))
    else:
        for name, listed in found.items():
            for each in listed:
                print(each)
            if not listed:
                print(f"{name}: nothing that does not go together" + ("" if os.geteuid() == 0 else ", as far as others than root may see"))
    return 1 if any(found.values()) else 0


def _import(file: Path, to: Path | None, *, as_json: bool) -> int:
    try:
        imported = importing.settings_of(nut_conf.read(file.read_text(encoding="utf-8", errors="replace")))
    except OSError as error:
        raise PimainsError(f"{file}: {error.strerror}") from None
    if "UPS" not in imported.settings:
        why = "; ".join(note for note in imported.notes if ": MONITOR has " in note or ": a quotation mark" in note)
        says = "has no MONITOR with a UPS, its power value, a user, a password and a role"
        raise PimainsError(f"{file}: {says}" + (f"; {why}" if why else ""))
    check.try_out(file, imported)
    if to:
        _write(to, imported.settings)
    if as_json:
        shown = {name: value for name, value in imported.settings.items() if name != "PASSWORD"}
        print(json.dumps({"settings": shown, "notes": imported.notes}, indent=2))
        return 0
    for name, value in sorted(imported.settings.items()):
        print(f"{name}: {'(the secret)' if name == 'PASSWORD' else value}")
    for note in imported.notes:
        print(f"{file}: {note}")
    if to:
        print(f"written: create_service --service_name=ups --restore={to} --add-service")
    else:
        print(f"pimains ups import {file} --to DIRECTORY writes them for create_service")
    return 0


def _write(to: Path, settings: dict[str, str]) -> None:
    try:
        to.mkdir(mode=0o700, parents=True)
        for name, value in settings.items():
            state.write(to / name, value, mode=0o600)
    except OSError as error:
        raise PimainsError(f"{to}: {error.strerror}") from None

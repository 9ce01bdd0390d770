"""pimains ups host add|remove|list|check: the other machines that go down and come up with a UPS."""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from pimains.core import scan_directory
from pimains.core.errors import Away, Misused, PimainsError, WrongSetting
from pimains.core.plan.columns import aligned
from pimains.core.plan.sentences import ago
from pimains.core.plan.text import short_line
from pimains.core.scan_directory import ServiceDirectory
from pimains.ups.hosts import checking, directories, keys, last_look, making, neighbour_table, ssh
from pimains.ups.hosts.keys import HostKey
from pimains.ups.hosts.settings import HostSettings, is_name
from pimains.ups.plan.proving import LOOKS

ACTIONS = ("add", "remove", "list", "check")
_SHOWN = {"AFTER": "AFTER", "SHED_AT": "SHED AT", "WAKE": "WAKE", "MAC": "MAC"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `host add` may be told: the settings of a host, and which host key is its own."""
    group = parser.add_argument_group("with host add")
    for name, variable in directories.variables().items():
        group.add_argument(_option(name), dest=f"host_{name}", metavar=name, help=variable.meaning.replace("%", "%%"))
    group.add_argument("--accept", metavar="FINGERPRINT", help="the fingerprint of its host key, for where nobody can be asked")


def given(options: argparse.Namespace) -> dict[str, str]:
    """The settings of a host among the words after `pimains ups`, by name."""
    found = {name: getattr(options, f"host_{name}") for name in HostSettings.declared()}
    return {name: value.strip() for name, value in found.items() if value is not None}


def run(action: str | None, name: str | None, service: ServiceDirectory, options: argparse.Namespace) -> int:
    """Do it; returns the exit code."""
    if action not in ACTIONS:
        raise Misused(f"pimains ups host needs one of {', '.join(ACTIONS)}, as in: pimains ups host add nas --ssh=root@nas.lan")
    if name is None and action in ("add", "remove"):
        raise Misused(f"which host? pimains ups host {action} NAME")
    if action != "add" and (given(options) or options.accept):
        raise Misused(f"settings mean nothing with host {action}")
    try:
        if action == "add":
            return _add(service, str(name), options)
        if action == "remove":
            return _remove(service, str(name), as_json=options.json)
        return _list(service, name, as_json=options.json) if action == "list" else _check(service, name, as_json=options.json)
    except OSError as error:
        hint = " (try it with sudo)" if isinstance(error, PermissionError) and os.geteuid() != 0 else ""
        raise PimainsError(f"{error.filename or service.path}: {error.strerror}{hint}") from None


def _add(service: ServiceDirectory, name: str, options: argparse.Namespace) -> int:
    if not is_name(name):
        raise Misused(f"a host cannot be called {name!r}: up to 40 of a-z 0-9 _ . -, first a letter or digit")
    directory = service.path / directories.HOSTS / name
    is_new = not directory.is_dir()
    values = {**directories.defaults(), **(directories.values(directory) if not is_new else {}), **given(options)}
    host = _tried(service, name, values)
    if host.PLUG:
        _need_plug(service, host)
    key = _host_key(host, options.accept)
    looked_up = ""
    if not host.MAC and host.address and "MAC" not in given(options):
        looked_up = neighbour_table.mac_of(host.address)
        values["MAC"] = looked_up
        host = _tried(service, name, values)
    done = making.write(service.path, host, values, key)
    lines = _lines_there(host)
    if options.json:
        found = {"host": name, "directory": str(directory), "changed": sorted(done), "MAC": host.MAC}
        print(json.dumps({**found, "host_key": key.fingerprint if key else None, **lines}, indent=2))
        return 0
    if is_new or done:
        changed = "" if is_new else f": {', '.join(sorted(done))}"
        print(f"{'made' if is_new else 'changed'} {directory}{changed}; svc -t {service.path} applies it")
    else:
        print(f"{name} has these settings already")
    if looked_up:
        print(f"its Ethernet address is {looked_up}, as this machine sees it: magic packets go there")
    if "authorized_keys" in lines:
        print(f"This line belongs into ~{host.SSH.user if host.SSH else ''}/.ssh/authorized_keys on {host.address}:")
        print(lines["authorized_keys"])
    if "sudoers" in lines:
        print(f"And this one into a file there that visudo -f /etc/sudoers.d/pimains opens:\n{lines['sudoers']}")
    if "command" in lines:
        print(f"{lines['command']}")
    print(f"Then: sudo pimains ups host check {name}")
    return 0


def _tried(service: ServiceDirectory, name: str, values: dict[str, str]) -> HostSettings:
    """The host, if it had these values: nothing is written for one that is wrong."""
    try:
        return directories.with_another(service.path, name, values)
    except WrongSetting as wrong:
        path, _, what = str(wrong).partition(": ")
        raise Misused(f"{_option(Path(path).name)}: {what}") from None


def _need_plug(service: ServiceDirectory, host: HostSettings) -> None:
    plugs = [each.name for each in scan_directory.found(service.path.parent) if each.service == "plug"]
    if host.PLUG not in plugs:
        raise Misused(f"--plug: there is no plug service {host.PLUG} in {service.path.parent} (there is: {', '.join(plugs) or 'none'})")


def _host_key(host: HostSettings, accepted: str | None) -> HostKey | None:
    """The key to pin, which a person has agreed to; None where there is nothing to pin. Raises PimainsError before anything is written."""
    if host.SSH is None:
        return None
    pinned = keys.pinned(host.known_hosts)
    try:
        shown = keys.scan(host.SSH)
    except Away:
        if pinned and not accepted:
            return pinned[0]
        raise
    if accepted:
        if found := [each for each in shown if each.fingerprint == accepted.strip()]:
            return found[0]
        raise PimainsError(f"{host.SSH}: shows {', '.join(map(str, shown))}, not {accepted}: nothing was written")
    if pinned and pinned[0] in shown:
        return pinned[0]
    key = shown[0]
    before = f", another one than the pinned {pinned[0]}" if pinned else ""
    told = f"{host.SSH}: its host key is {key}{before}"
    if not sys.stdin.isatty():
        raise PimainsError(f"{told}: nothing was written; if `{key.shown_there}` says the same there, add --accept={key.fingerprint}")
    print(f"{told}. On {host.address} itself this shows it: {key.shown_there}", file=sys.stderr)
    print("Are they the same? (yes or no) ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("yes", "y"):
        raise PimainsError("nothing was written")
    return key


def _lines_there(host: HostSettings) -> dict[str, str]:
    """What has to be put on the host, by where."""
    if host.SSH is None:
        return {}
    lines = {"authorized_keys": ssh.authorized(host.COMMAND, keys.public(host.key))}
    if host.SSH.user == "root":
        return lines
    words = [word for word in host.COMMAND.split() if word not in ("sudo", "-n")]
    program = " ".join([words[0] if words[0].startswith("/") else f"/usr/sbin/{words[0]}", *words[1:]])
    if host.COMMAND.startswith("sudo "):
        lines["sudoers"] = f"{host.SSH.user} ALL=(root) NOPASSWD: {program}"
    else:
        sudo = f"pimains ups host add {host.name} --command='sudo -n {host.COMMAND}'"
        lines["command"] = f"Where {host.SSH.user} may not do {host.COMMAND}: {sudo} tells what it needs then."
    return lines


def _remove(service: ServiceDirectory, name: str, *, as_json: bool) -> int:
    directory = service.path / directories.HOSTS / name
    target = directories.values(directory).get("SSH", "") if directory.is_dir() else ""
    public = (directory / "key.pub").read_text(encoding="utf-8").strip() if (directory / "key.pub").exists() else ""
    making.remove(service.path, name)
    last_look.forget(service.run, name)
    if as_json:
        print(json.dumps({"removed": name, "key": public or None}, indent=2))
        return 0
    print(f"removed {directory}; svc -t {service.path} applies it")
    if public:
        print(f"The line with this key may go from authorized_keys at {target}: {public}")
    return 0


def _list(service: ServiceDirectory, name: str | None, *, as_json: bool) -> int:
    good, wrong = _chosen(service, name)
    now = time.monotonic()
    looks = {each.name: last_look.read(service.run, each.name) for each in good}
    values = {each.name: directories.values(each.directory) for each in good}
    upses = directories.upses_of(service.path)
    if as_json:
        found = [{**_told(values[each.name], each, looks[each.name], now), "fed_by": list(each.UPS or upses)} for each in good]
        print(json.dumps({"hosts": found, "wrong": wrong}, indent=2))
        return 1 if wrong else 0
    shown = {**({"UPS": "UPS"} if len(upses) > 1 else {}), **_SHOWN}
    rows = [
        (
            each.name,
            each.way,
            *(values[each.name].get(setting, "") or "-" for setting in shown),
            _when(looks[each.name], now),
        )
        for each in good
    ]
    for line in aligned([("HOST", "GOES BY", *shown.values(), "LAST PROOF"), *rows]) if rows else ():
        print(line)
    for line in wrong.values():
        print(line)
    if not good and not wrong:
        print(f"{service.name} has no hosts (pimains ups host add NAME --ssh=root@nas.lan)")
    return 1 if wrong else 0


def _told(values: dict[str, str], host: HostSettings, look: last_look.LastLook | None, now: float) -> dict[str, Any]:
    settings = {setting: values.get(setting, "") for setting in HostSettings.declared()}
    return {"host": host.name, "goes_by": host.way, **settings, "last_proof": proved(look, now)}


def proved(look: last_look.LastLook | None, now: float) -> dict[str, Any] | None:
    """What the last look found, for programs."""
    return {"look": look.look, "words": LOOKS[look.look], "seconds_ago": round(now - look.at, 1)} if look else None


def _when(look: last_look.LastLook | None, now: float) -> str:
    if look is None:
        return "-"
    return f"{LOOKS[look.look]}, {ago(max(0.0, now - look.at))}"


def _check(service: ServiceDirectory, name: str | None, *, as_json: bool) -> int:
    good, wrong = _chosen(service, name)
    checked = checking.check(good, service.run)
    if as_json:
        found = [each._asdict() for each in checked] + [{"host": each, "well": [], "faults": [line]} for each, line in wrong.items()]
        print(json.dumps(found, indent=2))
    else:
        for each in checked:
            if each.well:
                print(f"{each.host}: {'; '.join(each.well)}")
            for fault in each.faults:
                print(f"{each.host}: {short_line(fault)}")
        for line in wrong.values():
            print(line)
        if not checked and not wrong:
            print(f"{service.name} has no hosts")
    return 1 if wrong or any(each.faults for each in checked) else 0


def _chosen(service: ServiceDirectory, name: str | None) -> tuple[list[HostSettings], dict[str, str]]:
    """All hosts, or the one of that name: good ones, and lines of wrong ones."""
    hosts = directories.read(service.path)
    if name is not None and name not in hosts.good and name not in hosts.wrong:
        there = ", ".join(sorted({*hosts.good, *hosts.wrong})) or "none"
        raise Misused(f"{service.name} has no host {name} (there are: {there})")
    good = [host for each, host in hosts.good.items() if name in (None, each)]
    return good, {each: line for each, line in hosts.wrong.items() if name in (None, each)}


def _option(setting: str) -> str:
    return f"--{setting.lower().replace('_', '-')}"

"""Switch a plug on or off, or ask how it is, from any machine: the network power-on that stands in for Wake-on-LAN.

Without --host it is the plug of this machine's own plug service. `off` asks the Pi behind the plug to shut down; the
power is cut when it has. Each returns when the plug has confirmed.
"""

import argparse
import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pimains.core import scan_directory, templates
from pimains.core.errors import Away, PimainsError, WrongSetting
from pimains.plug.settings import PlugSettings

if TYPE_CHECKING:
    from pimains.plug.device import Plug

OPTIONS = {"HOST": "--host", "PORT": "--port", "ENCRYPTION_KEY": "--key-file", "PASSWORD": "--password-file"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `pimains plug` may be told."""
    parser.add_argument("action", choices=("on", "off", "status"), help="what to do")
    parser.add_argument("--host", help="the plug's name or address (default: that of this machine's plug service)")
    parser.add_argument("--port", help="the port of its native API (default: 6053)")
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="a file with its encryption key")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="a file with its password (firmware before 2026.1)")
    parser.add_argument("--instance", help="the plug service whose settings are taken, when there are several")
    parser.add_argument(
        "--servicedir", type=Path, default=scan_directory.SCAN_DIRECTORY, help="where its services are (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="how the plug is then, for programs")


def run(options: argparse.Namespace) -> int:
    """Do it, and say how the plug is then."""
    settings, where = settings_from(options)
    try:
        from pimains.plug import esphome
        from pimains.plug.device import Names, Plug
    except ModuleNotFoundError as missing:
        raise PimainsError(f"the Python module {missing.name} is missing: apt install python3-aioesphomeapi") from None
    esphome.be_quiet_below("error")
    address = esphome.Address(settings.HOST, settings.PORT, settings.ENCRYPTION_KEY, settings.PASSWORD)
    switches = (settings.DELAY_SWITCH, settings.REAL_DELAY_SWITCH, settings.HEARTBEAT_SWITCH)
    names = Names(*switches, settings.COUNTDOWN_NUMBER, settings.DEAD_MAN_NUMBER, settings.POWER_SENSOR)

    async def do() -> dict[str, Any]:
        plug = await Plug.at(address, names)
        try:
            if options.action != "status":
                await plug.switch(options.action == "on")
            return told(plug, settings.HOST)
        finally:
            await plug.close()

    try:
        state = asyncio.run(do())
    except esphome.Refused as refused:
        raise PimainsError(f"{where(refused.setting)}: {refused}") from None
    except Away as away:
        raise PimainsError(f"{settings.HOST}: {away}") from None
    print(json.dumps(state, indent=2) if options.json else sentence(options.action, state))
    return 0


def told(plug: "Plug", host: str) -> dict[str, Any]:
    """How the plug is, as it said."""
    return {
        "host": host,
        "name": plug.name,
        "relay": plug.value(plug.relay),
        "delay_switch": plug.value(plug.delay),
        "counting_down": plug.is_counting_down,
        "countdown_seconds": plug.value(plug.countdown),
        "dead_man_seconds": plug.value(plug.dead_man),
        "power_watts": plug.value(plug.power),
    }


def sentence(action: str, plug: dict[str, Any]) -> str:
    """The same for people."""
    name = f"{plug['name']} ({plug['host']})"
    if plug["counting_down"]:
        again = ", and on again 5 s later" if plug["delay_switch"] else ""
        return f"{name}: the power is on and will be cut within {plug['countdown_seconds']:g} s{again}"
    power = {True: "power on", False: "power off", None: "relay unknown"}[plug["relay"]]
    watts = "" if plug["power_watts"] is None else f", {plug['power_watts']:.1f} W"
    if action == "off" and plug["relay"] is not False:
        return f"{name}: {power}{watts}; the Pi is asked to shut down, then the power is cut"
    waiting = "" if plug["delay_switch"] or plug["relay"] is False else ", the Pi was asked to shut down"
    cut = "" if plug["countdown_seconds"] is None else f", cut {plug['countdown_seconds']:g} s after a shutdown"
    dead_man = f", cut after {plug['dead_man_seconds']:g} s without a heartbeat" if plug["dead_man_seconds"] else ""
    return f"{name}: {power}{watts}{waiting}{cut}{dead_man}"


def settings_from(options: argparse.Namespace) -> tuple[PlugSettings, Any]:
    """The settings of the local instance that is meant, and over them the options; and what tells where one came from.

    Raises PimainsError where that does not make a plug.
    """
    values: dict[str, str] = {name: variable.default for name, variable in templates.all_of_them()["plug"].variables().items()}
    instance = _local(options)
    if instance is not None:
        for name, value in instance.variables().items():
            if value is None and name in PlugSettings.declared():
                raise PimainsError(f"{instance.path}/variables/{name}: only root may read it (sudo, or --host and --key-file)")
            values[name] = value or ""
    given = {
        "HOST": options.host,
        "PORT": options.port,
        "ENCRYPTION_KEY": _first_line(options.key_file),
        "PASSWORD": _first_line(options.password_file),
    }
    values |= {name: value for name, value in given.items() if value is not None}

    def where(name: str) -> str:
        return f"{instance.path}/variables/{name}" if instance is not None and given.get(name) is None else OPTIONS.get(name, name)

    if not values["HOST"]:
        raise PimainsError("which plug? There is no plug service on this machine: --host=NAME")
    try:
        return PlugSettings(values, Path()), where
    except WrongSetting as wrong:
        name, _, what = str(wrong).partition(":")
        raise PimainsError(f"{where(name)}:{what}") from None


def _local(options: argparse.Namespace) -> scan_directory.ServiceDirectory | None:
    """The plug service whose settings to begin with; None: none."""
    there = scan_directory.found(options.servicedir) if options.servicedir.is_dir() else []
    plugs = [each for each in there if each.service == "plug"]
    if options.instance is not None:
        plugs = [each for each in plugs if each.name == options.instance]
        if not plugs:
            raise PimainsError(f"{options.servicedir} has no plug service {options.instance!r}")
    elif options.host is not None:
        plugs = [each for each in plugs if each.variables().get("HOST") == options.host]
    if len(plugs) > 1 and options.instance is None and options.host is None:
        plugs = [each for each in plugs if each.variables().get("FEEDS") != "another"] or plugs
    if len(plugs) > 1 and options.host is None:
        raise PimainsError(f"which plug? --instance={' or --instance='.join(each.name for each in plugs)}")
    return plugs[0] if plugs else None


def _first_line(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip()
    except OSError as error:
        raise PimainsError(f"{path}: {(error.strerror or str(error)).lower()}") from None

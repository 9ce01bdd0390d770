"""What a rehearsal goes by: what is known here of the battery, the halt and the other machines, and what is assumed where nothing is."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pimains.core import paths, state
from pimains.core.plan.sentences import duration
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared import halt_length
from pimains.ups.hosts import directories, last_look
from pimains.ups.plan import battery as batteries
from pimains.ups.plan import nut_conf, proving
from pimains.ups.settings import Ups, UpsSettings

_LASTS_SECONDS = 600.0
_OFF_DELAY_SECONDS = 20.0  # NUT's own, usbhid-ups(8)
_UPS_CONF = Path("/etc/nut/ups.conf")


class Battery(NamedTuple):
    """`charge` in percent as the mains fail; from full it lasts for `seconds`. `tells` are the variables that the UPS has."""

    charge: float
    seconds: float
    tells: frozenset[str]
    off_delay: float | None  # as upsd tells it, None where that is not known

    @property
    def cuts_after(self) -> float:
        """Seconds from the order to cut."""
        return _OFF_DELAY_SECONDS if self.off_delay is None else self.off_delay


class Assumed(NamedTuple):
    """By the names of UPSes and hosts; `words` say it to people."""

    batteries: dict[str, Battery]
    is_up: dict[str, bool]
    clients: dict[str, str]  # addresses of NUT clients, by host
    halting: float
    shutdown: float
    words: list[str]


def of(service: ServiceDirectory, settings: UpsSettings, charge: float | None) -> Assumed:
    """What is known now of an instance; `charge` in percent is a person's wish."""
    words: list[str] = []
    delays = _off_delays(words)
    found = {settings.called(ups): _battery(service, settings, ups, charge, delays, words) for ups in settings.UPS}
    hosts, wrong = directories.read(service.path)
    words += [f"left out: {line}" for line in wrong.values()]
    is_up = {name: _is_up(service, name) for name in hosts}
    if off := [name for name, there in is_up.items() if not there]:
        words.append(f"off before, as the last look found: {', '.join(off)}")
    clients = {name: host.CLIENT for name, host in hosts.items() if host.CLIENT and is_up[name]}
    listed = ", ".join(f"{name} ({address})" for name, address in clients.items())
    words.append(f"logged in at upsd beside this machine: {listed or 'nobody'}; who else does is not among the hosts and not reckoned with")
    length, shutdown = halt_length.read(), halt_length.shutdown_seconds()
    known = "as measured" if length != halt_length.UNKNOWN else "which was never measured here"
    words.append(f"halt takes {length.measured:.0f} s and the shutdown after it {shutdown:.0f} s, {known}")
    return Assumed(found, is_up, clients, length.measured, shutdown, words)


def host_words(took: Mapping[str, float | None]) -> list[str]:
    """How long each is reckoned with to go down; `took` is what was measured."""
    never = [name for name, seconds in took.items() if seconds is None]
    return [f"never measured, so that they take most of their DOWN_SECONDS_MAX: {', '.join(never)}"] if never else []


def _battery(
    service: ServiceDirectory, settings: UpsSettings, ups: Ups, wish: float | None, delays: Mapping[str, float], words: list[str]
) -> Battery:
    name = settings.called(ups)
    prefix = "" if ups == settings.UPS[0] else f"{name}."
    charge, runtime = (state.number(state.read(service.run / f"{prefix}battery.{what}")) for what in ("charge", "runtime"))
    pasts = batteries.read(state.read(paths.lib(service.root) / service.name / f"pasts.{name}") or "")
    tells = frozenset(what for what, value in (("battery.charge", charge), ("battery.runtime", runtime)) if value is not None)
    if runtime and (charge is None or charge > 0):
        seconds, source = runtime * 100 / (charge or 100), "as the UPS reports"
    elif pasts:
        seconds, source = 100 * min(past.seconds / past.points for past in pasts), "at the pace of earlier outages"
    else:
        seconds, source = _LASTS_SECONDS, "which is assumed, as nothing is known of it"
    begins = wish if wish is not None else charge if charge is not None else 100.0
    words.append(f"the battery of {name} has {begins:g} %, and would last for {duration(seconds)} from full, {source}")
    return Battery(
        begins, seconds, tells or frozenset(("battery.charge", "battery.runtime")), delays.get(ups.name) if ups.is_here else None
    )


def _is_up(service: ServiceDirectory, name: str) -> bool:
    look = last_look.read(service.run, name)
    return look is None or look.look != proving.SILENT


def _off_delays(words: list[str]) -> dict[str, float]:
    """By the UPSes of this machine's ups.conf; that a user may not read it is said."""
    try:
        lines = nut_conf.read(_UPS_CONF.read_text(encoding="utf-8", errors="replace"))
    except PermissionError:
        words.append(f"a UPS cuts {_OFF_DELAY_SECONDS:g} s after the order, which is assumed, as only root and nut may read {_UPS_CONF}")
        return {}
    except OSError:
        return {}
    return {line.section: delay for line in lines if line.name == "offdelay" and (delay := state.number(line.value)) is not None}

"""The page Outage: how each UPS stands, the outage under way, the last one as the ledger has it, and how the next one would go."""

import asyncio
import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from pimains.core import alive, ledger_told, state
from pimains.core.clock import boot_id
from pimains.core.ledger import Ledger
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared import http_server as http
from pimains.shared import outage_file
from pimains.shared.plan import host_steps
from pimains.shared.plan.outage import Outage
from pimains.web import setting_files, verbs
from pimains.web.plan import outages
from pimains.web.plan.outages import Row
from pimains.web.routes import Answer, Operation, Routes
from pimains.web.seen import Seen

_REHEARSAL_SECONDS = 60.0
_ROWS = 200  # of each subject
_HALT_AFTER_SECONDS = 900.0  # this machine goes down at the end of what its ups service notes
_TIME = re.compile(r"[0-9]{1,5}[smh]?")
_CHARGE = re.compile(r"[1-9][0-9]?|100")
_MODELS = ("returns", "ignores", "cannot")
_NUMBERS = ("battery.charge", "battery.runtime", "ups.load", "input.voltage")
_WORDS = ("words", "line", "device.model", "ups.status")


class OutagePage:
    """Of every ups service."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._rehearsing = asyncio.Lock()

    def add_to(self, routes: Routes) -> None:
        """Its page and paths."""
        routes.page("outage")
        routes.shows("/v1/outage", self.show, Operation("How each UPS stands, the outage under way, and the last one"))
        query = {
            "instance": "the ups service; may be left out where there is one",
            "lasting": "how long the mains are away: a number with s, m or h",
            "charge": "percent that the batteries begin with; left out: as it is now",
            "ups": "what the UPS does that is told to cut: returns, ignores or cannot",
        }
        routes.shows("/v1/outage/rehearsal", self.rehearse, Operation("An outage in virtual time (pimains rehearse outage)", query=query))

    async def show(self, _: web.Request) -> Answer:
        """GET /v1/outage."""
        return await asyncio.to_thread(lambda: {"instances": [self._told(each) for each in self._seen.of("ups")]})

    async def rehearse(self, request: web.Request) -> Answer:
        """GET /v1/outage/rehearsal."""
        query = request.query
        lasting, charge, model = query.get("lasting", "20m"), query.get("charge", ""), query.get("ups", _MODELS[0])
        if not _TIME.fullmatch(lasting):
            raise http.refusal(400, "lasting: not a number with s, m or h, at most 24h")
        if charge and not _CHARGE.fullmatch(charge):
            raise http.refusal(400, "charge: not 1-100 percent")
        if model not in _MODELS:
            raise http.refusal(400, f"ups: not one of {', '.join(_MODELS)}")
        instance = query.get("instance", "")
        if instance and instance not in [each.name for each in self._seen.of("ups")]:
            raise http.refusal(404, "there is no such ups service on this machine")
        if self._rehearsing.locked() and not http.is_known(request):  # who is logged in has the next turn, strangers none
            raise http.refusal(429, "somebody rehearses at this moment; try again in a few seconds", Retry_After="5")
        words = [f"--lasting={lasting}", f"--ups={model}", "--json", f"--servicedir={self._seen.scan}"]
        words += [f"--charge={charge}"] if charge else []
        words += [f"--instance={instance}"] if instance else []
        async with self._rehearsing:
            found: dict[str, Any] = await verbs.answer("rehearse", "outage", *words, seconds=_REHEARSAL_SECONDS)
        return found

    def _told(self, ups: ServiceDirectory) -> dict[str, Any]:
        lib = self._seen.lib / ups.name
        outage = outage_file.seen_by_others(ups.run, lib)
        now = self._seen.clock.monotonic()
        unseen = _unseen(ups, lib)
        return {
            "name": ups.name,
            "is_up": alive.look(ups.run).is_up,
            "status": state.read(ups.run / "status"),
            "is_well": state.read(ups.run / "unwell") is None,
            "upses": [_ups(ups.run, name, prefix, now) for name, prefix in _names(ups)],
            "outage": _outage(outage, now) if outage else None,
            "feeds_this_machine": any(word.strip("0") for word in setting_files.value(ups.path / "variables/POWER").split()),
            "plans": _plans(ups),
            "last": [row._asdict() for row in self._last(ups, unseen)],
            "unseen": unseen,
        }

    def _last(self, ups: ServiceDirectory, unseen: list[str]) -> list[Row]:
        """Of the last outage; what keeps the ledger from being read is added to `unseen`."""
        ledger = Ledger(tell=lambda line: unseen.append(line))
        try:
            hosts = [each for each in ledger.subjects() if each.startswith("host ") and each.removeprefix("host ") in _hosts(ups)]
            found = outages.last([row for each in (f"ups {ups.name}", *hosts) for row in self._rows(ledger, each)])
            if not found:
                return []
            begin, end = found[0].wall, found[-1].wall + _HALT_AFTER_SECONDS
            return sorted([*found, *(row for row in self._rows(ledger, "halt") if begin <= row.wall <= end)])
        except (OSError, sqlite3.Error) as error:
            unseen.append(f"{ledger.path}: {error}")
            return []

    def _rows(self, ledger: Ledger, subject: str) -> list[Row]:
        """Dated as Events does: a machine that the outage put down may have come up without knowing the time."""
        entries = ledger.entries(subject, _ROWS)
        return [Row(ledger_told.when(each, self._seen.clock)[0], each.subject, each.action, each.cause) for each in entries]


def _names(ups: ServiceDirectory) -> list[tuple[str, str]]:
    """What its UPSes are called, and how their files begin; the first one's begin with nothing."""
    given = setting_files.value(ups.path / "variables/UPS").split()
    others = sorted(path.name.removesuffix(".words") for path in ups.run.glob("*.words") if not path.name.startswith("."))
    return [(given[0].partition("@")[0] if given else ups.name, ""), *((name, f"{name}.") for name in others)]


def _ups(run: Path, name: str, prefix: str, now: float) -> dict[str, Any]:
    end = state.number(state.read(run / f"{prefix}battery.end"))
    return {
        "name": name,
        "prefix": prefix,
        **{each.replace(".", "_"): state.read(run / f"{prefix}{each}") for each in _WORDS},
        **{each.replace(".", "_"): state.number(state.read(run / f"{prefix}{each}")) for each in _NUMBERS},
        "alarm": state.read(run / f"{prefix}alarm") is not None,
        "lost": state.read(run / f"{prefix}lost") is not None,
        "empty_in_seconds": None if end is None else max(0.0, end - now),
    }


def _outage(outage: Outage, now: float) -> dict[str, Any]:
    """`phase_seconds` is how long its phase lasts, None where it began before this boot."""
    is_of_this_boot = outage.boot == boot_id()
    hosts = sorted(host_steps.read(outage.hosts).items(), key=lambda each: (each[1].number, each[0]))
    return {
        "began": outage.began_wall,
        "phase": outage.phase.value,
        "phase_seconds": max(0.0, now - outage.since) if is_of_this_boot else None,
        "role": outage.role.value,
        "why": outage.why,
        "upses": list(outage.upses),
        "is_final": outage.is_final,
        "is_called_off": outage.is_called_off,
        "hosts": [_host(name, each) for name, each in hosts],
        "apart": {name: _outage(each, now) for name, each in outage.apart.items()},
    }


def _host(name: str, host: host_steps.Host) -> dict[str, Any]:
    times = {each: getattr(host, each) for each in ("ordered", "down", "woken", "up")}
    return {"name": name, "step": host.step.value, "why": host.why, **times}


def _plans(ups: ServiceDirectory) -> list[dict[str, str]]:
    """When each of its other machines goes, by its settings; with the last of all."""
    found = []
    for name in _hosts(ups):
        directory = ups.path / "hosts" / name
        shed_at, wake = (setting_files.value(directory / each) for each in ("SHED_AT", "WAKE"))
        found.append({"name": name, "shed_at": shed_at, "wake": wake})
    return found


def _hosts(ups: ServiceDirectory) -> list[str]:
    with suppress(OSError):
        return sorted(each.name for each in (ups.path / "hosts").iterdir() if each.is_dir() and not each.name.startswith("."))
    return []


def _unseen(ups: ServiceDirectory, lib: Path) -> list[str]:
    """What only others may read, and is not told here."""
    found = []
    looks: tuple[tuple[Path, Callable[[Path], object]], ...] = ((lib / "outage", Path.read_bytes), (ups.path / "hosts", os.listdir))
    for path, look in looks:
        try:
            look(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            found.append(f"{path}: {(error.strerror or str(error)).lower()}")
    return found

"""Removing an instance so that svscan does not start it again: hidden first, then stopped, then deleted.

A removal that was interrupted leaves .NAME, which svscan passes over: removing NAME again finishes it.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

from pimains.core import paths, scan_directory, state, templates
from pimains.core.errors import PimainsError
from pimains.core.scan_directory import ServiceDirectory
from pimains.create_service import beside, svscan
from pimains.create_service.making import discard
from pimains.shared import halt_request

GOODBYE_SECONDS = 30.0
_COPIES_KEPT = 5


def remove(instance: ServiceDirectory, goodbye_seconds: float = GOODBYE_SECONDS) -> Path:
    """Stop and delete an instance; returns where a copy of its variables is kept, and of the directories beside them (beside.py).

    It has `goodbye_seconds` after TERM, then it is killed. Its log and what it learned stay.
    Raises PimainsError if a process of it is still there, OSError when something cannot be written; either way it can
    be called again.
    """
    if not instance.is_being_removed and (why := _needed_for(instance)):
        raise PimainsError(f"{instance.name} is needed: {why} (svc -dk {instance.path} stops it all the same, then remove it)")
    if instance.service == "halt" and halt_request.is_wanted(instance.run):
        raise PimainsError("this machine is being shut down by it: pimains halt --cancel, then remove it")
    hidden = instance.path.with_name(f".{instance.name}")
    if instance.is_being_removed:
        copy = _newest_copy(instance)
    else:
        leftover = scan_directory.at(hidden)
        if leftover is not None:
            remove(leftover, goodbye_seconds)
        copy = _keep_a_copy(instance)
        instance.path.rename(hidden)
    state_of_this_boot = instance._replace(path=hidden).run
    for directory in (hidden, hidden / "log"):
        _stop(directory, goodbye_seconds)
    discard(state_of_this_boot)
    discard(hidden)
    return copy


def _needed_for(instance: ServiceDirectory) -> str:
    """Why it is not stopped now, "" where it may be, also because it is down."""
    template = templates.all_of_them().get(instance.service)
    why = template.settings().needed_for(instance.run, paths.lib(instance.root) / instance.name) if template else ""
    return why if why and scan_directory.supervised([instance.path])[instance.path].state == "up" else ""


def _stop(directory: Path, goodbye_seconds: float) -> None:
    if not svscan.is_supervised(directory):
        return
    _svc("-dx", directory)
    if _ends_within(goodbye_seconds, directory):
        return
    print(f"{directory} did not end {goodbye_seconds:g} s after TERM: killing it", file=sys.stderr)
    _svc("-k", directory)
    if not _ends_within(5, directory):
        raise PimainsError(f"a process of {directory} is still there and nothing was deleted: svstat {directory}; then run this again")


def _svc(option: str, directory: Path) -> None:
    try:
        subprocess.run(["svc", option, directory], check=True, capture_output=True, text=True, cwd="/")  # it opens the present directory
    except FileNotFoundError:
        raise PimainsError("daemontools is not installed: apt install daemontools daemontools-run") from None
    except subprocess.CalledProcessError as error:
        raise PimainsError(f"{error.stderr.strip()}") from None


def _ends_within(seconds: float, directory: Path) -> bool:
    started = time.monotonic()
    told = False
    while svscan.is_supervised(directory):
        waited = time.monotonic() - started
        if waited > seconds:
            return False
        if waited > 2 and not told:
            told = True
            print(f"waiting for {directory} to end, up to {seconds:g} s", file=sys.stderr, flush=True)
        time.sleep(0.01)
    return True


def _copies(instance: ServiceDirectory) -> list[Path]:
    """Kept copies of this name's variables, oldest first."""
    kept = paths.lib(instance.root) / "removed"
    pattern = re.compile(re.escape(instance.name) + r"-([0-9]+)")
    found = [(int(match[1]), path) for path in kept.glob("*") if (match := pattern.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def _newest_copy(instance: ServiceDirectory) -> Path:
    copies = _copies(instance)
    return copies[-1] if copies else _keep_a_copy(instance)


def _keep_a_copy(instance: ServiceDirectory) -> Path:
    """Numbered, not dated: a Pi's clock may be decades off."""
    copies = _copies(instance)
    kept = paths.lib(instance.root) / "removed"
    number = int(copies[-1].name.rpartition("-")[2]) + 1 if copies else 1
    aside, copy = kept / f".new-{instance.name}", kept / f"{instance.name}-{number}"
    discard(aside)
    aside.mkdir(parents=True, mode=0o700)
    for path in (instance.path / "variables").iterdir():
        if path.is_file() and not path.name.startswith("."):
            state.write(aside / path.name, path.read_text(encoding="utf-8", errors="replace").removesuffix("\n"), durable=True, mode=0o600)
    for directory in beside.directories(instance.path):
        beside.copy(directory, aside / directory.name)
    aside.rename(copy)
    state.sync_directory(kept)
    for old in _copies(instance)[:-_COPIES_KEPT]:
        discard(old)
    return copy

"""A service that was just made or started anew: svscan finds it within five seconds, and a Pi Zero needs some more until it answers."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pimains.core import scan_directory
from pimains.core.errors import PimainsError
from pimains.core.scan_directory import ServiceDirectory

_SECONDS = 20.0
_STARTING_SECONDS = 10.0
_YOUNG_SECONDS = 60.0
_TOLD_AFTER_SECONDS = 2.0
_LOOK_SECONDS = 0.1
T = TypeVar("T")


def patiently(instance: ServiceDirectory | None, attempt: Callable[[], T], but: type[Exception] = FileNotFoundError) -> T:
    """What `attempt` returns; `but`, which a service that is not there yet makes it raise, is waited out while `instance` comes up.

    Says what it waits for where that takes long. Raises what `attempt` raises, once nothing more is to be expected.
    """
    began = time.monotonic()
    is_told = False
    while True:
        try:
            return attempt()
        except but:
            waited = time.monotonic() - began
            if instance is None or waited > _SECONDS or not _is_coming_up(instance):
                raise
        if waited > _TOLD_AFTER_SECONDS and not is_told:
            is_told = True
            print(f"waiting for {instance.name} to come up", file=sys.stderr, flush=True)
        time.sleep(_LOOK_SECONDS)


def only_one(service: str, scan: Path = scan_directory.SCAN_DIRECTORY) -> ServiceDirectory | None:
    """The instance of a service that a machine has once; None where there is none."""
    try:
        return next((each for each in scan_directory.found(scan) if each.service == service), None)
    except PimainsError:
        return None


def _is_coming_up(instance: ServiceDirectory) -> bool:
    try:
        supervised = scan_directory.supervised([instance.path])[instance.path]
    except PimainsError:
        return False
    if supervised.state in ("unsupervised", "unseen") or (supervised.state == "down" and supervised.wanted_up is None):
        return not (instance.path / "down").exists() and _is_young(instance.path)
    if supervised.state == "down":
        return bool(supervised.wanted_up)
    return supervised.state == "up" and (supervised.seconds or 0) < _STARTING_SECONDS


def _is_young(directory: Path) -> bool:
    """Whether it was made a moment ago; where the clock was set meanwhile it counts as old."""
    try:
        return 0 <= time.time() - (directory / "run").lstat().st_mtime < _YOUNG_SECONDS
    except OSError:
        return False

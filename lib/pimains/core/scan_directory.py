"""The instances there are: service directories whose `run` links to one of our templates, and what supervise knows of them."""

import contextlib
import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pimains.core import paths, state, templates
from pimains.core.errors import PimainsError

SCAN_DIRECTORY = Path("/etc/service")
_SVSTAT = re.compile(r"(?:up \(pid (?P<pid>[0-9]+)\)|down) (?P<seconds>[0-9]+) seconds(?P<more>(?:, [a-z]+ [a-z]+|, paused)*)")
_UNSEEN = "access denied"


class ServiceDirectory(NamedTuple):
    """One instance: its name, the service it is an instance of, and its directory."""

    name: str
    service: str
    path: Path

    @property
    def root(self) -> str | None:
        """Below which directory it keeps its files, when its own variables name one."""
        return state.read(self.path / "variables/PIMAINS_ROOT")

    @property
    def run(self) -> Path:
        """Where it leaves word, below the root that its own variables name."""
        return paths.run(self.root) / self.name

    @property
    def log(self) -> Path:
        """The service directory of its log."""
        return self.path / "log"

    @property
    def is_being_removed(self) -> bool:
        """Whether a removal has begun: then its directory begins with a dot, so that svscan passes over it."""
        return self.path.name.startswith(".")

    def variables(self) -> dict[str, str | None]:
        """Line 1 of each file in variables/, by name; None for one that only root may read."""
        files = sorted(path for path in (self.path / "variables").iterdir() if not path.name.startswith("."))
        return {path.name: _value(path) for path in files if path.is_file()}


class Supervised(NamedTuple):
    """What supervise knows of one process.

    `state` is "up", "down", "unsupervised" (no supervise looks after it) or "unseen" (only root may see it).
    `seconds` it is so, by the monotonic clock where that is known; None: not known, because the wall clock was set.
    """

    state: str
    seconds: float | None = None
    pid: int = 0
    wanted_up: bool = False
    paused: bool = False


def found(scan: Path = SCAN_DIRECTORY) -> list[ServiceDirectory]:
    """Our instances in a scan directory, by name; raises PimainsError when it cannot be read."""
    try:
        names = sorted(os.listdir(scan))
    except OSError as error:
        raise PimainsError(
            f"{scan}: {(error.strerror or str(error)).lower()} (svscan's directory is made by: apt install daemontools-run)"
        ) from None
    directories = (ServiceDirectory(name, service_of(scan / name), scan / name) for name in names if not name.startswith("."))
    return [each for each in directories if each.service]


def at(path: Path) -> ServiceDirectory | None:
    """The instance that `path` is, also one whose removal has begun; None if nothing is there, or something not ours."""
    service = "" if path.is_symlink() else service_of(path)
    return ServiceDirectory(path.name.removeprefix("."), service, path) if service else None


def service_of(directory: Path) -> str:
    """The service that `directory` is an instance of; "" when it is none of ours."""
    try:
        template = (directory / (directory / "run").readlink()).parent
    except OSError:
        return ""
    ours = template.parent == paths.service_templates() or _is_of_another_pimains(template)
    return template.name if ours else ""


def _is_of_another_pimains(template: Path) -> bool:
    """Whether a template is that of another checkout, or of one that is gone."""
    try:
        started = (template / "run").read_text(encoding="utf-8")
        # the second as it was until 0.2.0: an instance of an older checkout links to it
        return f"pimains.{template.name}.service\n" in started or f"pimains.services.{template.name}\n" in started
    except FileNotFoundError:
        return template.parent.name == "services" and template.name in templates.all_of_them()
    except (OSError, UnicodeDecodeError):
        return False


def _value(path: Path) -> str | None:
    try:
        return templates.first_line(path.read_text(encoding="utf-8", errors="replace"))
    except (PermissionError, FileNotFoundError):
        return None


def supervised(directories: Iterable[Path]) -> dict[Path, Supervised]:
    """What svstat says about each service directory; raises PimainsError when daemontools is not installed."""
    import subprocess  # twenty milliseconds that create_service --add-service need not take

    wanted = list(directories)
    if not wanted:
        return {}
    try:
        said = subprocess.run(["svstat", *wanted], capture_output=True, text=True, errors="replace", check=False).stdout
    except FileNotFoundError:
        raise PimainsError("svstat: not found (apt install daemontools)") from None
    # one line for each directory, in their order
    return {directory: _parse(line.removeprefix(f"{directory}: ")) for directory, line in zip(wanted, said.splitlines(), strict=True)}


def _parse(line: str) -> Supervised:
    match = _SVSTAT.fullmatch(line)
    if match is None:
        return Supervised("unseen" if line.endswith(_UNSEEN) else "unsupervised")
    more = match["more"].split(", ")
    uptime = time.clock_gettime(time.CLOCK_BOOTTIME)
    since = float(match["seconds"]) if float(match["seconds"]) <= uptime else None
    if match["pid"] is None:
        return Supervised("down", since, wanted_up="want up" in more)
    with contextlib.suppress(OSError, IndexError, ValueError):
        # svstat counts by the wall clock, which may have been set since: proc(5), field 22, starttime
        ticks = int(Path("/proc", match["pid"], "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19])
        since = max(0.0, uptime - ticks / os.sysconf("SC_CLK_TCK"))
    return Supervised("up", since, int(match["pid"]), wanted_up="want down" not in more, paused="paused" in more)

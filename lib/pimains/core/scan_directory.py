"""The instances there are: service directories whose `run` links to one of our templates, and what supervise knows of them."""

import contextlib
import os
import re
import stat
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pimains.core import alive, paths, state, templates
from pimains.core.errors import PimainsError

SCAN_DIRECTORY = Path("/etc/service")
_SVSTAT = re.compile(r"(?:up \(pid (?P<pid>[0-9]+)\)|down) (?P<seconds>[0-9]+) seconds(?P<more>(?:, [a-z]+ [a-z]+|, paused)*)")
_LONGEST_VALUE = 64 * 1024  # half of what Linux takes in one (MAX_ARG_STRLEN)
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

    def unreadable_setting(self) -> str:
        """The file in variables/ that keeps envdir from starting the service, and why; '' if there is none."""
        try:
            names = sorted(name for name in os.listdir(self.path / "variables") if not name.startswith("."))
        except OSError as error:
            return f"{self.path / 'variables'}: {(error.strerror or str(error)).lower()}"
        faults = ((name, _unreadable(self.path / "variables" / name)) for name in names)
        return next((f"{self.path / 'variables' / name}: {fault}" for name, fault in faults if fault), "")

    def variables(self) -> dict[str, str | None]:
        """Line 1 of each file in variables/, by name; None for one that only root may read."""
        files = sorted(path for path in (self.path / "variables").iterdir() if not path.name.startswith("."))
        return {path.name: _value(path) for path in files if path.is_file()}


class Supervised(NamedTuple):
    """What supervise knows of one process.

    `state` is "up", "down", "stopped" (its supervise itself is stopped, and what it last said may be long over),
    "unsupervised" (no supervise looks after it) or "unseen" (only root may see it).
    `seconds` it is so, by the monotonic clock where that is known; None: not known, because the wall clock was set.
    `wanted_up` is None where it is not known: only root sees what supervise was told.
    """

    state: str
    seconds: float | None = None
    pid: int = 0
    wanted_up: bool | None = False
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


def _unreadable(path: Path) -> str:
    """Why envdir(8) cannot read a setting, or nobody can be started with it (execve(2)); '' if it can, or if only root may look."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            return f"is {'a directory' if stat.S_ISDIR(about.st_mode) else 'no plain file'}; a setting is a plain file, its value in line 1"
        if "=" in path.name:
            return "a setting's name has no = in it"
        if about.st_size > _LONGEST_VALUE:
            with path.open("rb") as file:
                if len(file.readline(_LONGEST_VALUE + 1)) > _LONGEST_VALUE:
                    return f"line 1 is longer than {_LONGEST_VALUE // 1024} kB; a value has at most 4096 characters"
    except OSError:
        return ""
    return ""


def supervised(directories: Iterable[Path]) -> dict[Path, Supervised]:
    """What svstat says about each service directory; raises PimainsError when daemontools is not installed.

    To whom supervise's directory is closed, our services themselves show whether they are up (alive.py).
    """
    import subprocess  # twenty milliseconds that create_service --add-service need not take

    wanted = list(directories)
    if not wanted:
        return {}
    absolute = [each.absolute() for each in wanted]
    try:
        # svstat opens the present directory, which may be one that only others may read
        said = subprocess.run(["svstat", *absolute], capture_output=True, text=True, errors="replace", check=False, cwd="/").stdout
    except FileNotFoundError:
        raise PimainsError("svstat: not found (apt install daemontools)") from None
    # one line for each directory, in their order
    lines = zip(absolute, said.splitlines(), strict=True)
    parsed = [_parse(line.removeprefix(f"{directory}: ")) for directory, line in lines]
    stopped = _stopped_supervises()
    return {
        directory: Supervised("stopped") if each.state in ("up", "down") and _lock(directory) in stopped else _alive(directory, each)
        for directory, each in zip(wanted, parsed, strict=True)
    }


def _alive(directory: Path, supervised: Supervised) -> Supervised:
    instance = at(directory) if supervised.state == "unseen" else None
    life = alive.look(instance.run) if instance else alive.Life(None)
    if life.is_up is None:
        return supervised
    return Supervised("up" if life.is_up else "down", life.seconds, life.pid, wanted_up=None)


def _lock(directory: Path) -> int | None:
    try:
        return (directory / "supervise/lock").stat().st_ino
    except OSError:
        return None


def _stopped_supervises() -> set[int]:
    """The inodes of the locks that stopped ones hold (proc(5), /proc/locks and field 3 of /proc/PID/stat)."""
    found = set()
    with contextlib.suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            words = line.split()
            with contextlib.suppress(OSError, IndexError, ValueError):
                before, _, after = Path("/proc", words[4], "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")
                if before.endswith("(supervise") and after.split()[0] in ("T", "t"):
                    found.add(int(words[5].rpartition(":")[2]))
    return found


def _parse(line: str) -> Supervised:
    match = _SVSTAT.fullmatch(line)
    if match is None:
        return Supervised("unseen" if line.endswith(_UNSEEN) else "unsupervised")
    more = match["more"].split(", ")
    uptime = time.clock_gettime(time.CLOCK_BOOTTIME)
    since = float(match["seconds"]) if float(match["seconds"]) <= uptime else None
    if match["pid"] is None:
        return Supervised("down", since, wanted_up="want up" in more)
    if (of_process := alive.process_seconds(int(match["pid"]))) is not None:
        since = of_process  # svstat counts by the wall clock, which may have been set since
    return Supervised("up", since, int(match["pid"]), wanted_up="want down" not in more, paused="paused" in more)

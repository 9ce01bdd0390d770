"""What every halt step is told, and how it waits: it has a deadline and nothing else to do."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pimains.core import instances, paths
from pimains.core.clock import SystemClock
from pimains.core.forked import Forked
from pimains.core.naps import Nap, Readable, poll
from pimains.settings.fserver import FserverSettings

OUT_OF_TIME = 124  # as timeout(1) ends: the halt service grants such a step more next time
_GOODBYE_SECONDS = 1.0
_UNTOLD_SECONDS = 60.0
_WRITE_DOWN_SECONDS = 2.0
T = TypeVar("T")


class Step:
    """One step: how long it has, why the machine goes down, and whether it is to be undone (`called_off` says why)."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.seconds = float(os.environ.get("PIMAINS_BUDGET_SECONDS") or _UNTOLD_SECONDS)
        self.reason = os.environ.get("PIMAINS_REASON", "")
        self.called_off = os.environ.get("PIMAINS_CALLED_OFF", "")
        self._deadline = _started(self.clock) + self.seconds - _GOODBYE_SECONDS

    @property
    def left(self) -> float:
        """Seconds until it has to be done, never less than a little: what was begun so late is still begun."""
        return max(0.2, self._deadline - self.clock.monotonic())

    def pause(self, seconds: float) -> None:
        """Let some time pass."""
        poll(Nap(seconds), self.clock)

    def write_down(self, subject: str, action: str) -> None:
        """Into the ledger, in a child that may take a moment: no machine is kept up by it."""

        def note() -> str:
            from pimains.core.ledger import Ledger  # takes SQLite's memory with it

            Ledger().record(subject, action, self.called_off or self.reason)
            return ""

        try:
            if self.wait_for(Forked(note).wait(self.clock, _WRITE_DOWN_SECONDS)) is None:
                print(f"the ledger was not written within {_WRITE_DOWN_SECONDS:g} s")
        except OSError as error:
            print(f"the ledger cannot be written: {error.strerror}")

    def wait_for(self, work: Generator[Nap, tuple[Readable, ...], T]) -> T:
        """What `work` returns; raises as it does."""
        try:
            nap = next(work)
            while True:
                nap = work.send(poll(nap, self.clock))
        except StopIteration as end:
            value: T = end.value
            return value


def _started(clock: SystemClock) -> float:
    """When this process was: on a small Pi, Python itself needs a good part of a second (proc_pid_stat(5), field 22)."""
    ticks = int(Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19])
    return ticks / os.sysconf("SC_CLK_TCK") * clock.speed


class FileServer(NamedTuple):
    """One fserver instance that names a drive, running or not; `fault` is which of its settings is wrong, "" if none is."""

    directory: Path
    drive: Path | None = None
    backup_drive: Path | None = None
    hooks: Path | None = None
    units: tuple[str, ...] = ()
    usb_location: str = ""
    usb_ports: str = ""
    fault: str = ""


def file_servers() -> list[FileServer]:
    """Every fserver of this machine that names a drive."""
    scan = Path(os.environ.get("PIMAINS_SERVICEDIR") or paths.etc().parent / "service")
    found = [_file_server(each) for each in instances.found(scan) if each.service == "fserver"]
    return [each for each in found if each.drive or each.fault]


def _file_server(instance: instances.ServiceDirectory) -> FileServer:
    given = instance.variables()
    values: dict[str, Any] = {}
    for name in ("MDRIVE", "DEST", "HOOKS", "MPD_UNIT", "STOP_UNITS", "USB_LOCATION", "USB_PORTS"):
        try:
            values[name] = FserverSettings.declared()[name].check(given.get(name) or "")
        except ValueError as wrong:
            return FileServer(instance.path, fault=f"{instance.path}/variables/{name}: {wrong}")
    units = (*reversed(values["MPD_UNIT"]), *values["STOP_UNITS"])
    drives = values["MDRIVE"], values["DEST"]
    return FileServer(instance.path, *drives, values["HOOKS"], units, values["USB_LOCATION"], values["USB_PORTS"])

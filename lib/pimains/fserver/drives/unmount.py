"""50-drives: stops what uses the drives of this file server, then unmounts them; called off, it mounts them and starts all again.

A drive is MDRIVE of an fserver, and its DEST if that is on a disk of this machine. One that is busy is never taken away by force:
whoever keeps it is named, and it is remounted read-only if that is possible.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from pimains.core.process.function import Forked
from pimains.core.process.program import Failed, Programs
from pimains.core.troubles import Troubles
from pimains.fserver.drives import disk, systemd
from pimains.fserver.drives.memory import Drive, Memory
from pimains.fserver.drives.servers import FileServer, file_servers
from pimains.fserver.drives.step import OUT_OF_TIME, Step
from pimains.shared.backup import child
from pimains.shared.fileserver import mount

_SHARE_FOR_UNITS = 0.6  # of the time there is: what is not stopped by then does not keep the drives from being written
_SHARE_FOR_HOOK = 0.4
_SHARE_FOR_SYNC = 0.4
_BUSY_SECONDS = 5.0  # a program that was just stopped lets go within moments, and nobody else will
_PAUSE_SECONDS = 0.2


class Drives:
    """One run of the step."""

    def __init__(self) -> None:
        self.step = Step()
        self.memory = Memory()
        self.done: list[str] = []
        self.faults: list[str] = []
        self.is_out_of_time = False

    def run(self) -> int:
        """Do or undo it; the last line says how it went."""
        if self.step.called_off:
            self.undo()
        else:
            self.do()
        for line in (*self.done, *(["; ".join(self.faults)] if self.faults else [])):
            print(line)
        return OUT_OF_TIME if self.is_out_of_time else 1 if self.faults else 0

    def do(self) -> None:
        """Stop the units, unmount the drives."""
        servers = file_servers()
        self.faults += [server.fault for server in servers if server.fault]
        mounted = [server for server in servers if mounted_drives(server)]
        if not mounted:
            self.done.append("no drive is mounted")
        else:
            self.stop_backups()
        self.stop(list(dict.fromkeys(unit for server in mounted for unit in server.units)))
        for server in mounted:
            self.run_hook(server, "pre_unmount")
            for place in mounted_drives(server):
                self.unmount(place)
            self.run_hook(server, "post_unmount")

    def stop_backups(self) -> None:
        """Those that somebody has started by hand or by cron: their next ones go on where they end. fserver has stopped its own."""
        under_way = child.backups_by_hand()
        for process in under_way:
            print(f"stopping the backup of process {process}", flush=True)
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)
        patience = self.step.left - min(child.STOP_SECONDS, self.step.left / 2)
        while self.step.left > patience and set(under_way) & set(child.backups_by_hand()):
            self.step.pause(_PAUSE_SECONDS)

    def run_hook(self, server: FileServer, name: str) -> None:
        """The administrator's program, if there is one; what fails is noted, and the rest goes on."""
        try:
            programs = Programs(self.step.clock, self.step.left * _SHARE_FOR_HOOK, {"MDRIVE": str(server.drive)})
            self.step.wait_for(programs.hook(server.hooks, name))
        except Failed as failed:
            self.faults.append(str(failed))

    def stop(self, names: list[str]) -> None:
        """Stop what runs of these units, and before each what would start it again."""
        known = systemd.units(names)
        triggers = {unit.name for unit in systemd.units([name for unit in known for name in unit.triggered_by]) if unit.runs}
        kept_back = self.step.left * (1 - _SHARE_FOR_UNITS)
        for unit in known:
            for name in [*(name for name in unit.triggered_by if name in triggers), *([unit.name] if unit.runs else [])]:
                if name not in self.memory.units:
                    self.memory.units.append(name)
                    self.memory.remember()
                self.systemctl("stop", name, max(0.2, self.step.left - kept_back))

    def systemctl(self, verb: str, unit: str, seconds_max: float) -> None:
        """Start or stop one; what fails is noted, and the rest goes on."""
        print(f"{'starting' if verb == 'start' else 'stopping'} {unit}", flush=True)
        before = self.step.left
        try:
            self.step.wait_for(Programs(self.step.clock, seconds_max, {}).unit(verb, unit))
        except Failed as failed:
            self.faults.append(str(failed))
            self.is_out_of_time |= before - self.step.left >= seconds_max

    def unmount(self, place: Path) -> None:
        """One drive, and what is mounted inside it."""
        there = mount.mounted(place)
        if there is None:  # its unit has unmounted it
            return
        disks = [each.name for each in disk.whole(disk.number(there.source, there.device))]
        drive = Drive(str(place), disk.by_uuid(there.source), there.kind, there.options, disks, "unmounted")
        self.remember(drive)
        self.step.write_down("drives", f"unmount {place}")
        self.in_time(lambda: mount.sync(place), self.step.left * _SHARE_FOR_SYNC, f"{place} is not yet written")
        why = self.detach(place)
        if not why:
            self.done.append(f"{place} is unmounted")
            return
        why += f", kept by {holders(place)}"
        if self.mount("-o", "remount,ro", str(place)):
            self.faults.append(f"{place} is not unmounted, nor could it be made read-only: {why}")
            self.remember(drive._replace(now="mounted"))
        else:
            self.faults.append(f"{place} is not unmounted, only read-only now: {why}")
            self.remember(drive._replace(now="read-only"))

    def detach(self, place: Path) -> str:
        """Unmount it, the innermost first, without force; returns why that failed, "" if it did not."""
        patience = self.step.left - min(_BUSY_SECONDS, self.step.left / 2)
        troubles = Troubles(partial(print, flush=True))
        while there := mount.last_mounted(place):
            why = self.in_time(lambda inner=there.place: mount.detach(inner, by_force=False), self.step.left)  # type: ignore[misc]  # mypy knows no default of a lambda
            if why and self.step.left <= patience:
                return why
            if why:
                troubles.look("drive", f"waiting to unmount {there.place}: {why}, kept by {holders(there.place)}")
                self.step.pause(_PAUSE_SECONDS)
            elif mount.mounted(place) is None and mount.is_waiting(place):
                self.stop([systemd.automount(place)])
        return ""

    def in_time(self, function: Callable[[], str], seconds_max: float, fault: str = "") -> str:
        """Do what may hang; returns why it failed, "" if it did not. With `fault` that is noted."""
        try:
            if self.step.wait_for(Forked(function).wait(self.step.clock, seconds_max)) is not None:
                return ""
            self.is_out_of_time = True
            why = f"no answer of the kernel within {seconds_max:.0f} s"
        except OSError as error:
            why = (error.strerror or str(error)).lower()
        if fault:
            self.faults.append(f"{fault}: {why}")
        return why

    def mount(self, *words: str) -> str:
        """mount(8); returns why it failed, "" if it did not."""
        said: list[str] = []
        try:
            self.step.wait_for(Programs(self.step.clock, self.step.left, {}, said.append).run(["mount", *words], "mount"))
        except Failed as failed:
            return (said[0] if said else str(failed)).removeprefix("mount: mount: ")
        return ""

    def remember(self, drive: Drive) -> None:
        """Write down how a drive is, or is about to be; one that is as it was needs no memory."""
        others = [each for each in self.memory.drives if each.place != drive.place]
        self.memory.drives = others if drive.now == "mounted" else [*others, drive]
        self.memory.remember()

    def undo(self) -> None:
        """Mount the drives as they were, then start the units, the last first."""
        # an automount and a socket refuse to start once what they wait for is there
        for unit in filter(systemd.is_automount, self.memory.units):
            self.systemctl("start", unit, self.step.left)
        for drive in reversed(self.memory.drives):
            self.mount_again(drive)
        missing = [drive.place for drive in self.memory.drives if not mount.mounted(Path(drive.place))]
        units = [unit for unit in reversed(self.memory.units) if not systemd.is_automount(unit)]
        for unit in sorted(units, key=systemd.is_service):
            if missing:
                self.faults.append(f"{unit} is not started: {missing[0]} is not mounted")
            else:
                self.systemctl("start", unit, self.step.left)
        self.memory.units, self.memory.drives = [], []
        self.memory.remember()

    def mount_again(self, drive: Drive) -> None:
        """One drive; a disk whose power was off needs some seconds until it is there."""
        place = Path(drive.place)
        if drive.now == "read-only":
            self.note(drive, self.mount("-o", "remount,rw", drive.place), "is writable again")
            return
        self.step.write_down("drives", f"mount {place} again")
        kind = [] if drive.kind.startswith("fuse") else ["-t", drive.kind]
        in_full = [*kind, "-o", drive.options, drive.source, drive.place]
        while not mount.mounted(place):
            if mount.is_waiting(place):
                why = self.in_time(lambda: mount.look(place, ""), self.step.left)
            else:
                # as the administrator wrote it down in /etc/fstab; else as it was
                why = self.mount(drive.place) and self.mount(*in_full)
            if self.step.left <= 1:
                self.note(drive, why or "nothing was mounted", "")
                return
            self.step.pause(_PAUSE_SECONDS if why else 0)
        self.note(drive, "", "is mounted again")

    def note(self, drive: Drive, why: str, words: str) -> None:
        """How it went with a drive."""
        if why:
            self.faults.append(f"{drive.place} is not as it was: {why}")
        else:
            self.done.append(f"{drive.place} {words}")


def mounted_drives(server: FileServer) -> list[Path]:
    """Those of a server's drives that are mount points of their own: not / and no share of another machine in DEST."""
    found = []
    for place in (server.drive, server.backup_drive):
        there = mount.mounted(place) if place else None
        if place and there and str(place) != "/" and (place == server.drive or disk.number(there.source, there.device)):
            found.append(place)
    return found


def holders(place: Path) -> str:
    """Who keeps it busy."""
    return ", ".join(mount.holders(place)) or "nobody who can be seen"


if __name__ == "__main__":
    sys.exit(Drives().run())

"""60-usb: switches off the power of the USB hubs behind an fserver's drive, so that the disk parks; called off, it switches them on again.

A disk with a mounted file system never loses its power: 50-drives has to have unmounted this one, and nothing that is in use may
be on any USB disk, because many hubs switch all their ports at once, and those of their twin for the other speed with them.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from pimains.core.process.function import Forked
from pimains.core.process.program import Failed, Programs
from pimains.fserver.drives import disk
from pimains.fserver.drives.memory import Memory
from pimains.fserver.drives.servers import FileServer, file_servers
from pimains.fserver.drives.step import Step
from pimains.shared.fileserver import mount

_LOOK_SECONDS = 5.0
_OFF, _ON = "0", "1"  # uhubctl(8), -a


def main() -> int:
    """Do or undo it; the last line says how it went."""
    step, memory = Step(), Memory()
    faults = []
    if step.called_off:
        for hub in list(memory.powerless):
            faults += uhubctl(step, _ON, hub)
            memory.powerless.remove(hub)
        memory.remember()
    else:
        for server in file_servers():
            faults += [server.fault] if server.fault else cut(step, memory, server) if server.usb_hubs else []
    if faults:
        print("; ".join(faults))
    return 1 if faults else 0


def cut(step: Step, memory: Memory, server: FileServer) -> list[str]:
    """Switch off the hubs of one server's drive, unless something speaks against it; returns what does."""
    hubs = [["-l", location, *(["-p", server.usb_ports] if server.usb_ports else [])] for location in server.usb_hubs]
    drive = next((each for each in memory.drives if each.place == str(server.drive)), None)
    if drive is None and server.drive and not mount.mounted(server.drive):
        print(f"the USB power stays on: {server.drive} was not mounted")
        return []
    hubs = [hub for hub in hubs if hub not in memory.powerless]
    if not hubs:
        return []
    against = f"{server.drive} is mounted" if drive is None or drive.now != "unmounted" else in_use(step, drive.disks)
    if against:
        return [f"the USB power stays on: {against}"]
    memory.powerless += hubs
    memory.remember()
    return [fault for hub in hubs for fault in uhubctl(step, _OFF, hub)]


def in_use(step: Step, unmounted: Iterable[str]) -> str:
    """Why these disks, or any on USB, must not lose their power; "" if nothing speaks against it."""
    usb = {place.name for place in disk.on_usb()}
    for there in mount.mounts():
        if used := usb.intersection(each.name for each in disk.whole(disk.number(there.source, there.device))):
            return f"{there.place} is mounted, and on the USB disk {used.pop()}"
    for name in sorted(usb.union(unmounted)):
        try:
            why = step.wait_for(Forked(lambda name=name: disk.let_go(Path("/dev", name))).wait(step.clock, _LOOK_SECONDS))  # type: ignore[misc]  # mypy knows no default of a lambda
        except OSError as error:
            why = f"{name}: {(error.strerror or str(error)).lower()}"
        if why is None or why:
            return why or f"{name} does not answer"
    return ""


def uhubctl(step: Step, action: str, hub: list[str]) -> list[str]:
    """Switch a hub; returns what went wrong."""
    said: list[str] = []
    step.write_down("usb", f"power {'off' if action == _OFF else 'on'} hub {' '.join(hub[1:])}")
    try:
        step.wait_for(Programs(step.clock, step.left, {}, said.append).run(["uhubctl", "-a", action, *hub], "uhubctl"))
    except Failed as failed:
        # it ends with advice; what is wrong stands before that
        why = said[0] if said else "it is not installed (apt install uhubctl)" if "no such file" in str(failed) else str(failed)
        return [f"uhubctl -a {action} {' '.join(hub)}: {why.removeprefix('uhubctl: ')}"]
    print(f"USB power {'off' if action == _OFF else 'on'}: hub {' '.join(hub[1:])}")
    return []


if __name__ == "__main__":
    sys.exit(main())

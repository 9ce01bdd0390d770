"""The process that serves a share of FUSE, such as sshfs: one whose server has gone without a word outlives its mount.

Unmounted by force, it waits for an answer that never comes, with its memory and its connection, once more each time the server goes.
"""

import os
import select
import signal
import time
from contextlib import suppress
from pathlib import Path

from pimains.shared.fileserver.mount import Mount

_BY_ITSELF_SECONDS = 1.0  # one whose server is there ends as soon as it is unmounted
SECONDS_MAX = 10.0
_STARTED = 22 - 3  # proc_pid_stat(5): the first field behind the name is number 3


def serves(there: Mount) -> bool:
    """Whether such a process is behind what is mounted there."""
    return there.kind == "fuse" or there.kind.startswith("fuse.")


def now() -> float:
    """As the kernel dates processes: seconds since boot."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def end_those_of(was_there: Mount, until: float) -> None:
    """Kill what served a share that is unmounted, if it has not ended a moment later; one started after `until` serves the next mount."""
    handles = _found(was_there, until)
    deadline = time.monotonic() + _BY_ITSELF_SECONDS
    for handle in handles:
        if not select.select([handle], [], [], max(0.0, deadline - time.monotonic()))[0]:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)


def _found(was_there: Mount, until: float) -> list[int]:
    """A pidfd of each process that has /dev/fuse open and was told this source and this place, in the mounts that are ours."""
    handles = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            handle = os.pidfd_open(int(name))
            if _serves(Path("/proc", name), was_there, until):
                handles.append(handle)
            else:
                os.close(handle)
    return handles


def _serves(process: Path, was_there: Mount, until: float) -> bool:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
        if os.fsencode(was_there.place) not in words or os.fsencode(was_there.source) not in words:
            return False
        fields = (process / "stat").read_bytes().rpartition(b")")[2].split()
        began = int(fields[_STARTED]) / os.sysconf("SC_CLK_TCK")
        is_ours = (process / "ns/mnt").readlink() == Path("/proc/self/ns/mnt").readlink()
        return began <= until and is_ours and any(_is_fuse(each) for each in (process / "fd").iterdir())
    except OSError:  # it has just ended
        return False


def _is_fuse(descriptor: Path) -> bool:
    with suppress(OSError):
        return str(descriptor.readlink()) == "/dev/fuse"
    return False

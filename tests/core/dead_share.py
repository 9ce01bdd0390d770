"""A program that nothing ends, not even KILL: it waits in the kernel, as on a dead network share."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kit import until

needs_fuse = pytest.mark.skipif(os.geteuid() != 0 or not Path("/dev/fuse").exists(), reason="only root may mount, and it takes /dev/fuse")
STUCK = """#!/usr/bin/python3
# waits in the kernel for a file system that never answers (FUSE, linux/fuse.h), as on a dead network share
import ctypes, os, struct
libc = ctypes.CDLL(None, use_errno=True)
assert libc.unshare(0x00020000) == 0  # CLONE_NEWNS
assert libc.mount(b"none", b"/", None, 0x00040000 | 0x4000, None) == 0  # MS_PRIVATE | MS_REC
fuse = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0".encode()
assert libc.mount(b"none", b"%(mount)s", b"fuse", 0, options) == 0
if os.fork() == 0:
    os.setsid()
    with open("%(ran)s", "a") as ran:
        print(os.getpid(), file=ran)
    os.close(1), os.close(2)
    unique = struct.unpack_from("<IIQ", os.read(fuse, 1 << 18))[2]
    os.write(fuse, struct.pack("<IiQIIIIHHII", 80, 0, unique, 7, 31, 0, 0, 1, 1, 4096, 1) + bytes(36))
    os.read(fuse, 1 << 18)
    open("%(ran)s-stuck", "w").close()  # from here on
    while True:
        os.read(fuse, 1 << 18)
os.close(fuse)
os.stat("%(mount)s/anything")
"""


@contextmanager
def stuck_program(directory: Path) -> Iterator["StuckProgram"]:
    """One to start; it gets loose in the end."""
    stuck = StuckProgram(directory)
    try:
        yield stuck
    finally:
        stuck.let_loose()


class StuckProgram:
    """The program at `path`."""

    def __init__(self, directory: Path) -> None:
        (directory / "share").mkdir()
        self._ran = directory / "ran"
        self.path = directory / "stuck"
        self.path.write_text(STUCK % {"mount": directory / "share", "ran": self._ran})
        self.path.chmod(0o755)

    def pid(self) -> int:
        """Its number, once it is stuck."""
        until(Path(f"{self._ran}-stuck").exists, what="the program to be stuck")
        return int(Path(f"/proc/{int(self._ran.read_text())}/stat").read_text().rpartition(")")[2].split()[1])

    def let_loose(self) -> None:
        """The share answers: there is none any more."""
        if self._ran.exists():
            os.kill(int(self._ran.read_text()), signal.SIGKILL)
            self._ran.unlink()


def state_of(pid: int) -> str:
    """A letter as in proc_pid_stat(5): D is stuck, Z a zombie; "" when there is none such."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""

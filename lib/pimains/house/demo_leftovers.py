"""The directory of a demo, and how the next one clears what was left of one that was killed.

A demo locks its directory as long as it goes on; a directory that nobody has locked is of a demo that has ended without its goodbye.
In its file `processes` stands each process that was started for it: its id, and when it began by the kernel's clock, so that nobody is
ended who has come by the same id later. What those have started has the demo's directory in its environment (MARK).
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

MARK = "PIMAINS_DEMO"  # in the environment: the directory of the demo
PREFIX = "pimains-demo-"
_PROCESSES = "processes"
_ENDS_SECONDS_MAX = 15.0
# notes itself, and becomes what it was told to
_NOTED = 'read -r stat </proc/$$/stat; begun() { shift 19; echo "$$ $1"; }; begun ${stat##*) } >>"$0"; exec "$@"'


def noted(directory: Path, *words: str) -> list[str]:
    """The words that start a program so that it stands in the list before it begins."""
    return ["/bin/sh", "-c", _NOTED, str(directory / _PROCESSES), *words]


@contextlib.contextmanager
def directory() -> Iterator[Path]:
    """A new one, locked; in the end nothing that was started in it runs, and it is gone."""
    made = Path(tempfile.mkdtemp(prefix=PREFIX))
    with _locked(made):
        try:
            made.chmod(0o755)
            (made / _PROCESSES).touch()
            yield made
        finally:
            clear(made)


def clear_others() -> int:
    """Clear what demos of this user have left that were killed; how many those were."""
    cleared = 0
    for each in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if each.is_symlink() or each.stat().st_uid != os.geteuid() or not (each / _PROCESSES).is_file():
                continue
            with _locked(each):
                clear(each)
                cleared += 1
    return cleared


def clear(directory: Path) -> None:
    """End all that was started for a demo, and take its directory away."""
    for pid, begun in _noted(directory):
        if began(pid) == begun:
            _signal(pid, signal.SIGTERM)  # svscan starts nobody any more, a simulated program ends
    supervised = [each.parent for each in directory.glob("**/etc/service/**/supervise")]
    if supervised:
        subprocess.run(["svc", "-dxk", *supervised], check=False, stderr=subprocess.DEVNULL)
        _until(lambda: not _left(directory))
    for pid in _left(directory):
        _signal(pid, signal.SIGTERM)
    _until(lambda: not _left(directory))
    for pid in _left(directory):
        _signal(pid, signal.SIGKILL)
    _until(lambda: not _left(directory))
    shutil.rmtree(directory, ignore_errors=True)


def began(pid: int) -> int | None:
    """When a process began, in ticks since this machine did; None where there is none, or a dead one that nobody has collected."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()
    except OSError:
        return None
    return None if state == b"Z" else int(fields[18])  # proc(5): field 22


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Raises OSError where another demo has it."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def _noted(directory: Path) -> list[tuple[int, int]]:
    try:
        lines = (directory / _PROCESSES).read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    return [(int(pid), int(begun)) for pid, begun in (line.split() for line in lines if len(line.split()) == 2)]  # its words


def _left(directory: Path) -> list[int]:
    """The processes that still are this demo's."""
    listed = [pid for pid, begun in _noted(directory) if began(pid) == begun]
    return [*{*listed, *filter(lambda pid: _is_marked(pid, directory), _processes())}]


def _processes() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def _is_marked(pid: int, directory: Path) -> bool:
    if pid == os.getpid():
        return False
    with contextlib.suppress(OSError):
        return f"{MARK}={directory}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") and began(pid) is not None
    return False


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _ENDS_SECONDS_MAX
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)

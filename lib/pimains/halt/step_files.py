"""The steps of a halt: which executables there are, in which order, and which of them may not be run and why.

The administrator's /etc/pimains/halt.d/NN-name takes the place of a shipped step of that name; a link to /dev/null there
leaves the step out. Names are two digits, a hyphen, then letters, digits, `-` and `_`: what dpkg and editors leave
beside a file (.dpkg-old, ~) is never run.
"""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from pimains.core import paths
from pimains.core.plan.text import short_line
from pimains.shared.plan.step_progress import is_of_no_return

_PROGRAM_BYTES = 1 << 20
# whoever owns the code that is running now has root's power anyway: the developer of a checkout. Asked now, not at a halt:
# between unpacking an upgrade and the restart that follows, this file may be gone
_CODE_OWNER = os.stat(__file__).st_uid
_ROOT_ALONE = "only root may look at it"
_INTERPRETER_BYTES = 256  # as the kernel reads of a script


class Step(NamedTuple):
    """An executable in halt.d; `fault` says why it may not be run ("" if it may), `unseen` why who looks does not know that."""

    name: str
    path: Path
    fault: str
    unseen: str = ""

    @property
    def subject(self) -> str:
        """What the ledger calls it."""
        return f"halt step {self.name}"

    @property
    def can_be_undone(self) -> bool:
        """Whether it knows of PIMAINS_CALLED_OFF: any other would do once more what it has done."""
        return self._mentions(b"PIMAINS_CALLED_OFF")

    @property
    def can_be_rehearsed(self) -> bool:
        """Whether no power is cut for it by a rehearsal: it comes before those that tell who cuts, or knows of PIMAINS_REHEARSAL."""
        return not is_of_no_return(self.name) or self._mentions(b"PIMAINS_REHEARSAL")

    def _mentions(self, name: bytes) -> bool:
        try:
            with self.path.open("rb") as program:
                return name in program.read(_PROGRAM_BYTES)
        except OSError:
            return False


def steps() -> list[Step]:
    """Every step in the order of its name, with those that may not be run, without those that are left out."""
    found: dict[str, Step] = {}
    for directory in _directories():
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        fault = _fault_of_directory(directory)
        found.update({name: _step(name, directory / name, fault) for name in names if _is_step(name)})
    return [step for _, step in sorted(found.items()) if not _is_left_out(step.path)]


def unseen_directories() -> list[str]:
    """Where there are steps that only root may list, and that `steps` does not have."""
    return [f"{each}: {_ROOT_ALONE}" for each in _directories() if each.is_dir() and not os.access(each, os.R_OK | os.X_OK)]


def _directories() -> tuple[Path, ...]:
    return *paths.shipped_halt_steps(), paths.etc() / "halt.d"


def _step(name: str, path: Path, fault: str) -> Step:
    """What root keeps to itself has no fault that somebody else could name."""
    if os.geteuid() != 0 and not os.access(path, os.R_OK | os.X_OK) and _may_be_run_by_root(path):
        return Step(name, path, fault, _ROOT_ALONE)
    return Step(name, path, fault or _fault(path))


def _may_be_run_by_root(path: Path) -> bool:
    """Whether it is there for root, for all that somebody else can see."""
    try:
        mode = path.stat().st_mode
    except PermissionError:
        return True
    except OSError:
        return False
    return stat.S_ISREG(mode) and bool(mode & 0o111)


def _is_step(name: str) -> bool:
    word = name[3:].replace("-", "").replace("_", "")
    return name.isascii() and name[:2].isdigit() and name[2:3] == "-" and word.isalnum()


def _is_left_out(path: Path) -> bool:
    return path.is_symlink() and os.path.realpath(path) == os.devnull


def _fault(path: Path) -> str:
    try:
        status = path.stat()
    except OSError as error:
        return os.strerror(error.errno or 0).lower()
    if not stat.S_ISREG(status.st_mode):
        return "no file"
    if not os.access(path, os.X_OK):
        return "not executable"
    return _fault_of_owner(status) or _fault_of_interpreter(path)


def _fault_of_interpreter(path: Path) -> str:
    """Of a script, whose interpreter would be missing only when it is too late, and be called a missing step (execve(2))."""
    try:
        with path.open("rb") as program:
            line = program.readline(_INTERPRETER_BYTES)
    except OSError as error:
        return os.strerror(error.errno or 0).lower()
    if not line.startswith(b"#!"):
        return ""
    words = line[2:].strip(b" \t\n").split(None, 1)
    name = words[0].decode("utf-8", "replace") if words else ""
    if line.rstrip(b"\n").endswith(b"\r"):
        return "its first line ends as lines of Windows do, so no interpreter is found"
    return "" if name and os.access(name, os.X_OK) else f"its interpreter {short_line(name) or 'after #!'} is not there"


def _fault_of_directory(directory: Path) -> str:
    fault = _fault_of_owner(directory.stat())
    return fault and f"{directory} is {fault}"


def _fault_of_owner(status: os.stat_result) -> str:
    if status.st_uid not in {0, os.geteuid(), _CODE_OWNER}:
        return "not owned by root"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "writable by others than its owner"
    return ""

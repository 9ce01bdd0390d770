"""The state files of all services of this machine, read into a table, and watched with one inotify handle as long as somebody listens.

    /run/pimains/INSTANCE/VALUE      INSTANCE/VALUE, its lines as one
    /run/pimains/INSTANCE/alive      "1" as long as its process lives (core/alive.py)
    /var/lib/pimains/relays/N.mode   relays/N.said: what a person wants; relays/N.mode is what of that the service has taken up
    /var/lib/pimains/ledger.sqlite   ledger/written: changes with every entry, also in that of the services beside it

Only what everybody may read is, whoever this service runs as.
"""

import errno
import os
import stat
from pathlib import Path

from pimains.core import alive, paths, state
from pimains.core.clock import Clock
from pimains.shared.relays import said
from pimains.web.plan.live import ALIVE, LONGEST, Table, is_name, line, written_at

_INSTANCES_MAX = 200
_BYTES_MAX = 4 * LONGEST  # a character has at most four
_MODES = f"{said.SERVICE}/lib/"  # what begins with it changed below /var/lib
_SAID = "said"
_LEDGERS = f"{paths.SERVICES_LEDGER}/lib/"  # likewise; no instance is called so
_WRITTEN = f"{paths.SERVICES_LEDGER}/written"
_UP = "1"
_LIMITS = {errno.ENOSPC: "; raise fs.inotify.max_user_watches (sysctl)", errno.EMFILE: "; raise fs.inotify.max_user_instances (sysctl)"}


class StateFiles:
    """All of them, as they were at the last look, in `table`."""

    def __init__(self, run: Path, lib: Path, clock: Clock) -> None:
        self.table = Table()
        self._run = run
        self._modes = lib / said.SERVICE
        self._ledgers = (lib / paths.LEDGER, lib / paths.SERVICES_LEDGER / paths.LEDGER)
        self._clock = clock
        self._ledger_writes = 0
        self._looked_at = 0.0
        self._watch: state.Watch | None = None
        self._is_blind = False  # to some of them
        self.why_blind = ""
        self.left_out = ""
        self._directories: dict[str, int] = {}  # those that are there, and their inodes
        self._status: dict[str, tuple[int, int, int]] = {}  # of each file: it is another one when this has changed

    def watch(self) -> int | None:
        """Have changes noticed from now on; returns what becomes readable with the first. None: it cannot be, so `look` now and then."""
        self._is_blind, self.why_blind = False, ""
        try:
            self._watch = state.Watch(self._run, new_directories=True)
        except OSError as error:  # other programs have all that the kernel allows (inotify(7))
            self._watch = None
            self._cannot_watch(self._run, error)
        self._directories = {}
        for ledger in self._ledgers:
            self._also(ledger.parent, _LEDGERS)
        self.read_all()
        return self._watch.fileno() if self._watch else None

    def unwatch(self) -> None:
        """Nobody listens any more."""
        if self._watch:
            self._watch.close()
        self._watch = None

    @property
    def sees_all_changes(self) -> bool:
        """Whether the kernel tells of each; else `look` now and then."""
        return not self._is_blind

    def look(self) -> None:
        """Read what has changed since the last look."""
        drops = self._watch.drops if self._watch else 0
        names = self._watch.changed() if self._watch else set()
        if self._watch is None or self._is_blind or self._watch.drops != drops:
            self.read_all()
            return
        if any("/" not in name or name.endswith("/.") for name in names):
            for new in self._see_directories():
                self._read_directory(new)
        for name in names:
            self._read_again(name)
        self._looked_at = self._clock.monotonic()

    def read_all(self) -> None:
        """Read every file there is."""
        self._see_directories()
        there = {name for instance in self._directories for name in self._read_directory(instance)} | {_WRITTEN}
        self._look_at_ledgers()
        for name in self.table.names():
            if name not in there:
                self._drop(name)
        self._looked_at = self._clock.monotonic()

    def _read_directory(self, instance: str) -> list[str]:
        """Returns the names of its values."""
        found = {f"{instance}/{each}": self._run / instance / each for each in _names(self._run / instance) if is_name(each)}
        if instance == said.SERVICE:
            found |= {_name_of_mode(each): self._modes / each for each in _names(self._modes) if _is_mode(each)}
        for name, path in found.items():
            self._read(name, path)
        self._look_at(instance)
        return [*found, f"{instance}/{ALIVE}"]

    def _read_again(self, changed: str) -> None:
        instance, _, file = changed.partition("/")
        if changed.startswith(_MODES):
            mode = changed.removeprefix(_MODES)
            if _is_mode(mode):
                self._read(_name_of_mode(mode), self._modes / mode, is_noticed=True)
        elif changed.startswith(_LEDGERS):
            if file == f"lib/{paths.LEDGER}":
                self._ledger_writes += 1
                self._look_at_ledgers()
        elif instance in self._directories and file == ALIVE:
            self._look_at(instance)
        elif instance in self._directories and is_name(file):
            self._read(changed, self._run / instance / file, is_noticed=True)

    def look_who_is_alive(self) -> None:
        """Nothing tells when a process has ended, so this is asked now and then."""
        for instance in self._directories:
            self._look_at(instance)

    def _look_at(self, instance: str) -> None:
        name = f"{instance}/{ALIVE}"
        life = alive.look(self._run / instance)
        if not life.is_up:
            self._drop(name)
        elif self._status.get(name) != (life.pid, 0, 0):
            self._status[name] = (life.pid, 0, 0)
            self.table.put(name, _UP, None if life.seconds is None else self._clock.monotonic() - life.seconds)

    def _look_at_ledgers(self) -> None:
        """Who wants to know what was written reads it there."""
        first, second = (_mtime_ns(ledger) for ledger in self._ledgers)
        status = (first, second, self._ledger_writes)  # two entries may be as old as each other, by the kernel's clock
        if max(first, second) and self._status.get(_WRITTEN) != status:
            self._status[_WRITTEN] = status
            now, wall = self._clock.monotonic(), self._clock.wall()
            self.table.put(_WRITTEN, "-".join(map(str, status)), written_at(now, wall, max(first, second) / 1e9, None))

    def _see_directories(self) -> list[str]:
        """Those that are new are watched, and returned; of those that are gone, or another took their place, nothing is known any more."""
        there = {name: inode for name in _names(self._run) if is_name(name) and (inode := _inode(self._run / name))}
        left_out = sorted(there)[_INSTANCES_MAX:]
        self.left_out = (
            f"{self._run} has more than {_INSTANCES_MAX} directories: of {', '.join(left_out)} nothing is shown" if left_out else ""
        )
        for name in left_out:
            del there[name]
        for gone in [name for name, inode in self._directories.items() if there.get(name) != inode]:
            del self._directories[gone]
            for name in self.table.names(f"{gone}/"):
                self._drop(name)
        new = [name for name in there if name not in self._directories]
        for name in new:
            self._directories[name] = there[name]
            self._also(self._run / name, f"{name}/")
            if name == said.SERVICE:
                self._also(self._modes, _MODES)
        return new

    def _also(self, directory: Path, prefix: str) -> None:
        try:
            if self._watch:
                self._watch.also(directory, prefix)
        except OSError as error:  # gone this moment, which is told beside it, or the kernel allows no more
            if error.errno != errno.ENOENT:
                self._cannot_watch(directory, error)

    def _cannot_watch(self, directory: Path, error: OSError) -> None:
        self._is_blind = True
        limit = _LIMITS.get(error.errno or 0, "")
        self.why_blind = f"{directory} cannot be watched ({error.strerror}){limit}: changes are looked for now and then instead"

    def _read(self, name: str, path: Path, *, is_noticed: bool = False) -> None:
        try:
            found = state.with_status(path, _BYTES_MAX)
        except OSError:  # EIO
            found = None
        if found is None or not found[1].st_mode & stat.S_IROTH:
            self._drop(name)
            return
        text, about = found
        status = (about.st_mtime_ns, about.st_ino, about.st_size)
        if self._status.get(name) == status:
            return
        is_seen_to_change = is_noticed and name in self._status
        self._status[name] = status
        now, wall = self._clock.monotonic(), self._clock.wall()
        self.table.put(name, line(text), written_at(now, wall, about.st_mtime, self._looked_at if is_seen_to_change else None))

    def _drop(self, name: str) -> None:
        self._status.pop(name, None)
        self.table.drop(name)


def _names(directory: Path) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _is_mode(file: str) -> bool:
    return is_name(file) and file.endswith(f".{said.MODE}")


def _name_of_mode(file: str) -> str:
    return f"{said.SERVICE}/{file.removesuffix(said.MODE)}{_SAID}"


def _mtime_ns(path: Path) -> int:
    """0 while there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _inode(path: Path) -> int | None:
    """The inode of a directory; None for what is none."""
    try:
        about = path.stat()  # root may have put a link in its place
    except OSError:
        return None
    return about.st_ino if stat.S_ISDIR(about.st_mode) else None

"""pimains backup now: one backup of what one instance names, its result written into state, ledger and, if it failed, a message."""

import argparse
import contextlib
import fcntl
import os
import select
import sqlite3
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pimains.backup import rsync
from pimains.backup.program import Interrupted
from pimains.backup.restoring import Refused
from pimains.backup.snapshots import Done, Wanted
from pimains.backup.told_to_stop import ToldToStop
from pimains.backup.words import count, progress
from pimains.core import coming_up, notify_queue, paths, state
from pimains.core.errors import PimainsError
from pimains.core.ledger import Ledger, Reading
from pimains.core.plan import sentences, text
from pimains.core.progress_line import Line
from pimains.shared.backup import last_backup
from pimains.shared.fileserver import mount

if TYPE_CHECKING:
    from pimains.backup.source import Source

_NICENESS = 10
_LOOK_SECONDS = 0.2


class BackupNow:
    """One backup."""

    def __init__(self, source: "Source", options: argparse.Namespace) -> None:
        self.source = source
        self.for_a_service = bool(options.until_eof)
        self.reason = options.reason
        self.told_without = ""
        self.told = ToldToStop(by_input=self.for_a_service)
        self.quiet = bool(options.json) or self.for_a_service
        self.line = Line(sys.stderr.isatty() and not self.quiet)

    def run(self) -> dict[str, Any]:
        """Make it and say how it went; the answer is for --json. Raises PimainsError when nobody can be told."""
        lock = self.lock()
        os.nice(_NICENESS)
        self.told_without = last_backup.read(self.source.run)
        began = time.monotonic()
        self.note(last_backup.UNDER_WAY)
        done, why = Done(Path(), 0, 0, []), ""
        try:
            done = self.copy()
            why = "; ".join(done.failures)
        except Interrupted:
            self.line.end()
            self.note(last_backup.STOPPED, "goes on with the next one")
            raise PimainsError("stopped half-way; the next backup goes on there") from None
        except PimainsError as error:
            why = str(error)
        except OSError as error:
            why = f"{error.filename or self.source.settings.DEST or self.source.mdrive}: {(error.strerror or str(error)).lower()}"
        finally:
            os.close(lock)
        self.line.end()
        took = sentences.duration(time.monotonic() - began)
        self.tell(done, text.one_line(why), took)
        return {
            "instance": self.source.name,
            "complete": not why,
            "error": why or None,
            "directory": str(done.directory) if not why else None,
            "files": done.files,
            "bytes": done.size,
            "without": list(done.without),
            "seconds": round(time.monotonic() - began, 3),
        }

    def lock(self) -> int:
        """Never two at once on this machine: they would take over each other's unfinished snapshots. Nobody else can open it."""
        path = paths.run() / "backup.lock"
        try:
            if path.exists() and path.stat().st_mode & 0o077:  # of a pimains that let all read it, and thereby lock it
                path.unlink()
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise PimainsError(f"{path}: {error.strerror} (try it with sudo)") from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            if not self.for_a_service:
                os.close(handle)
                raise PimainsError(f"a backup is under way already (process {holder}): pimains backup list") from None
            print(f"waiting until the backup of process {holder} has ended", flush=True)
            self.wait_for(handle)
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        return handle

    def wait_for(self, lock: int) -> None:
        """Until nobody else has the lock; raises PimainsError when told to stop before."""
        while not select.select([self.told], [], [], _LOOK_SECONDS)[0]:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
        raise PimainsError("stopped before it began")

    def copy(self) -> Done:
        """The copying itself."""
        settings = self.source.settings
        # a client's service brings the share; a server's drive is there, or is not
        bringing = self.source.instance if self.source.instance.service == "fclient" else None
        shelf = coming_up.patiently(bringing, lambda: self.source.shelf, Refused)
        wanted = Wanted(settings.BACKUP, settings.RSYNC_OPTIONS, settings.BACKUP_KEEP)
        now = datetime.now()  # snapshots are called by the time that people live in
        return shelf.back_up(wanted, now, self.show, self.told)

    def show(self, path: Path, how: rsync.Progress | None) -> None:
        """How far it is."""
        if how:
            self.line(progress(path, how))
        elif not self.quiet:
            self.line.end()
            print(f"{path} to {self.source.settings.destination(self.source.mdrive)}", flush=True)

    def tell(self, done: Done, why: str, took: str) -> None:
        """Say it here, and write it down where others look."""
        what = " ".join(map(str, self.source.settings.BACKUP))
        copied = f"{count(done.files)}, {sentences.size(done.size)} copied in {took}"
        if why:
            self.note(last_backup.FAILED, why)
            body = f"{why}\n\nWhat was copied before is kept, and so are the earlier backups."
            with contextlib.redirect_stdout(sys.stderr):  # what it says about itself is no part of the answer
                notify_queue.post(f"backup of {what} on {self.source.host} failed", body, "backup-failed")
        else:
            self.note(last_backup.DONE, copied, done.without)
            self.tell_lacking(done.without)
        if why and not self.quiet:
            print(f"pimains: the backup is not complete: {why}", file=sys.stderr)
        elif not self.quiet or self.for_a_service:
            print(f"failed: {why}" if why else f"done: {done.directory}: {copied}", flush=True)
        inputs = {"paths": Reading(what), "copied": Reading(f"{count(done.files)}, {sentences.size(done.size)}"), "time": Reading(took)}
        try:
            Ledger().record("backup", f"failed: {why}" if why else f"made {done.directory}", self.reason, inputs)
        except (OSError, sqlite3.Error) as error:
            print(f"the ledger cannot be written: {error}", file=sys.stderr)

    def tell_lacking(self, without: Sequence[str]) -> None:
        """What the drive cannot hold: to who asks for a backup by hand each time, to a log once."""
        missing = last_backup.lacking(without)
        if missing and (not self.quiet or (self.for_a_service and f"{missing}: " not in self.told_without)):
            place = self.source.settings.destination(self.source.mdrive)
            kind = next((each.kind for each in reversed(mount.mounts()) if each.place == mount.holding(place)), "?")
            print(f"backed up{missing}: the file system of {place} ({kind}) cannot hold them", flush=True)

    def note(self, word: str, more: str = "", without: Sequence[str] = ()) -> None:
        """For the service's status line, if it was ever started."""
        if not self.source.run.is_dir():
            return
        try:
            state.write(self.source.run / "backup", last_backup.line(word, more, without))
        except OSError as error:
            print(f"{self.source.run / 'backup'}: {error.strerror}", file=sys.stderr)

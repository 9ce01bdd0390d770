"""The backup that a service has under way: `pimains backup now` as a child, which ends when the service does.

Its standard input is a pipe from the service. When that is closed, because the service stops it, ends or is killed, the backup
stops: also one that runs as root while its service has become user pimains and may not signal it.
"""

import os
import signal
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

from pimains.core import notify_queue, state
from pimains.core.instance import Instance
from pimains.core.naps import Nap, Readable, within
from pimains.core.process.child import Child
from pimains.shared.backup import last_backup

STOP_SECONDS = 8.0  # it gives rsync five of them


class BackupChild:
    """The backup of one instance; `files` become readable when `step` has something to do.

    `wanted` is whether anything is to be backed up at all: if not, nothing ever happens.
    """

    def __init__(self, me: Instance, *, wanted: bool) -> None:
        self._me = me
        self._wanted = wanted
        self._line = last_backup.read(me.run) if wanted else ""
        self._watch = state.Watch(me.run) if wanted else None
        self._child: Child | None = None
        self._stop = -1
        self._listening = False

    @property
    def files(self) -> tuple[Readable, ...]:
        """For the service's naps; a backup that somebody started by hand is noticed too."""
        output = (self._child.output,) if self._child and self._listening else ()
        return (*([self._watch] if self._watch else []), *([self._child] if self._child else []), *output)

    @property
    def words(self) -> str:
        """What belongs at the end of the status line."""
        told = last_backup.for_status(self._line)
        return f"; {told}" if told else ""

    @property
    def is_well(self) -> bool:
        """Whether nobody needs to look after it."""
        return last_backup.is_well(self._line)

    def begin(self, reason: str) -> None:
        """Start one, unless one is under way."""
        if not self._wanted or self._child:
            return
        place = [f"--servicedir={self._me.directory.parent}", f"--instance={self._me.name}"]
        words = [sys.executable, "-Pu", "-m", "pimains.cli", "backup", "now", *place, f"--reason={reason}", "--until-eof"]
        outward, self._stop = os.pipe2(os.O_CLOEXEC)
        try:
            self._child = Child(words, os.environ, lambda line: print(f"backup: {line}"), standard_input=outward)
            self._listening = True
        except OSError as error:
            self._close_stop()
            self._me.complain(f"the backup cannot be started: {error.strerror}")
        finally:
            os.close(outward)

    def step(self) -> bool:
        """Deal with what it says and with its end; returns whether its words are others now. Never waits."""
        if self._watch is None:
            return False
        changed = "backup" in self._watch.changed()
        if self._child:
            self._listening = self._listening and self._child.output.read()
            if self._child.has_ended():
                self._bury(self._child)
                changed = True
        if not changed:
            return False
        before, self._line = self._line, last_backup.read(self._me.run)
        return before != self._line

    def ask_to_stop(self) -> None:
        """Let it end, half-way if need be; the next one goes on there."""
        self._close_stop()

    def stop(self) -> Generator[Nap, tuple[Readable, ...], None]:
        """The same, and wait until it lets go of the drive."""
        self.ask_to_stop()
        deadline = self._me.clock.monotonic() + STOP_SECONDS
        while self._child and (left := deadline - self._me.clock.monotonic()) > 0:
            yield within(left, *self.files)
            self.step()
        self.abandon()

    def abandon(self) -> None:
        """Wait for nothing: its drive is gone, and it may hang."""
        self.ask_to_stop()
        if self._child:
            with suppress(PermissionError):  # root's, while this service is not: it sees that its input has ended
                self._child.signal(signal.SIGKILL)
            self._let_go(self._child)
        if last_backup.read(self._me.run).startswith(last_backup.UNDER_WAY):
            self._me.leave("backup", last_backup.line(last_backup.STOPPED, "the drive went away; the next one goes on there"))

    def close(self) -> None:
        """Let go of it: it stops by itself."""
        self.ask_to_stop()
        if self._child:
            self._child.close()
            self._child = None
        if self._watch:
            self._watch.close()

    def _bury(self, child: Child) -> None:
        self._let_go(child)
        if last_backup.read(self._me.run).startswith(last_backup.UNDER_WAY):
            why = "its process was ended" if child.exit_code is None or child.exit_code < 0 else f"exit code {child.exit_code}"
            self._me.leave("backup", last_backup.line(last_backup.FAILED, f"{why} half-way; the next one goes on there"))
            notify_queue.post(f"backup of {self._me.name} failed: {why}", "The next one goes on where it ended.", "backup-failed")

    def _let_go(self, child: Child) -> None:
        child.has_ended()
        child.close()
        self._child = None
        self._close_stop()

    def _close_stop(self) -> None:
        if self._stop >= 0:
            os.close(self._stop)
            self._stop = -1


def backups_by_hand() -> list[int]:
    """Each `pimains backup now` below this root (PIMAINS_ROOT) that no service has started; it obeys TERM."""
    return [
        int(name) for name in os.listdir("/proc") if name.isdigit() and _is_backup(_words(name, "cmdline")) and _is_below_our_root(name)
    ]


def _words(process: str, file: str) -> list[str]:
    try:
        return Path("/proc", process, file).read_text(encoding="utf-8", errors="replace").split("\0")
    except OSError:  # it has just ended
        return []


def _is_below_our_root(process: str) -> bool:
    """A demo that is halted stops no backup of the machine that it is shown on."""
    theirs = [word.partition("=")[2] for word in _words(process, "environ") if word.startswith("PIMAINS_ROOT=")]
    return "".join(theirs) == os.environ.get("PIMAINS_ROOT", "")


def _is_backup(words: list[str]) -> bool:
    ours = [place for place, word in enumerate(words) if word == "pimains.cli" or word.endswith("/pimains")]
    return any(words[place + 1 : place + 3] == ["backup", "now"] for place in ours) and "--until-eof" not in words

"""An upgrade by apt that runs apart from whoever began it: what is to be done, how far it is, how it went."""

from collections.abc import Callable, Generator
from contextlib import suppress
from fcntl import LOCK_NB, LOCK_SH, flock
from os import SEEK_END
from pathlib import Path

from pimains.core import paths, state
from pimains.core.clock import Clock
from pimains.core.errors import Away
from pimains.core.naps import Nap, Readable
from pimains.core.plan.text import short_line
from pimains.core.process.program import Programs
from pimains.update import apt
from pimains.update.apt import AptError, Change
from pimains.update.plan.rows import Rows

LOCK_SECONDS_MAX = 3600.0
_PASSED_OVER = ("held", "not-installed", "config-files")
_LONGEST_LINE = 400


class Upgrade:
    """One at a time; output, exit code and lock are in `directory`."""

    def __init__(self, directory: Path, name: str) -> None:
        self.output = directory / "output"
        self._directory = directory
        self._name = name

    def forget(self) -> None:
        """Of the one before nothing is left that could be taken for what the next one says."""
        for name in ("ended", "output"):
            state.remove(self._directory / name)

    def begin(self, clock: Clock, names: list[str]) -> Generator[Nap, tuple[Readable, ...], None]:
        """Start it; raises Failed."""
        script = str(paths.service_templates() / "update/upgrade")
        yield from _start_apart(
            clock, ["/bin/sh", script, str(self._directory), *apt.ONLY_UPGRADE, *names], f"pimains-upgrade-{self._name}"
        )

    def has_ended(self) -> bool:
        """Whether it has said how it ended."""
        return (self._directory / "ended").exists()

    def says(self) -> str:
        """The last line that apt has said so far."""
        with suppress(OSError), self.output.open("rb") as output:
            output.seek(-min(output.seek(0, SEEK_END), _LONGEST_LINE), SEEK_END)
            return short_line(output.read().decode("utf-8", "replace").strip().rpartition("\n")[2])
        return "begins"

    def is_locked(self) -> bool:
        """Whether it runs: it holds its lock as long, however it ends."""
        try:
            with (self._directory / "lock").open("rb") as lock:
                flock(lock, LOCK_SH | LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False


def look(names: list[str], left_alone: list[str], is_rehearsal: bool, say: Callable[[str], None]) -> Rows:
    """In a child: what is to be done; rows `change`, `waits` (for the sake of those in `left_alone`), `failed`, `there`, `trouble`."""
    rows = []
    try:
        if not is_rehearsal:
            apt.refresh(LOCK_SECONDS_MAX, say)
    except AptError as error:  # one of many repositories may be away, and what was fetched before is there
        rows.append(["trouble", f"the repositories could not all be asked: {error}"])
    try:
        known = apt.installed(names)
        there = {name: known[name] for name in names if name in known and known[name].state not in _PASSED_OVER}
        changes, failing = apt.newer([name for name in there if name not in left_alone])
        waiting, failing_too = apt.newer(list(there)) if any(name in there for name in left_alone) else ([], {})
    except AptError as error:
        raise Away(str(error)) from None
    rows += [["change", *change] for change in changes]
    rows += [["waits", *change] for change in waiting if change not in changes]
    rows += [["failed", *each] for each in {**failing_too, **failing}.items()]
    return rows + [["there", f"{name} {each.version}"] for name, each in there.items()]


def how_it_went(planned: list[Change], output: Path) -> Rows:
    """In a child: rows `change` and `failed`."""
    try:
        done, failed = apt.outcome(planned, output.read_text(encoding="utf-8", errors="replace") if output.exists() else "")
    except AptError as error:
        raise Away(str(error)) from None
    return [["change", *change] for change in done] + [["failed", *each] for each in failed.items()]


_START_SECONDS_MAX = 60.0


def _start_apart(clock: Clock, words: list[str], unit: str) -> Generator[Nap, tuple[Readable, ...], None]:
    """Start `words` as the transient systemd unit `unit`, or without systemd in a session of their own; raises Failed.

    systemd ends what is in the same control group as a service that it restarts: a session of its own would not be enough there.
    Nothing of this environment is handed on.
    """
    if Path("/run/systemd/system").is_dir():  # sd_booted(3)
        starter = ["systemd-run", "--quiet", "--collect", f"--unit={unit}", "--"]
    else:
        starter = ["setsid", "--fork", "env", "-i"]
    yield from Programs(clock, _START_SECONDS_MAX, {}).run([*starter, *words], starter[0])

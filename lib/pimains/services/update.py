"""update: upgrades the packages that are named in its settings, unattended, at a time of day that suits.

Five minutes after boot, then every INTERVAL, inside WINDOW: apt-get update, then an upgrade of what is newer of just those
packages, by services/update/upgrade. That runs apart from this service, so that it goes on when the service is restarted
or stopped, also by the upgrade itself; whoever is this service then tells how it went.

    /run/pimains/update/now          whoever writes it has it look at once, at any time of day
    /run/pimains/update/last         when it last looked, seconds since boot
    /run/pimains/update/found        what came of it
    /run/pimains-update/update/      output, exit code and lock of an upgrade; only root looks in there
    /var/lib/pimains/update/job      what an upgrade is to do, until people were told how it went
    /var/lib/pimains/update/failing  what cannot be upgraded, as people were told; they are told again when others fail

Below a PIMAINS_ROOT nothing is fetched or upgraded: it says what it would do.
"""

import time
from collections.abc import Callable, Generator
from contextlib import suppress
from functools import partial
from pathlib import Path

from pimains.core import halt_request, notify, paths, state
from pimains.core.errand import DONE, Errand
from pimains.core.forked import Forked
from pimains.core.service import Instance, Nap, Naps, Readable, run, within
from pimains.devices import upgrade
from pimains.devices.apt import Change
from pimains.devices.programs import Failed
from pimains.devices.upgrade import Upgrade
from pimains.plan.rows import Rows, listed, parsed, written
from pimains.plan.sentences import clock_was_set, moment
from pimains.settings.update import UpdateSettings

_FIRST_SECONDS = 300.0
_RETRY_SECONDS = 600.0
_LOOK_SECONDS_MAX = 2 * upgrade.LOCK_SECONDS_MAX
_WINDOW_LOOK_SECONDS = 600.0  # the wall clock may be set meanwhile
_HALT_LOOK_SECONDS = 60.0
_OUTPUT_LOOK_SECONDS = 10.0
_LONG_SECONDS = 3600.0  # who upgrades for so long waits for something
_BEGIN_SECONDS_MAX = 10.0  # from its start until it holds the lock
_TELL_SECONDS_MAX = 600.0
_LEDGER_SECONDS_MAX = 10.0
_FAILURES_MAX = 5  # fetching the lists: after some hours it is no passing trouble any more
_OURS = ("pimains", "daemontools", "daemontools-run", "ucspi-tcp")  # what restarts the services, and with them the clients' server


def update(me: Instance, settings: UpdateSettings) -> Naps:
    """See an upgrade through that was begun before; then look and upgrade whenever it is time."""
    updater = Updater(me, settings)
    yield from updater.see_through()
    while True:
        cause = yield from updater.until_due()
        yield from updater.look_and_upgrade(cause)


class Updater:
    """What is upgraded, when, and how it went."""

    def __init__(self, me: Instance, settings: UpdateSettings) -> None:
        self._me = me
        self._settings = settings
        self._is_rehearsal = paths.run() != Path("/run/pimains")
        self._directory = me.run / "upgrade" if self._is_rehearsal else Path("/run/pimains-update", me.name)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._upgrade_apart = Upgrade(self._directory, me.name)
        self._commands = state.Watch(me.run)
        self._job = me.lib / "job"
        self._outcome = state.read(me.run / "found") or "looks for newer versions five minutes after boot"
        self._is_well = not state.read(me.lib / "failing")
        self._failures = 0

    def until_due(self) -> Generator[Nap, tuple[Readable, ...], str]:
        """Wait until it is time to look; returns why it is."""
        while True:
            self._commands.changed()
            is_asked = state.read(self._me.run / "now") is not None
            wait, why = self._obstacle(is_asked)
            if not wait:
                with suppress(OSError):
                    (self._me.run / "now").unlink()
                return "somebody asked for it" if is_asked else "newer versions are there"
            self._tell(why)
            yield within(wait, self._commands)

    def _obstacle(self, is_asked: bool) -> tuple[float, str]:
        """How long to wait, and for what; 0 if it can be done now."""
        if halt_request.pending():
            return _HALT_LOOK_SECONDS, "waiting: this machine is about to halt"
        if is_asked:
            return 0, ""
        if (left := self._due() - self._me.clock.monotonic()) > 0:
            return left, ""
        window = self._settings.WINDOW
        wall = self._me.clock.wall()
        if window is None:
            return 0, ""
        if not clock_was_set(wall):
            return _WINDOW_LOOK_SECONDS, f"waiting for {window}: the clock was not set"
        time.tzset()  # somebody may have set the zone since
        now = time.localtime(wall)
        wait = window.seconds_until(now.tm_hour * 3600 + now.tm_min * 60 + now.tm_sec)
        return min(wait, _WINDOW_LOOK_SECONDS), f"waiting for {window}"

    def _last(self) -> float | None:
        with suppress(ValueError, OverflowError):
            return float(state.read(self._me.run / "last") or "")
        return None

    def _due(self) -> float:
        last = self._last()
        if last is None:
            return _FIRST_SECONDS
        now = self._me.clock.monotonic()
        again = float(self._settings.INTERVAL)
        if self._failures:
            again = min(again, _RETRY_SECONDS * 2.0 ** (self._failures - 1))
        return min(last, now) + again

    def look_and_upgrade(self, cause: str) -> Naps:
        """One round."""
        self._has_looked()
        keep_ours = self._settings.SKIP_WHILE_CLIENTS and any(state.read(path) for path in paths.run().glob("*/clients"))
        left_alone = [name for name in self._settings.UPGRADE if keep_ours and name in _OURS]
        names = [name for name in self._settings.UPGRADE if name not in left_alone]
        self._me.status("looking for newer versions")
        rows = yield from self._done_by_a_child(partial(upgrade.look, names, self._is_rehearsal, self._me.status), _LOOK_SECONDS_MAX)
        self._has_looked()
        troubles = [row[0] for kind, *row in rows if kind == "trouble"]
        self._failures = self._failures + 1 if troubles else 0
        for trouble in troubles:
            self._me.complain(trouble)
        changes = [Change(*row) for kind, *row in rows if kind == "change"]
        failing = {row[0]: row[1] for kind, *row in rows if kind == "failed"}
        if changes and not self._is_rehearsal and not halt_request.pending():
            yield from self._upgrade(changes, failing, cause)
            return
        if changes:
            found = f"{'would upgrade' if self._is_rehearsal else 'did not upgrade'} {listed(changes)}"
        elif troubles:
            found = troubles[0]
        else:
            found = f"nothing to upgrade: {listed([row[0] for kind, *row in rows if kind == 'there']) or 'none of UPGRADE is installed'}"
        if left_alone:
            found += f"; {' and '.join(left_alone)} left alone while there are clients"
        yield from self._conclude(found, [], failing)

    def _upgrade(self, changes: list[Change], failing: dict[str, str], cause: str) -> Naps:
        """Begin the upgrade; what it is to do is written down before."""
        wanted = [change.name for change in changes if change.name in self._settings.UPGRADE]
        self._upgrade_apart.forget()
        job = [["change", *change] for change in changes] + [["failed", *each] for each in failing.items()]
        try:
            if trouble := (yield from self._note(f"upgrade {listed(changes, len(changes))}", cause)):
                raise OSError(trouble)
            state.write(self._job, written(job), durable=True)
            print(f"upgrading {listed(changes, len(changes))}")
            yield from self._upgrade_apart.begin(self._me.clock, wanted)
        except (OSError, Failed) as error:
            state.remove(self._job)
            self._me.complain(f"nothing was upgraded: {error}")
            yield from self._conclude("nothing was upgraded", [], {**failing, **dict.fromkeys(wanted, str(error))})
            return
        yield from self.see_through()

    def see_through(self) -> Naps:
        """Wait until the upgrade that was begun has ended, and tell how it went; nothing if none was begun."""
        job = parsed(state.read(self._job))
        if not job:
            return
        changes = [Change(*row) for kind, *row in job if kind == "change" and len(row) == len(Change._fields)]
        failing = {row[0]: row[1] for kind, *row in job if kind == "failed" and len(row) > 1}
        watch = state.Watch(self._directory)
        began = self._me.clock.monotonic()
        while (took := self._me.clock.monotonic() - began) < _BEGIN_SECONDS_MAX or self._upgrade_apart.is_locked():
            watch.changed()
            if self._upgrade_apart.has_ended():
                break
            self._me.status(f"upgrading {listed(changes)}: {self._upgrade_apart.says()}", well=took < _LONG_SECONDS)
            yield within(_OUTPUT_LOOK_SECONDS, watch)
        watch.close()
        rows = yield from self._done_by_a_child(partial(upgrade.how_it_went, changes, self._upgrade_apart.output), _TELL_SECONDS_MAX)
        failing |= {row[0]: row[1] for kind, *row in rows if kind == "failed"}
        failing |= dict.fromkeys((change.name for change in changes), rows[0][1]) if rows and rows[0][0] == "trouble" else {}
        done = [Change(*row) for kind, *row in rows if kind == "change"]
        yield from self._conclude(f"upgraded {listed(done)}" if done else "nothing was upgraded", done, failing)
        state.remove(self._job)

    def _conclude(self, found: str, done: list[Change], failing: dict[str, str]) -> Naps:
        """Write down and tell people what was upgraded, and what cannot be."""
        if done:
            words = listed(done, len(done))
            print(f"upgraded {words}")
            yield from self._note(f"upgraded {words}", "")
            names = listed([change.name for change in done])
            notify.post(f"upgraded {names}", "\n".join(str(change) for change in done), "update")
        for name, why in failing.items():
            self._me.complain(f"{name} could not be upgraded: {why}")
            yield from self._note(f"could not upgrade {name}", why)
        told = self._me.lib / "failing"
        names = " ".join(sorted(failing))
        if names != (state.read(told) or ""):
            if failing:
                body = "\n".join(f"{name}: {why}" for name, why in failing.items())
                notify.post(f"could not upgrade {listed(list(failing))}", body, "update-failed")
            with suppress(OSError):
                state.write(told, names)
        wall = self._me.clock.wall()
        failed = f"; failing: {listed([f'{name} ({why})' for name, why in failing.items()])}" if failing else ""
        self._outcome = f"{found}{failed} ({moment(wall, wall)})"
        self._is_well = not failing
        self._me.leave("found", self._outcome)
        self._tell("")

    def _tell(self, more: str) -> None:
        self._me.status("; ".join(filter(None, (self._outcome, more))), well=self._is_well and self._failures <= _FAILURES_MAX)

    def _has_looked(self) -> None:
        self._me.leave("last", f"{self._me.clock.monotonic():.0f}")

    def _note(self, action: str, cause: str) -> Generator[Nap, tuple[Readable, ...], str]:
        """Write into the ledger, in a child that takes SQLite's memory with it; returns what is wrong if that fails."""

        def note() -> str:
            self._me.ledger.record("update", action, cause)
            return "noted"

        try:
            noted = yield from Forked(note).wait(self._me.clock, _LEDGER_SECONDS_MAX)
        except OSError as error:
            noted, why = None, error.strerror or str(error)
        else:
            why = f"not within {_LEDGER_SECONDS_MAX:g} s"
        if noted:
            return ""
        self._me.complain(f"the ledger cannot be written: {why}")
        return f"the ledger cannot be written: {why}"

    def _done_by_a_child(self, do: Callable[[], Rows], seconds_max: float) -> Generator[Nap, tuple[Readable, ...], Rows]:
        """What `do` answers in a process of its own; one row `trouble` when it fails."""
        answer = self._directory / "answer"
        state.remove(answer)
        errand = Errand(lambda: state.write(answer, written(do())), seconds_max)
        outcome = None
        try:
            while (outcome := errand.outcome()) is None:
                yield within(seconds_max, errand)
        finally:
            if outcome is None:
                errand.end()
        return parsed(state.read(answer)) if outcome.kind == DONE else [["trouble", outcome.words]]


if __name__ == "__main__":
    run(update, UpdateSettings, user=None)

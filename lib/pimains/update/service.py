"""The service update: services/update/README.md says what it is for, this how it goes about it.

Five minutes after boot, then every INTERVAL, inside WINDOW: apt-get update, then an upgrade of what is newer of just those
packages, by services/update/upgrade. What waits for the clients of a file server is looked at again when they have left. The upgrade
runs apart from this service, so that it goes on when the service is restarted or stopped, also by the upgrade itself; whoever is this
service then tells how it went.

    /run/pimains/update/now          whoever of group pimains writes or touches it has it look at once, at any time of day
    /run/pimains/update/last         when it last looked, seconds since boot
    /run/pimains/update/found        what came of it
    /run/pimains/update/put-off      what waits until the clients have left
    /run/pimains-update/update/      output, exit code and lock of an upgrade; only root looks in there
    /var/lib/pimains/update/job      what an upgrade is to do, until people were told how it went
    /var/lib/pimains/update/failing  what cannot be upgraded, as people were told; they are told again when others fail

Below a PIMAINS_ROOT nothing is fetched or upgraded: it says what it would do.
"""

from collections.abc import Callable, Generator
from contextlib import suppress
from functools import partial
from pathlib import Path

from pimains.core import notify_queue, paths, state
from pimains.core.errors import PimainsError
from pimains.core.ledger_beside import LedgerNote
from pimains.core.plan.sentences import moment
from pimains.core.process.function import Forked, or_away
from pimains.core.process.program import Failed
from pimains.core.service import Instance, Nap, Naps, Readable, run, within
from pimains.update import upgrade
from pimains.update.apt import Change
from pimains.update.due import UpgradeTime
from pimains.update.plan.rows import Rows, listed, parsed, whole, written
from pimains.update.settings import UpdateSettings
from pimains.update.upgrade import Upgrade

_LOOK_SECONDS_MAX = 2 * upgrade.LOCK_SECONDS_MAX
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
        cause = yield from updater.time.until_due(updater.tell)
        yield from updater.look_and_upgrade(cause)


class Updater:
    """What is upgraded, when, and how it went."""

    def __init__(self, me: Instance, settings: UpdateSettings) -> None:
        self._me = me
        self._settings = settings
        self.time = UpgradeTime(me, settings)
        self._is_rehearsal = paths.run() != Path("/run/pimains")
        self._directory = me.run / "upgrade" if self._is_rehearsal else Path("/run/pimains-update", me.name)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._upgrade_apart = Upgrade(self._directory, me.name)
        self._job = me.lib / "job"
        self._outcome = state.read(me.run / "found") or "looks for newer versions five minutes after boot"
        self._is_well = not state.read(me.lib / "failing")
        self._said: list[str] = []  # what was wrong at the last look, as the log has it
        self._begun = ""  # the upgrade that the log has last

    def look_and_upgrade(self, cause: str) -> Naps:
        """One round."""
        ours = [name for name in self._settings.UPGRADE if name in _OURS]
        left_alone = ours if self.time.clients() else []
        rows = yield from self._look(left_alone)
        if ours and not left_alone and self.time.clients():  # somebody came meanwhile
            rows = yield from self._look(ours)
        troubles = [row[0] for kind, *row in rows if kind == "trouble"]
        changes = [Change(*row) for kind, *row in rows if kind == "change"]
        waiting = [Change(*row) for kind, *row in rows if kind == "waits"]
        failing = {row[0]: row[1] for kind, *row in rows if kind == "failed"}
        obstacle = changes and self.time.obstacle()
        if obstacle:
            waiting = changes + waiting
        self.time.put_off(listed(waiting))
        if changes and not self._is_rehearsal and not obstacle:
            yield from self._upgrade(changes, failing, troubles, cause)
            return
        there = [row[0] for kind, *row in rows if kind == "there" and row[0].split()[0] not in [change.name for change in waiting]]
        if changes:
            found = f"nothing was upgraded: {obstacle}" if obstacle else f"would upgrade {listed(changes)}"
        elif troubles:
            found = ""
        elif waiting:
            found = f"nothing else to upgrade: {listed(there)}" if there else "nothing else to upgrade"
        else:
            found = f"nothing to upgrade: {listed(there) or 'none of UPGRADE is installed'}"
        yield from self._conclude(found, [], failing, troubles)

    def _look(self, left_alone: list[str]) -> Generator[Nap, tuple[Readable, ...], Rows]:
        self._me.status("looking for newer versions")
        self.time.has_looked()
        look = partial(upgrade.look, list(self._settings.UPGRADE), left_alone, self._is_rehearsal, self._me.status)
        rows = yield from self._done_by_a_child(look, _LOOK_SECONDS_MAX)
        self.time.has_looked()
        return rows

    def _upgrade(self, changes: list[Change], failing: dict[str, str], troubles: list[str], cause: str) -> Naps:
        """Begin the upgrade; what it is to do is written down before."""
        wanted = [change.name for change in changes if change.name in self._settings.UPGRADE]
        self._upgrade_apart.forget()
        job = [["change", *change] for change in changes] + [["failed", *each] for each in failing.items()]
        job += [["repository", trouble] for trouble in troubles]
        try:
            if trouble := (yield from self._note(f"upgrade {listed(changes, len(changes))}", cause)):
                raise OSError(trouble)
            state.write(self._job, written(job), durable=True)
            if (begun := f"upgrading {listed(changes, len(changes))}") != self._begun:
                print(begun)
            self._begun = begun
            yield from self._upgrade_apart.begin(self._me.clock, wanted)
        except (OSError, Failed) as error:
            state.remove(self._job)
            yield from self._conclude("nothing was upgraded", [], {**failing, **dict.fromkeys(wanted, str(error))}, troubles)
            return
        yield from self.see_through()

    def see_through(self) -> Naps:
        """Wait until the upgrade that was begun has ended, and tell how it went; nothing if none was begun."""
        job = self._me.kept("job", whole, "how the upgrade that was begun went is in /var/log/apt/term.log")
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
        troubles = [row[0] for kind, *row in (*job, *rows) if kind == "repository"]
        failing |= dict.fromkeys((change.name for change in changes), rows[0][1]) if rows and rows[0][0] == "trouble" else {}
        done = [Change(*row) for kind, *row in rows if kind == "change"]
        yield from self._conclude(f"upgraded {listed(done)}" if done else "nothing was upgraded", done, failing, troubles)
        state.remove(self._job)

    def _conclude(self, found: str, done: list[Change], failing: dict[str, str], troubles: list[str]) -> Naps:
        """Write down and tell people what was upgraded, what cannot be, and which trouble will pass: that of a repository."""
        if done:
            words = listed(done, len(done))
            print(f"upgraded {words}")
            yield from self._note(f"upgraded {words}", "")
            names = listed([change.name for change in done])
            notify_queue.post(f"upgraded {names}", "\n".join(str(change) for change in done), "update")
        self.time.failures = self.time.failures + 1 if troubles else 0
        wrong = [*troubles, *(f"{name} could not be upgraded: {why}" for name, why in failing.items())]
        for line in wrong:
            if line not in self._said:
                self._me.complain(line)
        self._said = wrong
        if not wrong:
            self._me.leave("error", None)
        for name, why in failing.items():
            yield from self._note(f"could not upgrade {name}", why)
        told = self._me.lib / "failing"
        names = " ".join(sorted(failing))
        if names != (state.read(told) or ""):
            if failing:
                body = "\n".join(f"{name}: {why}" for name, why in failing.items())
                notify_queue.post(f"could not upgrade {listed(list(failing))}", body, "update-failed")
            with suppress(OSError):
                state.write(told, names)
        wall = self._me.clock.wall()
        failed = f"; failing: {listed([f'{name} ({why})' for name, why in failing.items()])}" if failing else ""
        found = "; ".join(filter(None, (found, listed(troubles))))
        self._outcome = f"{found}{failed} ({moment(wall, wall)})"
        self._is_well = not failing
        self._me.leave("found", self._outcome)
        self.tell("")

    def tell(self, more: str) -> None:
        """How it stands."""
        self._me.status("; ".join(filter(None, (self._outcome, more))), well=self._is_well and self.time.failures <= _FAILURES_MAX)

    def _note(self, action: str, cause: str) -> Generator[Nap, tuple[Readable, ...], str]:
        """Write into the ledger; returns what is wrong if that fails."""
        note = LedgerNote(self._me, lambda ledger: ledger.record("update", action, cause))
        yield from note.written(_LEDGER_SECONDS_MAX)
        return note.trouble

    def _done_by_a_child(self, do: Callable[[], Rows], seconds_max: float) -> Generator[Nap, tuple[Readable, ...], Rows]:
        """What `do` answers in a process of its own; one row `trouble` when it fails."""
        answer = self._directory / "answer"
        state.remove(answer)
        try:
            yield from Forked(or_away(lambda: state.write(answer, written(do()))), seconds_max).wait(self._me.clock)
        except PimainsError as error:
            return [["trouble", str(error)]]
        except OSError as error:
            return [["trouble", error.strerror or str(error)]]
        return parsed(state.read(answer))


if __name__ == "__main__":
    run(update, UpdateSettings, user=None)

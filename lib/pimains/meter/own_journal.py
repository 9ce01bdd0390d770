"""A meter's own readings: dated as well as the clock is known, kept through everything, and bounded.

Each start that counts is a run with a name of its own, so that no reading is ever taken for another one.
A journal that turns out to be broken, whenever that is, is mended by a thread beside the counting; what is measured meanwhile waits.
"""

import sqlite3
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pimains.core import broken_sqlite, notify_queue
from pimains.core import clock as clocks
from pimains.core.failure import in_words
from pimains.core.ledger import Ledger
from pimains.core.service import Instance
from pimains.meter.measure import NOBODY, Measure, refusal
from pimains.meter.own_readings import UNBOOKED, OwnReadings, mended_recent, new_run
from pimains.shared.plan import boot_time
from pimains.shared.plan.delivery import Boot, Reading
from pimains.shared.readings.journal import Broken, mended
from pimains.shared.readings.put_back import no_place

_HELD_MAX = 20_000  # readings in memory while no journal can be opened: a day at 5 s
_ROOM = 0.9  # of what they may take is what they take afterwards
_TRIES = 3
_MENDED_AT_ONCE_SECONDS = 1.0  # most are; nobody waits for longer
_GLANCE_SECONDS = 0.25  # both clocks are read within it, or what they show does not belong together


class OwnJournal:
    """The journal, and what it could not take yet; `trouble` is why, '' when it takes everything. `run`: this start's name.

    `before` is what a pulse was until now, where that is known; `refusal` why it may not be what is wanted, '' when it may: all is kept
    until then. `begun` is the count at which what was kept so begins.
    """

    def __init__(self, me: Instance, source: str, measure: Measure | None = None) -> None:
        self.trouble = self.refusal = ""
        self.before: Measure | None = None
        self.begun: int | None = None
        self._measure = measure
        self.boot = Boot(None)
        self.run = new_run()
        self.journal: OwnReadings | None = None
        self._me = me
        self._source = source
        self._path = me.lib / "journal.sqlite"
        self._recent = me.run / "recent.sqlite"
        self._mending: _Beside | None = None
        self._may_put_back = True
        self._unmended = ""
        self._held: list[Reading] = []
        self._id = UNBOOKED
        self._sequence = 0
        self._is_ours = False
        self._makes_room = False
        self._left_out = 0
        try:
            self._open()
        except sqlite3.Error as error:
            if self.fails(error):
                self._open()

    def keep(self, uptime: float, pulses: int) -> None:
        """Keep a reading; kill -9 does not lose it, unless there was never room to begin a journal."""
        self._sequence += 1
        self._held.append(Reading(self.run, self._sequence, None, uptime, pulses))
        if len(self._held) > _HELD_MAX:
            del self._held[1:-1:2]
        self.trouble = self._unmended
        self._must_be_in_place()
        for _ in range(_TRIES):
            try:
                if self._date() or self._id == UNBOOKED:
                    self._book(pulses)
                while self._held and self.journal:
                    self.journal.note(self._id, self._held[0])
                    del self._held[0]
            except sqlite3.Error as error:
                if self.fails(error):
                    continue
            break

    def pulses(self) -> int:
        """The highest count it has, 0 while it has none."""
        for _ in range(_TRIES):
            try:
                return self.journal.pulses() if self.journal else 0
            except sqlite3.Error as error:
                if not self.fails(error):
                    break
        return 0

    def save(self, bytes_max: float) -> None:
        """Put everything where a power cut does not hurt it, and keep it below `bytes_max`."""
        if self.journal is None:
            return
        self._may_put_back = True
        try:
            self.journal.save()
            self._make_room(bytes_max)
        except sqlite3.Error as error:
            self.fails(error)

    def _make_room(self, bytes_max: float) -> None:
        """A little each time: nobody waits for it."""
        if self.journal is None:
            return
        if not self._makes_room and self.journal.bytes() > bytes_max:
            self._makes_room = True
            line = "MAX_JOURNAL_MB is reached: the oldest readings are kept in less detail from now on; every total stays"
            print(line)
            notify_queue.post(f"{self._source}: old readings are kept in less detail", line, "journal-thinned")
        if self._makes_room:
            self._left_out += self.journal.thin(int(bytes_max * _ROOM))
            self._makes_room = self.journal.bytes() > bytes_max * _ROOM
            if not self._makes_room:
                print(f"{self._left_out} of the oldest readings were left out")
                self._left_out = 0

    def _date(self) -> bool:
        """Believe the clock if there is a reason to; returns whether something better is known now."""
        clock = self._me.clock
        before, wall, uptime = clock.monotonic(), clock.wall(), clock.monotonic()
        if uptime - before > _GLANCE_SECONDS:
            return False
        better = boot_time.judged(self.boot, wall, uptime, clock.is_synchronised())
        is_better = better != self.boot
        self.boot = better
        return is_better

    def _open(self) -> None:
        """Open the journal, if it is not; one that is broken is set aside. What was not delivered goes with the source."""
        if self._mending and not self._is_mended():
            return
        if self.journal is None:
            try:
                self.journal = OwnReadings(self._path, self._recent)
            except Broken as error:
                raise sqlite3.DatabaseError(str(error)) from error
            self._is_ours = False
            noted = self.journal.last_sequence(UNBOOKED)  # by a start before this one
            self._held = [each._replace(sequence=noted + each.sequence) for each in self._held]
            self._sequence += noted
        if self.journal and not self._is_ours:
            self._make_it_ours(self.journal)
            self._is_ours = True

    def _make_it_ours(self, journal: OwnReadings) -> None:
        stay = 0
        if self._measure:
            journal.measures(self._measure)
            known = journal.measured(self._source)
            self.before = known or journal.measured()
            if known and known.unit != self._measure.unit:
                self.refusal = refusal(self._source, known.unit, self._measure.unit)
                journal.keeps_for_nobody()
                return
            self.begun, stay = journal.kept_since(), journal.stays(self._measure)
        moved = journal.belongs_to(self._source, self._measure)
        if moved:
            so_many = f"{moved.waiting} readings that were not delivered go with it"
            if stay:
                so_many += f"; {stay} of another unit wait until it is {moved.before} again"
            was = f"SOURCE was {moved.before}" if moved.before != self._source else "UNIT is that of before again"
            self._tell(f"counts as {self._source} now", f"{was}; {so_many}")

    def begin_run(self, measure: Measure) -> None:
        """What is kept from now on is measured so. Raises ValueError when the run until now is not in the journal yet."""
        if self._held or self._id == UNBOOKED:
            raise ValueError(self.trouble or f"{self._path} does not take this run yet; try again")
        self.run, self._measure, self._id, self._sequence = new_run(), measure, UNBOOKED, 0

    def _book(self, pulses: int) -> None:
        """Enter this run in the journal, with the time of its boot."""
        self._open()
        if self.journal is None:
            return
        is_new = self.journal.is_empty()
        source = NOBODY if self.refusal else self._source
        self._id = self.journal.enter_run(source, self.run, clocks.boot_id(), self.boot, self._measure)
        if is_new:
            self._tell(f"begins a journal of readings at the count {pulses}", f"there was none of {self._source} in {self._me.lib}")

    def _tell(self, action: str, cause: str) -> None:
        print(f"{self._source}: {action}: {cause}")
        self._me.with_ledger(lambda ledger: ledger.record(self._me.name, action, cause, {}))

    def fails(self, error: sqlite3.Error) -> bool:
        """It could not be used; whether it can be now: one that is broken is mended."""
        self.trouble = f"{self._path}: {error}"
        broken = error.__cause__
        if not (isinstance(broken, Broken) or broken_sqlite.is_at_fault(self._path, error) or self._recent.is_dir()):
            return False
        if self._mending is None:
            self._leave()
            self._mending = _Mending(self._path, self._recent, str(error))
            self._mending.wait(_MENDED_AT_ONCE_SECONDS)
        return self._is_mended()

    def _must_be_in_place(self) -> None:
        """A file that was removed has all it had until it is closed: in time it is written anew."""
        if self.journal is None or self.journal.is_in_place():
            return
        if gone := no_place(self._path):
            self.trouble, self._may_put_back = gone, True
        if gone or not self._may_put_back:
            return
        self._mending = _PuttingBack(self.journal, self._id)
        self.journal, self._id = None, UNBOOKED
        self._mending.wait(_MENDED_AT_ONCE_SECONDS)

    def _leave(self) -> None:
        if self.journal:
            self.journal.close()
        self.journal, self._id = None, UNBOOKED

    def _is_mended(self) -> bool:
        """Whether it can be opened again; says what has become of it."""
        if self._mending is None or not self._mending.is_done():
            self.trouble = f"{self._path}: it was broken or removed, what can be read is taken over into a new one"
            return False
        done, self._mending = self._mending, None
        for line in done.lines:
            self._me.complain(line)
            notify_queue.post(f"{self._source}: its journal of readings {done.was}, a new one is begun", line, "journal-broken")
            self._me.with_ledger(partial(_record, self._me.name, line))
        self._unmended = self.trouble = done.trouble
        if isinstance(done, _PuttingBack):
            self._may_put_back = False
            if done.trouble:  # it is open still, and tried again when it is saved
                self.journal, self._id = done.journal, done.id
                return True
        return not done.trouble


def _record(name: str, line: str, ledger: Ledger) -> None:
    ledger.record(name, "begins its journal anew", line)


class _Beside:
    """Done by a thread beside the counting: `lines` say what, `was` why. `trouble`: why it cannot be done."""

    was = ""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.trouble = ""
        self._thread = threading.Thread(target=self._run, name="mending", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """For it to be done."""
        self._thread.join(seconds)

    def is_done(self) -> bool:
        """Whether it could be done or not."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        raise NotImplementedError


class _Mending(_Beside):
    """Of the journal, of what is recent, or of both."""

    was = "was broken"

    def __init__(self, path: Path, recent: Path, why: str) -> None:
        self._path = path
        self._files: tuple[tuple[Path, Callable[[Path, str], broken_sqlite.Replaced | None]], ...]
        self._files = ((path, mended), (recent, mended_recent))
        self._why = why
        super().__init__()

    def _run(self) -> None:
        try:
            for path, mend in self._files:
                why = broken_sqlite.verdict(path)
                if why and (done := mend(path, why)):
                    self.lines.append(f"{path}: {why}: put aside as {done.aside.name}, a new one is begun{done.taken}")
            if not self.lines:
                self.trouble = f"{self._path}: {self._why}, and nothing is found wrong with it"
        except sqlite3.Error as error:
            self.trouble = f"{path}: {error}"


class _PuttingBack(_Beside):
    """Of a journal whose file is not at its path any more; its runs are entered by `id`."""

    was = "was not in its place"

    def __init__(self, journal: OwnReadings, id_: int) -> None:
        self.journal = journal
        self.id = id_
        super().__init__()

    def _run(self) -> None:
        try:
            self.lines.append(f"{self.journal.path}: {self.journal.put_back()}")
        except (OSError, sqlite3.Error) as error:
            self.trouble = f"{self.journal.path}: is not in its place, and cannot be written anew: {in_words(error)}"

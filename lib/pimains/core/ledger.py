"""The ledger: why anything was switched, written and synced before it is done.

    /var/lib/pimains/ledger.sqlite          root's: what services and programs of root have done
    /var/lib/pimains/ledger/ledger.sqlite   user pimains's: what its services have done

Who reads gets both as one. Root writes nothing where user pimains may write, and believes nothing that stands there: how long things
took, which root's budgets come from, is told from its own. Where both are one user, as in a rehearsal, the first is the only one.
Each entry is an actuation:
subject ("plug", "halt"), action ("power off"), cause in words, the inputs it was decided on with their ages, and
when the subject may next change. Beside them stands how long things took, from which budgets are measured.

A ledger that the disk has ruined is set aside as ledger.sqlite.corrupt-N and a new one is begun, with what can be read of it and an
entry that says so.
"""

import contextlib
import heapq
import json
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar

from pimains.core import broken_sqlite, ledger_search, paths
from pimains.core import clock as clocks
from pimains.core.ledger_search import COLUMNS, NEWEST, Asked, Place

_TABLES = """
begin;
create table if not exists entries (
    id integer primary key, boot text not null, monotonic real not null, wall real not null,
    subject text not null, action text not null, cause text not null, inputs text not null, next_change real
);
create index if not exists entries_by_subject on entries (subject, id);
create table if not exists durations (id integer primary key, subject text not null, wall real not null, seconds real not null);
create index if not exists durations_by_subject on durations (subject, id);
commit;
"""
_DURATIONS_KEPT = 100
_ENTRIES_KEPT = 2000  # of each subject: what is switched every minute pushes out no halt
_BYTES_MAX = 64 << 20
_READS = 5
_SECONDS = 5.0  # for another one who is just writing
T = TypeVar("T")
Row: TypeAlias = tuple[str, float, float, str, str, str, str, float | None]  # as in the table: an Entry whose inputs are JSON
_Way: TypeAlias = Callable[[Path], contextlib.AbstractContextManager[sqlite3.Connection]]


class Reading(NamedTuple):
    """An input to a decision: its value, and how many seconds old it was (None: not known)."""

    value: str
    age_seconds: float | None = None


class Entry(NamedTuple):
    """One actuation, as it was decided."""

    boot: str
    monotonic: float
    wall: float
    subject: str
    action: str
    cause: str
    inputs: dict[str, Reading]
    next_change: float | None


class Page(NamedTuple):
    """Some entries, each with a name that it keeps, newest first, and where they end; None: there are no older ones."""

    entries: list[tuple[str, Entry]]
    end: Place | None


class Ledger:
    """Opened for each use, so that nothing keeps the file busy and a service needs no memory for it while idle.

    `tell` gets one line when a broken one was set aside.
    """

    def __init__(self, path: Path | None = None, clock: clocks.Clock | None = None, tell: Callable[[str], None] = print) -> None:
        self.path = path or paths.lib() / paths.LEDGER
        self.clock = clock or clocks.SystemClock()
        self._own = self._services = self.path.parent / paths.SERVICES_LEDGER / self.path.name
        if os.geteuid() == 0 or not self._services.parent.is_dir() or os.access(self.path.parent, os.W_OK, effective_ids=True):
            self._own = self.path
        self._tell = tell

    def record(
        self,
        subject: str,
        action: str,
        cause: str,
        inputs: Mapping[str, Reading] | None = None,
        may_change_in_seconds: float | None = None,
    ) -> None:
        """Write down what is about to be done; returns when it would survive a power cut.

        Raises OSError or sqlite3.Error if it could not be written: the caller decides whether to go on.
        """
        self.write_down([self.row(subject, action, cause, inputs, may_change_in_seconds)])

    def row(
        self,
        subject: str,
        action: str,
        cause: str,
        inputs: Mapping[str, Reading] | None = None,
        may_change_in_seconds: float | None = None,
    ) -> Row:
        """What `record` would write down now."""
        now = self.clock.wall()
        noted = {name: [reading.value, reading.age_seconds] for name, reading in (inputs or {}).items()}
        next_change = None if may_change_in_seconds is None else now + may_change_in_seconds
        return clocks.boot_id(), self.clock.monotonic(), now, subject, action, cause, json.dumps(noted), next_change

    def write_down(self, rows: Sequence[Row]) -> None:
        """Do as `record` does with all of these, at once."""

        def insert(connection: sqlite3.Connection) -> None:
            connection.executemany(f"insert into entries ({COLUMNS}) values (?,?,?,?,?,?,?,?)", rows)  # noqa: S608  # ours
            for subject in {row[3] for row in rows}:
                connection.execute(
                    "delete from entries where subject = ?1 and id <="
                    " (select id from entries where subject = ?1 order by id desc limit 1 offset ?2)",
                    (subject, _ENTRIES_KEPT),
                )

        self._use(self._own, self._open, insert)

    def write_down_once(self, rows: Sequence[Row]) -> None:
        """Do so with those that do not stand there yet."""

        def is_new(connection: sqlite3.Connection, row: Row) -> bool:
            question = "select 1 from entries where subject = ? and boot = ? and monotonic = ? and action = ?"
            return connection.execute(question, (row[3], row[0], row[1], row[4])).fetchone() is None

        new = self._use(self._own, self._reading, lambda connection: [row for row in rows if is_new(connection, row)])
        if new:
            self.write_down(new)

    def entries(self, subject: str | None = None, limit: int = 20) -> list[Entry]:
        """The newest entries, newest first."""
        return [entry for _, entry in self.page(Asked(subject), limit).entries]

    def page(self, asked: Asked, limit: int, before: Place = NEWEST) -> Page:
        """The newest entries of which `asked` is true and that are older than where the page `before` ends, newest first."""
        if asked.since is not None or asked.until is not None:
            asked = asked._replace(boot=clocks.boot_id(), monotonic=self.clock.monotonic(), now=self.clock.wall())

        def select(connection: sqlite3.Connection, which: int) -> list[tuple[int, int, Entry]]:
            return [(which, row[0], _entry(*row[1:])) for row in ledger_search.rows(connection, asked, before[which], limit + 1)]

        found = list(heapq.merge(*self._all(select), key=lambda each: each[2].wall, reverse=True))
        last = list(before)
        for which, number, _ in found[:limit]:
            last[which] = number
        entries = [(f"{which}-{number}", entry) for which, number, entry in found[:limit]]
        return Page(entries, Place(*last) if len(found) > limit else None)

    def subjects(self) -> list[str]:
        """Everything that was ever actuated."""
        question = "select distinct subject from entries order by subject"
        found = self._all(lambda opened, _: [row[0] for row in opened.execute(question)])
        return sorted({subject for subjects in found for subject in subjects})

    def took(self, subject: str, seconds: float) -> None:
        """Remember that `subject` took `seconds` this time."""

        def insert(connection: sqlite3.Connection) -> None:
            connection.execute("insert into durations (subject, wall, seconds) values (?,?,?)", (subject, self.clock.wall(), seconds))
            connection.execute(
                "delete from durations where subject = ?1 and id not in"
                " (select id from durations where subject = ?1 order by id desc limit ?2)",
                (subject, _DURATIONS_KEPT),
            )

        self._use(self._own, self._open, insert)

    def durations(self, subject: str) -> list[float]:
        """How many seconds `subject` took the last hundred times, oldest first."""
        question = "select seconds from durations where subject = ? order by id"

        def select(connection: sqlite3.Connection) -> list[float]:
            return [row[0] for row in connection.execute(question, (subject,))]

        for path in dict.fromkeys((self.path, self._own)):
            if seconds := self._use(path, self._reading, select):
                return seconds
        return []

    def _all(self, select: Callable[[sqlite3.Connection, int], list[T]]) -> list[list[T]]:
        """What `select` returns of each of the ledgers: 0 is root's, 1 that of the services."""
        found = [self._use(self.path, self._reading, lambda connection: select(connection, 0))]
        if self._own == self._services:
            found.append(self._use(self._services, self._reading, lambda connection: select(connection, 1)))
        elif ledger := _bytes_of(self._services):
            with contextlib.closing(sqlite3.connect(":memory:")) as connection:
                try:
                    connection.deserialize(ledger)
                    found.append(select(connection, 1))
                except sqlite3.Error as error:  # whatever became of it, root's own is told
                    self._tell(f"{self._services} cannot be read: {error}")
        return found

    def _use(self, path: Path, way: _Way, use: Callable[[sqlite3.Connection], T]) -> T:
        """What `use` returns, if need be with a new ledger in place of a broken one, or after what a killed writer left is rolled back."""
        opened = broken_sqlite.inode(path)
        try:
            with way(path) as connection:
                return use(connection)
        except sqlite3.DatabaseError as error:
            if broken_sqlite.is_at_fault(path, error):
                self._begin_anew(path, opened, error)
            elif broken_sqlite.wants_writing(error):
                way = self._open
            else:
                raise
        with way(path) as connection:
            return use(connection)

    def _begin_anew(self, path: Path, broken_inode: int, error: sqlite3.DatabaseError) -> None:
        replaced = broken_sqlite.replace(path, broken_inode, error, _TABLES)
        if replaced is not None:
            self.record("ledger", f"begin anew{replaced.taken}", f"the one before was broken ({error}) and is kept as {replaced.aside}")
            self._tell(f"the ledger was broken ({error}): it is kept as {replaced.aside}, a new one is begun{replaced.taken}")

    @contextlib.contextmanager
    def _reading(self, path: Path) -> Iterator[sqlite3.Connection]:
        """Reading needs no right to write, and leaves no file behind where there was none."""
        there = path.exists() and path.stat().st_size > 0
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro" if there else ":memory:", timeout=_SECONDS, uri=True)
        ) as connection:
            if not there:
                connection.executescript(_TABLES)
            yield connection

    @contextlib.contextmanager
    def _open(self, path: Path) -> Iterator[sqlite3.Connection]:
        path.parent.mkdir(parents=True, exist_ok=True)
        with broken_sqlite.in_place(path, _SECONDS):
            if not path.exists():
                _make(path)
            with contextlib.closing(sqlite3.connect(path, timeout=_SECONDS)) as connection:
                # a rollback journal needs no second process to be alive and no shared memory file; EXTRA: an entry that
                # record() returned from is on the disk; PERSIST: the journal stays where it is, so that the directory need
                # not be synced twice for each entry, which is what makes others wait for the rest of the disk
                connection.execute("pragma journal_mode = persist")
                connection.execute("pragma synchronous = extra")
                connection.executescript(_TABLES)
                with connection:
                    yield connection


def _entry(
    boot: str, monotonic: float, wall: float, subject: str, action: str, cause: str, inputs: str, next_change: float | None
) -> Entry:
    readings: dict[str, Reading] = {}
    with contextlib.suppress(ValueError, TypeError, AttributeError):  # a disk may change what stands on a page and leave its shape
        readings = {str(name): Reading(value, age) for name, (value, age) in json.loads(inputs).items()}
    return Entry(boot, monotonic, wall, subject, action, cause, readings, next_change)


def _make(path: Path) -> None:
    """It appears with its rights, so that another process that comes at this moment can write it too; a link is not followed."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        os.fchmod(handle, 0o644)
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(aside)
    finally:
        os.close(handle)
        aside.unlink()


def _bytes_of(path: Path) -> bytes:
    """What stands in a stranger's file: SQLite would follow his links, wait at his FIFOs, and roll back a journal of his making."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # none was made yet
        return b""
    content = b""
    try:
        for _ in range(_READS):  # once more if it was written meanwhile
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                return b""
            with open(handle, "rb", closefd=False) as file:
                file.seek(0)
                content = file.read(_BYTES_MAX)
            if os.fstat(handle).st_mtime_ns == status.st_mtime_ns:
                break
        return content
    finally:
        os.close(handle)

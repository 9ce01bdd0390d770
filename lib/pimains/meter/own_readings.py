"""The journal of a meter: it notes its own readings, and knows which of them a collector has accepted.

An SD card wears out, so they wait in a second file on a tmpfs, where kill -9 does not hurt them, and are put into the journal
together now and then. That file knows its runs by their names: the journal beside it may be another one at the next start.

A run's `sent` is the last sequence that was accepted. When the meter's SOURCE is changed, what was not goes with it: the run
is of the new source `after` that sequence, and `until` there of the one before, as a row that is `part_of` it. What was counted in
another unit stays where it is.
"""

import re
import secrets
from pathlib import Path
from typing import NamedTuple

from pimains.core import broken_sqlite
from pimains.core.broken_sqlite import Replaced
from pimains.meter.measure import NOBODY, Measure
from pimains.shared.plan.delivery import Answer, Boot, Reading, Run
from pimains.shared.readings.journal import CACHE_KB, Journal

_RECENT = """
create table if not exists readings (
    boot integer not null, sequence integer not null, wall real, uptime real not null, pulses integer not null,
    primary key (boot, sequence)
) without rowid;
create table if not exists sent (boot integer primary key, sent integer not null, told integer not null);
"""
_RUNS = """
create table runs (
    id integer primary key, source text not null, name text not null, boot text not null, "offset" real, synchronised integer not null
);
"""
_RECENT_RUNS = """
insert into recent.runs select id, source, name, boot, "offset", synchronised from main.boots
    where id in (select boot from recent.readings union select boot from recent.sent);
"""
UNBOOKED = 0  # the run of readings that were noted before the disk took this run's row
ASKED_AT_ONCE = 500  # runs in a request
_NAME_BYTES = 8


def new_run() -> str:
    """A name that no run has had."""
    return secrets.token_hex(_NAME_BYTES)


def mended_recent(path: Path, why: str) -> Replaced | None:
    """As `mended` does, for the second file."""
    return broken_sqlite.replace(path, broken_sqlite.inode(path), why, _RECENT + _RUNS, {"readings": "runs"})


def _in_recent(tables: str) -> str:
    return re.sub(r"(create table (if not exists )?)", r"\1recent.", tables)


class Unsent(NamedTuple):
    """What a collector has not accepted, or is asked about: runs by name, and readings, oldest first."""

    boots: dict[str, Boot]
    runs: dict[str, Run]
    readings: list[Reading]


class Outcome(NamedTuple):
    """What an answer says: `lost` were accepted once and are sent again, of the runs `behind`; `ahead`: it has them, and we do not."""

    lost: int
    behind: frozenset[str]
    ahead: int


class Moved(NamedTuple):
    """Where the newest run belonged, and how many readings that were not accepted go with the source."""

    before: str
    waiting: int


class _Row(NamedTuple):
    """A run, with what was accepted of it and whether its boot's offset was."""

    id: int
    name: str
    kernel_boot: str
    boot: Boot
    sent: int
    told: bool
    readings_of: int
    after: int
    until: int
    measure: Measure | None

    @property
    def acknowledged(self) -> int:
        """As the collector is told it."""
        return self.sent if self.sent > self.after else 0


class OwnReadings(Journal):
    """The journal in the file `path`, with `recent`, a file on a tmpfs; nobody else may open them at the same time."""

    def __init__(self, path: Path, recent: Path) -> None:
        self._recent = recent
        self._source: str | None = None
        self._unsent_runs: set[int] | None = None
        self._waiting: int | None = None
        self._asks_from: int | None = None
        super().__init__(path, is_alone=True)

    def _open(self, is_alone: bool) -> None:
        super()._open(is_alone)
        self._opening = self._recent
        broken_sqlite.make_way(self._recent)
        self._connection.execute("attach ? as recent", (str(self._recent),))
        self._connection.execute(f"pragma recent.cache_size = -{CACHE_KB}")
        self._connection.execute("pragma recent.journal_mode = truncate")
        self._connection.execute("pragma recent.synchronous = off")
        self._connection.executescript(_in_recent(_RECENT))
        if not self._connection.execute("select 1 from recent.sqlite_master where name = 'runs'").fetchone():
            self._connection.executescript(_in_recent(_RUNS) + _RECENT_RUNS)
        self._find_runs_again()

    def _find_runs_again(self) -> None:
        """Those of what is recent, in a journal that may be another one than when they were noted."""
        strangers = self._connection.execute(
            "select 1 from recent.runs as r left join main.boots as b using (id, source, name) where b.id is null"
        ).fetchone()
        if not strangers:
            return
        with self._change() as connection:
            rows = connection.execute('select id, source, name, boot, "offset", synchronised from recent.runs').fetchall()
            ids = {
                id_: self._run(source, name, Run(boot), Boot(offset, bool(synchronised)))
                for id_, source, name, boot, offset, synchronised in rows
            }
            for table, column in (("readings", "boot"), ("sent", "boot"), ("runs", "id")):
                connection.execute(f"update recent.{table} set {column} = -{column}")  # noqa: S608  # words of ours
                connection.executemany(
                    f"update recent.{table} set {column} = ? where {column} = ?",  # noqa: S608  # words of ours
                    [(new, -old) for old, new in ids.items()],
                )
                connection.execute(f"delete from recent.{table} where {column} < 0")  # noqa: S608  # words of ours

    # what is measured here

    def measured(self, source: str | None = None) -> Measure | None:
        """What a pulse was in the newest run that was some source's, or this one's; None where there is none, or it does not say."""
        with self._lock:
            look = "select unit, impulses from boots where source != ? and (?2 is null or source = ?2) order by id desc limit 1"
            found = self._connection.execute(look, (NOBODY, source)).fetchone()
        return Measure(*found) if found and found[1] else None

    def measures(self, measure: Measure) -> None:
        """A pulse was that in all runs of which nothing is said."""
        with self._change() as connection:
            connection.execute("update boots set unit = ?, impulses = ? where impulses is null", measure)

    def keeps_for_nobody(self) -> None:
        """What is counted is no source's, until `belongs_to`."""
        self._source, self._unsent_runs, self._waiting = NOBODY, None, None

    def belongs_to(self, source: str, measure: Measure | None = None) -> Moved | None:
        """The meter sends as `source` from now on, also what was not accepted until then; None where it always did."""
        with self._change() as connection:
            look = "select source from boots where part_of is null and source != ? order by id desc limit 1"
            newest = connection.execute(look, (NOBODY,)).fetchone()
            others = [row for row in self._rows() if self._source_of(row.id) != source and self._count(row)]
            moved = [row for row in others if self._goes_with(row, measure)]
            kept = [row for row in moved if self._source_of(row.id) == NOBODY]
            if measure:
                connection.executemany("update boots set unit = ?, impulses = ? where id = ?", [(*measure, row.id) for row in kept])
            waiting = sum(self._count(row) for row in moved)
            names = {name for (name,) in connection.execute("select name from boots where source = ?", (source,))}
            for row in moved:
                # a boot's name may stand for other readings there: it does not come once only
                name = new_run() if row.name == row.kernel_boot or row.name in names else row.name
                before = self._source_of(row.id)
                change = "update main.boots set source = ?, name = ?, after = ?, told = 0 where id = ?"
                connection.execute(change, (source, name, row.sent, row.id))
                if row.acknowledged:
                    connection.execute(
                        'insert into main.boots (source, name, boot, "offset", synchronised, sent, told, part_of, after, until,'
                        " unit, impulses) values (?,?,?,?,?,?,?,?,?,?,?,?)",
                        (before, row.name, row.kernel_boot, *row.boot, row.sent, row.told, row.readings_of, row.after, row.sent)
                        + (row.measure or ("", None)),
                    )
                connection.execute("update recent.runs set source = ?, name = ? where id = ?", (source, name, row.id))
                connection.execute("update recent.sent set told = 0 where boot = ?", (row.id,))
        self._source, self._unsent_runs, self._waiting = source, None, None
        return Moved(newest[0], waiting) if newest and (newest[0] != source or kept) else None

    def stays(self, measure: Measure) -> int:
        """How many readings that were not accepted stay where they are, because they are of another unit."""
        with self._lock:
            return sum(self._count(row) for row in self._rows_of(None) if not self._goes_with(row, measure))

    def kept_since(self) -> int | None:
        """The count at which what nobody's source has taken begins; None where there is none."""
        with self._lock:
            return min((int(each.pulses) for row in self._rows_of(NOBODY) for each in self._readings(row, 1)), default=None)

    def _goes_with(self, row: _Row, measure: Measure | None) -> bool:
        is_kept = self._source_of(row.id) == NOBODY
        return is_kept or measure is None or row.measure is None or row.measure.unit == measure.unit

    def _source_of(self, id_: int) -> str:
        return str(self._connection.execute("select source from boots where id = ?", (id_,)).fetchone()[0])

    def enter_run(self, source: str, name: str, kernel_boot: str, boot: Boot, measure: Measure | None = None) -> int:
        """The id by which this run's readings are noted, also those that were UNBOOKED; another offset is told to the collector again."""
        with self._change() as connection:
            id_ = self._run(source, name, Run(kernel_boot, None, measure and measure.impulses), boot)
            if measure:
                connection.execute("update boots set unit = ? where id = ? and unit = ''", (measure.unit, id_))
            connection.execute(
                "update recent.sent set told = 0 where boot in (select id from main.boots where boot = ? and not told)", (kernel_boot,)
            )
            connection.execute(
                'insert or replace into recent.runs select id, source, name, boot, "offset", synchronised from main.boots where id = ?',
                (id_,),
            )
        with self._lock:
            self._connection.execute("update or replace recent.readings set boot = ? where boot = ?", (id_, UNBOOKED))
            self._unsent_runs = self._waiting = None
            return id_

    def is_empty(self) -> bool:
        """Whether no run was ever entered."""
        with self._lock:
            return self._connection.execute("select 1 from main.boots limit 1").fetchone() is None

    def note(self, run: int, reading: Reading) -> None:
        """Keep a reading of a run, or an UNBOOKED one; it would survive kill -9 at once, a power cut after `save`."""
        with self._lock:
            new = self._connection.execute("insert or ignore into recent.readings values (?,?,?,?,?)", (run, *reading[1:])).rowcount
            if new > 0 and run != UNBOOKED:
                if self._unsent_runs is not None:
                    self._unsent_runs.add(run)
                if self._waiting is not None:
                    self._waiting += 1

    def save(self) -> None:
        """Returns when all readings would survive a power cut."""
        with self._change() as connection:
            connection.execute("insert or ignore into main.readings select * from recent.readings where boot != ?", (UNBOOKED,))
            connection.execute(
                "update boots set sent = max(boots.sent, s.sent), told = s.told from recent.sent as s where s.boot = boots.id"
            )
        with self._lock:  # not in the same transaction: the two files are not written together, and twice does no harm
            self._connection.execute("delete from recent.readings where boot != ?", (UNBOOKED,))
            self._connection.execute("delete from recent.sent")

    def last_sequence(self, run: int) -> int:
        """The sequence of the last reading of a run, 0 when there is none."""
        with self._lock:
            look = "select max(coalesce((select max(sequence) from main.readings where boot = ?1), 0), coalesce((select max(sequence)"
            return int(self._connection.execute(f"{look} from recent.readings where boot = ?1), 0))", (run,)).fetchone()[0])

    def pulses(self) -> int:
        """The highest count of all, 0 when there is none."""
        with self._lock:
            saved = "select pulses from main.readings where boot = boots.id order by sequence desc limit 1"
            (highest,) = self._connection.execute(
                f"select max(coalesce((select max(({saved})) from boots), 0), coalesce((select max(pulses) from recent.readings), 0))"  # noqa: S608  # words of ours
            ).fetchone()
            return int(highest)

    # what a collector has not accepted

    def ask_again(self) -> None:
        """Ask a collector of every run what it has of it: it may know less than it once accepted."""
        self._asks_from = -(2**62)

    def unsent(self, limit: int) -> Unsent:
        """The oldest readings that are not accepted, at most `limit`, and runs whose offset is not, or that are to be asked about."""
        with self._lock:
            found = Unsent({}, {}, [])
            if self._unsent_runs is None:
                self._unsent_runs = {row.id for row in self._rows() if self._has_unsent(row)}
            for row in self._rows():
                rows: list[Reading] = []
                if row.id in self._unsent_runs and len(found.readings) < limit:
                    rows = self._readings(row, limit - len(found.readings))
                    found.readings.extend(rows)
                    if not rows:
                        self._unsent_runs.discard(row.id)
                has_room = len(found.boots) < ASKED_AT_ONCE
                if rows or (has_room and (not row.told or self._is_asked(row))):
                    found.boots[row.name] = row.boot
                    found.runs[row.name] = Run(row.kernel_boot, row.acknowledged, row.measure and row.measure.impulses)
            return found

    def _is_asked(self, row: _Row) -> bool:
        return self._asks_from is not None and row.id >= self._asks_from and row.acknowledged > 0

    def _has_unsent(self, row: _Row) -> bool:
        return bool(self._readings(row, 1))

    def _readings(self, row: _Row, limit: int) -> list[Reading]:
        rows = self._connection.execute(
            "select sequence, wall, uptime, pulses from main.readings where boot = ?1 and sequence > ?2 and sequence <= ?3"
            " union select sequence, wall, uptime, pulses from recent.readings where boot = ?1 and sequence > ?2 and sequence <= ?3"
            " order by sequence limit ?4",
            (row.readings_of, row.sent, row.until, limit),
        )
        return [_dated(Reading(row.name, *each), row.boot) for each in rows]

    def _count(self, row: _Row, until: int = 2**62) -> int:
        """How many of its readings are not accepted."""
        of, most = "boot = ?1 and sequence > ?2 and sequence <= ?3", min(until, row.until)
        (count,) = self._connection.execute(
            f"select count(*) from (select sequence from main.readings where {of} union select sequence from recent.readings where {of})",  # noqa: S608  # words of ours
            (row.readings_of, row.sent, most),
        ).fetchone()
        return int(count)

    def _rows(self) -> list[_Row]:
        """The runs of this source, oldest first."""
        return self._rows_of(self._source)

    def _rows_of(self, source: str | None) -> list[_Row]:
        rows = self._connection.execute(
            'select id, name, boots.boot, "offset", synchronised, max(boots.sent, coalesce(s.sent, 0)), coalesce(s.told, boots.told),'
            " coalesce(part_of, id), after, until, unit, impulses from main.boots left join recent.sent as s on s.boot = boots.id"
            " where ?1 is null or source = ?1 order by id",
            (source,),
        )
        found = []
        for id_, name, of, offset, sure, sent, told, part_of, after, until, unit, impulses in rows:
            measure = Measure(unit, impulses) if impulses else None
            found.append(_Row(id_, name, of, Boot(offset, bool(sure)), sent, bool(told), part_of, after, until, measure))
        return found

    def acknowledge(self, asked: Unsent, answer: Answer) -> Outcome:
        """A collector has answered what was `asked`: it has accepted these readings, or has lost what it had accepted."""
        last = {reading.boot: reading.sequence for reading in asked.readings}
        lost, behind, ahead = 0, set(), 0
        with self._lock:
            rows = [row for row in self._rows() if row.name in asked.boots]
            for row in rows:
                known, said = answer.known.get(row.name), asked.runs[row.name].acknowledged
                if known is not None and known < (said or 0):
                    behind.add(row.name)
                    lost += self._send_again(row, max(known, row.after))
                    continue
                accepted = min(answer.accepted.get(row.name, 0), last.get(row.name, 0))
                if known is not None and known > max(row.sent, here := self.last_sequence(row.readings_of)):
                    ahead += known - max(row.sent, here)
                    accepted, self._waiting = known, None
                if self._waiting is not None and accepted > row.sent:
                    self._waiting -= sum(each.boot == row.name and row.sent < each.sequence <= accepted for each in asked.readings)
                # an offset that changed while it was on its way is told again
                now = (row.id, max(row.sent, accepted), row.told or asked.boots[row.name] == row.boot)
                if now[1:] != (row.sent, row.told):
                    self._connection.execute("insert or replace into recent.sent values (?,?,?)", now)
            if self._asks_from is not None:
                still = [row.id for row in self._rows() if self._is_asked(row) and row.name not in asked.boots]
                self._asks_from = min(still, default=None)
        return Outcome(lost, frozenset(behind), ahead)

    def _send_again(self, row: _Row, known: int) -> int:
        """What comes after `known` in a run; how many readings of it that are."""
        lost = self._count(row._replace(sent=known), row.sent)
        with self._change() as connection:
            connection.execute("update main.boots set sent = ?, told = 0 where id = ?", (known, row.id))
            connection.execute("delete from recent.sent where boot = ?", (row.id,))
        self._unsent_runs = self._waiting = None
        return lost

    def waiting(self) -> int:
        """How many readings no collector has accepted."""
        with self._lock:
            if self._waiting is None:
                self._waiting = sum(self._count(row) for row in self._rows())
            return self._waiting

    def thin(self, bytes_max: int, rows_max: int = -1) -> int:
        """As every journal; those that are left out wait for nothing any more."""
        gone = super().thin(bytes_max) if rows_max < 0 else super().thin(bytes_max, rows_max)
        if gone:
            self._waiting = None
        return gone


def _dated(reading: Reading, boot: Boot) -> Reading:
    return reading if boot.offset is None else reading._replace(wall=boot.offset + reading.uptime)

"""Round-robin databases of flow, by rrdtool(1) as a child: derived from the journal, and thrown away whenever that changed before them.

One file for each source, brought up to date when a graph is asked for: a Pi's SD card is written when somebody looks. Its room for
detail grows with what there is: a new one has two megabytes, where a year takes fifty.
A library in this process would cost seven megabytes.
"""

import contextlib
import hashlib
import json
import math
import os
import select
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from pimains.core import kept
from pimains.core.errors import PimainsError
from pimains.core.failure import with_own_text
from pimains.core.plan.budget import KILL_SECONDS
from pimains.shared.readings.plan.energy import Meter
from pimains.shared.readings.plan.flow_steps import Reached, Step, Steps
from pimains.shared.readings.plan.gauge import GaugeSteps
from pimains.shared.readings.series.series import Series

STEP_SECONDS = 5
_LONGER = ((12, 14_400), (120, 8_640), (1_440, 4_800), (17_280, 3_700))  # steps in a row, rows: 10 days, 60 days, 400 days, 10 years
_OLDEST_SECONDS = 3660 * 86_400
_HEARTBEAT_SECONDS = 10**9  # what is not known is said
_VALUES_A_LINE = 2_000
_DRAW_SECONDS_MAX = 60
_LONG_SECONDS = STEP_SECONDS + 1.0  # what goes on for longer is cut: not so what a meter tells every five seconds, more or less
_SAID = {  # by what rrdtool has in its own words
    "No such file": "a database is missing, and is built again",
    "not an RRD": "a database is damaged: it is built again",
    "Permission denied": "user pimains may not write the databases",
    "No space left": "the disk is full",
    "illegal attempt to update": "a database is ahead of its readings: it is built again",
    "ould not lock": "another rrdtool uses the database",
    "memory": "there is too little memory for it",
}
_NAME_LENGTH_MAX, _BEGUN_LENGTH = 192, 96  # characters; a file's name has 255 at most, and %- is in no other
_NOT_ITS_FAULT = ("Permission denied", "No space left", "ould not lock", "memory")
_RESIZED = "resize.rrd"  # what rrdtool calls it
_FIRST_ROOM_DAYS, _LAST_ROOM_DAYS = 8, 128  # doubled until then; what is older yet has all the room at once


class CannotDraw(PimainsError):
    """There is no picture; the text says why."""


class Unusable(CannotDraw):
    """A database is not one any more: made anew, it can be drawn of."""


class Built(NamedTuple):
    """A database as it is: until where it goes, when it was made anew, in nanoseconds, and its room for full resolution, in days."""

    reached: Reached
    at: int
    room: int


class Databases:
    """Those in `directory`, which keep `days` at full resolution; for one thread at a time.

    `is_made_anew` hears which source's is: an import by another process, too, removes a database whose past has changed.
    """

    def __init__(self, directory: Path, days: int, is_made_anew: Callable[[str], None] | None = None) -> None:
        self.directory = directory
        self._is_made_anew = is_made_anew
        self._days = days

    def forget(self, source: str) -> None:
        """The journal of this source changed before what its database has: it is built again when somebody looks."""
        self._clear(source)
        (self.directory / f"{quoted(source)}.json").unlink(missing_ok=True)

    def _clear(self, source: str) -> None:
        """A directory in the place of one of its files is kept beside it."""
        for kind in ("json", "rrd", "new", "aside"):
            path = self.directory / f"{quoted(source)}.{kind}"
            if path.is_dir():
                print(f"{path}: is a directory: kept as {kept.set_aside(path).name}")

    def decided(self, source: str) -> float | None:
        """Until where its database goes."""
        try:
            return float(json.loads((self.directory / f"{quoted(source)}.json").read_text(encoding="utf-8"))["reached"][0])
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return None

    def refresh(self, series: Series, meter: Meter, now: float) -> Built | None:
        """Bring its database up to date, or build it again; None while it has no reading. Raises CannotDraw.

        What is derived has none of its own: it is drawn of those of its parts.
        """
        if meter.parts:
            built = [found for _, part in meter.parts if (found := self.refresh(series, part, now))]
            if len(built) < len(meter.parts):
                return None
            return Built(min(each.reached for each in built), max(each.at for each in built), min(each.room for each in built))
        try:
            self.directory.mkdir(exist_ok=True)
            self._clear(meter.source)
            known = self._known(meter)
            if known is not None:
                try:
                    known = self._grown(series, meter, known, now)
                    return self._feed(series, meter, f"{quoted(meter.source)}.rrd", known, known.reached.decided, now)
                except CannotDraw:  # its file is not what the note beside it says: it is only derived
                    self.forget(meter.source)
            if self._is_made_anew:
                self._is_made_anew(meter.source)
            return self._build(series, meter, now)
        except OSError as error:
            raise CannotDraw(f"{error.filename or self.directory}: {error.strerror}") from None

    def _known(self, meter: Meter) -> Built | None:
        stem = quoted(meter.source)
        try:
            said = json.loads((self.directory / f"{stem}.json").read_text(encoding="utf-8"))
            is_same = said["of"] == self._kind(meter) and (self.directory / f"{stem}.rrd").exists()
            return Built(Reached(*said["reached"]), int(said["built"]), int(said.get("room", self._days))) if is_same else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _kind(self, meter: Meter) -> list[object]:
        return [meter.unit, meter.impulses_per_unit, meter.edition, self._days]

    def _build(self, series: Series, meter: Meter, now: float) -> Built | None:
        first = next(series.readings(meter.source, now - _OLDEST_SECONDS, now + 86_400), None)
        if first is None:
            return None
        stem = quoted(meter.source)
        aside = f"{stem}.new"
        begun = int(first.time) - 1
        room = room_days(now - first.time, self._days)
        full = f"RRA:AVERAGE:0.5:1:{_rows(room)}"
        longer = [f"RRA:{kind}:0.5:{length}:{rows}" for kind in ("AVERAGE", "MIN", "MAX") for length, rows in _LONGER]
        self.run(
            *("create", aside, f"--start={begun}", f"--step={STEP_SECONDS}"),
            *(f"DS:flow:GAUGE:{_HEARTBEAT_SECONDS}:{'U' if meter.is_gauge else 0}:U", full, *longer),
        )
        built = self._feed(series, meter, aside, None, begun, now)
        _settle(self.directory / aside)
        (self.directory / aside).rename(self.directory / f"{stem}.rrd")
        if built:
            built = built._replace(at=time.time_ns(), room=room)
            self._note(meter, built)
        return built

    def _grown(self, series: Series, meter: Meter, known: Built, now: float) -> Built:
        """With room for what has come since it was made."""
        first = series.first(meter.source)
        room = room_days(now - first.time, self._days) if first else known.room
        if room <= known.room:
            return known
        file = f"{quoted(meter.source)}.rrd"
        self.run("resize", file, "0", "GROW", str(_rows(room - known.room)))
        _settle(self.directory / _RESIZED)
        (self.directory / _RESIZED).rename(self.directory / file)
        grown = known._replace(room=room)
        self._note(meter, grown)
        return grown

    def _feed(self, series: Series, meter: Meter, file: str, known: Built | None, last: float, now: float) -> Built | None:
        """Put in what is decided since `known`; `last` is the time that the file has come to."""
        before = known.reached if known else None
        start = before.seen if before else now - _OLDEST_SECONDS
        steps = GaugeSteps(meter, before) if meter.is_gauge else Steps(meter, before)
        values = _values(steps.of(series.readings(meter.source, start, now + 86_400)), last)
        some = list(islice(values, _VALUES_A_LINE))
        if some:
            with _remote_control(self.directory) as say:
                while some:
                    say(f"update {file} {' '.join(some)}")
                    some = list(islice(values, _VALUES_A_LINE))
        if steps.reached is None:
            return None
        if known is None:
            return Built(steps.reached, 0, 0)
        built = known._replace(reached=steps.reached)
        if built != known:
            self._note(meter, built)
        return built

    def _note(self, meter: Meter, built: Built) -> None:
        path = self.directory / f"{quoted(meter.source)}.json"
        aside = path.with_suffix(".aside")
        said = {"of": self._kind(meter), "reached": built.reached, "built": built.at, "room": built.room}
        aside.write_text(json.dumps(said), encoding="utf-8")
        aside.rename(path)

    def run(self, *words: str) -> bytes:
        """What rrdtool says to these words, in the directory of the databases. Raises CannotDraw."""
        with _program(["rrdtool", *words], self.directory, subprocess.DEVNULL, subprocess.PIPE) as child:
            said, complaints = child.communicate(timeout=_DRAW_SECONDS_MAX)
        if child.returncode:
            raise refused(complaints.decode("utf-8", "replace"))
        return said


@contextlib.contextmanager
def _program(words: list[str], directory: Path, stdin: int, stderr: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Under way in `directory`; ended with the `with`, and left alone when even KILL does not end it. Raises CannotDraw."""
    try:
        child = subprocess.Popen(words, cwd=directory, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr)
    except FileNotFoundError:
        raise CannotDraw("rrdtool is missing: apt install rrdtool") from None
    try:
        yield child
    except subprocess.TimeoutExpired:
        raise CannotDraw(f"rrdtool took more than {_DRAW_SECONDS_MAX} s") from None
    finally:
        for file in filter(None, (child.stdin, child.stdout, child.stderr)):
            with contextlib.suppress(OSError):  # what it was told last and has not read
                file.close()
        child.kill()  # nothing, where it has ended
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(KILL_SECONDS)


@contextlib.contextmanager
def _remote_control(directory: Path) -> Iterator[Callable[[str], None]]:
    """rrdtool's remote control: a line to it, a line from it. Raises CannotDraw, with what rrdtool has against the line."""
    with _program(["rrdtool", "-"], directory, subprocess.PIPE, subprocess.DEVNULL) as child:
        assert child.stdin is not None  # noqa: S101  # made with pipes
        assert child.stdout is not None  # noqa: S101  # made with pipes
        orders, answers = child.stdin, child.stdout

        def say(line: str) -> None:
            try:
                orders.write(line.encode() + b"\n")
                orders.flush()
            except BrokenPipeError:
                raise CannotDraw("rrdtool ended") from None
            if not select.select([answers], [], [], _DRAW_SECONDS_MAX)[0]:
                raise subprocess.TimeoutExpired("rrdtool", _DRAW_SECONDS_MAX)
            answer = answers.readline().decode("utf-8", "replace").strip()
            if not answer.startswith("OK"):
                raise refused(answer) if answer else CannotDraw("rrdtool ended")

        yield say
        child.communicate(timeout=_DRAW_SECONDS_MAX)  # what it was told is in the file when it has ended


def refused(said: str) -> CannotDraw:
    """What rrdtool says, in words."""
    why = next((words for sign, words in _SAID.items() if sign in said), "rrdtool could not do it")
    is_its_fault = not any(sign in said for sign in _NOT_ITS_FAULT)
    return (Unusable if is_its_fault else CannotDraw)(with_own_text(why, said))


def _values(steps: Iterable[Step], last: float) -> Iterator[str]:
    """As rrdtool takes them: each later than the one before.

    What goes on for longer is cut where steps of the database begin and end: rrdtool (1.7.2, process_pdp_st) would fill up a step that
    is known in part with what was known just before, and take away from one in which a flow ends.
    What is not known ends with a whole second: rrdtool leaves out the rest of one when it divides by what was known of a step.
    """
    for reached, flow in steps:
        end = reached
        if end < last + 0.001:
            continue
        for whole in sorted({math.ceil(last / STEP_SECONDS) * STEP_SECONDS, math.floor(end / STEP_SECONDS) * STEP_SECONDS}):
            if last + 0.001 <= whole <= end - 0.001 and (flow is None or end - last > _LONG_SECONDS):
                yield _value(whole, flow)
                last = whole
        if flow is None:
            end = max(math.floor(end), last + 0.001)
        last = end
        yield _value(end, flow)


def _value(end: float, flow: float | None) -> str:
    return f"{end:.3f}:U" if flow is None else f"{end:.3f}:{flow:.6g}"


def room_days(seconds: float, most: int) -> int:
    """For how many days at full resolution a database has room whose first reading is so old; `most` are kept."""
    days = _FIRST_ROOM_DAYS
    while days <= seconds / 86_400 + 1:
        days *= 2
    return days if days <= min(_LAST_ROOM_DAYS, most) else most


def _rows(days: int) -> int:
    return days * 86_400 // STEP_SECONDS


def _settle(path: Path) -> None:
    """Have a file that was just made on the disk and out of the page cache: that keeps it in large pieces (Linux 6.16, ext4), and
    the least change of one would be written as all of it (2.3 MB for an hour of readings instead of 0.05)."""
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


def quoted(source: str) -> str:
    """A file name that no source can turn into another's, or into a path, and that is short enough with all that follows it."""
    name = quote(source, safe="")
    return f"s-{name}" if len(name) <= _NAME_LENGTH_MAX else f"s-{name[:_BEGUN_LENGTH]}%-{hashlib.sha256(source.encode()).hexdigest()}"

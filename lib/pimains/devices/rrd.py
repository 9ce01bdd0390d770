"""Round-robin databases and graphs, by rrdtool(1) as a child: derived from the journal, and thrown away whenever that changed before them.

One file for each source, brought up to date when a graph is asked for: a Pi's SD card is written when somebody looks.
A library in this process would cost seven megabytes.
"""

import contextlib
import json
import subprocess
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from pimains.core.errors import PimainsError
from pimains.core.series import Series
from pimains.plan.energy import Meter
from pimains.plan.flow_steps import Reached, Step, Steps

STEP_SECONDS = 5
RANGES = {"day": 86_400, "week": 7 * 86_400, "month": 31 * 86_400, "year": 366 * 86_400, "decade": 3660 * 86_400}
_LONGER = ((12, 14_400), (120, 8_640), (1_440, 4_800), (17_280, 3_700))  # steps in a row, rows: 10 days, 60 days, 400 days, 10 years
_OLDEST_SECONDS = 3660 * 86_400
_HEARTBEAT_SECONDS = 10**9  # what is not known is said
_VALUES_A_LINE = 2_000
_WIDTH, _HEIGHT = 720, 220
_DRAW_SECONDS_MAX = 60
_COLOURS = {
    "light": {"BACK": "f0f2f5", "CANVAS": "fcfcfd", "FONT": "1c2024", "GRID": "00000018", "MGRID": "00000030", "line": "0b6e4f"},
    "dark": {"BACK": "1c2024", "CANVAS": "111316", "FONT": "edeef0", "GRID": "ffffff18", "MGRID": "ffffff30", "line": "4cc38a"},
}
THEMES = tuple(_COLOURS)
FORMS = ("svg", "png")


class CannotDraw(PimainsError):
    """There is no picture; the text says why."""


class Graphs:
    """The databases in `directory`, the pictures in `pictures`; for one thread at a time. `days` are kept at full resolution."""

    def __init__(self, directory: Path, pictures: Path, days: int) -> None:
        self._directory = directory
        self._pictures = pictures
        self._days = days

    def draw(self, series: Series, meter: Meter, name: str, theme: str, form: str, now: float) -> bytes:
        """The picture of the range `name`; the one drawn before, while a new one would look the same. Raises CannotDraw."""
        reached = self.refresh(series, meter, now)
        pixel = RANGES[name] / _WIDTH
        end = (int(now / pixel) + 1) * pixel
        stem = f"{_stem(meter)}-{name}-{theme}.{form}"
        drawn_of = f"{end:.0f} {int(reached.decided / pixel) if reached else 0} {self._built_at(meter)} {meter}"
        picture, note = self._pictures / stem, self._pictures / f"{stem}.of"
        with contextlib.suppress(OSError):
            if note.read_text(encoding="utf-8") == drawn_of:
                return picture.read_bytes()
        if reached is None:
            raise CannotDraw("there are no readings of it yet")
        drawn = self._graph(meter, name, theme, form, end)
        with contextlib.suppress(OSError):  # it is drawn again then
            self._pictures.mkdir(exist_ok=True)
            picture.write_bytes(drawn)
            note.write_text(drawn_of, encoding="utf-8")
        return drawn

    def forget(self, source: str) -> None:
        """The journal of this source changed before what its database has: it is built again when somebody looks."""
        (self._directory / f"{_quoted(source)}.json").unlink(missing_ok=True)

    def decided(self, source: str) -> float | None:
        """Until where its database goes."""
        try:
            return float(json.loads((self._directory / f"{_quoted(source)}.json").read_text(encoding="utf-8"))["reached"][0])
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return None

    def refresh(self, series: Series, meter: Meter, now: float) -> Reached | None:
        """Bring its database up to date, or build it again; how far it goes, None while it has no reading. Raises CannotDraw."""
        try:
            self._directory.mkdir(exist_ok=True)
            known = self._known(meter)
            if known is not None:
                try:
                    return self._feed(series, meter, f"{_stem(meter)}.rrd", known, now)
                except CannotDraw:  # its file is not what the note beside it says: it is only derived
                    self.forget(meter.source)
            return self._build(series, meter, now)
        except OSError as error:
            raise CannotDraw(f"{error.filename or self._directory}: {error.strerror}") from None

    def _known(self, meter: Meter) -> Reached | None:
        try:
            said = json.loads((self._directory / f"{_stem(meter)}.json").read_text(encoding="utf-8"))
            is_same = said["of"] == self._kind(meter) and (self._directory / f"{_stem(meter)}.rrd").exists()
            return Reached(*said["reached"]) if is_same else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _kind(self, meter: Meter) -> list[object]:
        return [meter.unit, meter.impulses_per_unit, meter.edition, self._days]

    def _built_at(self, meter: Meter) -> int:
        try:
            return (self._directory / f"{_stem(meter)}.rrd").stat().st_ino
        except OSError:
            return 0

    def _build(self, series: Series, meter: Meter, now: float) -> Reached | None:
        first = next(series.readings(meter.source, now - _OLDEST_SECONDS, now + 86_400), None)
        if first is None:
            return None
        aside = f"{_stem(meter)}.new"
        full = f"RRA:AVERAGE:0.5:1:{self._days * 86_400 // STEP_SECONDS}"
        longer = [f"RRA:{kind}:0.5:{length}:{rows}" for kind in ("AVERAGE", "MIN", "MAX") for length, rows in _LONGER]
        self._run(
            *("create", aside, f"--start={int(first.time) - 1}", f"--step={STEP_SECONDS}"),
            *(f"DS:flow:GAUGE:{_HEARTBEAT_SECONDS}:0:U", full, *longer),
        )
        reached = self._feed(series, meter, aside, None, now)
        (self._directory / aside).rename(self._directory / f"{_stem(meter)}.rrd")
        if reached:
            self._note(meter, reached)
        return reached

    def _feed(self, series: Series, meter: Meter, file: str, known: Reached | None, now: float) -> Reached | None:
        """Put in what is decided since `known`."""
        start = known.seen if known else now - _OLDEST_SECONDS
        steps = Steps(meter, known)
        values = _values(steps.of(series.readings(meter.source, start, now + 86_400)), known.decided if known else 0.0)
        some = list(islice(values, _VALUES_A_LINE))
        if some:
            with _Rrdtool(self._directory) as rrdtool:
                while some:
                    rrdtool.say(f"update {file} {' '.join(some)}")
                    some = list(islice(values, _VALUES_A_LINE))
        if known is not None and steps.reached is not None and steps.reached != known:
            self._note(meter, steps.reached)
        return steps.reached

    def _note(self, meter: Meter, reached: Reached) -> None:
        path = self._directory / f"{_stem(meter)}.json"
        aside = path.with_suffix(".aside")
        aside.write_text(json.dumps({"of": self._kind(meter), "reached": reached}), encoding="utf-8")
        aside.rename(path)

    def _graph(self, meter: Meter, name: str, theme: str, form: str, end: float) -> bytes:
        colours = _COLOURS[theme]
        words = [f"--color={part}#{colour}" for part, colour in colours.items() if part.isupper()]
        file = f"{_stem(meter)}.rrd"
        return self._run(
            *("graph", "-", f"--imgformat={form.upper()}", f"--start={end - RANGES[name]:.0f}", f"--end={end:.0f}"),
            *(f"--width={_WIDTH}", f"--height={_HEIGHT}", "--border=0", "--lower-limit=0", "--slope-mode", *words),
            *(f"--color=SHADEA#{colours['BACK']}", f"--color=SHADEB#{colours['BACK']}", f"--color=ARROW#{colours['FONT']}"),
            *(f"--title={meter.source}: last {name}", f"--vertical-label={meter.flow_unit}"),
            *(f"DEF:{kind.lower()}={file}:flow:{kind}" for kind in ("AVERAGE", "MIN", "MAX")),
            *("CDEF:band=max,min,-", "AREA:min", f"AREA:band#{colours['line']}40::STACK", f"LINE1.5:average#{colours['line']}"),
        )

    def _run(self, *words: str) -> bytes:
        try:
            done = subprocess.run(
                ["rrdtool", *words],
                cwd=self._directory,
                capture_output=True,
                timeout=_DRAW_SECONDS_MAX,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except FileNotFoundError:
            raise CannotDraw("rrdtool is missing: apt install rrdtool") from None
        except subprocess.TimeoutExpired:
            raise CannotDraw(f"rrdtool took more than {_DRAW_SECONDS_MAX} s") from None
        if done.returncode:
            raise CannotDraw(" ".join(done.stderr.decode("utf-8", "replace").split()))
        return done.stdout


class _Rrdtool:
    """rrdtool's remote control: a line to it, a line from it."""

    def __init__(self, directory: Path) -> None:
        try:
            self._child = subprocess.Popen(
                ["rrdtool", "-"], cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except FileNotFoundError:
            raise CannotDraw("rrdtool is missing: apt install rrdtool") from None

    def __enter__(self) -> "_Rrdtool":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._child.communicate(timeout=_DRAW_SECONDS_MAX)

    def say(self, line: str) -> None:
        """Raises CannotDraw with what rrdtool has against it."""
        assert self._child.stdin is not None  # noqa: S101  # made with pipes
        assert self._child.stdout is not None  # noqa: S101  # made with pipes
        try:
            self._child.stdin.write(line.encode() + b"\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            raise CannotDraw("rrdtool ended") from None
        answer = self._child.stdout.readline().decode("utf-8", "replace").strip()
        if not answer.startswith("OK"):
            raise CannotDraw(answer or "rrdtool ended")


def _values(steps: Iterable[Step], last: float) -> Iterator[str]:
    """As rrdtool takes them: each later than the one before."""
    for end, flow in steps:
        if end >= last + 0.001:
            last = end
            yield f"{end:.3f}:U" if flow is None else f"{end:.3f}:{flow:.6g}"


def _quoted(source: str) -> str:
    """A file name that no source can turn into another's, or into a path."""
    return "s-" + quote(source, safe="")


def _stem(meter: Meter) -> str:
    return _quoted(meter.source)

"""Pictures of what flowed and of what it added up to, drawn by rrdtool(1) when somebody looks, and kept while they look the same.

    day, week, month, year, decade            the flow: its average, and the band between its least and its most
    days, months, years                       the amount of each, as bars; the last one is not over yet
    cost-days, cost-months, cost-years        what it cost

Where nobody knows what flowed there is a shade of grey and no line.
"""

import contextlib
import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from pimains.collector.graphs.databases import Built, CannotDraw, Databases, Unusable, quoted
from pimains.collector.prices import Prices
from pimains.shared.readings.plan.energy import Meter, Period, periods
from pimains.shared.readings.series.figures import BARS, Bar, bars
from pimains.shared.readings.series.series import Series

RANGES = {"day": 86_400, "week": 7 * 86_400, "month": 31 * 86_400, "year": 366 * 86_400, "decade": 3660 * 86_400}
SIZES = {"wide": (840, 240), "narrow": (320, 200)}  # pixels, the whole picture
FORMS = ("svg", "png")
COLOURS = {
    "light": {"BACK": "ffffff", "CANVAS": "ffffff", "FONT": "3c4550", "GRID": "00000012", "MGRID": "00000026", "line": "0b6e4f"},
    "dark": {"BACK": "181c21", "CANVAS": "181c21", "FONT": "b9c2cd", "GRID": "ffffff12", "MGRID": "ffffff2a", "line": "4cc38a"},
}
THEMES = tuple(COLOURS)
T = TypeVar("T")
COSTS = {f"cost-{name}": name for name in BARS}
NAMES = (*RANGES, *BARS, *COSTS)
_TIMES = {  # rrdtool's --x-grid: a line each, a darker line each, a label each, how long the label is the middle of, its text
    "day": ("HOUR:1:HOUR:6:HOUR:2:0:%H:%M", "HOUR:3:HOUR:6:HOUR:6:0:%H:%M"),
    "week": ("HOUR:6:DAY:1:DAY:1:86400:%a %d", "DAY:1:DAY:1:DAY:1:86400:%a"),
    "month": ("DAY:1:DAY:7:DAY:1:86400:%d", "DAY:1:DAY:10:DAY:10:0:%d %b"),
    "year": ("MONTH:1:MONTH:1:MONTH:1:2592000:%b", "MONTH:1:MONTH:3:MONTH:3:0:%b"),
    "decade": ("YEAR:1:YEAR:1:YEAR:1:31536000:%Y", "YEAR:1:YEAR:1:YEAR:3:0:%Y"),
    "days": ("MONTH:1:MONTH:1:DAY:1:86400:%d", "MONTH:1:MONTH:1:DAY:10:86400:%d %b"),
    "months": ("YEAR:1:YEAR:1:MONTH:1:2592000:%b", "YEAR:1:YEAR:1:MONTH:3:2592000:%b"),
    "years": ("YEAR:10:YEAR:10:YEAR:1:31536000:%Y", "YEAR:10:YEAR:10:YEAR:3:31536000:%Y"),
}
_LOOK = (
    "--border=0",
    "--lower-limit=0",
    "--units-exponent=0",
    "--disable-rrdtool-tag",
    "--grid-dash=1:0",
    "--no-legend",
    "--font=DEFAULT:9:DejaVu Sans",
)
_STEP_SECONDS = {"days": 600, "months": 7_200, "years": 86_400}  # databases have it for as long
_REMEMBERED_SECONDS = 600
_MARGIN = 0.12  # of a bar's place, at either side


class Wanted(NamedTuple):
    """Which picture: one of NAMES, THEMES, SIZES and FORMS."""

    name: str
    theme: str = "light"
    size: str = "wide"
    form: str = "svg"

    def is_there(self) -> bool:
        """Whether there is such a one."""
        return self.name in NAMES and self.theme in THEMES and self.size in SIZES and self.form in FORMS


class Picture(NamedTuple):
    """A picture; another `tag` is another picture."""

    tag: str
    body: bytes


class Extremes(NamedTuple):
    """Of the flow in a range, each None when it is not known; `most_at` is when it was the most, in seconds since 1970."""

    least: float | None
    average: float | None
    most: float | None
    most_at: float | None = None


class Graphs:
    """The databases in `directory`, the pictures in `pictures`; for one thread at a time. `days` are kept at full resolution."""

    def __init__(self, directory: Path, pictures: Path, days: int, prices: Prices) -> None:
        self.databases = Databases(directory, days, self._has_another_past)
        self._pictures = pictures
        self._prices = prices
        self._changes: dict[str, int] = {}
        self._amounts: dict[tuple[str, str], tuple[object, list[Bar]]] = {}
        self._extremes: dict[tuple[str, str], tuple[str, Extremes]] = {}

    def draw(self, series: Series, meter: Meter, wanted: Wanted, now: float) -> Picture:
        """The picture; the one drawn before, while a new one would look the same. Raises CannotDraw."""
        return self._twice(meter, lambda: self._draw(series, meter, wanted, now))

    def _twice(self, meter: Meter, ask: Callable[[], T]) -> T:
        """What is only derived is made again when it turns out to be damaged."""
        try:
            return ask()
        except Unusable as why:
            print(f"graphs of {meter.source}: {why}: made anew from the journal")
            self.forget(meter.source)
            return ask()

    def _draw(self, series: Series, meter: Meter, wanted: Wanted, now: float) -> Picture:
        built = self._refreshed(series, meter, now)
        if wanted.name in RANGES:
            of = _looks(built, meter, wanted.name, now)
            return self._kept(meter, wanted, of, lambda: self._flow(series, meter, wanted, built, now))
        if meter.is_gauge:
            raise CannotDraw("it is a value that is recorded, and adds up to nothing")
        found = self.bars(series, meter, COSTS.get(wanted.name, wanted.name), now)
        currency = self._prices.costs.tariffs.currency
        shown = [(bar.period.start, _height(bar, wanted.name), bar.is_whole) for bar in found]
        of = f"{[(start, height and round(height, 3), is_whole) for start, height, is_whole in shown]} {meter} {currency}"
        return self._kept(meter, wanted, of, lambda: self._bars(meter, wanted, found, currency))

    def forget(self, source: str) -> None:
        """Its journal changed before what is drawn: all is made again when somebody looks. Any thread may say so."""
        self._has_another_past(source)
        self.databases.forget(source)

    def _has_another_past(self, source: str) -> None:
        self._changes[source] = self._changes.get(source, 0) + 1
        self._prices.forget(source)

    def bars(self, series: Series, meter: Meter, name: str, now: float) -> list[Bar]:
        """The amounts in one of BARS; of the last one anew, of those before as they were ten minutes ago, unless they changed."""
        costs = self._prices.costs
        changes = [self._changes.get(each.source) for each in (meter, *(part for _, part in meter.parts))]
        of = (changes, meter, periods(BARS[name][0], now, 1), int(now / _REMEMBERED_SECONDS), costs)
        known = self._amounts.get((meter.source, name))
        if known is None or known[0] != of:
            known = self._amounts[meter.source, name] = (of, bars(series, meter, name, now, BARS[name][1], costs)[:-1])
        return [*known[1], *bars(series, meter, name, now, 1, costs)]

    def extremes(self, series: Series, meter: Meter, name: str, now: float) -> Extremes:
        """Of the flow in one of RANGES. Raises CannotDraw."""
        return self._twice(meter, lambda: self._find_extremes(series, meter, name, now))

    def _find_extremes(self, series: Series, meter: Meter, name: str, now: float) -> Extremes:
        built = self._refreshed(series, meter, now)
        of = _looks(built, meter, name, now)
        known = self._extremes.get((meter.source, name))
        if known is None or known[0] != of:
            known = self._extremes[meter.source, name] = (of, self._ask_extremes(series, meter, name, now))
        return known[1]

    def _refreshed(self, series: Series, meter: Meter, now: float) -> Built:
        built = self.databases.refresh(series, meter, now)
        if built is None:
            raise CannotDraw("there are no readings of it yet")
        return built

    def _kept(self, meter: Meter, wanted: Wanted, of: str, draw: Callable[[], list[str]]) -> Picture:
        tag = hashlib.blake2b(f"{of} {wanted}".encode(), digest_size=12).hexdigest()
        stem = f"{quoted(meter.source)}-{wanted.name}-{wanted.theme}-{wanted.size}.{wanted.form}"
        picture, note = self._pictures / stem, self._pictures / f"{stem}.of"
        with contextlib.suppress(OSError):
            if note.read_text(encoding="ascii") == tag:
                return Picture(tag, picture.read_bytes())
        body = self.databases.run(*draw())
        with contextlib.suppress(OSError):  # it is drawn again then
            self._pictures.mkdir(exist_ok=True)
            note.unlink(missing_ok=True)
            aside = picture.with_name(f".{stem}")
            aside.write_bytes(body)
            aside.rename(picture)  # whoever else shows it never shows the half of it
            note.write_text(tag, encoding="ascii")
        return Picture(tag, body)

    def _flow(self, series: Series, meter: Meter, wanted: Wanted, built: Built, now: float) -> list[str]:
        first = series.first(meter.source)
        known = f"TIME,{first.time if first else 0:.0f},GT,TIME,{built.reached.decided:.0f},LT,*"
        line = COLOURS[wanted.theme]["line"]
        frame = _frame(wanted, *_span(wanted.name, now), meter.flow_unit.replace("m3", "m³"))
        if meter.flow_unit != "W":
            least, _, most, _ = self.extremes(series, meter, wanted.name, now)
            frame += _axis((most or 0.0) - ((least or 0.0) if meter.is_gauge else 0.0))
        if meter.is_gauge:
            frame = ["--alt-autoscale" if word == "--lower-limit=0" else word for word in frame]
        return [
            *frame,
            "--slope-mode",
            *_averages(series, meter),
            *("CDEF:band=max,min,-", f"CDEF:hole=average,UN,{known},*,INF,UNKN,IF", f"AREA:hole#{COLOURS[wanted.theme]['FONT']}18"),
            *("AREA:min", f"AREA:band#{line}40::STACK", f"LINE1.5:average#{line}"),
        ]

    def _bars(self, meter: Meter, wanted: Wanted, found: list[Bar], currency: str) -> list[str]:
        name, unit = COSTS.get(wanted.name, wanted.name), currency if wanted.name in COSTS else meter.unit.replace("m3", "m³")
        known = [(bar.period, height, bar.is_whole) for bar in found for height in [_height(bar, wanted.name)] if height is not None]
        whole = [(period, height) for period, height, is_whole in known if is_whole]
        begun = [(period, height) for period, height, is_whole in known if not is_whole]
        holes = [(bar.period, 1.0) for bar in found if bar.amount is None and known and bar.period.start > known[0][0].start]
        line, faint = COLOURS[wanted.theme]["line"], COLOURS[wanted.theme]["FONT"]
        return [
            *_frame(wanted._replace(name=name), found[0].period.start, found[-1].period.end, unit),
            *_axis(max((abs(height) for _, height in whole + begun), default=0.0)),
            f"DEF:average={_database(meter)}:flow:AVERAGE:step={_STEP_SECONDS[name]}",
            *(f"CDEF:whole={_steps(whole)}", f"CDEF:begun={_steps(begun)}", f"CDEF:hole={_steps(holes)},0,GT,INF,UNKN,IF"),
            *(f"AREA:hole#{faint}18", f"AREA:whole#{line}", f"AREA:begun#{line}80"),
        ]

    def _ask_extremes(self, series: Series, meter: Meter, name: str, now: float) -> Extremes:
        start, end = _span(name, now)
        said = self.databases.run(
            *("graph", "/dev/null", f"--start={start:.0f}", f"--end={end:.0f}", f"--width={SIZES['wide'][0]}", *_averages(series, meter)),
            *("VDEF:least=min,MINIMUM", "VDEF:mean=average,AVERAGE", "VDEF:most=max,MAXIMUM"),
            *("PRINT:least:%.9le", "PRINT:mean:%.9le", "PRINT:most:%.9le", "PRINT:most:%s:strftime"),
        )
        values = [math.nan if word == b"-" else float(word) for word in said.split()[1:5]]  # a time that is not known is -
        return Extremes(*(value if value == value else None for value in values))


def _height(bar: Bar, name: str) -> float | None:
    """What is drawn of it in one of BARS or COSTS."""
    return bar.cost and bar.cost.total if name in COSTS else bar.amount


def _looks(built: Built, meter: Meter, name: str, now: float) -> str:
    """Another text when a picture of this range would look another way."""
    pixel = RANGES[name] / SIZES["wide"][0]
    return f"{_span(name, now)[1]:.0f} {int(built.reached.decided / pixel)} {built.at} {meter}"


def _span(name: str, now: float) -> tuple[float, float]:
    """From when until when: it moves on by a pixel."""
    pixel = RANGES[name] / SIZES["wide"][0]
    end = (int(now / pixel) + 1) * pixel
    return end - RANGES[name], end


def _frame(wanted: Wanted, start: float, end: float, unit: str) -> list[str]:
    colours, (width, height) = COLOURS[wanted.theme], SIZES[wanted.size]
    words = [f"--color={part}#{colour}" for part, colour in colours.items() if part.isupper()]
    words += [f"--vertical-label={unit}"] if wanted.size == "wide" and unit else []
    words += [f"--x-grid={_TIMES[wanted.name][wanted.size == 'narrow']}", *_LOOK]
    return [
        *("graph", "-", f"--imgformat={wanted.form.upper()}", f"--start={start:.0f}", f"--end={end:.0f}"),
        *("--full-size-mode", f"--width={width}", f"--height={height}"),
        *(f"--color=AXIS#{colours['MGRID']}", f"--color=FRAME#{colours['MGRID']}", f"--color=ARROW#{colours['BACK']}", *words),
    ]


def decimals(height: float) -> int:
    """So many tell the lines of an axis from each other that is so high; six at most."""
    return min(6, max(0, math.ceil(-math.log10(height / 10)))) if height > 0 else 0


def _axis(height: float) -> list[str]:
    """rrdtool itself writes one decimal at most, and so 0.0 at every line of a low axis."""
    return [f"--left-axis-format=%.{decimals(height)}lf"] if decimals(height) > 1 else []


def _averages(series: Series, meter: Meter) -> list[str]:
    """The names average, min and max: of what is derived, between what its parts can have been together at the least and at the most."""
    kinds = ("AVERAGE", "MIN", "MAX")
    if not meter.parts:
        return [f"DEF:{kind.lower()}={_database(meter)}:flow:{kind}" for kind in kinds]
    words, names = [], dict.fromkeys(kinds, "0")
    begun = [first.time if (first := series.first(part.source)) else 0.0 for _, part in meter.parts]
    for number, (sign, part) in enumerate(meter.parts):
        is_to_come = f"TIME,{min(begun):.0f},GE,TIME,{begun[number]:.0f},LT,*"  # it counts nothing until its first reading
        for kind in kinds:
            of = {"MIN": "MAX", "MAX": "MIN"}.get(kind, kind) if sign < 0 else kind
            raw, known = f"raw{kind.lower()}{number}", f"{kind.lower()}{number}"
            words.append(f"DEF:{raw}={_database(part)}:flow:{of}")
            words.append(f"CDEF:{known}={raw},UN,{is_to_come},*,0,{raw},IF")
            names[kind] += f",{known},{'-' if sign < 0 else '+'}"
    return words + [f"CDEF:{kind.lower()}={sum_}" for kind, sum_ in names.items()]


def _database(meter: Meter) -> str:
    """Its file; of what is derived that of its first part, whose times are as good as any."""
    return f"{quoted(meter.parts[0][1].source if meter.parts else meter.source)}.rrd"


def _steps(shown: list[tuple[Period, float]]) -> str:
    """In rrdtool's words: each amount in the middle of its period, 0 elsewhere."""
    words = "average,UN,0,0,IF"
    for period, amount in shown:
        margin = (period.end - period.start) * _MARGIN
        words += f",TIME,{period.start + margin:.0f},GT,TIME,{period.end - margin:.0f},LE,*,{amount:.6g},*,+"
    return words

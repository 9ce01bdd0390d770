"""What a replay tells: hours, switchings and kWh of each day, as they would have been and as they were."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

from pimains.core.plan.columns import aligned
from pimains.core.plan.sentences import duration
from pimains.rules.plan.replay import Played, Span
from pimains.shared.plan.sparkline import sparkline

_HOURS_MAX = 72 * 3600.0  # which are drawn hour by hour
_DAYS_MAX = 100  # which are drawn day by day
_ROWS_MAX = 62  # lines of the table
_RUNS_SHOWN = 12
_LATEST = float("inf")
Spans = Sequence[tuple[float, float]]  # from when until when it was on


class Story(NamedTuple):
    """What was played, of which relay; `really` is when it was on, None where nobody knows."""

    number: int
    name: str
    watts: float
    rule: str
    span: Span
    played: Played
    really: Spans | None


class _Piece(NamedTuple):
    """An hour, day or month of local time."""

    label: str
    start: float
    end: float


def as_data(story: Story, zone: tzinfo | None = None) -> dict[str, Any]:
    """The same for programs: times as ISO 8601, what nobody knows is null."""
    span = story.span
    return {
        "relay": story.number,
        "name": story.name,
        "rule": story.rule,
        "since": _iso(span.start, zone),
        "until": _iso(span.end, zone),
        "every": span.every,
        "watts": story.watts,
        "would_have_been": _sum(story, _would(story)),
        "really": None if story.really is None else _sum(story, story.really),
        "days": [
            {"day": piece.label, "would_have_been": _sum(story, _would(story), piece), "really": _sum_of_really(story, piece)}
            for piece in _pieces("day", span, zone)
        ],
        "runs": [
            {
                "begin": _iso(run.begin, zone),
                "end": None if run.end is None else _iso(run.end, zone),
                "because": run.why,
                "ended_because": run.why_it_ended or None,
            }
            for run in story.played.runs
        ],
        "lost": [
            {"because": lost.why, "line": lost.line or None, "steps": lost.steps, "first": _iso(lost.first, zone)}
            for lost in story.played.lost
        ],
        "gave_way": story.played.gave_way,
        "not_recorded": story.played.missing,
    }


def lines(story: Story, zone: tzinfo | None = None, *, all_runs: bool = False) -> list[str]:
    """For people: a plot, a table, and its runs with their reasons."""
    span = story.span
    title = f"relay {story.number}{f' ({story.name})' if story.name else ''}, {story.rule}"
    found = [f"{title}: {_moment(span.start, zone)} to {_moment(span.end, zone)}, asked every {duration(span.every)}", ""]
    if not story.played.runs and not story.really:
        return [*found, "it would never have been on", *_lost(story, zone)]
    found += [*_plot(story, zone), "", *_table(story, zone), "", *_runs(story, zone, all_runs)]
    return [*found, *_lost(story, zone)]


def _would(story: Story) -> Spans:
    return [(run.begin, _LATEST if run.end is None else run.end) for run in story.played.runs]


def _plot(story: Story, zone: tzinfo | None) -> list[str]:
    span = story.span
    kind = "hour" if span.end - span.start <= _HOURS_MAX else "day" if span.end - span.start <= _DAYS_MAX * 86_400 else "month"
    pieces = _pieces(kind, span, zone)
    rows = [("would have been on", _would(story))] + ([("was on", story.really)] if story.really is not None else [])
    wide = max(len(label) for label, _ in rows)
    found = []
    for label, spans in rows:
        amounts = [_seconds(spans, span, piece.start, piece.end) for piece in pieces]
        found.append(f"{label.ljust(wide)}  {sparkline([amount or None for amount in amounts])}".rstrip())
    return [*found, f"{''.ljust(wide)}  one for each {kind}"]


def _table(story: Story, zone: tzinfo | None) -> list[str]:
    span = story.span
    pieces = _pieces("day", span, zone)
    kind = "day"
    if len(pieces) > _ROWS_MAX:
        kind, pieces = "month", _pieces("month", span, zone)
    heads = ["times on", "hours", *(["kWh"] if story.watts else [])]
    rows = [[kind, *heads, *([f"really: {heads[0]}", *heads[1:]] if story.really is not None else [])]]
    for piece in pieces:
        rows.append([piece.label, *_cells(story, _would(story), piece), *_really_cells(story, piece)])
    whole = _Piece("all", span.start, span.end)
    if len(pieces) > 1:
        rows.append(["all", *_cells(story, _would(story), whole), *_really_cells(story, whole)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return aligned([[row[0], *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))] for row in rows])


def _really_cells(story: Story, piece: _Piece) -> list[str]:
    return [] if story.really is None else _cells(story, story.really, piece)


def _cells(story: Story, spans: Spans, piece: _Piece) -> list[str]:
    told = _sum(story, spans, piece)
    kwh = [] if told["kWh"] is None else [f"{told['kWh']:.1f}" if told["kWh"] else "-"]
    return [str(told["times_on"] or "-"), f"{told['hours']:.1f}" if told["hours"] else "-", *kwh]


def _sum_of_really(story: Story, piece: _Piece) -> dict[str, Any] | None:
    return None if story.really is None else _sum(story, story.really, piece)


def _sum(story: Story, spans: Spans, piece: _Piece | None = None) -> dict[str, Any]:
    start, end = (piece.start, piece.end) if piece else (story.span.start, story.span.end)
    hours = _seconds(spans, story.span, start, end) / 3600
    times = sum(max(start, story.span.start) <= begin < min(end, story.span.end) for begin, _ in spans)
    return {"times_on": times, "hours": round(hours, 4), "kWh": round(hours * story.watts / 1000, 3) if story.watts else None}


def _seconds(spans: Spans, span: Span, start: float, end: float) -> float:
    start, end = max(start, span.start), min(end, span.end)
    return sum(max(0.0, min(until, end) - max(begin, start)) for begin, until in spans)


def _runs(story: Story, zone: tzinfo | None, all_runs: bool) -> list[str]:
    runs = story.played.runs
    shown = runs if all_runs else runs[-_RUNS_SHOWN:]
    rows = [("on", "off", "because", "ended because")]
    for run in shown:
        end = "on still" if run.end is None else _moment(run.end, zone)
        rows.append((_moment(run.begin, zone), end, run.why, run.why_it_ended or "-"))
    found = [*aligned(rows), ""] if shown else []
    if len(shown) < len(runs):
        found.insert(0, f"the last {len(shown)} of {len(runs)} runs (--all shows them):")
    return found


def _lost(story: Story, zone: tzinfo | None) -> list[str]:
    """Where there was no answer, and who would have gone off for it."""
    found = []
    for lost in story.played.lost:
        where = f", line {lost.line}" if lost.line else ""
        times = f"at {lost.steps} of {story.span.steps} steps, first at {_moment(lost.first, zone)}"
        found.append(f"the rule is lost {times}{where}: {lost.why}")
    for number, count in story.played.gave_way.items():
        found.append(f"relay {number} would have gone off for it {count} time{'s' if count > 1 else ''} (PRIORITY)")
    return found


def _pieces(kind: str, span: Span, zone: tzinfo | None) -> list[_Piece]:
    found, at = [], _begin(kind, datetime.fromtimestamp(span.start, zone))
    while at.timestamp() < span.end:
        after = _next(kind, at)
        found.append(_Piece(at.strftime({"hour": "%H", "day": "%Y-%m-%d", "month": "%Y-%m"}[kind]), at.timestamp(), after.timestamp()))
        at = after
    return found


def _begin(kind: str, at: datetime) -> datetime:
    at = at.replace(minute=0, second=0, microsecond=0)
    return at if kind == "hour" else at.replace(hour=0, fold=0) if kind == "day" else at.replace(day=1, hour=0, fold=0)


def _next(kind: str, at: datetime) -> datetime:
    if kind == "hour":  # by the clock that never jumps: one is shown twice, or never, where clocks are set
        return datetime.fromtimestamp(at.timestamp() + 3600, at.tzinfo)
    return _begin(kind, at + timedelta(days=1 if kind == "day" else 32))


def _moment(wall: float, zone: tzinfo | None) -> str:
    return f"{datetime.fromtimestamp(wall, zone):%Y-%m-%d %H:%M}"


def _iso(wall: float, zone: tzinfo | None) -> str:
    return datetime.fromtimestamp(wall, zone).astimezone(zone).isoformat(timespec="seconds")

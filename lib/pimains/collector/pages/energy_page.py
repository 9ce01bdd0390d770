"""The collector's page: what each source draws now, what it added up to, and pictures of it. One document, no scripts.

/                      the last day and the days before
/?range=year           or day, week, month, decade
/?in=cost              bars of what it cost instead
/?table=1              the bars' numbers, too
"""

from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import NamedTuple
from urllib.parse import quote, urlencode

from pimains.collector.graphs.pictures import RANGES, SIZES, Extremes
from pimains.collector.pages.style import ICON, STYLE
from pimains.core.plan.sentences import duration, moment
from pimains.shared.readings.plan.energy import Flow, Meter
from pimains.shared.readings.series.costs import Cost
from pimains.shared.readings.series.figures import Amount, Bar, Figures

BARS_OF = {"day": "days", "week": "days", "month": "days", "year": "months", "decade": "years"}
_WORDS = {"day": "Day", "week": "Week", "month": "Month", "year": "Year", "decade": "Ten years"}


class View(NamedTuple):
    """What somebody wants to see."""

    range: str = "day"
    cost: bool = False
    table: bool = False

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> "View":
        """What is not known is as it is at first."""
        name = query.get("range", "day")
        return cls(name if name in RANGES else "day", query.get("in") == "cost", query.get("table") == "1")

    def link(self, place: str) -> str:
        """To the page that shows it, at a source."""
        words = {"range": self.range, **({"in": "cost"} if self.cost else {}), **({"table": "1"} if self.table else {})}
        return f"?{urlencode(words)}{place and f'#{place}'}"


class Shown(NamedTuple):
    """One source: its numbers, and those of the pictures that are shown; `trouble` says why there are no pictures.

    `begun` is when its first reading was taken.
    """

    figures: Figures
    extremes: Extremes
    together: Amount
    bars: list[Bar]
    trouble: str = ""
    begun: float | None = None


def page(shown: list[Shown], view: View, now: float, url: str, trouble: str = "") -> str:
    """The index page; `url` is where meters find this collector, `trouble` what somebody has to look after."""
    again = f'<a href="{escape(view.link(""))}">reload</a>'
    parts = [_section(each, number, view, now) for number, each in enumerate(shown)] or [_how_to_begin(url)]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>pimains: energy</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="{ICON}"><style>{STYLE}</style></head><body>'
        f'<header><h1>Energy</h1><p class="faint">as of {escape(moment(now, now))} · {again}</p></header>\n'
        f"<main>{_trouble(trouble)}{_overview(shown)}{''.join(parts)}</main>"
        f'<footer class="faint">{_LEGEND if shown else ""}'
        '<p>For programs: <a href="v1/sources">JSON</a>, <a href="metrics">Prometheus</a>, '
        '<a href="v1/openapi.json">OpenAPI</a></p></footer></body></html>\n'
    )


def _section(shown: Shown, number: int, view: View, now: float) -> str:
    meter = shown.figures.meter
    place = f"source-{number + 1}"
    age = max(0.0, now - shown.figures.last.time)
    name = f'<div class="head"><h2 id="{place}-name">{escape(meter.source)}</h2>'
    if meter.is_gauge:
        value = f'<p class="flow">{escape(flow_words(meter, shown.figures.flow.value))}</p>' if shown.figures.flow else _silent(shown, now)
        return (
            f'<section id="{place}" aria-labelledby="{place}-name">{name}<p class="faint">last reading {duration(age)} ago</p></div>'
            f"{value}{_navigation(view, place, meter.source)}{_flow_picture(shown, view)}</section>\n"
        )
    return (
        f'<section id="{place}" aria-labelledby="{place}-name">{name}<p class="faint">last reading {duration(age)} ago</p></div>'
        f"{_flow(meter, shown.figures.flow, age)}{_anew(shown.figures, now)}{_amounts(shown.figures)}"
        f"{_navigation(view, place, meter.source)}{_flow_picture(shown, view)}{_bars_picture(shown, view)}"
        f"{_other_views(view, place, shown.figures.currency)}</section>\n"
    )


def _trouble(words: str) -> str:
    return f'<p class="offline" role="status">{escape(words)}</p>' if words else ""


def _overview(shown: list[Shown]) -> str:
    """What each of several sources draws now, with links to them."""
    if len(shown) < 2:
        return ""
    links = "".join(
        f'<a href="#source-{number}">{escape(each.figures.meter.source)} <b>{escape(_flow_now(each.figures))}</b></a>'
        for number, each in enumerate(shown, 1)
    )
    return f'<nav class="overview" aria-label="sources">{links}</nav>'


def _flow_now(figures: Figures) -> str:
    if figures.flow is None:
        return "not known" if figures.meter.is_gauge else "offline"
    return f"{'at most ' if figures.flow.is_bound else ''}{flow_words(figures.meter, figures.flow.value)}"


def _silent(shown: Shown, now: float) -> str:
    return (
        f'<p class="offline">Not known since {escape(moment(shown.figures.last.time, now))}</p>'
        '<p class="faint">What was recorded stays. Its service may be down, or RECORD names it no more.</p>'
    )


def _flow(meter: Meter, flow: Flow | None, age: float) -> str:
    if flow is None:
        return (
            f'<p class="offline">Offline: nothing heard for {duration(age)}</p>'
            '<p class="faint">A meter keeps its readings meanwhile, and sends them when it is back.</p>'
        )
    bound = "<small>at most</small> " if flow.is_bound else ""
    return f'<p class="flow">{bound}{escape(flow_words(meter, flow.value))}</p>'


def _anew(figures: Figures, now: float) -> str:
    since = figures.counts_anew_since
    return "" if since is None else f'<p class="faint">Counts anew since {escape(moment(since, now))}</p>'


def _amounts(figures: Figures) -> str:
    unit = unit_words(figures.meter.unit)
    rows = [
        (each.name, "-", "")
        if each.amount is None
        else (_name_and_days(each), f"{each.amount:,.2f} {unit}", _beside(each, figures.currency))
        for each in figures.amounts
    ]
    if figures.meter.parts:
        rows.append(("made of", _sum_words(figures.meter), ""))
    else:
        rows.append(("meter shows", f"{figures.total:,.1f} {unit}", ""))
    return f"<dl>{''.join(f'<div><dt>{n}</dt><dd>{escape(v)}{_span(c)}</dd></div>' for n, v, c in rows)}</dl>"


def _name_and_days(amount: Amount) -> str:
    """Of how many days it is, where it is not of all."""
    return f"{amount.name}, {amount.days[0]} of {amount.days[1]} days" if amount.days else amount.name


def _sum_words(meter: Meter) -> str:
    return " ".join(f"{'-' if sign < 0 else '+'} {part.source}" for sign, part in meter.parts).removeprefix("+ ")


def _beside(amount: Amount | Bar, currency: str | None) -> str:
    """What it is in kWh, where it is gas, and in money."""
    words = [] if amount.kwh is None else [f"{amount.kwh:,.2f} kWh"]
    if amount.cost:
        words.append(_money(amount.cost.total, currency))
        words += [f"of it {_money(amount.cost.standing_charge, currency)} standing charge"] if amount.cost.standing_charge else []
    return ", ".join(words)


def _money(value: float, currency: str | None) -> str:
    return f"{value:,.2f} {currency or ''}".strip()


def _span(text: str) -> str:
    return f"<span>{escape(text)}</span>" if text else ""


def _navigation(view: View, place: str, source: str) -> str:
    links = "".join(
        f'<a href="{escape(view._replace(range=name).link(place))}"{_CURRENT if name == view.range else ""}>{words}</a>'
        for name, words in _WORDS.items()
    )
    return f'<nav aria-label="range of {escape(source)}">{links}</nav>'


def _other_views(view: View, place: str, currency: str | None) -> str:
    more = [(view._replace(table=not view.table), "without the numbers" if view.table else "numbers as a table")]
    if currency is not None:
        more.append((view._replace(cost=not view.cost), f"in {'units' if view.cost else currency or 'money'}"))
    others = " · ".join(f'<a href="{escape(other.link(place))}">{escape(words)}</a>' for other, words in more)
    return f'<p class="faint more">{others}</p>'


_LEGEND = (
    "<p>In the pictures: a line is the average, the band around it goes from the least to the most, where it is grey nothing was heard,"
    " and a pale bar is not over yet.</p>"
)
_CURRENT = ' aria-current="true"'


def _flow_picture(shown: Shown, view: View) -> str:
    meter = shown.figures.meter
    least, average, most, most_at = shown.extremes
    numbers = [
        f"{name} {flow_words(meter, value)}"
        for name, value in (("average", average), ("least", least), ("most", most))
        if value is not None
    ]
    if least is not None and most is not None and most_at and flow_words(meter, most) != flow_words(meter, least):
        numbers[-1] += f" {_when(most_at, view.range)}"
    if meter.is_gauge and shown.begun is not None and most is None and not shown.trouble:
        begun = datetime.fromtimestamp(shown.begun)
        return (
            f"<figure><figcaption><h3>{escape(meter.source)}, last {_WORDS[view.range].lower()}</h3>"
            f"Just begun, at {begun:%H:%M:%S}: its picture is there when it has changed, or in a few minutes.</figcaption></figure>"
        )
    if meter.is_gauge:
        return _figure(shown, view.range, f"{meter.source}, last {_WORDS[view.range].lower()}", f"{', '.join(numbers)}." if numbers else "")
    beside = _beside(shown.together, shown.figures.currency)
    numbers.append(f"together {shown.together.amount or 0.0:,.2f} {unit_words(meter.unit)}{beside and f', {beside}'}")
    what = "Power" if meter.unit == "kWh" else "Flow"
    title = f"{what} in {unit_words(meter.flow_unit)}, last {_WORDS[view.range].lower()}"
    return _figure(shown, view.range, title, f"{', '.join(numbers)}.")


def _when(time: float, name: str) -> str:
    """As exactly as a picture of this range has it."""
    at = datetime.fromtimestamp(time)
    if name == "day":
        return f"at {at:%H:%M}"
    return f"on {at:%a} {at.day} {at:%b}, {at:%H:%M}" if name in ("week", "month") else f"on {at.day} {at:%b %Y}"


def _bars_picture(shown: Shown, view: View) -> str:
    name = BARS_OF[view.range]
    meter, currency = shown.figures.meter, shown.figures.currency
    unit = unit_words(meter.unit)
    is_cost = view.cost and currency is not None
    whole = [bar for bar in shown.bars if bar.is_whole and bar.amount is not None]
    words = ""
    if whole:
        most = max(whole, key=lambda bar: bar.amount or 0.0)
        when = f"{'on' if name == 'days' else 'in'} {_label(most, name)}"
        words = f"{_with_beside(_mean(whole), unit, currency)} a {name[:-1]} on average; most {when}:"
        words += f" {_with_beside(most, unit, currency)}."
    what = f"Cost in {currency}" if is_cost else f"{'Energy' if meter.unit == 'kWh' else 'Volume'} in {unit}"
    picture = _figure(shown, f"cost-{name}" if is_cost else name, f"{what} per {name[:-1]}", words)
    return picture + (_table(shown, name) if view.table else "")


def _mean(bars: list[Bar]) -> Bar:
    """What they were on average: of what it cost, and of kWh, as far as that is known."""
    costs, kwh = [bar.cost for bar in bars if bar.cost], [bar.kwh for bar in bars if bar.kwh is not None]
    cost = Cost(*(sum(each) / len(costs) for each in zip(*costs, strict=True))) if costs else None
    amount = sum(bar.amount or 0.0 for bar in bars) / len(bars)
    return bars[0]._replace(amount=amount, cost=cost, kwh=sum(kwh) / len(kwh) if kwh else None)


def _with_beside(bar: Bar, unit: str, currency: str | None) -> str:
    return ", ".join(filter(None, (f"{bar.amount or 0.0:,.2f} {unit}", _beside(bar, currency))))


def _figure(shown: Shown, name: str, title: str, words: str) -> str:
    meter = shown.figures.meter
    head = f"<figcaption><h3>{escape(title)}</h3>{escape(words)}</figcaption>"
    if shown.trouble:
        return f'<figure>{head}<p class="offline">No picture: {escape(shown.trouble)}</p></figure>'
    path = f"graphs/{quote(meter.source, safe='')}/{name}.svg"
    narrow, dark = "(max-width: 40rem)", "(prefers-color-scheme: dark)"
    sources = "".join(
        f'<source media="{" and ".join(media)}" srcset="{path}?theme={theme}&amp;size={size}"'
        f' width="{SIZES[size][0]}" height="{SIZES[size][1]}">'
        for media, theme, size in (((narrow, dark), "dark", "narrow"), ((narrow,), "light", "narrow"), ((dark,), "dark", "wide"))
    )
    width, height = SIZES["wide"]
    alt = escape(f"{title}. {words}")
    return f'<figure>{head}<picture>{sources}<img src="{path}" width="{width}" height="{height}" alt="{alt}"></picture></figure>'


def _table(shown: Shown, name: str) -> str:
    currency = shown.figures.currency
    begun = next((number for number, bar in enumerate(shown.bars) if bar.amount is not None), len(shown.bars) - 1)
    bars = shown.bars[begun:][::-1]
    columns = [(unit_words(shown.figures.meter.unit), ["no readings" if bar.amount is None else f"{bar.amount:,.2f}" for bar in bars])]
    if any(bar.kwh is not None for bar in bars):
        columns.append(("kWh", ["" if bar.kwh is None else f"{bar.kwh:,.2f}" for bar in bars]))
    if currency is not None:
        columns.append((currency or "cost", [_money(bar.cost.total, currency) if bar.cost else "" for bar in bars]))
        if any(bar.cost and bar.cost.standing_charge for bar in bars):
            standing = [_money(bar.cost.standing_charge, currency) if bar.cost else "" for bar in bars]
            columns.append(("of it standing charge", standing))
    rows = []
    for number, bar in enumerate(bars):
        cells = "".join(f"<td>{escape(cell[number])}</td>" for _, cell in columns)
        rows.append(f'<tr><th scope="row">{escape(_label(bar, name))}{"" if bar.is_whole else " so far"}</th>{cells}</tr>')
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title, _ in columns)
    return f'<table><thead><tr><th scope="col">{name[:-1]}</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _label(bar: Bar, name: str) -> str:
    when = datetime.fromtimestamp(bar.period.start)
    return {"days": f"{when:%a} {when.day} {when:%b}", "months": f"{when:%B %Y}", "years": f"{when:%Y}"}[name]


def _how_to_begin(url: str) -> str:
    return (
        "<section><h2>No readings yet</h2><p>Here, make a token for a meter called house:</p>"
        "<pre>sudo install -d -m 755 /etc/pimains/tokens\n"
        "head -c 24 /dev/urandom | base64 | sudo install -o pimains -m 600 /dev/stdin /etc/pimains/tokens/house\n"
        "sudo cat /etc/pimains/tokens/house</pre>"
        "<p>At the meter, with that token in token.txt, the pin that its S0 output is wired to, and the impulses per kWh"
        " that are printed on it:</p>"
        "<pre>sudo create_service --service_name=meter --pin=24 --impulses_per_kwh=1000 --source=house "
        f"--collector={escape(url)} --token=@token.txt --add-service\nsudo pimains meter</pre>"
        "<p>Its first reading is here within a minute. pimains-meter(8) and pimains-collector(8) tell the rest.</p></section>"
    )


def unit_words(unit: str) -> str:
    """As people write it."""
    return unit.replace("m3", "m³")


def flow_words(meter: Meter, value: float) -> str:
    """`350 W`, `0.120 m³/h`."""
    if meter.is_gauge:
        return f"{value:,.6g} {unit_words(meter.unit)}".strip()
    return f"{value:,.0f} W" if meter.unit == "kWh" else f"{value:,.3f} m³/h"

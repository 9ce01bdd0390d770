"""What a browser and Prometheus are shown of the sources: one self-contained page, one text of metrics."""

import base64
import hashlib
from html import escape
from urllib.parse import quote

from pimains.core.figures import Figures
from pimains.plan.energy import Flow, Meter
from pimains.plan.sentences import duration

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2024; --faint: #60646c; --paper: #fcfcfd; --card: #f0f2f5; --flow: #0b6e4f; }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --faint: #a6abb5; --paper: #111316; --card: #1c2024; --flow: #4cc38a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.25rem; }
section { background: var(--card); border-radius: .75rem; padding: 1rem; margin: 1rem 0; }
h2 { font-size: 1.1rem; margin: 0; overflow-wrap: anywhere; }
.flow { font-size: 2.5rem; font-weight: 600; color: var(--flow); margin: .25rem 0; font-variant-numeric: tabular-nums; }
.faint { color: var(--faint); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1rem 0 0; }
dt { color: var(--faint); font-size: .875rem; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
a { color: inherit; }
img { width: 100%; height: auto; border-radius: .5rem; margin-top: .75rem; }
"""
_SHOWN = ("day", "week", "month", "year")
POLICY = f"default-src 'none'; img-src 'self'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"


def page(shown: list[Figures], now: float, price: float | None, currency: str) -> str:
    """The index page."""
    parts = [_section(each, now, price, currency) for each in shown]
    if not parts:
        parts = ["<section><p>No readings yet. Each meter needs a token: pimains-collector(8) tells how.</p></section>"]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>pimains: energy</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="refresh" content="60">'
        f"<style>{_STYLE}</style></head><body><h1>Energy</h1>\n{''.join(parts)}"
        '<p class="faint">For programs: <a href="v1/sources">JSON</a>, <a href="metrics">metrics</a>.</p></body></html>\n'
    )


def _section(shown: Figures, now: float, price: float | None, currency: str) -> str:
    meter = shown.meter
    unit = unit_words(meter.unit)
    heard = f"heard {duration(max(0.0, now - shown.last.time))} ago"
    rows = [("meter shows", f"{shown.total:,.1f} {unit}")]
    for name, amount in shown.amounts:
        cost = f" · {amount * price:,.2f} {currency}" if price is not None else ""
        rows.append((name, f"{amount:,.2f} {unit}{cost}"))
    listed = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in rows)
    return (
        f'<section><h2>{escape(meter.source)}</h2><p class="flow">{escape(flow_words(meter, shown.flow))}</p>'
        f'<p class="faint">{escape(heard)}</p><dl>{listed}</dl>{_graphs(meter)}</section>\n'
    )


def _graphs(meter: Meter) -> str:
    path = f"graphs/{quote(meter.source, safe='')}"
    return "".join(
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{path}/{name}.svg?theme=dark">'
        f'<img src="{path}/{name}.svg" loading="lazy" width="820" height="280" alt="{escape(meter.flow_unit)}, last {name}"></picture>'
        for name in _SHOWN
    )


def unit_words(unit: str) -> str:
    """As people write it."""
    return "m³" if unit == "m3" else unit


def flow_words(meter: Meter, flow: Flow | None) -> str:
    """`350 W`, `at most 36 W`, `not known`."""
    if flow is None:
        return "not known"
    value = f"{flow.value:,.0f} W" if meter.unit == "kWh" else f"{flow.value:,.3f} m³/h"
    return f"at most {value}" if flow.is_bound else value


_METRICS = (
    ("pimains_power_watts", "gauge", "Electric power; an upper bound where pimains_flow_is_upper_bound is 1."),
    ("pimains_flow_m3_per_hour", "gauge", "Flow of gas or water; an upper bound where pimains_flow_is_upper_bound is 1."),
    ("pimains_flow_is_upper_bound", "gauge", "1 while no pulse comes: then the flow is at most what is told."),
    ("pimains_energy_kwh_total", "counter", "What the meter's face shows."),
    ("pimains_volume_m3_total", "counter", "What the meter's face shows."),
    ("pimains_last_reading_timestamp_seconds", "gauge", "When the newest reading was taken."),
)


def metrics(shown: list[Figures]) -> str:
    """In Prometheus' text format 0.0.4."""
    lines = []
    for name, kind, meaning in _METRICS:
        values = [(each.meter.source, value) for each in shown if (value := _metric(name, each)) is not None]
        if values:
            lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
            lines += [f'{name}{{source="{_label(source)}"}} {value!r}' for source, value in values]
    return "\n".join(lines) + "\n"


def _metric(name: str, shown: Figures) -> float | None:
    is_energy = shown.meter.unit == "kWh"
    flow = shown.flow
    return {
        "pimains_power_watts": flow.value if flow and is_energy else None,
        "pimains_flow_m3_per_hour": flow.value if flow and not is_energy else None,
        "pimains_flow_is_upper_bound": float(flow.is_bound) if flow else None,
        "pimains_energy_kwh_total": shown.total if is_energy else None,
        "pimains_volume_m3_total": None if is_energy else shown.total,
        "pimains_last_reading_timestamp_seconds": shown.last.time,
    }[name]


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')

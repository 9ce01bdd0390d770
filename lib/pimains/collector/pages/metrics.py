"""What Prometheus is told of the sources: its text format 0.0.4."""

from pimains.shared.readings.series.figures import Figures

_METRICS = (
    ("pimains_power_watts", "gauge", "Electric power; an upper bound where pimains_flow_is_upper_bound is 1."),
    ("pimains_flow_m3_per_hour", "gauge", "Flow of gas or water; an upper bound where pimains_flow_is_upper_bound is 1."),
    ("pimains_flow_is_upper_bound", "gauge", "1 while no pulse comes: then the flow is at most what is told."),
    ("pimains_energy_kwh_total", "counter", "What was counted, whatever the meter's face shows."),
    ("pimains_volume_m3_total", "counter", "What was counted, whatever the meter's face shows."),
    ("pimains_face_kwh", "gauge", "What the meter's face shows: another number when it is set, or when the meter is replaced."),
    ("pimains_face_m3", "gauge", "What the meter's face shows: another number when it is set, or when the meter is replaced."),
    ("pimains_price", "gauge", "What a unit (kWh, m3) costs now."),
    ("pimains_cost_today", "gauge", "What it cost since midnight, with the standing charge."),
    ("pimains_cost_this_month", "gauge", "What it cost in this month until now, with the standing charge."),
    ("pimains_value", "gauge", "A value that is recorded, in its own unit."),
    ("pimains_last_reading_timestamp_seconds", "gauge", "When the newest reading was taken."),
)


def metrics(shown: list[Figures]) -> str:
    """All of it."""
    lines = []
    for name, kind, meaning in _METRICS:
        values = [(each.meter.source, value) for each in shown if (value := _metric(name, each)) is not None]
        if values:
            lines += [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
            lines += [f'{name}{{source="{_label(source)}"}} {value!r}' for source, value in values]
    return "\n".join(lines) + "\n"


def _metric(name: str, shown: Figures) -> float | None:
    flow, last = shown.flow, shown.last.time
    if shown.meter.is_gauge:
        return {"pimains_value": flow and flow.value, "pimains_last_reading_timestamp_seconds": last}.get(name)
    is_energy, has_face = shown.meter.unit == "kWh", not shown.meter.parts
    costs = {each.name: each.cost.total for each in shown.amounts if each.cost}
    return {
        "pimains_power_watts": flow.value if flow and is_energy else None,
        "pimains_flow_m3_per_hour": flow.value if flow and not is_energy else None,
        "pimains_flow_is_upper_bound": float(flow.is_bound) if flow else None,
        "pimains_energy_kwh_total": shown.counted if is_energy and has_face else None,
        "pimains_volume_m3_total": shown.counted if has_face and not is_energy else None,
        "pimains_face_kwh": shown.total if is_energy and has_face else None,
        "pimains_face_m3": shown.total if has_face and not is_energy else None,
        "pimains_price": shown.price,
        "pimains_cost_today": costs.get("today"),
        "pimains_cost_this_month": costs.get("this month"),
        "pimains_last_reading_timestamp_seconds": last,
    }.get(name)


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')

"""What `pimains energy` shows: tables, sparklines, costs and moments."""

from datetime import datetime
from typing import Any

from pimains.shared.plan.sparkline import sparkline
from pimains.shared.readings import csv_lines


def table(told: dict[str, Any]) -> str:
    """The totals of one source."""
    kind, unit = told["kind"], "m³" if told["unit"] == "m3" else told["unit"]
    columns = [(unit, "amount", "sum"), ("kWh", "kWh", "sum_kWh"), (told["currency"] or "", "cost", "sum_cost")]
    if told["sum_standing_charge"]:
        columns.append(("of it standing charge", "standing_charge", "sum_standing_charge"))
    columns = [column for column in columns if told[column[2]] is not None]
    rows = [[kind, *(head for head, _, _ in columns)]]
    rows += [[row[kind], *(_number(row[name]) for _, name, _ in columns)] for row in told["rows"]]
    rows.append(["sum", *(_number(told[total]) for _, _, total in columns)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(columns) + 1)]
    lines = [
        "  ".join(text.rjust(widths[column]) if column else text.ljust(widths[0]) for column, text in enumerate(row)).rstrip()
        for row in rows
    ]
    return "\n".join([f"{told['source']}  {sparkline([row['amount'] for row in told['rows']])}", *lines])


def as_csv(tables: list[dict[str, Any]], kind: str) -> str:
    """All of them, a line for each day, month or year of each source; what nobody knows is empty."""
    rows: list[list[csv_lines.Cell]] = [["source", kind, "amount", "unit", "kWh", "cost", "standing_charge", "currency"]]
    for told in tables:
        for row in told["rows"]:
            amount = row["amount"] if "amount" in row else row["average"]
            costs = [row.get(name) for name in ("kWh", "cost", "standing_charge")]
            rows.append([told["source"], row[kind], amount, told["unit"], *costs, told.get("currency")])
    return csv_lines.lines(rows)


def averages(told: dict[str, Any]) -> str:
    """Those of a value that is recorded."""
    kind = told["kind"]
    rows = [(kind, f"average {told['unit']}".strip())]
    rows += [(row[kind], "-" if row["average"] is None else f"{row['average']:,.6g}") for row in told["rows"]]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join([told["source"], *(f"{when.ljust(widths[0])}  {value.rjust(widths[1])}" for when, value in rows)])


def _number(amount: float | None) -> str:
    return "-" if amount is None else f"{amount:.2f}"


def moment(seconds: float) -> str:
    """Local time, to the minute."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")

"""What `pimains energy import` says of a table: its first and last days, what is asked about it, and what each answer comes to."""

import json
from typing import Any

from pimains.collector.history.readings_table import Read, Table

_DAYS = 3


def tell(table: Table, source: str, reads: list[Read], as_json: bool) -> int:
    """What a table is, that may be read in several ways, in each of them; nothing is stored."""
    if as_json:
        answers = [
            {"column": each.way.kind, "time": each.way.time, "why_not": each.why, "amount": sum(each.amounts.values())} | ends(each.amounts)
            for each in reads
        ]
        print(json.dumps({"import": None, "source": source, "is_new": True, "unit": table.unit, "asked": table.what(), "answers": answers}))
        return 0
    print(f"{source}: {table.what()}:")
    for each in reads:
        print(f"{table.options(each.way)}: {table.meaning(each.way)}")
        print(f"  cannot be: {each.why}" if each.why else shown(each.amounts, table.unit or "kWh"))
    for line in notes(table):
        print(line)
    return 0


def ends(amounts: dict[str, float]) -> dict[str, Any]:
    """The first and the last days, months or years, for programs, and how many there are."""
    days = [{"day": name, "amount": amount} for name, amount in amounts.items()]
    return {"days": len(days), "first_days": days[:_DAYS], "last_days": days[-_DAYS:]}


def shown(amounts: dict[str, float], unit: str) -> str:
    """The same for people, with the sum of all."""
    told = list(amounts.items())
    rows: list[tuple[str, float | None]] = [*told]
    if len(told) > 2 * _DAYS:
        rows = [*told[:_DAYS], ("...", None), *told[-_DAYS:]]
    rows.append(("sum", sum(amounts.values())))
    width = max(len(f"{amount:.2f}") for _, amount in rows if amount is not None)
    return "\n".join(f"  {name:10}" + (f"  {amount:{width}.2f} {unit}" if amount is not None else "") for name, amount in rows)


def notes(table: Table) -> list[str]:
    """What else people should know of it, a line each."""
    found = [f"read as {table.encoding}, for it is no UTF-8"] if table.encoding == "cp1252" else []
    if table.not_over:
        found.append(f"left out: {table.not_over} whose time is not over yet")
    return found

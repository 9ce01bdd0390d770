"""Workspaces as the editor saves them, written down shortly.

workspace(B("turn", STATE="on", WHY="the sun shines"))
B("if", IF=B("compare", A=value("vedirect.bmv/SOC"), OP="gt", B=90), THEN=[B("turn", STATE="on", WHY="it is full")])
"""

from itertools import count
from typing import Any

from pimains.shared.blocks import table
from pimains.shared.blocks.parts import OfVariable

Json = dict[str, Any]
_ids = count(1)


def B(kind: str, comment: str = "", **parts: Any) -> Json:
    """Numbers and texts in a place for blocks become such blocks."""
    block = table.BLOCKS[kind]
    made: Json = {"type": kind, "id": f"b{next(_ids)}"}
    for name, part in parts.items():
        if name in block.fields:
            given = {"id": variable_id(part)} if isinstance(block.fields[name], OfVariable) else part
            made.setdefault("fields", {})[name] = given
        elif name in block.statements:
            if row := chained(part):
                made.setdefault("inputs", {})[name] = {"block": row}
        else:
            made.setdefault("inputs", {})[name] = {"block": _as_block(part)}
    if comment:
        made["icons"] = {"comment": {"text": comment, "pinned": False, "height": 80, "width": 160}}
    return made


def _as_block(part: Any) -> Json:
    if isinstance(part, str) or (isinstance(part, dict) and "en" in part):
        return B("text", TEXT=part)
    if isinstance(part, int | float) and not isinstance(part, bool):
        return B("number", NUM=part)
    return part


def variable_id(name: str) -> str:
    return f"id of {name}"


def chained(row: list[Json]) -> Json | None:
    """One below the other."""
    first: Json | None = None
    for block in reversed(row):
        first = {**block, "next": {"block": first}} if first else block
    return first


def workspace(*row: Json, variables: tuple[str, ...] = (), comment: str = "") -> Json:
    """All that Blockly saves."""
    rule = {**B("rule", comment, DO=list(row)), "x": 20, "y": 20, "deletable": False}
    found: Json = {"blocks": {"languageVersion": 0, "blocks": [rule]}}
    if variables:
        found["variables"] = [{"name": name, "id": variable_id(name)} for name in variables]
    return found


def saved(*row: Json, variables: tuple[str, ...] = (), **about: Any) -> Json:
    """As it is sent."""
    return {"format": 1, "set": table.SET, "workspace": workspace(*row, variables=variables), **about}


def let(name: str, value: Any) -> Json:
    return B("variables_set", VAR=name, VALUE=value)


def var(name: str) -> Json:
    return B("variables_get", VAR=name)


def value(name: str) -> Json:
    return B("value", NAME=name)


def turn(state: str, why: Any) -> Json:
    return B("turn", STATE=state, WHY=why)


def when(condition: Json, then: list[Json], otherwise: list[Json] | None = None, comment: str = "") -> Json:
    if otherwise is None:
        return B("if", comment, IF=condition, THEN=then)
    return B("if_else", comment, IF=condition, THEN=then, ELSE=otherwise)


def compare(one: Any, operator: str, other: Any) -> Json:
    return B("compare", A=one, OP=operator, B=other)


def both(one: Json, operator: str, other: Json) -> Json:
    return B("both", A=one, OP=operator, B=other)


def negated(what: Json) -> Json:
    return B("not", A=what)


def join(*parts: Any) -> Json:
    return B("join", A=parts[0], B=parts[1]) if len(parts) == 2 else B("join3", A=parts[0], B=parts[1], C=parts[2])


def decimal(number: Any, decimals: str = "1") -> Json:
    return B("number_text", A=number, DECIMALS=decimals)


def minutes(number: float) -> Json:
    return B("duration", NUM=number, UNIT="min")

"""Workspaces that nobody would build: any blocks of the table one within the other, and damaged ones; and which names their Python may use.

generated = GeneratedBlocks(seed)
workspace = generated.workspace()
damaged = generated.damaged(workspace)
"""

import ast
import copy
import json
import random
from typing import Any

from pimains.rules.blocks.names import FUNCTIONS
from pimains.shared.blocks import table
from pimains.shared.blocks.parts import (
    BOOLEAN,
    LAST,
    NUMBER,
    STATEMENT,
    TEXT,
    THIS,
    VALUE,
    Amount,
    Block,
    Choice,
    Field,
    OfRelay,
    OfVariable,
    Written,
)

Json = dict[str, Any]
NAMES = {
    *("relay", "data", "relays", "now", "ON", "OFF", "KEEP", "NotKnown", "timer", "held", "answers", "present"),
    *("str", "bool", "format", "abs", "round", "min", "max"),
    *FUNCTIONS,
}
OF_FUNCTIONS = {"seconds", "minutes", "what", "name", "condition", "so_far", "host", "otherwise"}  # their arguments
ATTRIBUTES = {
    *("on", "mode", "name", "watts", "priority", "min_on", "on_for", "off_for", "last_on", "last_off", "last_on_by_rule"),
    *("on_today", "switched_off_today", "starts_today", "seconds_on_today", "absorbing_or_floating", "floating", "age", "get"),
    *("hour", "minute", "minutes", "weekday", "day", "month", "year", "yearday", "sunrise", "sunset", "is_day"),
    *("start", "stop", "running", "over", "seconds"),
}
NODES = {
    *(ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.If, ast.Assign, ast.Expr, ast.Pass, ast.Try, ast.ExceptHandler),
    *(ast.Raise, ast.Name, ast.Load, ast.Store, ast.Constant, ast.Attribute, ast.Subscript, ast.Call, ast.keyword, ast.Compare, ast.BoolOp),
    *(ast.UnaryOp, ast.BinOp, ast.IfExp, ast.Tuple, ast.JoinedStr, ast.FormattedValue, ast.And, ast.Or, ast.Not, ast.UAdd, ast.USub),
    *(
        ast.Add,
        ast.Sub,
        ast.Mult,
        ast.Div,
        ast.Mod,
        ast.Eq,
        ast.NotEq,
        ast.Lt,
        ast.LtE,
        ast.Gt,
        ast.GtE,
        ast.Is,
        ast.IsNot,
        ast.In,
        ast.NotIn,
    ),
}
_TEXTS = (
    *(
        "why",
        "it's full",
        'say "no"',
        "both ' and \"",
        "{now}",
        "{{",
        "back\\slash",
        "\\",
        "'''",
        '"""',
        "x" * 200,
        "é ü ß \N{SNOWMAN}",
        " ",
    ),
    *("%s%n", "\N{NO-BREAK SPACE}", "__import__('os')", "');import os#", "${x}", "<img src=x onerror=alert(1)>", "comment_0_", "a\\'b{c}"),
)
_COMMENTS = ("", "", "", "why", "two\nlines", "\x0cimport os", "\r\nimport os\r", "-*- coding: utf-7 -*-", "\u2028import os", "\\", '"""')
_NAMES = {
    "value": ("vedirect.bmv/SOC", "vedirect.bmv/P", "vedirect.mppt/CS", "words/of", "nobody/knows"),
    "file": ("guests", "computers", "a.b"),
    "host": ("pc.lan", "192.168.1.7"),
    "timer": ("rest", "noon rest", "a.b-c", "été"),
    "time": ("0:00", "6:30", "23:59", "24:00", "12:00"),
    "text": _TEXTS,
}
_VARIABLES = ("x", "X", "now", "relay", "def", "é", "e", "日本", "_", "a b", "v_x", "x" * 100)
_JUNK = (None, True, -1, 1e308, "", "junk", "__class__", "\x00", "\ud800", [], {}, [[]], {"a": 1}, "rule", "turn", 10**30, "x" * 5000)


class GeneratedBlocks:
    """The same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._left = 0
        self._set: dict[str, str] = {}
        self._held = 0

    def workspace(self) -> Json:
        """Mostly one that can be compiled."""
        self._left = self._random.choice((3, 10, 30, 100))
        self._set, self._held = {}, 0
        rule = self._plain("rule")
        if row := self._row(0):
            rule["inputs"] = {"DO": {"block": row}}
        tops = [rule]
        if self._random.random() < 0.1:
            tops.append(self._value(self._random.choice((NUMBER, BOOLEAN, TEXT)), 0))
        variables = [{"name": name, "id": f"id {name}"} for name in _VARIABLES]
        return {"blocks": {"languageVersion": 0, "blocks": tops}, "variables": variables}

    def damaged(self, workspace: Json) -> Json:
        """With something in it that does not belong there."""
        found = copy.deepcopy(workspace)
        for _ in range(self._random.choice((1, 1, 3))):
            places: list[tuple[Any, Any]] = []
            _places(found, places)
            if not places:
                break
            where, key = self._random.choice(places)
            match self._random.randrange(4):
                case 0:
                    where[key] = copy.deepcopy(self._random.choice(_JUNK))
                case 1 if isinstance(where, dict):
                    where[self._random.choice(("junk", "extraState", "next", "inputs", "fields", "TEXT", "__proto__"))] = copy.deepcopy(
                        where[key]
                    )
                case 2:
                    del where[key]
                case _:
                    other, name = self._random.choice(places)
                    where[key] = json.loads(json.dumps(other[name])) if name in range(-1, len(other)) or name in other else None
        return found

    def _plain(self, kind: str) -> Json:
        self._left -= 1
        block = table.BLOCKS[kind]
        made: Json = {"type": kind, "id": "id"}
        if block.fields:
            made["fields"] = {name: self._of(field) for name, field in block.fields.items()}
        if comment := self._random.choice(_COMMENTS):
            made["icons"] = {"comment": {"text": comment, "pinned": False}}
        return made

    def _of(self, field: Field) -> Any:
        pick = self._random.choice
        match field:
            case Choice(_, options):
                return pick(options)[0]
            case Amount(_, least, most, at_first, _):
                return pick((least, most, at_first, 1, 2.5 if most > 2 else 1, 89))
            case Written("NAME", "timer"):
                self._held += 1
                return f"{pick(_NAMES['timer'])} {self._held}" if self._random.random() < 0.95 else "rest"
            case Written(_, kind):
                return pick(_NAMES[kind])
            case OfRelay():
                return pick((THIS, "1", "999"))
            case OfVariable():
                return {"id": f"id {pick(_VARIABLES)}"}

    def _row(self, deep: int) -> Json | None:
        first: Json | None = None
        last: Json | None = None
        for _ in range(self._random.choice((0, 1, 2, 4) if deep else (1, 2, 4, 8))):
            if self._left <= 0:
                break
            kinds = [block.type for block in table.BLOCKS.values() if block.shape in (STATEMENT, LAST)]
            weights = [1 if table.BLOCKS[kind].shape == LAST else 4 for kind in kinds]
            block = self._filled(table.BLOCKS[self._random.choices(kinds, weights)[0]], deep)
            if last is None:
                first = block
            else:
                last["next"] = {"block": block}
            last = block
            if table.BLOCKS[block["type"]].shape == LAST:
                break
        return first

    def _filled(self, block: Block, deep: int) -> Json:
        made = self._plain(block.type)
        inputs: Json = {}
        before = dict(self._set)
        for part in block.parts:
            if part.name in block.statements:
                self._set = dict(before)
                if row := self._row(deep + 1):
                    inputs[part.name] = {"block": row}
            elif part.name in block.values and self._random.random() < 0.995:
                wanted = self._random.choice(block.values[part.name].types)
                if self._random.random() < 0.003:
                    wanted = self._random.choice((NUMBER, BOOLEAN, TEXT))
                inputs[part.name] = {self._random.choice(("block", "block", "shadow")): self._value(wanted, deep + 1)}
                if block.type == "variables_set":
                    its_id = made["fields"]["VAR"]["id"]
                    self._set.setdefault(its_id, wanted)
                    if self._set[its_id] != wanted and self._random.random() < 0.95:
                        inputs[part.name] = {"block": self._value(self._set[its_id], deep + 1)}
        if block.statements:
            self._set = before
        if inputs:
            made["inputs"] = inputs
        return made

    def _value(self, gives: str, deep: int) -> Json:
        known = [its_id for its_id, kind in self._set.items() if kind == gives]
        if known and self._random.random() < 0.3:
            return {**self._plain("variables_get"), "fields": {"VAR": {"id": self._random.choice(known)}}}
        kinds = [block for block in table.BLOCKS.values() if block.shape == VALUE and block.gives == gives]
        if deep > self._random.choice((3, 8, 38)) or self._left <= 0:
            kinds = [block for block in kinds if not block.values]
        return self._filled(self._random.choice(kinds), deep)


def _places(what: Any, found: list[tuple[Any, Any]]) -> None:
    for key in what if isinstance(what, dict) else range(len(what)):
        found.append((what, key))
        if isinstance(what[key], dict | list):
            _places(what[key], found)


def strangers(python: str) -> list[str]:
    """What the Python of blocks has in it that is none of its names; [] as it should be."""
    found: list[str] = []
    for node in ast.walk(ast.parse(python)):
        if type(node) not in NODES:
            found.append(type(node).__name__)
        if isinstance(node, ast.Name) and not (node.id in NAMES | OF_FUNCTIONS or _is_variable(node.id)):
            found.append(node.id)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and not (_is_variable(node.id) or node.id == "so_far"):
            found.append(f"{node.id} =")
        if isinstance(node, ast.Attribute) and node.attr not in ATTRIBUTES:
            found.append(f".{node.attr}")
        if isinstance(node, ast.FunctionDef) and node.name not in {"rule", *FUNCTIONS}:
            found.append(f"def {node.name}")
    return found


def _is_variable(name: str) -> bool:
    return name.startswith("v_") and name.isascii() and name.isidentifier()

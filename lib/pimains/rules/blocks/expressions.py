"""What blocks give, as expressions of Python; each is checked to be of the type that its place takes."""

import ast
import re
from collections.abc import Mapping
from typing import NamedTuple

from pimains.rules.blocks import names, tree
from pimains.shared.blocks.parts import BOOLEAN, NUMBER, TEXT, THIS, minutes_of
from pimains.shared.blocks.workspace import Placed, Wrong

IN_WORDS = {NUMBER: "a number", BOOLEAN: "something that is so or not", TEXT: "a text"}
_UNIT_SECONDS = {"min": 60, "h": 3600, "s": 1}
_OPERATORS: dict[str, type[ast.operator]] = {
    "add": ast.Add, "subtract": ast.Sub, "multiply": ast.Mult, "divide": ast.Div, "remainder": ast.Mod,
}  # fmt: skip
_COMPARISONS: dict[str, type[ast.cmpop]] = {
    "gt": ast.Gt, "ge": ast.GtE, "lt": ast.Lt, "le": ast.LtE, "eq": ast.Eq, "ne": ast.NotEq,
}  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z0-9_./@ -]*")


class _Piece(NamedTuple):
    """Of a text that is put together: words of it, or what gives some, in Python's `form` for numbers."""

    words: str
    node: ast.expr | None = None
    form: str = ""


class Expressions:
    """Of one rule. `variables` are their names by their ids, `known` what of them is set for sure where the next one stands.

    `may_fill_in`: with f-strings, which cannot hold everything. `types` are those of variables, `functions` those of ours that it needs,
    and `asks_clock` says whether it wants to know what time it is.
    """

    def __init__(self, variables: Mapping[str, str], *, may_fill_in: bool) -> None:
        self.known: frozenset[str] = frozenset()
        self.types: dict[str, str] = {}
        self.functions: set[str] = set()
        self.asks_clock = False
        self._variables = variables
        self._names = names.of_variables(variables)
        self._may_fill_in = may_fill_in
        self._names_held: dict[str, str] = {}

    def variable(self, its_id: str) -> str:
        """What it is called in the rule."""
        return self._names[its_id]

    def value(self, placed: Placed, name: str) -> ast.expr:
        """What is in one of its places, which takes that."""
        return self._given_by(self._inner(placed, name))

    def _inner(self, placed: Placed, name: str) -> Placed:
        part, inner = placed.block.values[name], placed.values.get(name)
        if inner is None:
            raise Wrong(f"{placed.block.type}: nothing is in {name}", placed.id)
        gives = self.type_of(inner)
        if gives not in part.types:
            wants = " or ".join(IN_WORDS[each] for each in part.types)
            raise Wrong(f"{placed.block.type}: {name} takes {wants}, and {inner.block.type} is {IN_WORDS[gives]}", inner.id)
        return inner

    def type_of(self, placed: Placed) -> str:
        """Of what it gives. Raises Wrong for a variable that may not have been set."""
        if placed.block.type != "variables_get":
            return placed.block.gives
        its_id = placed.fields["VAR"]["id"]
        if self._names[its_id] not in self.known:
            name = self._variables[its_id]
            raise Wrong(f"variables_get: {name} is asked for where it may not have been set yet", placed.id)
        return self.types[its_id]

    def _given_by(self, placed: Placed) -> ast.expr:
        kind, fields = placed.block.type, placed.fields
        match kind:
            case "compare":
                return ast.Compare(self.value(placed, "A"), [_COMPARISONS[fields["OP"]]()], [self.value(placed, "B")])
            case "text_is":
                return ast.Compare(self.value(placed, "A"), [_COMPARISONS[fields["OP"]]()], [self.value(placed, "B")])
            case "between":
                return tree.between(self.value(placed, "FROM"), self.value(placed, "A"), self.value(placed, "TO"))
            case "both":
                operator = ast.And() if fields["OP"] == "and" else ast.Or()
                return ast.BoolOp(operator, [self.value(placed, "A"), self.value(placed, "B")])
            case "not":
                return tree.negation(self.value(placed, "A"))
            case "boolean":
                return ast.Constant(fields["BOOL"] == "true")
            case "number":
                return tree.number(fields["NUM"])
            case "duration":
                return tree.duration(fields["NUM"], _UNIT_SECONDS[fields["UNIT"]])
            case "arithmetic":
                return ast.BinOp(self.value(placed, "A"), _OPERATORS[fields["OP"]](), self.value(placed, "B"))
            case "one_of_two":
                return tree.call(tree.name(fields["WHAT"]), self.value(placed, "A"), self.value(placed, "B"))
            case "rounded":
                return tree.call(tree.name(fields["WHAT"]), self.value(placed, "A"))
            case "choose_number" | "choose_text":
                return ast.IfExp(self.value(placed, "IF"), self.value(placed, "THEN"), self.value(placed, "ELSE"))
            case "text" | "join" | "join3" | "number_text":
                return self._text(self._pieces(placed))
            case "variables_get":
                return tree.name(self._names[fields["VAR"]["id"]])
            case "host_answers":
                host = ast.Constant(fields["HOST"])
                if fields["UNKNOWN"] == "lost":
                    return tree.call(tree.name("answers"), host)
                return self._helped("answers_or", host, ast.Constant(fields["UNKNOWN"] == "true"))
            case "file_there":
                return tree.call(tree.name("present"), ast.Constant(fields["FILE"]))
        if "RELAY" in fields:
            return self._of_relay(placed)
        return self._of_a_value(placed) or self._of_time(placed) or self._of_a_timer(placed)

    def _of_relay(self, placed: Placed) -> ast.expr:
        fields = placed.fields
        number = fields["RELAY"]
        relay = tree.name("relay") if number == THIS else ast.Subscript(tree.name("relays"), ast.Constant(int(number)), ast.Load())
        match placed.block.type:
            case "relay_is":
                is_on = tree.attribute(relay, "on")
                return is_on if fields["STATE"] == "on" else tree.negation(is_on)
            case "relay_mode":
                return ast.Compare(tree.attribute(relay, "mode"), [ast.Eq()], [ast.Constant(fields["MODE"])])
            case "relay_seconds":
                seconds = tree.attribute(relay, fields["WHAT"])
                if fields["WHAT"] in ("on_for", "off_for"):
                    return ast.BoolOp(ast.Or(), [seconds, ast.Constant(0)])
                return self._helped("since", seconds)
            case "relay_today" | "relay_count":
                day = [] if fields["DAY"] == "calendar" else [ast.Constant(fields["DAY"])]
                return tree.call(tree.attribute(relay, fields["WHAT"]), *day)
            case "relay_setting":
                return tree.attribute(relay, fields["WHAT"])
        return tree.attribute(relay, "name")

    def _of_a_value(self, placed: Placed) -> ast.expr | None:
        fields = placed.fields
        data = tree.name("data")
        match placed.block.type:
            case "value":
                return tree.certain_number(tree.item(data, fields["NAME"]))
            case "value_or":
                return tree.certain_number(tree.call(tree.attribute(data, "get"), ast.Constant(fields["NAME"]), self.value(placed, "ELSE")))
            case "value_text":
                return tree.call(tree.name("str"), tree.item(data, fields["NAME"]))
            case "value_age":
                return tree.attribute(tree.item(data, fields["NAME"]), "age")
            case "value_known":
                return ast.Compare(ast.Constant(fields["NAME"]), [ast.In()], [data])
            case "house_total":
                return tree.item(data, fields["WHAT"])
            case "charger":
                within = ast.keyword("within", tree.number(fields["SECONDS"]))
                return ast.Call(tree.attribute(tree.name("relay"), fields["STATE"]), [], [within])
        return None

    def _of_time(self, placed: Placed) -> ast.expr | None:
        fields, now = placed.fields, tree.name("now")
        if placed.block.type == "clock_is_set":
            return ast.Compare(now, [ast.IsNot()], [ast.Constant(None)])
        self.asks_clock = self.asks_clock or placed.block.category == "time"
        match placed.block.type:
            case "clock":
                return tree.attribute(now, fields["WHAT"])
            case "clock_between":
                begin, end = (minutes_of(fields[name]) for name in ("FROM", "TO"))
                if begin == end:
                    raise Wrong(f"clock_between: from {fields['FROM']} to {fields['TO']} is no time at all", placed.id)
                return tree.within(
                    tree.attribute(now, "minutes"), tree.time_of_day(begin), tree.time_of_day(end), is_round=begin > end, ends=ast.Lt()
                )
            case "weekday_is":
                first, _, last = fields["DAYS"].partition("-")
                return tree.from_to(tree.attribute(now, "weekday"), int(first), int(last or first))
            case "month_between":
                return tree.from_to(tree.attribute(now, "month"), int(fields["FROM"]), int(fields["TO"]))
            case "sun":
                return self._helped("sun_at", tree.attribute(now, fields["WHAT"]), ast.Constant(fields["WHAT"]))
            case "sun_is":
                is_up = tree.attribute(now, "is_day")
                return is_up if fields["STATE"] == "up" else tree.negation(is_up)
        return None

    def _of_a_timer(self, placed: Placed) -> ast.expr:
        fields = placed.fields
        match placed.block.type:
            case "held":
                name = self._name_held(placed)
                return self._helped("held_for", name, self.value(placed, "A"), self.value(placed, "SECONDS"))
            case "held_seconds":
                return tree.call(tree.name("held"), self._name_held(placed), self.value(placed, "A"))
            case "timer_is":
                if fields["STATE"] == "unknown":
                    return ast.Compare(tree.attribute(self.timer(placed), "seconds"), [ast.Is()], [ast.Constant(None)])
                return tree.attribute(self.timer(placed), fields["STATE"])
            case "timer_seconds":
                return self._helped("since", tree.attribute(self.timer(placed), "seconds"))
        raise Wrong(f"{placed.block.type}: it gives nothing", placed.id)

    def timer(self, placed: Placed) -> ast.expr:
        """The one that it names. Raises Wrong."""
        name = placed.fields["NAME"]
        if self._names_held.setdefault(name, "timer") != "timer":
            raise Wrong(f"{placed.block.type}: {name} is already what has been so for a while: a timer needs another name", placed.id)
        return tree.call(tree.name("timer"), ast.Constant(name))

    def _name_held(self, placed: Placed) -> ast.expr:
        name = placed.fields["NAME"]
        if name in self._names_held:
            what = "a timer" if self._names_held[name] == "timer" else "another one"
            raise Wrong(f"{placed.block.type}: {what} is called {name} already: let it have another name", placed.id)
        self._names_held[name] = "held"
        return ast.Constant(name)

    def _helped(self, function: str, *arguments: ast.expr) -> ast.expr:
        self.functions.add(function)
        return tree.call(tree.name(function), *arguments)

    # Texts

    def _pieces(self, placed: Placed) -> list[_Piece]:
        fields = placed.fields
        match placed.block.type:
            case "text":
                return [_Piece(fields["TEXT"])]
            case "number_text":
                return [_Piece("", self.value(placed, "A"), f".{fields['DECIMALS']}f")]
            case "join" | "join3":
                return [piece for name in placed.block.values for piece in self._pieces(self._inner(placed, name))]
        form = ".12g" if self.type_of(placed) == NUMBER else ""
        return [_Piece("", self._given_by(placed), form)]

    def _text(self, pieces: list[_Piece]) -> ast.expr:
        """What of it an f-string can hold, and the rest beside that."""
        found: list[ast.expr] = []
        values: list[ast.expr] = []
        for piece in pieces:
            if piece.node is None:
                _add_words(values, piece.words)
            elif self._may_fill_in and _is_plain(piece.node):
                form = ast.JoinedStr([ast.Constant(piece.form)]) if piece.form else None
                values.append(ast.FormattedValue(piece.node, -1, form))
            else:
                found += _closed(values)
                values = []
                found.append(tree.call(tree.name("format"), piece.node, ast.Constant(piece.form)) if piece.form else piece.node)
        found += _closed(values)
        if not found:
            return ast.Constant("")
        total = found[0]
        for each in found[1:]:
            total = ast.BinOp(total, ast.Add(), each)
        return total


def _add_words(values: list[ast.expr], words: str) -> None:
    last = values[-1] if values else None
    if isinstance(last, ast.Constant):
        values[-1] = ast.Constant(str(last.value) + words)
    elif words:
        values.append(ast.Constant(words))


def _closed(values: list[ast.expr]) -> list[ast.expr]:
    if any(isinstance(value, ast.FormattedValue) for value in values):
        return [ast.JoinedStr(values)]
    return values


def _is_plain(node: ast.expr) -> bool:
    """Whether an f-string can hold it whatever quotes it has."""
    for each in ast.walk(node):
        if isinstance(each, ast.JoinedStr) or (
            isinstance(each, ast.Constant) and isinstance(each.value, str) and not _PLAIN.fullmatch(each.value)
        ):
            return False
    return True

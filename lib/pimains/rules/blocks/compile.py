"""From blocks to the Python of a rule: a tree of what the table allows, written out, and read once more to prove that it is the same.

What comes from the editor gets into it as a literal that was checked (parts.py), or as a comment; names are ours (names.py).
"""

import ast
import re
from collections.abc import Callable, Iterable

from pimains.core.plan.text import one_line
from pimains.rules.blocks import names, tree
from pimains.rules.blocks.expressions import IN_WORDS, Expressions
from pimains.shared.blocks.workspace import Placed, Workspace, Wrong, all_of

_PYTHON_BYTES_MAX = 63 * 1024  # with what stands above it no longer than a rule may be
_CLOCK = "now"  # stands among the variables that are set, once it is sure that the clock was
_NOT_SET = "the clock was not set yet"
_RULE = "def rule(relay, data, relays, now):\n    pass\n"
_COMMENT = re.compile(r"( *)comment_([0-9]+)_")
Known = frozenset[str]  # the variables that are set for sure, and _CLOCK
Otherwise = Callable[[Known], tuple[list[ast.stmt], Known | None]]


def python_of(workspace: Workspace) -> str:
    """The text of a rule. Raises Wrong, with the block that is to blame."""
    try:
        for may_fill_in in (True, False):
            compiler = _Compiler(workspace, may_fill_in=may_fill_in)
            if text := _written(compiler.module(), compiler.comments):
                return text
    except RecursionError:
        raise Wrong("its blocks are nested too deep") from None
    raise Wrong("Python has no way to write its texts")


def _written(module: ast.Module, comments: list[list[str]]) -> str:
    """Nothing where that cannot be written out, or would say something else. Raises Wrong."""
    try:
        text = _with_comments(ast.unparse(module), comments)
    except ValueError:  # quotes within quotes within quotes
        return ""
    if len(text.encode()) > _PYTHON_BYTES_MAX:
        raise Wrong(f"the Python of it is longer than {_PYTHON_BYTES_MAX // 1024} KiB")
    return text if _is_the_same(text, module) else ""


def _with_comments(text: str, comments: list[list[str]]) -> str:
    lines: list[str] = []
    for line in text.split("\n"):
        if match := _COMMENT.fullmatch(line):
            lines += [f"{match[1]}# {words}" for words in comments[int(match[2])]]
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


class _WithoutComments(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:  # as ast calls it
        return None if isinstance(node.value, ast.Name) else node


def _is_the_same(text: str, module: ast.Module) -> bool:
    try:
        again = ast.parse(text)
        compile(text, "rule", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return ast.dump(again) == ast.dump(_WithoutComments().visit(module))


class _Compiler:
    def __init__(self, workspace: Workspace, *, may_fill_in: bool) -> None:
        self.comments: list[list[str]] = []
        self._workspace = workspace
        self._given = Expressions(workspace.variables, may_fill_in=may_fill_in)

    def module(self) -> ast.Module:
        """Raises Wrong."""
        if self._workspace.row is None:
            raise Wrong("there is no block rule: what the relay is to do stands in that")
        if not self._workspace.row:
            raise Wrong("nothing is in the block rule")
        body, known = self._row(self._workspace.row, frozenset())
        if known is not None:
            body.append(ast.Return(tree.name("KEEP")))
        helpers = [statement for name in sorted(self._given.functions) for statement in ast.parse(names.FUNCTIONS[name]).body]
        module = ast.parse(_RULE)
        module.body[0].body = [*self._comment([self._workspace.comment]), *body]  # type: ignore[attr-defined]  # it is a function
        module.body[:0] = helpers
        return ast.fix_missing_locations(module)

    def _comment(self, texts: Iterable[str]) -> list[ast.stmt]:
        """A mark, in whose place it is written at last: a tree of Python has no comments."""
        lines = [words for text in texts for line in text.splitlines() if (words := one_line(line))]
        if not lines:
            return []
        self.comments.append(lines)
        return [ast.Expr(tree.name(f"comment_{len(self.comments) - 1}_"))]

    def _row(self, row: list[Placed], known: Known) -> tuple[list[ast.stmt], Known | None]:
        """The statements, and what is set after them; None where nothing is done after them."""
        found: list[ast.stmt] = []
        after: Known | None = known
        for placed in row:
            if after is None:
                raise Wrong(f"{placed.block.type}: it is never reached: what is above it has given an answer in any case", placed.id)
            found += self._comment([placed.comment, *(each.comment for value in placed.values.values() for each in all_of([value]))])
            statements, after = self._statement(placed, after)
            found += statements
        return found, after

    def _statement(self, placed: Placed, known: Known) -> tuple[list[ast.stmt], Known | None]:
        match placed.block.type:
            case "turn":
                why, guard, _ = self._with_clock(lambda: self._reason(placed), known)
                return [*guard, ast.Return(tree.pair(tree.name(placed.fields["STATE"].upper()), why))], None
            case "keep":
                if "WHY" not in placed.values:
                    return [ast.Return(tree.name("KEEP"))], None
                why, guard, _ = self._with_clock(lambda: self._reason(placed), known)
                return [*guard, ast.Return(tree.pair(tree.name("KEEP"), why))], None
            case "if" | "if_else" | "if_elif_else":
                return self._decision(placed, known)
            case "variables_set":
                return self._setting(placed, known)
            case "timer_start":
                seconds, guard, known = self._with_clock(lambda: self._given.value(placed, "SECONDS"), known)
                return [*guard, ast.Expr(tree.call(tree.attribute(self._given.timer(placed), "start"), seconds))], known
            case "timer_stop":
                return [ast.Expr(tree.call(tree.attribute(self._given.timer(placed), "stop")))], known
        raise Wrong(f"{placed.block.type}: it does nothing by itself", placed.id)

    def _decision(self, placed: Placed, known: Known) -> tuple[list[ast.stmt], Known | None]:
        def last(before: Known) -> tuple[list[ast.stmt], Known | None]:
            return self._row(placed.statements.get("ELSE", []), before)

        if placed.block.type == "if_elif_else":
            return self._branch(placed, "IF", "THEN", known, lambda before: self._branch(placed, "ELIF", "THEN2", before, last))
        return self._branch(placed, "IF", "THEN", known, last)

    def _branch(self, placed: Placed, condition: str, then: str, known: Known, otherwise: Otherwise) -> tuple[list[ast.stmt], Known | None]:
        test, guard, known = self._with_clock(lambda: self._given.value(placed, condition), known)
        tells = _tells_of_the_clock(placed.values[condition])
        body, after_body = self._row(placed.statements[then], known | {_CLOCK} if tells is True else known)
        orelse, after_else = otherwise(known | {_CLOCK} if tells is False else known)
        return [*guard, ast.If(test, body or [ast.Pass()], orelse)], _both(after_body, after_else)

    def _setting(self, placed: Placed, known: Known) -> tuple[list[ast.stmt], Known]:
        its_id = placed.fields["VAR"]["id"]
        variable = self._given.variable(its_id)
        value, guard, known = self._with_clock(lambda: self._given.value(placed, "VALUE"), known)
        gives = self._given.type_of(placed.values["VALUE"])
        if self._given.types.setdefault(its_id, gives) != gives:
            name = self._workspace.variables[its_id]
            raise Wrong(f"variables_set: {name} is {IN_WORDS[self._given.types[its_id]]} elsewhere, and here {IN_WORDS[gives]}", placed.id)
        return [*guard, ast.Assign([ast.Name(variable, ast.Store())], value)], known | {variable}

    def _reason(self, placed: Placed) -> ast.expr:
        words = placed.values.get("WHY")
        if words is not None and words.block.type == "text" and not words.fields["TEXT"].strip():
            raise Wrong(f"{placed.block.type}: its reason is empty", placed.id)
        return self._given.value(placed, "WHY")

    def _with_clock(self, made: Callable[[], ast.expr], known: Known) -> tuple[ast.expr, list[ast.stmt], Known]:
        """An expression, and what has to stand before it: while the clock was not set, who asks for the time leaves all as it is."""
        before, self._given.asks_clock, self._given.known = self._given.asks_clock, False, known
        found = made()
        asks, self._given.asks_clock = self._given.asks_clock, before
        if not asks or _CLOCK in known:
            return found, [], known
        test = ast.Compare(tree.name("now"), [ast.Is()], [ast.Constant(None)])
        return found, [ast.If(test, [ast.Return(tree.pair(tree.name("KEEP"), ast.Constant(_NOT_SET)))], [])], known | {_CLOCK}


def _tells_of_the_clock(condition: Placed) -> bool | None:
    """Where it holds whether the clock was set; None where it tells nothing of that."""
    if condition.block.type == "clock_is_set":
        return True
    if condition.block.type == "not" and "A" in condition.values:
        inner = _tells_of_the_clock(condition.values["A"])
        return None if inner is None else not inner
    return None


def _both(one: Known | None, other: Known | None) -> Known | None:
    """What is set after either of them."""
    if one is None or other is None:
        return other if one is None else one
    return one & other

"""Parts of the tree of a rule, as ast has them."""

import ast


def name(word: str) -> ast.Name:
    """The value of a name."""
    return ast.Name(word, ast.Load())


def attribute(what: ast.expr, name: str) -> ast.expr:
    """What of it is called so."""
    return ast.Attribute(what, name, ast.Load())


def item(what: ast.expr, key: str) -> ast.expr:
    """What it has for this key."""
    return ast.Subscript(what, ast.Constant(key), ast.Load())


def call(what: ast.expr, *arguments: ast.expr) -> ast.expr:
    """What it returns for that."""
    return ast.Call(what, list(arguments), [])


def pair(*parts: ast.expr) -> ast.expr:
    """Several together."""
    return ast.Tuple(list(parts), ast.Load())


def negation(what: ast.expr) -> ast.expr:
    """The opposite, as people would write it."""
    if isinstance(what, ast.UnaryOp) and isinstance(what.op, ast.Not):
        return what.operand
    if isinstance(what, ast.Compare) and isinstance(what.ops[0], ast.IsNot):
        return ast.Compare(what.left, [ast.Is()], what.comparators)
    if isinstance(what, ast.Compare) and isinstance(what.ops[0], ast.In):
        return ast.Compare(what.left, [ast.NotIn()], what.comparators)
    return ast.UnaryOp(ast.Not(), what)


def certain_number(value: ast.expr) -> ast.expr:
    """With a plus before it: of words, that is an error, and no text that is compared, repeated or filled in."""
    return ast.UnaryOp(ast.UAdd(), value)


def number(of: float) -> ast.expr:
    """A number as a literal."""
    positive = ast.Constant(int(abs(of)) if of == int(of) else abs(of))
    return ast.UnaryOp(ast.USub(), positive) if of < 0 else positive


def duration(units: float, seconds: int) -> ast.expr:
    """So many units of so many seconds."""
    return number(units) if seconds == 1 else ast.BinOp(number(units), ast.Mult(), ast.Constant(seconds))


def time_of_day(minutes: int) -> ast.expr:
    """In minutes since midnight, as people would write it."""
    whole = ast.BinOp(ast.Constant(minutes // 60), ast.Mult(), ast.Constant(60))
    return ast.BinOp(whole, ast.Add(), ast.Constant(minutes % 60)) if minutes % 60 else whole


def between(begin: ast.expr, what: ast.expr, end: ast.expr) -> ast.expr:
    """From one to below the other."""
    return ast.Compare(begin, [ast.LtE(), ast.Lt()], [what, end])


def within(what: ast.expr, begin: ast.expr, end: ast.expr, *, is_round: bool, ends: ast.cmpop) -> ast.expr:
    """From one to the other; `is_round`: over midnight, or the end of the year."""
    if not is_round:
        return ast.Compare(begin, [ast.LtE(), ends], [what, end])
    return ast.BoolOp(ast.Or(), [ast.Compare(what, [ast.GtE()], [begin]), ast.Compare(what, [ends], [end])])


def from_to(what: ast.expr, first: int, last: int) -> ast.expr:
    """From the first to the last, both belong to it; also over the end."""
    if first == last:
        return ast.Compare(what, [ast.Eq()], [ast.Constant(first)])
    return within(what, ast.Constant(first), ast.Constant(last), is_round=first > last, ends=ast.LtE())

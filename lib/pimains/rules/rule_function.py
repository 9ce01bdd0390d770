"""The function of a rule, made of the text of its file."""

import types
from collections.abc import Callable
from pathlib import Path

from pimains.rules import ready_rule
from pimains.rules.plan import traces
from pimains.rules.plan.given import Given, Nonsense, Rule


def function_of(path: str, text: str, given: Given, leaves_traces: Callable[[], None] = lambda: None) -> Rule:
    """The function `rule` of a file, or what a ready-made one is. Raises whatever is wrong with it.

    One that may remember something is made anew each time. `leaves_traces` hears, before it runs, of one that others might suffer from.
    """
    if path.endswith(".rule"):
        return ready_rule.of_text(Path(path), text, given.names())
    code = compile(text, path, "exec", dont_inherit=True)
    if traces.in_process(code):
        leaves_traces()
    names = given.names()

    def made() -> tuple[Rule, dict[str, object]]:
        module = types.ModuleType("rule")
        module.__dict__.update(names, __file__=path)
        exec(code, module.__dict__)  # noqa: S102  # that is what it is there for
        rule = module.__dict__.get("rule")
        if not callable(rule):
            raise Nonsense("it has no function: def rule(relay, data, relays, now)")
        return rule, {name: value for name, value in module.__dict__.items() if name not in names and name != "__builtins__"}

    rule, its_names = made()
    if not traces.in_itself(code, its_names):
        return rule
    return lambda *what: made()[0](*what)

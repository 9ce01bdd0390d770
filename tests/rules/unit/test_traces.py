"""What a rule may leave behind is told by its code, before it runs."""

from pathlib import Path

import pytest

from pimains.rules.plan import traces
from pimains.rules.plan.given import OFF, ON, Given
from pimains.rules.rule_function import function_of

HEAD = "def rule(relay, data, relays, now):\n    "
EXAMPLES = Path(__file__).parents[3] / "services/rules/examples"


def code(text: str) -> bool:
    return traces.in_process(compile(text, "3.py", "exec"))


@pytest.mark.parametrize(
    "body",
    [
        "import builtins\n    builtins.len = None",
        "import os",
        "from sys import setrecursionlimit as limit\n    limit(30)",
        "__builtins__['len'] = None",
        "data.put('bmv/SOC', 5, 0)",
        "relays.forget(2)",
        "relay.timers.started.clear()",
        "data._values.clear()",
        "now.wall = 5",
        "type(relay).on = True",
        "getattr(data, 'pu' + 't')('bmv/SOC', 5, 0)",
        "exec('import os')",
        "import datetime\n    datetime.sys.modules.clear()",
        "return [f().gi_frame for f in ()]",
        "def within():\n        del relay.number",
    ],
)
def test_who_reaches_for_what_others_share_is_told_apart(body: str) -> None:
    assert code(HEAD + body)


def test_who_reads_what_it_is_given_and_reckons_shares_its_process() -> None:
    for example in sorted(EXAMPLES.glob("*.py")):
        assert not code(example.read_text()), example
    assert not code(f"import math\nfrom datetime import date\nW = {{'a': 1}}\n{HEAD}W['a'] += 1\n    return ON, f'{{data.get(\"a/b\"):g}}'")


@pytest.mark.parametrize(
    "text",
    [
        "count = 0\ndef rule(*given):\n    global count\n    count += 1\n    return ON, f'{count}'",
        "seen = []\ndef rule(*given):\n    seen.append(1)\n    return ON, f'{len(seen)}'",
        "def rule(relay, data, relays, now, seen=[]):\n    seen.append(1)\n    return ON, f'{len(seen)}'",
        "def rule(*given, seen={}):\n    seen[len(seen)] = 1\n    return ON, f'{len(seen)}'",
        "def rule(*given):\n    rule.count = getattr(rule, 'count', 0) + 1\n    return ON, f'{rule.count}'",
        "from functools import cache\n@cache\ndef box(): return []\ndef rule(*_):\n    box().append(1)\n    return ON, f'{len(box())}'",
        "def made():\n    seen = []\n    return lambda *given: (seen.append(1), (ON, f'{len(seen)}'))[1]\nrule = made()",
        "class Rule:\n    count = 0\n    def __call__(self, *_):\n        self.count += 1; return ON, f'{self.count}'\nrule = Rule()",
    ],
)
def test_a_rule_remembers_nothing_but_its_timers(text: str) -> None:
    rule = function_of("3.py", text, Given(600))
    assert [rule(None, None, None, None) for _ in range(3)] == [(ON, "1")] * 3  # type: ignore[arg-type]  # it asks for nothing


def test_a_rule_that_remembers_nothing_is_made_once() -> None:
    plain = function_of("3.py", f"LIMIT = (3, 5.0)\n{HEAD}return OFF, 'no'", Given(600))
    assert plain.__name__ == "rule"  # type: ignore[attr-defined]  # the function itself
    assert plain(None, None, None, None) == (OFF, "no")  # type: ignore[arg-type]  # it asks for nothing

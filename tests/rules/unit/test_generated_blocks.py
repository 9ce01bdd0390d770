"""Thousands of workspaces that nobody would build: each is compiled, or refused in a line, and none reaches a name outside of the table."""

import json
import random
from datetime import UTC, datetime

from pimains.core.errors import PimainsError
from pimains.rules.blocks.compile import python_of
from pimains.rules.plan import traces
from pimains.rules.plan.given import Given, Nonsense, NotKnown, Now, RelayView, Sun
from pimains.rules.rule_function import function_of
from pimains.shared.blocks import table, workspace
from pimains.shared.blocks.workspace import Wrong
from pimains.shared.relays.plan.relay import Limits, Relay
from pimains.shared.relays.plan.runs import Run, Runs
from tests.rules.generated_blocks import GeneratedBlocks, strangers

TIME = 1_000_000.0
NOON = datetime(2026, 6, 24, 12, 30, tzinfo=UTC).timestamp()
RAISES = (NotKnown, Nonsense, ZeroDivisionError, OverflowError, TypeError, ValueError)  # as a rule that people write may
COUNT = 1000  # tests/rules/bench/blocks.py does a hundred times as many


def a_given(rng: random.Random) -> Given:
    made = Given(600.0, Now(UTC, lambda *_: Sun(300.0, None, is_up=True)))
    for number in ("3", "1"):
        runs = [Run(TIME - 3000, TIME - 2000)] if rng.random() < 0.5 else [Run(TIME - 500)]
        made.relays.put(RelayView(Relay(number, Limits(name="boiler", watts=2000), Runs(TIME - 50_000, runs)), made.moment, made.data))
    made.data.put("vedirect.bmv/SOC", 89.5, TIME)
    made.data.put("vedirect.bmv/P", -100.0, TIME - 20)
    made.data.put("vedirect.mppt/CS", 5.0, TIME)
    made.data.put("words/of", "float", TIME)
    made.hosts, made.files = {"pc.lan": rng.choice((True, None))}, frozenset(["guests"])
    made.at(TIME, rng.choice((NOON, None)))
    return made


def test_each_is_compiled_or_refused_in_a_line_and_reaches_no_name_outside_of_the_table() -> None:
    rng, compiled, refused, seen = random.Random(1), 0, set(), set()
    for seed in range(COUNT):
        built = GeneratedBlocks(seed).workspace()
        try:
            found = workspace.read(built)
            python = python_of(found)
        except Wrong as wrong:
            assert str(wrong).isprintable()
            assert 0 < len(str(wrong)) < 200
            refused.add(str(wrong).partition(":")[2] or str(wrong))
            continue
        assert strangers(python) == []
        assert len(python.encode()) < 64 * 1024
        assert not traces.in_process(compile(python, "3.py", "exec"))  # it may share its process with other rules
        compiled += 1
        seen |= {placed.block.type for placed in workspace.all_of(found.row or [])}
        given = a_given(rng)
        try:
            rule = function_of("3.py", python, given)
            assert given.ask(rule, 3).word in ("on", "off", "keep")
        except RAISES as error:
            assert not isinstance(error, UnboundLocalError | NameError)
    assert compiled > COUNT / 2
    assert len(refused) > 10
    assert seen == table.BLOCKS.keys() - {"rule"}


def test_what_is_damaged_is_refused_in_a_line_and_nothing_else_comes_of_it() -> None:
    refused = 0
    for seed in range(COUNT):
        generated = GeneratedBlocks(seed)
        damaged = generated.damaged(generated.workspace())
        try:
            content = workspace.content_of(json.dumps({"format": 1, "set": 1, "workspace": damaged}).encode())
            python = python_of(workspace.read(workspace.document(content).workspace or {}))
        except PimainsError as wrong:
            assert isinstance(wrong, Wrong)
            assert str(wrong).isprintable()
            assert 0 < len(str(wrong)) < 250
            refused += 1
            continue
        assert strangers(python) == []
    assert refused > COUNT / 2

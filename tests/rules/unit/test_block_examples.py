"""PvMonit's fifteen examples as blocks: the Python that they become answers as the rules that people have written do."""

import json
import random
import types
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pimains.rules.blocks.compile import python_of
from pimains.rules.plan.given import Given, NotKnown, Now, Rule
from pimains.rules.plan.relay_view import RelayView
from pimains.shared.blocks import workspace
from pimains.shared.relays.plan.relay import Limits, Relay
from pimains.shared.relays.plan.runs import Run, Runs
from tests.kit import TOP
from tests.rules.solar_world import EXAMPLES, SolarWorld, example
from tests.rules.unit import test_intents

BLOCKS = TOP / "services/rules/blocks"
FILES = sorted(BLOCKS.iterdir())
HOUR = 3600.0


def begun_from(path: Path, language: str = "en") -> workspace.Workspace:
    content = workspace.begun_from(workspace.content_of(path.read_bytes()), language)
    found = workspace.document(content).workspace
    assert found is not None
    return workspace.read(found)


def of_blocks(given: Given, name: str) -> Rule:
    (path,) = BLOCKS.glob(f"{name}-*.json")
    module = types.ModuleType("rule")
    module.__dict__.update(given.names())
    exec(python_of(begun_from(path)), module.__dict__)
    rule: Rule = module.__dict__["rule"]
    return rule


def test_there_are_fifteen_and_each_rule_that_was_written_is_one_of_them() -> None:
    assert [path.name[:2] for path in FILES] == [f"{number:02}" for number in range(1, 16)]
    assert [path.stem for path in FILES[:14]] == [path.stem for path in sorted(EXAMPLES.iterdir())]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_has_its_words_in_three_languages_and_says_what_it_needs(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    texts = []
    for language in ("en", "de", "fr"):
        texts.append(python_of(begun_from(path, language)))
        for name in ("name", "purpose"):
            assert content[name][language].strip()
    assert len(set(texts)) == 3
    assert content["needs"] == workspace.needs(begun_from(path))._asdict()
    assert set(content) == {"format", "set", "name", "purpose", "needs", "workspace"}


INTENTS = [
    (name, getattr(test_intents, name)) for name in vars(test_intents) if name.startswith(("test_0", "test_1")) and "example" not in name
]


@pytest.mark.parametrize(("name", "intent"), [each for each in INTENTS if not hasattr(each[1], "pytestmark")])
def test_what_its_author_wanted_is_so_with_blocks(name: str, intent: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of the rules that were written, with those of blocks in their places."""
    monkeypatch.setattr(test_intents, "example", lambda world, name: of_blocks(world.given, name))
    intent()


@pytest.mark.parametrize(("month", "last"), [(6, 21), (12, 19)])
def test_11_is_so_with_blocks(month: int, last: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_intents, "example", lambda world, name: of_blocks(world.given, name))
    test_intents.test_11_while_another_relay_is_on_when_there_is_enough(month, last)


@pytest.mark.parametrize(("name", "soc", "is_on"), [("13", 0.95, True), ("13", 0.85, False), ("14", 0.5, True)])
def test_13_and_14_are_so_with_blocks(name: str, soc: float, is_on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_intents, "example", lambda world, name: of_blocks(world.given, name))
    test_intents.test_13_and_14_only_by_a_file(name, soc, is_on)


def test_15_one_run_a_day_while_absorbing_or_floating_and_at_least_5_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_intents, "example", lambda world, name: of_blocks(world.given, name))
    for load in (40.0, 900.0):
        world = test_intents.day("15", load=load, until=50)
        runs = world.runs("3")
        assert [int(begin // 24) for begin, _ in runs] == [0, 1]
        assert all(end - begin >= 5 * test_intents.MINUTE - 0.001 for begin, end in runs)


class Situations:
    """Whatever may be, one after the other; the timers of each rule go on."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.time = 1_000_000.0
        self.wall = datetime(2026, self.rng.choice((1, 6, 11)), 20, self.rng.randrange(24), tzinfo=UTC).timestamp()
        self.given = Given(600.0, Now(UTC))
        self.given.hosts = {"desk.lan": False, "laptop.lan": False}
        self.given.files = frozenset()
        for number in ("3", "1"):
            self.given.relays.put(RelayView(Relay(number, Limits(), Runs(self.time - 50_000)), self.given.moment, self.given.data))

    def another(self) -> None:
        rng, data = self.rng, self.given.data
        self.time += (step := rng.choice((1.0, 30.0, 61.0, 299.0, 1200.0, HOUR)))
        self.wall += step
        for name, values in (
            ("vedirect.bmv/SOC", (88.9, 89, 89.1, 95, 95.5, 98.4, None)),
            ("vedirect.bmv/P", (-30, 0, 40, 40, None)),
            ("vedirect.mppt/CS", (3, 4, 5, 5, 5, 0, None)),
        ):
            if rng.random() < 0.6:
                data.put(name, rng.choice(values), self.time - rng.choice((0, 0, 0, 700)))
        if rng.random() < 0.3:
            self.given.files = rng.choice((None, frozenset(), frozenset(["guests"]), frozenset(["computers", "guests"])))
        if rng.random() < 0.3:
            self.given.hosts = {host: rng.choice((True, False, False, None)) for host in ("desk.lan", "laptop.lan")}
        for view in self.given.relays:
            if rng.random() < 0.3:
                self._switch(view)
        self.given.at(self.time, None if rng.random() < 0.05 else self.wall)

    def _switch(self, view: RelayView) -> None:
        runs = view._relay.runs
        if runs.is_on:
            runs.all[-1] = Run(runs.all[-1].begin, self.time)
            runs.opened_at = self.time
        else:
            runs.all.append(Run(self.time))

    def answer(self, rule: Rule, timers: dict[str, tuple[float, float]]) -> tuple[str, str]:
        self.given.relays[3].timers.started = timers
        try:
            return self.given.ask(rule, 3)
        except NotKnown as unknown:
            return "lost", str(unknown)


@pytest.mark.parametrize("name", [path.name[:2] for path in FILES[:14]])
def test_it_answers_as_the_rule_that_was_written_whatever_is_so(name: str) -> None:
    heard: set[str] = set()
    for seed in range(12):
        situations = Situations(seed)
        world = types.SimpleNamespace(given=situations.given)
        written, built = example(world, name), of_blocks(situations.given, name)  # type: ignore[arg-type]  # all that it looks at
        of_written: dict[str, tuple[float, float]] = {}
        of_built: dict[str, tuple[float, float]] = {}
        for _ in range(150):
            situations.another()
            expected, answer = situations.answer(written, of_written), situations.answer(built, of_built)
            heard.add(expected[0])
            assert answer[0] == expected[0]
            if name != "11":  # which tells the minute, too
                assert answer[1] == expected[1]
        assert of_built == of_written
    assert {"on", "off"} <= heard


def test_a_world_takes_rules_of_blocks() -> None:
    world = SolarWorld(**{"3": Limits()})
    world.rules["3"] = of_blocks(world.given, "09")
    world.live_until(12)
    assert world.runs("3")[0][0] == pytest.approx(11, abs=0.02)

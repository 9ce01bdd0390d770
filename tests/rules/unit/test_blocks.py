"""The table of blocks, what is read of a workspace, and the Python that it becomes."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from pimains.rules.blocks.compile import python_of
from pimains.shared.blocks import table, workspace
from pimains.shared.blocks.parts import Choice, Words, Written
from pimains.shared.blocks.workspace import DEEP_MAX, ROW_MAX, Wrong
from tests.rules.built import (
    B,
    Json,
    both,
    chained,
    compare,
    decimal,
    join,
    let,
    minutes,
    negated,
    saved,
    turn,
    value,
    var,
    when,
)
from tests.rules.built import workspace as built

SOC = "vedirect.bmv/SOC"
ON = turn("on", "why")


def python(*row: Json, variables: tuple[str, ...] = ()) -> list[str]:
    """The lines of the function, without its head."""
    text = python_of(workspace.read(built(*row, variables=variables)))
    return text.partition("def rule(relay, data, relays, now):\n")[2].replace("    ", "  ").splitlines()


def refused(*row: Json, variables: tuple[str, ...] = ()) -> str:
    with pytest.raises(Wrong) as wrong:
        python_of(workspace.read(built(*row, variables=variables)))
    return str(wrong.value)


def refused_as_it_is(content: Any) -> str:
    with pytest.raises(Wrong) as wrong:
        workspace.read(content)
    return str(wrong.value)


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_the_editor_gets_every_block_with_its_words_and_its_parts_in_their_places(language: str) -> None:
    definitions = table.definitions(language, {"3": "boiler", "12": ""})
    assert [each["type"] for each in definitions] == list(table.BLOCKS)
    for each in definitions:
        arguments = each["args0"]
        assert isinstance(arguments, list)
        assert sorted(re.findall(r"%([0-9])", str(each["message0"]))) == [str(number + 1) for number in range(len(arguments))]
        assert each["tooltip"]
        for argument in arguments:
            for words, _ in argument.get("options", []):
                assert words
    relays = {"en": ["this relay", "relay 3 boiler", "relay 12"], "de": ["dieses Relais", "Relais 3 boiler", "Relais 12"]}
    options = next(each["args0"][0]["options"] for each in definitions if each["type"] == "relay_is")  # type: ignore[index]
    assert [words for words, _ in options] == relays.get(language, ["ce relais", "relais 3 boiler", "relais 12"])
    assert [number for _, number in options] == ["this", "3", "12"]


def test_the_toolbox_has_every_block_but_the_first_and_each_new_one_can_be_read() -> None:
    for language in ("en", "de", "fr"):
        drawers = table.toolbox(language)["contents"]
        assert isinstance(drawers, list)
        blocks = [block for drawer in drawers for block in drawer.get("contents", [])]
        assert {block["type"] for block in blocks} == table.BLOCKS.keys() - {"rule", "variables_set", "variables_get"}
        for block in blocks:
            fields = {name: _at_first(field) for name, field in table.BLOCKS[block["type"]].fields.items()}
            new = {"type": block["type"], "fields": fields, "inputs": block["inputs"]}
            found = workspace.read({"blocks": {"blocks": [new]}})
            assert found.loose == 1 + len(block["inputs"])
    assert workspace.read(table.first_workspace()).row == []


def _at_first(field: Any) -> Any:
    return field.options[0][0] if isinstance(field, Choice) else "this" if not hasattr(field, "at_first") else field.at_first


def test_words_stand_in_three_languages_everywhere() -> None:
    for block in table.BLOCKS.values():
        for words in (block.words, block.tip):
            assert isinstance(words, Words)
            assert all(words)
        for part in block.parts:
            if isinstance(part, Written):
                assert part.fault(part.at_first) == ""


def test_blocks_become_python_that_people_can_read() -> None:
    assert python(
        let("Ladung", value(SOC)),
        when(both(compare(var("Ladung"), "gt", 89), "and", negated(B("relay_is", RELAY="2", STATE="on"))), [ON], comment="not\ntoo early"),
        B("timer_start", NAME="rest", SECONDS=minutes(1.5)),
        turn("off", join("the battery is at ", decimal(var("Ladung")), " %")),
        variables=("Ladung",),
    ) == [
        "  v_Ladung = +data['vedirect.bmv/SOC']",
        "  # not",
        "  # too early",
        "  if v_Ladung > 89 and (not relays[2].on):",
        "    return (ON, 'why')",
        "  timer('rest').start(1.5 * 60)",
        "  return (OFF, f'the battery is at {v_Ladung:.1f} %')",
    ]


YES = B("boolean", BOOL="true")


@pytest.mark.parametrize(
    ("block", "expression"),
    [
        (B("between", A=1, FROM=2, TO=3), "2 <= 1 < 3"),
        (B("text_is", A="x", OP="ne", B=B("value_text", NAME="a/b")), "'x' != str(data['a/b'])"),
        (B("relay_is", RELAY="this", STATE="off"), "not relay.on"),
        (B("relay_mode", RELAY="7", MODE="auto"), "relays[7].mode == 'auto'"),
        (compare(B("relay_seconds", RELAY="this", WHAT="off_for"), "lt", 5), "(relay.off_for or 0) < 5"),
        (compare(B("relay_seconds", RELAY="1", WHAT="last_on_by_rule"), "lt", 5), "since(relays[1].last_on_by_rule) < 5"),
        (B("relay_today", RELAY="1", WHAT="on_today", DAY="12h"), "relays[1].on_today('12h')"),
        (compare(B("relay_count", RELAY="this", WHAT="starts_today", DAY="calendar"), "ge", 3), "relay.starts_today() >= 3"),
        (compare(B("relay_setting", RELAY="this", WHAT="watts"), "eq", -1), "relay.watts == -1"),
        (compare(B("value_or", NAME="a/b", ELSE=7), "ne", 1.5), "+data.get('a/b', 7) != 1.5"),
        (compare(B("value_age", NAME="a/b"), "le", 60), "data['a/b'].age <= 60"),
        (negated(B("value_known", NAME="a/b")), "'a/b' not in data"),
        (compare(B("house_total", WHAT="CONSO"), "gt", 0), "data['CONSO'] > 0"),
        (B("charger", STATE="floating", SECONDS=0), "relay.floating(within=0)"),
        (B("clock_is_set"), "now is not None"),
        (B("held", NAME="sun", A=YES, SECONDS=minutes(5)), "held_for('sun', True, 5 * 60)"),
        (compare(B("held_seconds", NAME="sun", A=YES), "gt", 9), "held('sun', True) > 9"),
        (B("timer_is", NAME="rest", STATE="over"), "timer('rest').over"),
        (B("timer_is", NAME="rest", STATE="unknown"), "timer('rest').seconds is None"),
        (compare(B("timer_seconds", NAME="rest"), "gt", 9), "since(timer('rest').seconds) > 9"),
        (B("file_there", FILE="guests"), "present('guests')"),
        (B("host_answers", HOST="pc.lan", UNKNOWN="lost"), "answers('pc.lan')"),
        (B("host_answers", HOST="pc.lan", UNKNOWN="true"), "answers_or('pc.lan', True)"),
        (compare(B("arithmetic", A=1, OP="remainder", B=2), "eq", B("rounded", WHAT="abs", A=3)), "1 % 2 == abs(3)"),
        (
            compare(B("one_of_two", WHAT="max", A=1, B=2), "eq", B("choose_number", IF=YES, THEN=1, ELSE=2)),
            "max(1, 2) == (1 if True else 2)",
        ),
    ],
)
def test_each_block_is_what_a_rule_that_people_write_would_say(block: Json, expression: str) -> None:
    assert python(when(block, [ON]))[0] == f"  if {expression}:"


@pytest.mark.parametrize(
    ("block", "expression"),
    [
        (compare(B("clock", WHAT="hour"), "ge", 12), "now.hour >= 12"),
        (B("clock_between", FROM="11:00", TO="18:30"), "11 * 60 <= now.minutes < 18 * 60 + 30"),
        (B("clock_between", FROM="22:00", TO="6:00"), "now.minutes >= 22 * 60 or now.minutes < 6 * 60"),
        (B("weekday_is", DAYS="1-5"), "1 <= now.weekday <= 5"),
        (B("weekday_is", DAYS="7"), "now.weekday == 7"),
        (B("month_between", FROM="4", TO="9"), "4 <= now.month <= 9"),
        (B("month_between", FROM="10", TO="3"), "now.month >= 10 or now.month <= 3"),
        (compare(B("sun", WHAT="sunset"), "lt", 1200), "sun_at(now.sunset, 'sunset') < 1200"),
        (B("sun_is", STATE="down"), "not now.is_day"),
    ],
)
def test_who_asks_for_the_time_leaves_all_as_it_is_until_the_clock_was_set(block: Json, expression: str) -> None:
    guard = ["  if now is None:", "    return (KEEP, 'the clock was not set yet')"]
    assert python(when(block, [ON]))[:3] == [*guard, f"  if {expression}:"]
    assert python(when(B("clock_is_set"), [when(block, [ON])]))[:2] == ["  if now is not None:", f"    if {expression}:"]
    assert python(when(negated(B("clock_is_set")), [turn("off", "x")]), when(block, [ON]))[2] == f"  if {expression}:"
    assert python(when(YES, [ON], [when(block, [ON])]))[3] == "    if now is None:"


def test_the_end_without_an_answer_keeps_what_is() -> None:
    assert python(when(YES, [ON]))[-1] == "  return KEEP"
    assert python(B("keep")) == ["  return KEEP"]
    assert python(when(YES, [ON], [B("keep", WHY="why")]))[-1] == "    return (KEEP, 'why')"


def test_variables_get_names_of_our_own_that_are_distinct() -> None:
    names = ("now", "Über-Schuß", "uber", "Uber", "日本", "_", "relay", "v_x", "x")
    lines = python(*(let(name, 1) for name in names), variables=names)
    found = [line.split()[0] for line in lines[:-1]]
    assert found == ["v_now", "v_Ueber_Schuss", "v_uber", "v_Uber", "v_x", "v_x_2", "v_relay", "v_v_x", "v_x_3"]


def test_a_variable_whose_id_is_a_word_of_ours_is_a_variable_and_no_more() -> None:
    content = built(when(compare(B("clock", WHAT="hour"), "gt", 1), [ON]))
    row = content["blocks"]["blocks"][0]["inputs"]["DO"]
    row["block"] = {**let("x", 1), "next": {"block": row["block"]}}
    row["block"]["fields"]["VAR"]["id"] = "now"
    content["variables"] = [{"name": "x", "id": "now"}]
    assert "if now is None:" in python_of(workspace.read(content))


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ([], "nothing is in the block rule"),
        ([turn("on", var("x"))], "variables_get: x is asked for where it may not have been set yet"),
        ([when(YES, [let("x", "a")]), turn("on", var("x"))], "variables_get: x is asked for where it may not have been set yet"),
        ([let("x", 1), let("x", "a")], "variables_set: x is a number elsewhere, and here a text"),
        ([let("x", 1), turn("on", var("x"))], "turn: WHY takes a text, and variables_get is a number"),
        ([turn("on", YES)], "turn: WHY takes a text, and boolean is something that is so or not"),
        ([turn("on", " ")], "turn: its reason is empty"),
        ([B("turn", STATE="on")], "turn: nothing is in WHY"),
        ([B("if", THEN=[ON])], "if: nothing is in IF"),
        ([when(YES, [ON], [ON]), ON], "turn: it is never reached: what is above it has given an answer in any case"),
        ([B("turn", STATE="up", WHY="x")], "turn: STATE: 'up' is none of on, off"),
        ([turn("on", "a\nb")], "text: TEXT: 'a\\nb' has a character in it that cannot be shown"),
        ([turn("on", "x" * 201)], "text: TEXT: a text of more than 200 characters"),
        ([when(compare(float("inf"), "gt", 1), [ON])], "number: NUM: inf is no number"),
        ([when(compare(B("number", NUM=True), "gt", 1), [ON])], "number: NUM: True is no number"),
        ([when(compare(10**12, "gt", 1), [ON])], "number: NUM: 1000000000000 is not from -1000000000 to 1000000000"),
        ([when(compare(value("../../etc/x"), "gt", 1), [ON])], "value: NAME: '../../etc/x' is no name of a value"),
        ([when(compare(value("a/b']"), "gt", 1), [ON])], "value: NAME: "),
        ([when(B("file_there", FILE="../x"), [ON])], "file_there: FILE: '../x' is no file's name"),
        ([when(B("host_answers", HOST="-x", UNKNOWN="true"), [ON])], "host_answers: HOST: '-x' is no host"),
        ([when(B("relay_is", RELAY="1]", STATE="on"), [ON])], "relay_is: RELAY: '1]' is no relay's number"),
        ([when(B("clock_between", FROM="25:00", TO="1:00"), [ON])], "clock_between: FROM: '25:00' is no time of day"),
        ([when(B("clock_between", FROM="1:00", TO="1:00"), [ON])], "clock_between: from 1:00 to 1:00 is no time at all"),
        ([B("timer_stop", NAME="a'b")], 'timer_stop: NAME: "a\'b" is no name'),
        ([B("timer_stop", NAME="x"), when(B("held", NAME="x", A=YES, SECONDS=1), [ON])], "held: a timer is called x already"),
        (
            [when(B("held", NAME="x", A=B("held", NAME="x", A=YES, SECONDS=1), SECONDS=1), [ON])],
            "held: another one is called x already",
        ),
    ],
)
def test_what_is_not_in_the_table_or_makes_no_sense_is_refused_with_its_name(row: list[Json], why: str) -> None:
    assert refused(*row, variables=("x",)).startswith(why)


def edited(change: Callable[[Json], object]) -> Json:
    content = built(when(YES, [turn("on", "why")]))
    change(content["blocks"]["blocks"][0])
    return content


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (edited(lambda rule: rule.update(type="controls_whileUntil")), "'controls_whileUntil' is no block of the table"),
        (edited(lambda rule: rule.update(extraState={})), "rule: it has 'extraState', which is not in the table"),
        (edited(lambda rule: rule["inputs"].update(ELSE={})), "rule: it has no place 'ELSE' for other blocks"),
        (edited(lambda rule: rule.update(fields={"CODE": "x"})), "rule: it has no field 'CODE'"),
        (edited(lambda rule: rule.update(icons={"mutator": {}})), "rule: icons: {'mutator': {}} is no comment"),
        (edited(lambda rule: rule.update(next={"block": ON})), "rule: nothing can follow it"),
        (edited(lambda rule: rule["inputs"]["DO"]["block"].pop("fields", None)), ""),
        (edited(lambda rule: rule["inputs"]["DO"].update(block=YES)), "boolean: it is a value, and does nothing by itself"),
        (edited(lambda rule: rule["inputs"]["DO"]["block"]["inputs"].update(IF={"block": ON})), "if: IF: turn is no value"),
        ({"procedures": []}, "workspace: it has 'procedures', which is not in the table"),
        ({"blocks": {"blocks": [B("rule"), B("rule")]}}, "there are two blocks rule: a relay has one"),
        ({"blocks": {"blocks": 5}}, "workspace: blocks: these are no blocks"),
        (
            {"variables": [{"name": "x", "id": "i"}, {"name": "y", "id": "i"}]},
            "workspace: variables: y: its id is none, or that of another",
        ),
    ],
)
def test_a_workspace_with_anything_else_in_it_is_refused(content: Json, why: str) -> None:
    if why:
        assert refused_as_it_is(content) == why
    else:
        assert workspace.read(content).row


def test_it_is_bounded() -> None:
    deep = YES
    for _ in range(DEEP_MAX - 2):
        deep = negated(deep)
    assert python(when(deep, [ON]))[0].startswith("  if ")
    assert refused(when(negated(deep), [ON])) == f"boolean: it is nested deeper than {DEEP_MAX} blocks"
    many = [B("timer_stop", NAME="x") for _ in range(ROW_MAX)]
    assert len(python(*many)) == ROW_MAX + 1
    assert refused(*many, ON) == f"more than {ROW_MAX} blocks are one below the other"
    rows = [when(YES, [B("timer_stop", NAME="x") for _ in range(100)]) for _ in range(6)]
    assert refused(*rows) == "there are more than 500 blocks"
    ifs = [ON]
    for _ in range(DEEP_MAX - 2):
        ifs = [when(YES, ifs)]
    assert python(*ifs)[-1] == "  return KEEP"
    elses = [ON]
    for _ in range(DEEP_MAX - 2):
        elses = [when(YES, [ON], elses)]
    assert python(*elses)[-1].strip() == "return (ON, 'why')"
    joined: Any = "x"
    for _ in range(DEEP_MAX - 4):
        joined = join(joined, decimal(value(SOC)), "'\"{\\")
    assert len(python(turn("on", joined))) == 1


def test_what_is_switched_off_in_the_editor_does_nothing_and_loose_blocks_are_counted() -> None:
    off = {**turn("on", "no"), "enabled": False}
    assert python(chained([{**B("timer_stop", NAME="x"), "disabledReasons": ["MANUALLY_DISABLED"]}, ON]) or {}) == ["  return (ON, 'why')"]
    content = built(ON)
    content["blocks"]["blocks"] += [off, YES, B("timer_stop", NAME="x")]
    assert workspace.read(content).loose == 4  # and the text in one of them


@pytest.mark.parametrize(
    "texts",
    [
        ('it\'s "{x}" \\', " W"),
        ("'''", '"""'),
        ("a'b\"c'''d\"\"\"e\\n", "\\"),
        ("{}", "}{"),
        ("", ""),
        ("\N{NO-BREAK SPACE}é", "\N{SNOWMAN}"),
    ],
)
def test_every_text_arrives_as_it_was_written(texts: tuple[str, str]) -> None:
    row = [let("n", B("value", NAME="a/b")), turn("on", join(texts[0], decimal(var("n")), join("<", join(texts[1], var("n")))))]
    names: dict[str, Any] = {"ON": "on", "KEEP": "keep"}
    exec(python_of(workspace.read(built(*row, variables=("n",)))), names)
    assert names["rule"](None, {"a/b": 2.5}, None, None) == ("on", f"{texts[0]}2.5<{texts[1]}2.5")
    choice = B("choose_text", IF=compare(var("n"), "gt", 1), THEN=texts[0] or "x", ELSE="y")
    exec(python_of(workspace.read(built(row[0], turn("on", join(choice, texts[1])), variables=("n",)))), names)
    assert names["rule"](None, {"a/b": 2.5}, None, None) == ("on", f"{texts[0] or 'x'}{texts[1]}")


def test_a_value_that_is_words_is_no_number() -> None:
    names: dict[str, Any] = {"ON": "on", "KEEP": "keep"}
    exec(python_of(workspace.read(built(when(compare(value("a/b"), "eq", 5), [ON])))), names)
    with pytest.raises(TypeError):
        names["rule"](None, {"a/b": "float"}, None, None)


def test_what_cannot_be_divided_is_an_error_as_in_a_rule_that_people_write() -> None:
    names: dict[str, Any] = {"ON": "on", "KEEP": "keep"}
    exec(python_of(workspace.read(built(when(compare(B("arithmetic", A=1, OP="divide", B=0), "gt", 5), [ON])))), names)
    with pytest.raises(ZeroDivisionError):
        names["rule"](None, {}, None, None)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is no JSON (line 1, column 1)"),
        (b"[]", "it is no JSON object"),
        (b"\xff", "it is no text in UTF-8"),
        (b'{"a": 1, "a": 2}', "it says 'a' twice"),
        (b'{"a": NaN}', "NaN is no number"),
        (b"[" * 60_000, "it is nested too deep"),
        (b'{"a": "' + b"x" * 70_000 + b'"}', "it is longer than 64 KiB"),
    ],
)
def test_a_damaged_file_is_refused_in_a_line(data: bytes, why: str) -> None:
    with pytest.raises(Wrong) as wrong:
        workspace.content_of(data)
    assert str(wrong.value) == why


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({}, "it does not say its format: 1"),
        ({"format": True}, "it does not say its format: 1"),
        ({"format": 1}, "it has none of workspace, ready, remove"),
        ({"format": 1, "ready": {}, "remove": True}, "it has both ready and remove"),
        ({"format": 1, "workspace": {}}, "it does not say with which set of blocks it was made: 1"),
        ({"format": 1, "set": 1, "workspace": []}, "workspace: it is no JSON object"),
        ({"format": 1, "set": 1, "workspace": {}, "run": "x"}, "it has 'run', which nobody knows"),
        ({"format": 1, "ready": {"kind": "x"}}, "ready: 'kind' is no setting's name"),
        ({"format": 1, "ready": {"KIND": "a\nb"}}, "ready: KIND: 'a\\nb' is no setting's value: a text of one line"),
        ({"format": 1, "remove": 1}, "remove: 1 is not true"),
        ({"format": 1, "remove": True, "made_from": "../x"}, "made_from: '../x' is no digest"),
        ({"format": 1, "remove": True, "overwrite": 1}, "overwrite: 1 is not true or false"),
    ],
)
def test_what_is_none_of_the_three_is_refused(content: Json, why: str) -> None:
    with pytest.raises(Wrong) as wrong:
        workspace.document(content)
    assert str(wrong.value) == why


def test_a_newer_set_of_blocks_is_told_apart_and_the_digest_is_of_the_blocks_alone() -> None:
    content = saved(ON)
    assert not workspace.document(content).is_newer
    assert workspace.document({**content, "set": table.SET + 1, "more": 1}).is_newer
    assert workspace.document({"format": 2}).is_newer
    one, other = workspace.document(content), workspace.document({**content, "made_from": "0" * 32, "overwrite": True})
    assert one.digest == other.digest == workspace.digest(json.loads(json.dumps(content)))
    assert one.digest != workspace.document(saved(turn("on", "another"))).digest

"""pimains rule replay: what a rule would have done, as people type it."""

import json
import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit import TOP, House, new_house
from tests.relays.relays import make_relay
from tests.rules.built import compare, decimal, join, saved, turn, value, when
from tests.rules.journals import Recording

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="as root it becomes user pimains to look into the journal: needs root")

BEGIN = 1_789_862_400.0  # 2026-09-20 00:00 UTC
DAY = 86_400.0
SUNNY = """
def rule(relay, data, relays, now):
    surplus = data["mppt/PPV"]
    return (ON, f"{surplus:.0f} W of sun") if surplus > 500 else (OFF, f"only {surplus:.0f} W")
"""


class Past:
    """Three days of sun that a collector has recorded, and relay 3, which was on from 10 to 11 on each, with the rule SUNNY."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.rules, self.relays = house.root / "etc/pimains/rules", house.root / "etc/pimains/relays"
        self.rules.mkdir()
        house.add("rules", svscan=False, RULES=str(self.rules), RULE_SECONDS="0.3")
        house.add("relays", svscan=False, RELAYS=str(self.relays))
        house.add("collector", svscan=False, RECORD="mppt/PPV=W relays/3.state")
        (house.scan / "collector/down").touch()  # nobody waits until it comes up
        make_relay(self.relays / "3", PIN="17", NAME="boiler", WATTS="2000")
        self.rule(SUNNY)
        lib = house.root / "var/lib/pimains/collector"
        lib.mkdir()
        recording = Recording(lib / "journal.sqlite")
        minutes = [BEGIN + 60 * minute for minute in range(3 * 1440)]
        recording.looked("mppt/PPV", [(at, round(max(0.0, -1000 * math.cos((at % DAY) / DAY * 2 * math.pi)))) for at in minutes], unit="W")
        hours = [BEGIN + 3600 * hour for hour in range(73)]
        recording.looked("relays/3.state", [(at, float(at % DAY == 10 * 3600)) for at in hours if at % DAY in (0, 36_000, 39_600)])
        recording.close()
        for path in (lib, *lib.iterdir()):
            shutil.chown(path, "pimains")

    def rule(self, text: str, name: str = "3.py") -> Path:
        """Write one."""
        (self.rules / name).write_text(text)
        (self.rules / name).chmod(0o644)
        return self.rules / name

    def replay(self, *words: str, code: int = 0, **as_whom: Any) -> str:
        """What the command says; errors are one line."""
        told = ["/usr/bin/python3", "-P", "-m", "pimains.cli", "rule", "replay", *words, f"--servicedir={self.house.scan}"]
        env = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(self.house.root), "TZ": "UTC"}
        done = subprocess.run(told, env=env, capture_output=True, text=True, check=False, **as_whom)
        assert done.returncode == code, done
        if code:
            assert done.stdout == ""
            assert len(done.stderr.splitlines()) == 1, done.stderr
            return done.stderr.removeprefix("pimains: ").strip()
        assert done.stderr == ""
        return done.stdout


@pytest.fixture(scope="module")
def past_of_module() -> Iterator[Past]:
    with tempfile.TemporaryDirectory(prefix="pimains-house-") as root:
        for house in new_house(Path(root)):
            yield Past(house)


@pytest.fixture
def past(past_of_module: Past) -> Past:
    past_of_module.rule(SUNNY)
    return past_of_module


ALL = ("3", "--since=2026-09-20", "--until=2026-09-23")


def test_it_tells_hours_kwh_and_reasons_beside_what_really_happened(past: Past) -> None:
    lines = past.replay(*ALL).splitlines()
    assert lines[0] == f"relay 3 (boiler), {past.rules}/3.py: 2026-09-20 00:00 to 2026-09-23 00:00, asked every 60 s"
    assert [line.rstrip() for line in lines[2:4]] == [
        "would have been on          ████████                ████████                ████████",
        "was on                        █                       █                       █",
    ]
    table = [line.split() for line in lines if line.startswith(("day", "2026-09-2", "all"))]
    assert table[:5] == [
        ["day", "times", "on", "hours", "kWh", "really:", "times", "on", "hours", "kWh"],
        ["2026-09-20", "1", "8.0", "16.0", "1", "1.0", "2.0"],
        ["2026-09-21", "1", "8.0", "16.0", "1", "1.0", "2.0"],
        ["2026-09-22", "1", "8.0", "16.0", "1", "1.0", "2.0"],
        ["all", "3", "23.9", "47.9", "3", "3.0", "6.0"],
    ]
    assert "2026-09-20 08:01  2026-09-20 16:00  504 W of sun  only 500 W" in lines
    assert lines[-1].startswith("2026-09-22")


def test_programs_are_told_the_same(past: Past) -> None:
    told = json.loads(past.replay(*ALL, "--json"))
    assert told["would_have_been"] == {"times_on": 3, "hours": 23.95, "kWh": 47.9}
    assert told["really"] == {"times_on": 3, "hours": 3.0, "kWh": 6.0}
    assert told["runs"][0] == {
        "begin": "2026-09-20T08:01:00+00:00", "end": "2026-09-20T16:00:00+00:00",
        "because": "504 W of sun", "ended_because": "only 500 W",
    }  # fmt: skip
    assert (told["lost"], told["not_recorded"], told["every"]) == ([], [], 60)


def test_its_guards_hold_as_they_would_have_held(past: Past) -> None:
    (past.relays / "3/MAX_ON_PER_DAY").write_text("2h\n")
    told = json.loads(past.replay(*ALL, "--json"))
    (past.relays / "3/MAX_ON_PER_DAY").write_text("\n")
    assert told["would_have_been"]["hours"] == pytest.approx(6, abs=0.01)
    assert told["runs"][0]["ended_because"] == "MAX_ON_PER_DAY 2 h is reached"


def test_blocks_and_forms_are_tried_as_drafts_as_an_editor_would_save_them(past: Past) -> None:
    surplus = value("mppt/PPV")
    blocks = saved(when(compare(surplus, "gt", 500), [turn("on", join(decimal(surplus, "0"), " W of sun"))]), turn("off", "little sun"))
    draft = past.rule(json.dumps(blocks), "3.json")
    as_web = {"user": "nobody", "group": "pimains", "extra_groups": [], "cwd": "/"}
    told = json.loads(past.replay("3", str(draft), *ALL[1:], "--json", **as_web))
    assert told["would_have_been"] == {"times_on": 3, "hours": 23.95, "kWh": 47.9}
    assert told["runs"][0]["because"] == "504 W of sun"
    draft.write_text(json.dumps({"format": 1, "ready": {"KIND": "schedule", "TIMES": "12:00-13:00"}}))
    assert json.loads(past.replay("3", str(draft), *ALL[1:], "--json"))["would_have_been"]["hours"] == 3
    draft.write_text(json.dumps(saved(turn("on", " "))))
    assert past.replay("3", str(draft), *ALL[1:], code=1) == f"{draft}: turn: its reason is empty"


def test_a_draft_is_tried_in_place_of_the_rule(past: Past) -> None:
    draft = past.rule("def rule(relay, data, relays, now):\n    return (ON, 'noon') if now.hour == 12 else (OFF, 'not noon')\n", "draft.py")
    assert json.loads(past.replay("3", str(draft), *ALL[1:], "--json"))["would_have_been"]["hours"] == 3


def test_a_ready_made_rule_is_played_as_well(past: Past) -> None:
    (past.rules / "3.py").unlink()
    words = ["rule", "add", "3", "--kind=surplus", "--value=mppt/PPV", "--start_watts=600", f"--servicedir={past.house.scan}"]
    env = {"PYTHONPATH": str(TOP / "lib"), "PIMAINS_ROOT": str(past.house.root)}
    subprocess.run(["/usr/bin/python3", "-P", "-m", "pimains.cli", *words], env=env, check=True, capture_output=True)
    told = json.loads(past.replay(*ALL, "--json"))
    shutil.rmtree(past.rules / "3.rule")
    assert told["rule"] == f"{past.rules}/3.rule"
    assert told["would_have_been"]["times_on"] == 3  # what its load draws is added back only while it really was on
    assert "W of surplus" in told["runs"][0]["because"]


def test_what_is_missing_is_told_with_what_to_type(past: Past) -> None:
    past.rule("def rule(relay, data, relays, now):\n    return ON, str(data['bmv/SOC'])\n")
    (past.relays / "3/WATTS").write_text("0\n")
    lines = past.replay(*ALL).splitlines()
    (past.relays / "3/WATTS").write_text("2000\n")
    assert (
        "the rule is lost at 4320 of 4320 steps, first at 2026-09-20 00:00, line 2: bmv/SOC is not known: there is no such value" in lines
    )
    assert "not recorded, so not known to the rule: bmv/SOC" in lines
    assert (
        "from now on: sudo create_service --service_name=collector --record='mppt/PPV=W relays/3.state bmv/SOC=%' --add-service --apply"
        in lines
    )
    assert f"no kWh, because nobody has said what relay 3 draws: echo 2000 > {past.relays}/3/WATTS" in lines
    past.rule("def rule(relay, data, relays, now):\n    return (ON, 'go') if present('party') else (OFF, 'no party')\n")
    assert "present('party') is not known: nobody records that" in past.replay(*ALL)


def test_before_the_first_reading_nothing_is_known(past: Past) -> None:
    lines = past.replay("3", "--since=2026-09-10", "--until=2026-09-21").splitlines()
    assert "2026-09-20 00:00 to 2026-09-21 00:00" in lines[0]
    assert lines[-1] == "the first reading of what the rule asks for is of 2026-09-20 00:00: before that nothing is known"
    line = past.replay("3", "--since=2026-09-10", "--until=2026-09-12", code=1)
    assert line == "the first reading of what the rule asks for is of 2026-09-20 00:00: --since 2026-09-20 begins there"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("while True: pass", "3.py:2: it takes longer than 0.3 s, asked for 2026-09-20 00:00: the replay is ended"),
        ("sum(range(10 ** 11))\n    return KEEP", "3.py:2: it takes longer than 0.3 s, asked for 2026-09-20 00:00: the replay is ended"),
        ("return ON, 'x' +", "3.py:2: SyntaxError: invalid syntax"),
    ],
    ids=["in Python", "in C", "no Python at all"],
)
def test_a_rule_that_does_not_come_to_an_end_or_is_none_is_named_with_its_line(past: Past, body: str, says: str) -> None:
    past.rule(f"def rule(relay, data, relays, now):\n    {body}\n")
    assert past.replay(*ALL, code=1) == f"{past.rules}/{says}"


def test_a_rule_that_fails_is_lost_and_told_with_its_line(past: Past) -> None:
    past.rule("def rule(relay, data, relays, now):\n    if now.hour == 12:\n        return ON, str(1 / 0)\n    return OFF, 'morning'\n")
    lines = past.replay("3", "--since=2026-09-20", "--until=2026-09-21").splitlines()
    lost = "the rule is lost at 60 of 1440 steps, first at 2026-09-20 12:00, line 3: ZeroDivisionError: division by zero"
    assert lost in lines


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("x",), "pimains rule replay wants the relay's number, 1-999"),
        (("4", *ALL[1:]), "relay 4 has no rule: "),
        (("3", "--since=soon"), "--since 'soon' is no time (such as 7d, 2026-11-01 or 2026-11-01T06:00)"),
        (("3", "--since=2026-09-22", "--until=2026-09-20"), "--until 2026-09-20 00:00 is not after --since 2026-09-22 00:00"),
        (("3", "--every=0"), "--every 0: not a number of seconds from 1 to 3600"),
        (("3", "--collector=attic"), "no collector attic. Where there is one"),
    ],
)
def test_who_asks_wrongly_is_told_what_is_allowed(past: Past, words: tuple[str, ...], says: str) -> None:
    assert says in past.replay(*words, code=1)


def test_a_journal_that_is_empty_or_damaged_is_one_line(past: Past) -> None:
    journal = past.house.root / "var/lib/pimains/collector/journal.sqlite"
    whole = journal.read_bytes()
    try:
        for content, what in ((b"", "no such table: sources"), (b"rubbish" * 900, "file is not a database"), (whole[:8000], "malformed")):
            journal.write_bytes(content)
            said = past.replay(*ALL, code=1)
            assert said.startswith(f"{journal}: "), said
            assert what in said
    finally:
        journal.write_bytes(whole)


def test_a_rule_may_ask_for_anything_and_is_lost_in_one_line(past: Past) -> None:
    for asked, name in (("5", "5"), ("'a\\nb\\ud800/c'", "a b /c"), ("'x' * 400_000", f"{'x' * 299}…")):
        past.rule(f"def rule(relay, data, relays, now):\n    return ON, data[{asked}]\n")
        told = json.loads(past.replay(*ALL, "--every=3600", "--json"))
        why = name if len(name) == 300 else f"{name} is not known: there is no such value"
        assert [lost["because"] for lost in told["lost"]] == [why]
        assert told["not_recorded"] == []


def test_what_is_still_to_come_cannot_be_replayed(past: Past) -> None:
    said = past.replay("3", "--since=9999-12-31", code=1)
    assert said == "--since 9999-12-31 is still to come: a replay is of what was recorded"

"""Blocks that somebody saves decide over a relay: from the file that an editor writes to the pin."""

import json
import os
import stat
import subprocess

from pimains.shared.blocks import saving
from pimains.shared.blocks.workspace import digest
from tests.kit import TOP, House, until
from tests.rules.built import Json, compare, decimal, join, saved, turn, value, when
from tests.rules.rules import ALWAYS_ON, Rules

SOC = value("bmv/SOC")
WORDS = join(decimal(SOC, "0"), " % in the battery")
ABOVE_90 = saved(when(compare(SOC, "gt", 90), [turn("on", WORDS)]), turn("off", WORDS))
NIGHT = saved(turn("off", "it is night"))


AS_MEMBER: Json = {"user": "nobody", "group": "pimains", "extra_groups": []} if os.geteuid() == 0 else {}  # as web has it


class Editor:
    """As a member of group pimains, which may write into no other directory of the service."""

    def __init__(self, rules: Rules) -> None:
        self.top = rules.house.root / "var/lib/pimains/rules"
        self.run = rules.house.root / "run/pimains/rules"

    def save(self, content: Json, made_from: str = "") -> None:
        script = (
            "import json, sys; from pathlib import Path; from pimains.shared.blocks import saving; "
            "saving.save(Path(sys.argv[1]), 1, json.load(sys.stdin))"
        )
        command = ["/usr/bin/python3", "-c", script, str(self.top)]
        text = json.dumps({**content, "made_from": made_from})
        subprocess.run(command, input=text, env={"PYTHONPATH": str(TOP / "lib")}, cwd="/", text=True, check=True, **AS_MEMBER)

    def said(self) -> str:
        result = saving.result(self.run, 1)
        return "" if result is None else f"{result.word} {result.words}".strip()

    def until_said(self, text: str) -> None:
        until(lambda: self.said().startswith(text), what=lambda: f"{text!r}, not {self.said()!r}")


def test_blocks_that_are_saved_switch_the_relay_until_they_are_removed(house: House) -> None:
    rules = Rules(house, {"NAME": "boiler"})
    editor = Editor(rules)
    assert stat.S_IMODE((editor.top / "workspaces").stat().st_mode) == 0o2775
    rules.put("bmv/SOC", "80")
    editor.save(ABOVE_90)
    rules.until(1, "reason", "80 % in the battery")
    rules.put("bmv/SOC", "95")
    rules.until(1, "state", "on")
    rules.until(1, "reason", "95 % in the battery")
    editor.until_said("accepted")
    editor.save(saved(turn("off", " ")), digest(ABOVE_90))
    editor.until_said("refused turn: its reason is empty")
    editor.save(NIGHT, digest(ABOVE_90))
    rules.until(1, "reason", "it is night")
    rules.until(1, "state", "off")
    rules.write(1, ALWAYS_ON)
    editor.until_said(f"accepted {rules.file(1)} is root's, and counts more")
    rules.until(1, "state", "on")
    rules.file(1).unlink()
    rules.until(1, "reason", "it is night")
    editor.save({"format": 1, "remove": True}, digest(NIGHT))
    editor.until_said("removed")
    rules.until(1, "reason", "no rule says anything")
    assert "the log has the traceback" not in rules.instance.story()


def test_the_command_shows_the_python_checks_and_removes_what_was_built(house: House) -> None:
    rules = Rules(house, {})
    editor = Editor(rules)
    rules.put("bmv/SOC", "95")
    draft = house.root / "1.json"

    def pimains(*words: str) -> tuple[int, str]:
        environment = {**os.environ, "PYTHONPATH": str(TOP / "lib"), "PIMAINS_ROOT": str(house.root)}
        command = ["/usr/bin/python3", "-m", "pimains.cli", "rule", *words, f"--servicedir={house.scan}"]
        done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False, **AS_MEMBER)
        return done.returncode, done.stdout + done.stderr

    draft.write_text(json.dumps(ABOVE_90))
    code, said = pimains("compile", str(draft))
    assert code == 0
    assert "    if +data['bmv/SOC'] > 90:\n" in said
    code, said = pimains("check", str(draft), "--json")
    told = json.loads(said)
    assert (code, told["says"], told["reason"], told["faults"], told["rule"]) == (0, "on", "95 % in the battery", [], 1)
    draft.write_text(json.dumps({"format": 1, "ready": {"KIND": "schedule", "TIMES": "0:00-24:00"}}))
    assert json.loads(pimains("check", str(draft), "--json")[1])["says"] == "on"
    wrong = saved(turn("on", " "))
    draft.write_text(json.dumps(wrong))
    assert pimains("compile", str(draft)) == (1, f"pimains: {draft}: turn: its reason is empty\n")
    code, said = pimains("check", str(draft), "--json")
    told = json.loads(said)
    block = wrong["workspace"]["blocks"]["blocks"][0]["inputs"]["DO"]["block"]["id"]
    assert (code, told["faults"], told["block"]) == (1, [f"{draft}: turn: its reason is empty"], block)
    assert json.loads(pimains("compile", str(draft), "--json")[1])["block"] == block
    assert pimains("replay", "1", str(draft))[0] == 1
    editor.save(ABOVE_90)
    rules.until(1, "state", "on")
    assert json.loads(pimains("list", "--json")[1])[0]["kind"] == "blocks"
    assert pimains("remove", "1")[0] == 0
    rules.until(1, "reason", "no rule says anything")
    editor.until_said("removed")
    assert pimains("remove", "1")[0] == 1


def test_an_example_of_blocks_compiles_as_it_lies_there() -> None:
    (path,) = (TOP / "services/rules/blocks").glob("08-*.json")
    command = ["/usr/bin/python3", "-m", "pimains.cli", "rule", "compile", str(path)]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(TOP / "lib")}, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("def rule(relay, data, relays, now):\n")

"""What the page of rules is told and may do below /v1/rules, asked over HTTP; the service that takes what is saved is in house/."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from pimains.shared.blocks import table
from pimains.web import children, verbs
from tests.kit import TOP, House, until
from tests.relays.relays import make_relay
from tests.rules.built import turn, workspace
from tests.web.asking import PASSWORD, Asked, answering

ALWAYS = workspace(turn("on", "always"))


class There:
    """A page beside rules and relays that do not run; `web` asks it, logged in."""

    def __init__(self, house: House, web: Asked) -> None:
        self.house, self.web = house, web
        self.rules = house.root / "etc/pimains/rules"
        self.made = house.root / "var/lib/pimains/rules"

    def show(self, path: str = "") -> Any:
        answer = self.web.get(f"/v1/rules{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def saved(self, **body: Any) -> tuple[int, Any]:
        answer = self.web.act("/v1/rules/1", **body)
        return answer.status_code, answer.json()


@pytest.fixture
def there(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[There]:
    monkeypatch.setenv("PIMAINS_ROOT", str(house.root))
    monkeypatch.setenv("PYTHONPATH", str(TOP / "lib"))
    rules, relays = house.root / "etc/pimains/rules", house.root / "etc/pimains/relays"
    rules.mkdir()
    house.add("rules", svscan=False, RULES=str(rules))
    house.add("relays", svscan=False, RELAYS=str(relays))
    make_relay(relays / "1", PIN="17", NAME="boiler")
    for path in ("run/pimains/web", "run/pimains/rules", "run/pimains/bmv", "var/lib/pimains/rules"):
        (house.root / path).mkdir(parents=True, exist_ok=True)
    (house.root / "run/pimains/bmv/SOC").write_text("80\n")
    with answering(house.scan, PASSWORD=PASSWORD) as web:
        assert web.log_in().ok
        yield There(house, web)


def test_each_relay_is_told_with_how_its_rule_was_made(there: There) -> None:
    (rule,) = there.show()["rules"]
    assert (rule["number"], rule["name"], rule["made"], rule["says"], rule["may_be_saved"]) == (1, "boiler", "none", None, True)
    (there.rules / "7.rule").mkdir()
    (there.rules / "7.rule/KIND").write_text("float\n")
    (there.rules / "1.py").write_text("def rule(relay, data, relays, now): ...\n")
    (there.made / "1.py").write_text("# made\n")
    (there.house.root / "run/pimains/rules/1.says").write_text("on\n")
    first, second = there.show()["rules"]
    assert (first["made"], first["says"], first["may_be_saved"]) == ("by_hand", "on", False)
    assert first["besides"] == str(there.made / "1.py")
    assert (second["number"], second["made"], second["kind"]) == (7, "form_of_root", "float")
    one = there.show("/1")
    assert one["text"].startswith("def rule(relay")
    assert (one["saved"], one["versions"], one["digest"]) == (None, [], "")
    code, said = there.saved(set=table.SET, workspace=ALWAYS)
    assert (code, said["error"]) == (409, f"{there.rules / '1.py'} is root's, and counts more: nothing saved here would be in use")


def test_what_lies_in_place_of_a_rule_holds_nobody_up(there: There) -> None:
    os.mkfifo(there.rules / "1.py")
    os.mkfifo(there.made / "2.py")
    (there.rules / "3.py").mkdir()
    (there.rules / "4.rule").write_text("no directory\n")
    assert [each["number"] for each in there.show()["rules"]] == [1, 2, 3, 4]
    assert [there.show(f"/{number}")["text"] for number in (1, 2, 3, 4)] == [""] * 4


def test_blocks_templates_and_kinds_come_with_what_this_house_lacks(there: There) -> None:
    told = there.show("/blocks")
    assert told["set"] == table.SET
    assert {each["type"] for each in told["definitions"]} == set(table.BLOCKS)
    assert told["values"] == {"bmv/SOC": "80"}
    templates = {each["name"]: each for each in told["templates"]}
    assert len(templates) == 15
    assert templates["08-above-89-percent"]["missing"] == []
    assert "bmv/SOC" in json.dumps(templates["08-above-89-percent"]["workspace"])
    assert "vedirect" not in json.dumps(templates["08-above-89-percent"]["workspace"])
    assert templates["03-hot-water-while-floating"]["missing"] == ["vedirect.bmv/P", "CS"]
    kinds = {each["kind"]: each["settings"] for each in there.show("/kinds")["kinds"]}
    assert [each["name"] for each in kinds["schedule"]] == ["TIMES", "DAYS", "MONTHS"]


def test_what_is_in_no_table_is_refused_with_its_block_and_nothing_is_left(there: There) -> None:
    strange = json.loads(json.dumps(ALWAYS).replace('"turn"', '"exec"'))
    block = strange["blocks"]["blocks"][0]["inputs"]["DO"]["block"]["id"]
    code, said = there.saved(set=table.SET, workspace=strange)
    assert (code, said["word"], said["words"], said["block"]) == (200, "refused", "'exec' is no block of the table", block)
    many = workspace(*(turn("on", "x") for _ in range(300)))
    assert there.saved(set=table.SET, workspace=many)[1]["word"] == "refused"
    assert there.saved(ready={"KIND": 3})[1]["words"] == "ready: KIND: 3 is no setting's value: a text of one line"
    assert there.saved(remove="yes")[1]["words"] == "remove: 'yes' is not true"
    assert there.saved(set=table.SET + 1, workspace=ALWAYS)[1]["words"] == "it is made of blocks that this pimains does not know yet"
    assert there.saved(file="/etc/passwd")[0] == 400
    assert there.saved(set=table.SET, workspace={"x": "y" * 90_000})[0] == 413
    assert there.web.act("/v1/rules/1000", remove=True).status_code == 404
    assert there.web.act("/v1/rules/..%2f1", remove=True).status_code == 404
    assert list(there.made.iterdir()) == []


def test_nobody_saves_or_tries_without_a_session(there: There) -> None:
    there.web.cookies.clear()
    for path in ("", "/check", "/replay"):
        assert there.web.act(f"/v1/rules/1{path}", ready={"KIND": "file", "FILE": "x"}).status_code == 401
    assert list(there.made.iterdir()) == []


def test_where_rules_has_never_run_that_is_said(there: There) -> None:
    code, said = there.saved(set=table.SET, workspace=ALWAYS)
    assert (code, said["error"]) == (409, f"{there.made}/workspaces is not there: the service rules makes it when it is started")


def test_a_workspace_of_blocks_to_come_is_shown_as_such(there: There) -> None:
    directory = there.made / "versions/1"
    directory.mkdir(parents=True)
    newer = {"format": 1, "set": table.SET + 1, "workspace": {"blocks": {"blocks": [{"type": "forecast"}]}}}
    (directory / "1.json").write_text(json.dumps({"saved": 1e9, "content": newer}) + "\n")
    (there.made / "1.py").write_text("# made\n")
    told = there.show("/1")
    assert told["saved"]["is_newer"] is True
    assert [each["saved"] for each in told["versions"]] == [1e9]


def test_what_is_wrong_with_a_draft_is_said_at_its_setting_and_at_its_block(there: There) -> None:
    answer = there.web.act("/v1/rules/1/check", ready={"KIND": "surplus", "VALUE": "house/P", "START_WATTS": "much"}).json()
    assert answer["faults_of_settings"] == {"START_WATTS": "'much' is no power in W (-999999-999999)"}
    empty = workspace(turn("on", "x"))
    del empty["blocks"]["blocks"][0]["inputs"]["DO"]["block"]["inputs"]["WHY"]
    block = empty["blocks"]["blocks"][0]["inputs"]["DO"]["block"]["id"]
    answer = there.web.act("/v1/rules/1/check", set=table.SET, workspace=empty).json()
    assert answer["block"] == block
    assert len(answer["faults"]) == 1
    assert "/" not in answer["faults"][0]
    answer = there.web.act("/v1/rules/1/check", set=table.SET, workspace=ALWAYS, pretended={"at": "noon"})
    assert (answer.status_code, answer.json()["error"]) == (409, "at: 'noon' is no time (such as 18:30 or 2026-07-01T18:30)")
    answer = there.web.act("/v1/rules/1/check", set=table.SET, workspace=ALWAYS, pretended={"relays": {"1": {}}}).json()
    assert (answer["says"], answer["reason"], answer["faults"]) == ("on", "always", [])


def test_a_replay_without_a_collector_says_so_beside_the_rule(there: There) -> None:
    answer = there.web.act("/v1/rules/1/replay", set=table.SET, workspace=ALWAYS, since="7d")
    assert answer.status_code == 200
    assert "no collector on this machine" in answer.json()["fault"]
    assert there.web.act("/v1/rules/1/replay", set=table.SET, workspace=ALWAYS, since="; reboot").status_code == 400


def test_who_goes_away_ends_what_was_asked_for(there: There, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "lib/hanging"
    package.mkdir(parents=True)
    pid = tmp_path / "pid"
    (package / "cli.py").write_text(f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
    monkeypatch.setattr(verbs, "PROGRAM", "hanging.cli")
    with pytest.raises(requests.Timeout):
        there.web.post("/v1/rules/1/replay", json={"set": table.SET, "workspace": ALWAYS}, timeout=2)
    until(lambda: pid.exists() and pid.read_text() != "", what="a child that has begun")
    until(lambda: not Path(f"/proc/{pid.read_text()}").exists(), what="its end")
    until(
        lambda: not any(name.startswith(children.PREFIX) for name in os.listdir(there.house.root / "run/pimains/web")), what="no draft left"
    )

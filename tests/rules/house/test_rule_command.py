"""`pimains rule`: what rules say, ready-made ones that are made and removed, examples, and what cannot be done."""

import json
import subprocess

from tests.kit import TOP, House
from tests.rules.rules import ALWAYS_ON, Rules
from tests.rules.solar_world import EXAMPLES


def pimains(rules: Rules, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(rules.house.root)}
    told = ["/usr/bin/python3", "-m", "pimains.cli", "rule", *words, f"--servicedir={rules.house.scan}"]
    return subprocess.run(told, env=environment, capture_output=True, text=True, check=False)


def says(rules: Rules, *words: str) -> list[str]:
    done = pimains(rules, *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_a_ready_made_rule_is_made_told_and_removed(house: House) -> None:
    rules = Rules(house, {"NAME": "boiler"})
    assert says(rules) == ["no rule yet: pimains rule add 1 --kind=surplus, or pimains rule example"]
    made = rules.directory / "1.rule"
    assert says(rules, "add", "1", "--kind=surplus", "--value=-grid/P", "--start_watts=900") == [
        f"relay 1 has a rule now: surplus; its settings are files in {made}, and are taken up when they change",
        f"WATTS of relay 1 is 0: write what its load draws into {rules.relays.directory}/1/WATTS, so that this can be added back.",
    ]
    assert (made / "VALUE").read_text().splitlines()[0] == "-grid/P"
    assert "W from which on it starts" in (made / "START_WATTS").read_text()
    rules.put("grid/P", "-950")
    rules.until_says(1, "off 950 W of surplus; it starts after 5 min")
    heads, line = says(rules)
    assert heads.split() == ["relay", "rule", "says", "because", "asked"]
    assert line.startswith("1  boiler  surplus  off   950 W of surplus; it starts after 5 min")
    (row,) = json.loads("\n".join(says(rules, "--json")))
    assert {name: row[name] for name in ("number", "name", "kind", "file", "says")} == {
        "number": 1,
        "name": "boiler",
        "kind": "surplus",
        "file": str(made),
        "says": "off",
    }
    for what in ("1", str(made)):
        checked = says(rules, "check", what)
        assert checked[0].startswith("relay 1 now: off, 950 W of surplus")
        assert checked[-1] == f"{made}: nothing is wrong with it"
    (made / "START_WATTS").write_text("\n")
    done = pimains(rules, "check", "1")
    assert (done.returncode, done.stdout) == (1, f"{made}: START_WATTS: is empty; it needs a power in W (-999999-999999)\n")
    assert says(rules, "remove", "1") == ["the rule of relay 1 is removed; what becomes of the relay, its ON_LOST says"]
    rules.until(1, "reason", "no rule says anything")
    assert list(rules.directory.iterdir()) == []


def test_a_relay_that_there_is_not_is_said_and_its_rule_waits_for_it(house: House) -> None:
    rules = Rules(house, {})
    assert says(rules, "add", "3", "--kind=schedule", "--times=0:00-24:00")[1] == "There is no relay 3 yet: pimains relay add 3 --pin=17"
    rules.until_says(3, "lost there is no relay 3")


def test_the_examples_are_told_and_printed_and_are_rules(house: House) -> None:
    rules = Rules(house, {})
    lines = says(rules, "example")
    assert len(lines) == 14
    assert lines[8] == "09-between-hours                          On between 11 h and 18 h."
    text = "\n".join(says(rules, "example", "09-between-hours")) + "\n"
    assert text == (EXAMPLES / "09-between-hours.py").read_text()
    rules.file(1).write_text(text)
    rules.until_says(1, "it is on from 11 h to 18 h")


def test_the_kinds_of_ready_made_rules_are_told_with_their_settings(house: House) -> None:
    rules = Rules(house, {})
    kinds = ["surplus", "float", "daily", "after", "schedule", "file"]
    assert says(rules, "kinds") == kinds
    heads, *rows = says(rules, "kinds", "file")
    assert heads.split() == ["setting", "begins", "as", "meaning"]
    assert [row.split()[0] for row in rows] == ["FILE", "SOC", "SOC_MIN"]
    told = json.loads("\n".join(says(rules, "kinds", "--json")))
    assert [each["kind"] for each in told] == kinds
    for each in told:
        template = TOP / "services/rules/ready" / each["kind"]
        assert {setting["name"] for setting in each["settings"]} | {"KIND"} == {file.name for file in template.iterdir()}
    when, must = (setting for setting in told[2]["settings"] if setting["name"] in ("WHEN", "MUST"))
    assert (when["choices"], when["value"], must["choices"]) == (["any", "surplus", "float"], "surplus", ["1", "0"])
    assert when["meaning"].startswith("surplus: while VALUE is at least START_WATTS.")


def test_what_cannot_be_done_is_one_line(house: House) -> None:
    rules = Rules(house, {}, {})
    rules.write(1, ALWAYS_ON)
    assert len(says(rules, "add", "2", "--kind=file", "--file=guests")) == 1
    kinds = "surplus, float, daily, after, schedule, file"
    top = rules.directory
    for words, said in {
        "add 3": f"a rule needs its kind: pimains rule add 3 --kind=surplus; there are: {kinds}",
        "add 3x --kind=float": "pimains rule add wants the relay's number, 1-999",
        "add 3 --kind=daily --value=grid/P": "--minutes: is empty; it needs a number of minutes (1-1440)",
        "add 3 --kind=after --relay=x": "--relay: 'x' is no relay's number (1-999)",
        "add 3 --kind=file --times=6:00-7:00": "--times: --kind=file has no such setting (--file --soc --soc_min)",
        "add 1 --kind=file --file=x": f"{top}/1.py is the rule of relay 1, and would count more: remove that first",
        "add 2 --kind=file --file=x": f"{top}/2.rule is there already; its settings are files there",
        "remove 1": f"relay 1 has no ready-made rule; {top}/1.py is a file of yours: sudo rm {top}/1.py",
        "remove 3": "relay 3 has no ready-made rule (pimains rule list)",
        "list --kind=file": "--kind and settings are for add: pimains rule add 3 --kind=schedule --times=6:30-8:00",
        "example 15": "'15' is no example's name: pimains rule example tells them",
        "kinds sun": f"'sun' is no kind of rule ({kinds})",
        "list --pretend=x": "--pretend is for check: pimains rule check 3 --pretend=pretended.json",
        "ad 3": "'ad 3' is none of list, check N, replay N, add N, remove N, kinds [KIND], compile FILE and example [NAME]",
    }.items():
        done = pimains(rules, *words.split())
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"pimains: {said}\n")
    assert sorted(path.name for path in top.iterdir()) == ["1.py", "2.rule"]

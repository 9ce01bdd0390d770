"""pimains rule check: what is wrong with a rule is said before it is in use, and what it would say now."""

import json
import os
import subprocess

from tests.kit import TOP, House
from tests.rules.rules import Rules


def check(rules: Rules, *words: str) -> tuple[int, str]:
    environment = {**os.environ, "PYTHONPATH": str(TOP / "lib")}
    command = ["/usr/bin/python3", "-m", "pimains.cli", "rule", "check", f"--servicedir={rules.house.scan}", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_rule_is_checked_with_what_is_known_now(house: House) -> None:
    house.add("collector", svscan=False, RECORD="bmv/SOC=%", LISTEN="127.0.0.1:1")
    rules = Rules(house, {"NAME": "pump"}, HOSTS="127.0.0.1")
    rules.put("bmv/SOC", "80")
    rules.put("mppt/PPV", "120")
    body = "return (ON if answers('127.0.0.1') else OFF), f'{data[\"bmv/SOC\"]:g} %, {data[\"PPVT\"]:g} W'"
    rules.write(1, body)
    rules.until_says(1, "80 %, 120 W")
    code, said = check(rules, "1")
    assert code == 0
    assert "relay 1 now: on, 80 %, 120 W\n" in said
    assert "bmv/SOC      80 (" in said
    assert "mppt/PPV     120 (" in said
    assert "--record='bmv/SOC=% mppt/PPV=W' --add-service --apply" in said
    assert f"{rules.file(1)}: nothing is wrong with it" in said

    draft = house.root / "draft.py"
    for text, fault in (
        ("def rule(relay, data, relays, now):\n    return ON,, 'x'\n", f"{draft}:2: invalid syntax"),
        (
            "def rule(relay, data, relays, now):\n\n    return (ON if dta['bmv/SOC'] else OFF), 'x'\n",
            f"{draft}:3: nobody knows the name dta",
        ),
        ("def rule(relay, data, relays, now):\n    return ON, data['bmv/P']\n", f"{draft}:2: bmv/P is not known: there is no such value"),
        ("def rule(relay, data, relays, now):\n    while True: pass\n", f"{draft}:2: it takes longer than 1 s"),
        ("def rul(): pass\n", f"{draft}: it has no function: def rule(relay, data, relays, now)"),
        (f"x = {'-' * 50_000}1\n", f"{draft}: its brackets, signs or points are nested too deep for Python"),
        (f"#{'x' * 70_000}\n", f"{draft}: it is longer than 64 KiB"),
        (
            "from math import *\ndef rule(*_):\n    match {}:\n        case {**rest}:\n            return ON, sqrt(rest)\n",
            f"{draft}:5: TypeError: must be real number, not dict",
        ),
    ):
        draft.write_text(text)
        code, said = check(rules, str(draft))
        assert (code, said.splitlines()[0]) == (1, fault)
    draft.write_text("import os\ndef rule(relay, data, relays, now):\n    return OFF, f'user {os.geteuid() > 0}'\n")
    code, said = check(rules, "--json", str(draft))
    told = json.loads(said)
    assert (code, told["says"], told["faults"]) == (0, "off", [])
    assert told["reason"] == "user True" or os.geteuid() != 0
    rules.write(9, "return OFF, 'never'")
    assert check(rules, "9") == (
        1,
        f"{rules.file(9)}: there is no relay 9: pimains relay add 9 --pin=17\nrelay 1 now: off, never\n",
    )
    rules.file(9).unlink()
    assert check(rules, "7") == (1, f"pimains: relay 7 has no rule in {rules.directory}; there are rules of: 1\n")


def test_a_rule_is_asked_with_what_somebody_pretends(house: House) -> None:
    rules = Rules(house, {"NAME": "pump"})
    rules.put("bmv/SOC", "50")
    rules.write(
        1,
        """
        if held("full", data["bmv/SOC"] > 90) >= 300 and now.hour == 12 and relays[2].on_for >= 600 and present("party"):
            return ON, f"{data['bmv/SOC']:g} % for {held('full', True):.0f} s"
        return OFF, f"{data['bmv/SOC']:g} %"
        """,
    )
    rules.until_says(1, "50 %")
    assert check(rules, "1")[1].splitlines()[0] == "relay 1 now: off, 50 %"
    told = house.root / "noon.json"
    pretends = {"values": {"bmv/SOC": 95}, "relays": {"2": {"on": True, "for": 600}}, "at": "12:30", "files": ["party"], "for": 300}
    told.write_text(json.dumps(pretends))
    code, said = check(rules, "1", f"--pretend={told}", "--json")
    found = json.loads(said)
    assert (code, found["says"], found["reason"], found["values"]) == (0, "on", "95 % for 300 s", {"bmv/SOC": "95"})
    told.write_text(json.dumps({**pretends, "values": {"bmv/SOC": None}}))
    assert check(rules, "1", f"--pretend={told}")[1].splitlines()[0] == f"{rules.file(1)}:3: bmv/SOC is not known: nobody tells it"
    told.write_text('{"at": "noon"}')
    assert check(rules, "1", f"--pretend={told}") == (1, "pimains: at: 'noon' is no time (such as 18:30 or 2026-07-01T18:30)\n")
    assert rules.instance.read("1.reason") == "50 %"

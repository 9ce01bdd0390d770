"""Ready-made rules in the service: settings that are files, taken up while it runs."""

import shutil

from tests.kit import House
from tests.rules.rules import ALWAYS_ON, Rules
from tests.rules.solar_world import ready


def test_a_ready_made_rule_decides_and_its_settings_are_taken_up_when_they_change(house: House) -> None:
    rules = Rules(house, {"WATTS": "1000"})
    rules.put("grid/P", "900")
    made = ready(rules.directory, "surplus", "1", VALUE="grid/P", START_WATTS="1000", START_SECONDS="0", STOP_SECONDS="0")
    rules.until_says(1, "off 900 W of surplus, less than 1000 W")
    (made / "START_WATTS").write_text("800\n")
    rules.until(1, "state", "on")
    rules.until(1, "reason", "1900 W of surplus with the 1000 W of its own load added back")
    (made / "START_WATTS").write_text("much\n")
    rules.until_says(1, f"START_WATTS: 'much' is no power in W (-999999-999999) ({made})")
    rules.until_status("rule 1 is lost: START_WATTS: 'much' is no power in W")
    (made / "START_WATTS").write_text("800\n")
    rules.until_says(1, "on 1900 W of surplus")
    shutil.rmtree(made)
    rules.until(1, "reason", "no rule says anything")


def test_a_condition_that_holds_for_a_while_wakes_its_rule_although_nothing_changes(house: House) -> None:
    rules = Rules(house, {"WATTS": "1000"}, INTERVAL="3600", LOST_AFTER="86400")
    rules.put("grid/P", "900")
    ready(rules.directory, "surplus", "1", VALUE="grid/P", START_WATTS="800", START_SECONDS="3")
    rules.until_says(1, "off 900 W of surplus; it starts after 3 s")
    rules.until(1, "state", "on")


def test_a_run_of_a_few_seconds_a_day_is_that_long(house: House) -> None:
    rules = Rules(house, {"MIN_ON": "0"}, {}, INTERVAL="3600")
    ready(rules.directory, "after", "1", RELAY="2", SECONDS="1", FOR="2")
    rules.until_says(1, "off relay 2 is off")
    rules.relays.mode(2, "on")
    rules.until_says(1, "today: FOR 2 s is done")
    rules.until(1, "state", "off")
    assert [row["action"] for row in rules.relays.ledger(1)] == ["on", "off"]


def test_two_that_are_ready_at_once_take_turns_by_priority(house: House) -> None:
    rules = Rules(house, {"WATTS": "1000", "PRIORITY": "20"}, {"WATTS": "1000", "PRIORITY": "80"})
    for number in ("1", "2"):
        ready(rules.directory, "surplus", number, VALUE="grid/P", START_WATTS="800", START_SECONDS="0")
    rules.until_says(1, "lost")
    rules.put("grid/P", "900")
    rules.until(2, "state", "on")
    rules.until_says(1, "off 900 W of surplus; it waits until relay 2, which has come on, shows there")
    rules.put("grid/P", "-100")
    rules.until_says(1, "off -100 W of surplus, less than 800 W")
    assert rules.relays.of(1, "switches") == "0"


def test_a_file_of_python_counts_more_than_a_ready_made_rule_and_that_is_said(house: House) -> None:
    rules = Rules(house, {})
    made = ready(rules.directory, "file", "1", FILE="guests")
    rules.until_says(1, "off there is no file guests")
    rules.write(1, ALWAYS_ON)
    rules.until(1, "reason", "always")
    rules.until_status(f"{made} is not used: {rules.file(1)} counts more")
    rules.file(1).unlink()
    rules.until_says(1, "off there is no file guests")
    (house.root / "var/lib/pimains/rules/files/guests").write_text("")
    rules.until(1, "state", "on")

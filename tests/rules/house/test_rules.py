"""Rules decide, relays switch: from files to pins."""

from tests.kit import House, until
from tests.rules.rules import ALWAYS_ON, Rules


def test_a_rule_switches_its_relay_and_says_why(house: House) -> None:
    rules = Rules(house, {"NAME": "boiler"}, {})
    rules.put("bmv/SOC", "80")
    rules.write(1, "return (ON if data['bmv/SOC'] > 90 else OFF), f'{data[\"bmv/SOC\"]:g} % in the battery'")
    rules.write(2, ALWAYS_ON)
    rules.until(1, "reason", "80 % in the battery")
    rules.until(2, "state", "on")
    rules.put("bmv/SOC", "95")
    rules.until(1, "state", "on")
    rules.until(1, "reason", "95 % in the battery")
    assert [(row["action"], row["cause"]) for row in rules.relays.ledger(1)] == [("on", "95 % in the battery")]
    rules.until_status("2 of 2 rules answer: 1 on, 2 on")
    rules.file(2).unlink()
    rules.until(2, "reason", "no rule says anything")
    rules.until_status("1 of 1 rule answers: 1 on")
    rules.write(1, "return OFF, 'edited'")
    rules.until(1, "reason", "edited")
    until(lambda: rules.relays.of(1, "state") == "off")

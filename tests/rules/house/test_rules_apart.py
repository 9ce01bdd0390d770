"""Rules that share a process do not disturb each other, and nothing that one says ends the service."""

from tests.kit import House, until
from tests.rules.rules import ALWAYS_ON, Rules

READS = 'return ON, f\'{len(str(data["bmv/SOC"]))} {now.hour == int(now.minutes // 60)} {len(relays)} {data["PPVT"]:g}\''
DISTURB = {
    1: "import builtins\nbuiltins.len = lambda what: 0\nbuiltins.float = None\nreturn OFF, 'done'",
    2: "import pimains.rules.plan.data as other\nother.PPVT = 'nothing'\nreturn OFF, 'done'",
    3: "relays.forget(9)\ndata._values.clear()\nreturn OFF, 'done'",
    4: "import sys\nsys.stdout = None\nsys.setrecursionlimit(40)\nreturn OFF, 'done'",
}
SAYS = {
    5: ("data['x\\ny\\ud800/z']", "lost x y /z is not known: there is no such value ("),
    6: ("data['a' * 400000]", f"lost {'a' * 299}… ("),
    7: ("raise NotKnown('a\\nb', 'c\\ud800')", "lost a b is not known: c ("),
    8: ("timer(5).start(9)\nreturn OFF, 'x'", "lost 5 is no timer's name, which is a text of at most 100 characters ("),
}


def test_what_one_rule_changes_in_its_process_no_other_sees(house: House) -> None:
    rules = Rules(house, *({} for _ in range(10)))
    rules.put("bmv/SOC", "50")
    rules.put("mppt/PPV", "120")
    for number, body in DISTURB.items():
        rules.write(number, body)
    for number in DISTURB:
        rules.until_says(number, "lost" if number == 1 else "off done")  # without len it cannot even answer
    rules.write(9, READS)
    rules.until_says(9, "on 4 True 10 120")
    rules.put("mppt/PPV", "121")
    rules.until_says(9, "on 4 True 10 121")


def test_whatever_stands_in_what_a_rule_says_is_one_line_of_text(house: House) -> None:
    rules = Rules(house, *({} for _ in range(9)))
    for number, (body, _) in SAYS.items():
        rules.write(number, body)
    for number, (_, says) in SAYS.items():
        rules.until_says(number, says)
        assert "\n" not in rules.says(number)
    rules.write(9, ALWAYS_ON)
    rules.until(9, "state", "on")
    assert "Traceback" not in rules.instance.log


def test_what_was_taken_away_or_could_not_be_written_is_told_again(house: House) -> None:
    rules = Rules(house, {}, {}, INTERVAL="1")
    for number in (1, 2):
        rules.write(number, ALWAYS_ON)
        rules.until(number, "state", "on")
    says, status, reason = (rules.instance.run / name for name in ("1.says", "status", "2.reason"))
    says.unlink()
    status.unlink()
    rules.until_says(1, "on always")
    rules.until_status("2 of 2 rules answer: 1 on, 2 on")
    rules.instance.run.chmod(0o555)
    rules.write(2, "return ON, 'another reason'")
    rules.instance.until_logged("cannot write to")
    rules.instance.run.chmod(0o755)
    rules.until_says(2, "on another reason")
    assert reason.read_text() == "another reason\n"


def test_two_relays_of_which_one_cannot_be_told_do_not_fill_the_log(house: House) -> None:
    rules = Rules(house, {}, {}, INTERVAL="1")
    for number in (1, 2):
        rules.write(number, ALWAYS_ON)
        rules.until(number, "state", "on")
    wish = house.root / "run/pimains/relays/2.wish"
    wish.unlink()
    wish.mkdir()
    rules.until_status("relay 2 is not told what its rule says: Is a directory; does relays run?")
    asked = (rules.instance.run / "1.says").stat().st_mtime
    until(lambda: (rules.instance.run / "1.says").stat().st_mtime > asked + 2.5)  # some rounds
    assert rules.instance.log.count("relay 2 is not told") == 1

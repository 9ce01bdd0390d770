"""Things that happened to others (a silent meter, words that part from the relay), with rules and relays as they run."""

import random
from datetime import datetime
from pathlib import Path

import pytest

from tests import damage
from tests.rules.rules import HEAD
from tests.rules.stepped_rules import SteppedRules

SURPLUS = "return (ON if data['grid/surplus'] > 300 else OFF), f\"{data['grid/surplus']:g} W of surplus\""


def test_the_meter_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    house = SteppedRules(tmp_path, monkeypatch, {"ON_LOST": "off"})
    house.write(1, SURPLUS)
    for _ in range(360):  # for an hour the same value, said again and again
        house.put("grid/surplus", "4000")
        house.pass_seconds(10)
    assert house.relays.of(1, "state") == "on"
    assert house.status == "1 of 1 rule answers: 1 on"
    capsys.readouterr()

    house.pass_seconds(650)  # LOST_AFTER is 600
    assert house.says(1).startswith("lost grid/surplus is not known: its last value is 1")
    assert "rule 1 is lost: grid/surplus is not known: its last value is" in house.status
    assert house.relays.of(1, "state") == "on"
    assert "it stays as it is: its rule is lost, ON_LOST off: grid/surplus is not known" in house.relays.of(1, "reason")
    house.pass_seconds(600)  # LOST_SECONDS of relays
    assert house.relays.of(1, "state") == "off"
    action, cause = house.relays.actions(1)[-1]
    assert action == "off"
    assert cause.startswith("its rule is lost, ON_LOST off: grid/surplus is not known: its last value is")
    house.pass_seconds(3600)
    assert house.relays.actions(1)[-1] == (action, cause)
    assert capsys.readouterr().out.count("rule 1 is lost") == 1

    house.put("grid/surplus", "4000")
    house.pass_seconds(2)
    assert house.relays.of(1, "state") == "on"
    house.pass_seconds(60)
    assert capsys.readouterr().out.count("rule 1: well again") == 1
    house.stop()


def test_the_words_and_the_relay_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = SteppedRules(tmp_path, monkeypatch, {"MIN_ON": "2min", "MIN_OFF": "1min", "MAX_SWITCHES_PER_DAY": "12"})
    house.write(1, SURPLUS)
    luck = random.Random(5)
    for _ in range(200):
        house.put("grid/surplus", luck.choice(("900", "-300")))
        house.pass_seconds(luck.choice((3, 7, 40)))
        relays = house.relays
        assert relays.level(1) == ("high" if relays.of(1, "state") == "on" else "low")
        says, _, why = house.says(1).partition(" ")
        assert relays.of(1, "reason").startswith(why)
        if relays.of(1, "state") != says:
            assert "; waits for " in relays.of(1, "reason")
        may_change = relays.of(1, "next")
        if may_change != "any time":
            assert datetime.fromisoformat(may_change).timestamp() > relays.clock.wall() - 2
    assert len(house.relays.actions(1)) > 10
    house.stop()


def test_timers_and_what_chargers_did_outlast_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = SteppedRules(tmp_path, monkeypatch, {})
    house.put("mppt/CS", "5")
    house.write(
        1,
        """
        timer = relay.timer("rest")
        if timer.seconds is None:
            timer.start(300)
        return (ON if relay.floating(within=120) else OFF), f"{timer.running} {timer.over}"
        """,
    )
    assert house.says(1) == "on True False"
    house.pass_seconds(100)
    house.put("mppt/CS", "3")
    house.pass_seconds(60)
    house.stop()
    house.start()
    house.pass_seconds(2)
    assert house.says(1) == "on True False"
    house.pass_seconds(70)
    assert house.says(1) == "off True False"
    house.pass_seconds(300 - 100 - 60 - 2 - 70 - 2)
    assert house.says(1) == "off True False"
    house.pass_seconds(3)  # not at the next INTERVAL
    assert house.says(1) == "off False True"
    house.boot(off_seconds=3600)
    house.put("mppt/CS", "3")
    house.pass_seconds(2)
    assert house.says(1) == "off False True"
    house.stop()


def test_a_charger_that_is_silent_is_missed_in_a_sum_also_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = SteppedRules(tmp_path, monkeypatch, {})
    house.put("roof/PPV", "300")
    house.write(1, "return ON, f\"{data['PPVT']:g} W\"")
    assert house.says(1) == "on 300 W"
    house.put("barn/PPV", "200")
    house.pass_seconds(2)
    assert house.says(1) == "on 500 W"
    house.put("barn/PPV", None)
    house.pass_seconds(2)
    assert house.says(1).startswith("lost PPVT is not known: barn/PPV: nobody tells it")
    house.stop()
    house.start()
    house.pass_seconds(2)
    assert house.says(1).startswith("lost PPVT is not known: barn/PPV: nobody tells it")
    (tmp_path / "run/pimains/barn").rmdir()
    house.pass_seconds(2)
    assert house.says(1) == "on 300 W"
    house.stop()


def test_a_keep_leaves_the_wish_as_it_is_and_renews_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = SteppedRules(tmp_path, monkeypatch, {}, lost="120")
    house.put("bmv/SOC", "95")
    house.write(1, "return (ON, 'full') if data['bmv/SOC'] > 90 else KEEP")
    assert house.relays.of(1, "reason") == "full"
    for _ in range(10):
        house.put("bmv/SOC", "85")
        house.pass_seconds(60)
    assert (house.relays.of(1, "state"), house.relays.of(1, "reason")) == ("on", "full")
    house.write(2, "return ON, 'x'")
    house.write(1, "return KEEP, 'nothing to say'")
    house.pass_seconds(300)
    assert house.relays.of(1, "reason") == "full"
    house.stop()
    (tmp_path / "run/pimains/relays/1.wish").write_text("\n")
    house.start()
    house.pass_seconds(2)
    assert house.relays.of(1, "reason") == "nothing to say"
    assert house.relays.of(1, "state") == "on"
    house.stop()


def test_in_auto_again_the_rule_decides_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = SteppedRules(tmp_path, monkeypatch, {})
    house.write(1, "return OFF, f'{relay.mode} {relay.last_on_by_rule}'")
    house.relays.mode(1, "on")
    house.pass_seconds(100)
    assert house.says(1) == "off on None"
    assert house.relays.of(1, "state") == "on"
    house.relays.mode(1, "auto")
    assert house.relays.of(1, "state") == "off"
    house.pass_seconds(2)
    assert house.says(1) == "off auto None"
    house.stop()


def test_a_clock_that_jumps_changes_no_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = SteppedRules(tmp_path, monkeypatch, {}, wall=3600.0)  # it was never set
    house.put("bmv/SOC", "95")
    house.write(1, "return ON, f\"{data['bmv/SOC'].age < 200} {now is None}\"")
    assert house.says(1) == "on True True"
    house.relays.clock.jump(1_790_000_000.0)
    house.pass_seconds(70)
    assert house.says(1) == "on True False"
    house.relays.clock.jump(-86400.0)
    house.pass_seconds(70)
    assert house.says(1) == "on True False"
    house.stop()


def test_rules_that_ask_for_the_same_value_first_are_all_given_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = SteppedRules(tmp_path, monkeypatch, {}, {}, {})
    house.put("bmv/SOC", "80")
    for number in (1, 2, 3):
        (house.directory / f"{number}.py").write_text(f"{HEAD}    return ON, f\"{{data['bmv/SOC']:g}} %\"\n")
    house.pass_seconds(1.5)
    assert [house.says(number) for number in (1, 2, 3)] == ["on 80 %"] * 3
    house.stop()


def test_a_run_of_yesterday_is_none_of_today_though_the_machine_was_off_at_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = SteppedRules(tmp_path, monkeypatch, {})  # it is noon
    house.put("bmv/SOC", "95")
    house.write(
        1,
        """
        what = f"{relay.on_today()} {relay.switched_off_today()} {(relay.last_off or 0) // 3600:g}"
        return (ON if data.get("bmv/SOC", 0) > 90 else OFF), what
        """,
    )
    assert house.relays.of(1, "state") == "on"
    house.pass_seconds(3600)
    house.put("bmv/SOC", "80")
    house.pass_seconds(3600)
    assert house.says(1) == "off True True 1"
    for hours in (14, 1):  # from 14 h until 4 h, and again for a moment
        house.boot(off_seconds=hours * 3600)
        house.pass_seconds(130)
    assert house.says(1) == "off False False 16"
    house.stop()


@pytest.mark.parametrize("name", ["lost", "empty", "torn", "zeroed", "a directory"])
@pytest.mark.parametrize("file", ["memory", "off-times"])
def test_a_damaged_file_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: str, name: str
) -> None:
    house = SteppedRules(tmp_path, monkeypatch, {})
    house.write(1, "timer('rest').seconds is None and timer('rest').start(60)\nreturn ON, f'{timer(\"rest\").over}'")
    house.pass_seconds(100)
    assert house.says(1) == "on True"
    house.stop()
    path = tmp_path / "var/lib/pimains/rules" / file
    damage.do(name, path)
    (house.run / "memory").unlink()
    house.start()
    house.pass_seconds(2)
    assert house.says(1) == ("on False" if file == "memory" else "on True")
    assert (f"{path}: " in capsys.readouterr().out) == (name != "lost")
    house.stop()
    assert path.is_file()

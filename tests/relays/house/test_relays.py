"""The service relays on the house's pins: what people and rules say becomes contacts that close and open."""

import os
import shutil
import subprocess

import pytest

from pimains.relays.keeper import Keeper
from tests.kit import TOP, House, is_closed
from tests.relays.relays import Relays, make_relay


def test_a_rules_wish_and_a_persons_word_switch_and_stand_in_the_ledger(house: House) -> None:
    relays = Relays(house, {"NAME": "boiler", "WATTS": "2000"}, {"ACTIVE_LOW": "1"})
    relays.wish(1, "on 900 W of surplus")
    relays.until(1, "state", "on")
    assert (relays.of(1, "watts"), relays.of(1, "switches"), relays.of(1, "mode")) == ("2000", "1", "auto")
    relays.until(1, "reason", "900 W of surplus")
    relays.mode(1, "off for 2h")
    relays.until(1, "state", "off")
    relays.mode(2, "on")
    relays.until(2, "state", "on")
    assert (relays.levels(2), relays.levels(3)) == (["low", "high", "low"], ["high", "low"])
    assert [(row["action"], row["cause"]) for row in relays.ledger(1)] == [
        ("on", "900 W of surplus"),
        ("off", "a person wants it off for 2 h"),
    ]
    assert relays.ledger(1)[0]["inputs"]["wish"]["value"] == "on"
    house.until(lambda: relays.instance.status.startswith("1 of 2 relays on: 2; they go off whenever this service ends"))


def run_step(relays: Relays, **environment: str) -> str:
    """halt.d/10-relays, as halt runs it."""
    told = {"PATH": os.environ["PATH"], "PIMAINS_ROOT": str(relays.house.root), "PIMAINS_BUDGET_SECONDS": "20", **environment}
    done = subprocess.run([TOP / "services/relays/halt.d/10-relays"], env=told, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_a_wrong_setting_is_one_line_and_the_others_run_on(house: House) -> None:
    relays = Relays(house, {"MIN_ON": "x"}, {})
    relays.mode(2, "on")
    relays.until(2, "state", "on")
    wrong = f"{relays.directory}/1/MIN_ON: 'x' is no time (seconds, or such as 10min or 2h; at most 1d)"
    relays.until(1, "reason", wrong)
    house.until(lambda: wrong in relays.instance.status)
    relays.set(1, "MIN_ON", "10min")
    relays.until(1, "state", "off")
    house.until(lambda: "MIN_ON" not in relays.instance.status)
    relays.set(2, "PRIORITY", "high")
    house.until(lambda: "2/PRIORITY: 'high' is no priority (0-100); it stays as it is until then" in relays.instance.status)
    assert relays.of(2, "state") == "on"
    relays.mode(2, "off")
    relays.until(2, "state", "off")
    assert relays.instance.log.count(wrong) == 1


def test_two_relays_on_a_pin_are_one_line_and_the_second_one_gets_it_when_it_is_free(house: House) -> None:
    relays = Relays(house, {}, {}, {})
    relays.mode(1, "on")
    relays.until(1, "state", "on")
    relays.set(2, "PIN", "2")
    relays.until(2, "reason", "2/PIN: '2' is the pin of relay 1 already")
    relays.mode(3, "on")
    relays.until(3, "state", "on")
    assert relays.of(1, "state") == "on"
    relays.set(1, "PIN", "12")
    relays.until(2, "state", "off")
    assert relays.levels(4) == ["low", "high"]
    house.until(lambda: "already" not in relays.instance.status)


def test_an_edited_pin_moves_no_other_relay(house: House) -> None:
    relays = Relays(house, {}, {})
    for number in (1, 2):
        relays.mode(number, "on")
        relays.until(number, "state", "on")
    relays.set(1, "PIN", "20")
    house.until(lambda: relays.levels(20) == ["low", "high"])
    assert (relays.levels(2), relays.levels(3)) == (["low", "high", "low", "input"], ["low", "high"])
    assert [(row["action"], row["cause"]) for row in relays.ledger(1)][1:] == [
        ("off", "its pin is 20 from now on"),
        ("on", "a person wants it on"),
    ]


def test_where_the_directory_of_all_settings_is_gone_relays_stay_as_they_are(house: House) -> None:
    relays = Relays(house, {})
    relays.mode(1, "on")
    relays.until(1, "state", "on")
    aside = relays.directory.with_name("aside")
    relays.directory.rename(aside)
    house.until(lambda: f"{relays.directory}: no such file or directory; it stays as it is until then" in relays.instance.status)
    assert (relays.of(1, "state"), relays.levels(2)) == ("on", ["low", "high"])
    aside.rename(relays.directory)
    house.until(lambda: "no such" not in relays.instance.status)
    assert (relays.of(1, "state"), relays.levels(2)) == ("on", ["low", "high"])


def test_a_directory_of_settings_that_nobody_may_read_is_one_line(house: House) -> None:
    relays = Relays(house, {})
    relays.directory.chmod(0)
    relays.instance.svc("-t")
    house.until(lambda: f"{relays.directory}: permission denied" in relays.instance.status, what=relays.instance.story)
    relays.directory.chmod(0o755)
    relays.until(1, "state", "off")
    assert "Traceback" not in relays.instance.log


def test_what_limits_of_groups_cannot_do_is_said(house: House) -> None:
    relays = Relays(house, {"WATTS": "2000"}, {"GROUP": "pump"}, GROUP_LIMITS="all=500W pumps=1")
    faults = "GROUP_LIMITS all=500W takes relay 2 for nothing: no WATTS; GROUP_LIMITS all=500W never lets relay 1 on: too many WATTS"
    house.until(lambda: f"; {faults}; GROUP_LIMITS pumps=1: no relay has this GROUP" in relays.instance.status)
    relays.set(1, "WATTS", "400")
    relays.set(2, "WATTS", "100")
    relays.set(2, "GROUP", "pumps")
    house.until(lambda: "GROUP_LIMITS" not in relays.instance.status)


def test_an_edited_limit_holds_at_once(house: House) -> None:
    relays = Relays(house, {"MIN_ON": "1h"})
    relays.wish(1, "on sun")
    relays.until(1, "state", "on")
    relays.wish(1, "off clouds")
    relays.until(1, "reason", "clouds; waits for MIN_ON 60 min")
    relays.set(1, "MIN_ON", "0")
    relays.until(1, "state", "off")


def test_a_relay_comes_and_goes_with_its_directory(house: House) -> None:
    relays = Relays(house)
    house.until(lambda: "no relay in" in relays.instance.status)
    make_relay(relays.directory / "7", PIN="9")
    relays.until(7, "state", "off")
    relays.mode(7, "on")
    relays.until(7, "state", "on")
    shutil.rmtree(relays.directory / "7")
    house.until(lambda: relays.of(7, "state") == "" and "no relay in" in relays.instance.status)
    assert relays.levels(9) == ["low", "high", "low", "input"]
    make_relay(relays.directory / "7", PIN="9")
    relays.until(7, "state", "off")
    assert (relays.of(7, "mode"), relays.levels(9)[-1]) == ("auto", "low")
    assert relays.ledger(7)[-1]["cause"] == "it was removed"


@pytest.mark.parametrize("text", ["onn", "on for ever", "on until 25:00", "auto for 2h", "\x1b[2J"])
def test_what_is_no_mode_is_one_line_and_changes_nothing(house: House, text: str) -> None:
    relays = Relays(house, {})
    relays.mode(1, "on")
    relays.until(1, "state", "on")
    relays.mode(1, text)
    house.until(lambda: "1.mode: " in relays.instance.status and "is no mode (off, auto or on" in relays.instance.status)
    assert relays.of(1, "state") == "on"
    relays.mode(1, "0")
    relays.until(1, "state", "off")
    house.until(lambda: "is no mode" not in relays.instance.status)


def test_a_mode_is_caught_also_between_its_truncating_and_its_writing(house: House) -> None:
    relays = Relays(house, {})
    relays.mode(1, "on")
    relays.until(1, "state", "on")
    with (relays.instance.lib / "1.mode").open("w") as file:
        relays.wish(1, "off it is heard while the mode says nothing")
        relays.mode(1, "")
        os.utime(relays.instance.run / "1.wish")
        file.flush()
        assert relays.of(1, "state") == "on"
        file.write("off\n")
    relays.until(1, "state", "off")
    assert "is no mode" not in relays.instance.log


def test_a_persons_mode_ends_by_itself(house: House) -> None:
    relays = Relays(house, {})
    relays.wish(1, "off no sun")
    relays.mode(1, "on for 2s")
    relays.until(1, "state", "on")
    relays.until(1, "state", "off")
    assert (relays.of(1, "mode"), relays.of(1, "reason")) == ("auto", "no sun")
    on, off = relays.ledger(1)
    assert 1.9 < off["time"] - on["time"] < 4


def test_a_wish_that_is_lost_is_said_and_on_lost_decides(house: House) -> None:
    relays = Relays(house, {}, {"ON_LOST": "keep"}, LOST_SECONDS="2")
    for number in (1, 2):
        relays.wish(number, "on sun")
        relays.until(number, "state", "on")
    relays.until(1, "state", "off")
    relays.until(1, "reason", "no rule has said anything for 2 s, ON_LOST off")
    relays.until(2, "reason", "it stays as it is: no rule has said anything for 2 s, ON_LOST keep")
    relays.wish(1, "on sun")
    relays.until(1, "state", "on")


def test_the_halt_step_switches_off_and_gives_back_when_it_is_called_off(house: House) -> None:
    relays = Relays(house, {"NAME": "boiler", "MIN_ON": "1h"}, {"ON_HALT": "keep"})
    for number in (1, 2):
        relays.mode(number, "on")
        relays.until(number, "state", "on")
    assert run_step(relays, PIMAINS_REASON="battery low", PIMAINS_REHEARSAL="1") == "relays: would switch off: relay 1 (boiler)"
    assert run_step(relays, PIMAINS_REASON="battery low") == "relays: switched off: relay 1 (boiler)"
    assert (relays.of(1, "state"), relays.of(2, "state")) == ("off", "on")
    assert relays.ledger(1)[-1]["cause"] == "this machine halts: battery low"
    relays.instance.kill()
    house.until(lambda: "this machine halts: battery low" in relays.instance.status)
    assert relays.of(1, "state") == "off"
    assert run_step(relays, PIMAINS_CALLED_OFF="power is back") == "relays: relays are as people and rules want them again"
    relays.until(1, "state", "on")


def test_the_halt_step_asks_the_keeper_where_the_service_was_stopped(house: House) -> None:
    """A pipe stands for a line, so it is not switched, which is said; real lines are in tests/relays/bench/relays_machine.py."""
    relays = Relays(house, {"PIN": "17"})
    relays.instance.svc("-d")
    house.until(lambda: relays.instance.status == "stopped")
    assert run_step(relays, PIMAINS_REASON="battery low") == ""
    path = relays.instance.run / "keeper"
    keeper, pipe = Keeper(path), os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    keeper.keep("1 17 0", pipe[1])
    keeper.close()
    os.close(pipe[1])
    if os.geteuid() == 0:
        shutil.chown(path, "pimains")
    gone = "relay 1: GPIO 17 is gone: Inappropriate ioctl for device"
    said = run_step(relays, PIMAINS_REASON="battery low", PYTHONPATH=str(TOP / "lib"))
    assert said.splitlines() == [gone, "no service answers; nothing to switch off"]
    house.until(lambda: is_closed(pipe[0]))
    assert relays.instance.status == "stopped"
    assert relays.instance.read("halting") == "battery low"
    stays = "no service runs: what was switched off stays so until one does"
    assert run_step(relays, PIMAINS_CALLED_OFF="power is back", PYTHONPATH=str(TOP / "lib")) == stays
    assert relays.instance.read("halting") == ""


def test_on_stop_says_what_becomes_of_it_when_the_service_is_stopped(house: House) -> None:
    relays = Relays(house, {"ON_STOP": "off"}, {})
    for number in (1, 2):
        relays.mode(number, "on")
        relays.until(number, "state", "on")
    relays.instance.svc("-d")
    house.until(lambda: relays.instance.status == "stopped")
    assert relays.ledger(1)[-1]["cause"] == "the service is stopped (ON_STOP)"
    assert [relays.instance.read(f"1.{name}") for name in ("state", "reason", "watts")] == ["off", "the service is stopped (ON_STOP)", "0"]
    assert len(relays.ledger(2)) == 1
    assert relays.levels(2)[-2:] == ["low", "input"]


def causes(relays: Relays, number: int) -> list[tuple[str, str]]:
    """The ledger's rows of a relay, without what they were based on."""
    return [(row["action"], row["cause"]) for row in relays.ledger(number)]


@pytest.mark.parametrize("by", ["create_service", "dpkg"])
def test_a_service_that_is_removed_switches_off_all_that_is_on_and_the_ledger_says_so(house: House, by: str) -> None:
    relays = Relays(house, {"ON_STOP": "keep"}, {"MIN_ON": "1h", "ON_HALT": "keep"}, {})
    relays.mode(1, "on")
    relays.wish(2, "on sun")
    for number in (1, 2):
        relays.until(number, "state", "on")
    if by == "create_service":
        done = subprocess.run([TOP / "create_service", f"--servicedir={house.scan}", "--instance=relays", "--del-service"], check=False)
        assert done.returncode == 0
        assert not relays.instance.run.exists()
    else:  # as its prerm does
        (relays.instance.directory / "removed").write_text("was-up\nmade-down\n")
        relays.instance.svc("-d")
        house.until(lambda: relays.instance.status == "stopped")
    for number in (1, 2):
        assert causes(relays, number)[-1] == ("off", "the service is removed")
        assert relays.levels(number + 1)[-2:] == ["low", "input"]
    assert relays.ledger(3) == []


def test_what_a_stopped_service_has_kept_on_goes_off_with_its_removal_and_the_next_one_says_so(house: House) -> None:
    relays = Relays(house, {"ON_STOP": "keep"})
    relays.mode(1, "on")
    relays.until(1, "state", "on")
    relays.instance.svc("-d")
    house.until(lambda: relays.instance.status == "stopped")
    (relays.instance.run / "keeper").write_text("its socket\n")
    subprocess.run([TOP / "create_service", f"--servicedir={house.scan}", "--instance=relays", "--del-service"], check=True)
    assert not (relays.instance.run / "keeper").exists()  # without which it ends
    again = Relays(house)
    again.until(1, "state", "on")
    assert causes(again, 1) == [
        ("on", "a person wants it on"),
        ("off", "its pin was let go while no service ran"),
        ("on", "a person wants it on"),
    ]


def test_after_kill_9_nothing_is_forgotten_and_a_pin_that_was_let_go_is_said(house: House) -> None:
    relays = Relays(house, {"MAX_SWITCHES_PER_DAY": "1", "MIN_OFF": "0"})
    relays.wish(1, "on sun")
    relays.until(1, "state", "on")
    relays.instance.kill()
    relays.until(1, "reason", "sun; waits for MAX_SWITCHES_PER_DAY 1")
    assert [(row["action"], row["cause"]) for row in relays.ledger(1)] == [
        ("on", "sun"),
        ("off", "its pin was let go while no service ran"),
    ]
    assert relays.of(1, "switches") == "1"


def test_people_are_told_once_when_a_contact_has_reached_what_it_is_rated_for(house: House) -> None:
    queue = house.root / "var/lib/pimains/notify/queue"
    queue.mkdir(parents=True)
    shutil.chown(queue, "pimains")
    relays = Relays(house, {"NAME": "pump", "RATED_SWITCHES": "2"})
    for _ in range(3):
        relays.mode(1, "on")
        relays.until(1, "state", "on")
        relays.mode(1, "off")
        relays.until(1, "state", "off")
    assert relays.of(1, "switches") == "3"
    (post,) = [path.read_text().splitlines() for path in queue.iterdir() if not path.name.startswith(".")]
    assert post[:2] == ["relay-worn", "relay 1 (pump) is worn"]

"""A halt whose power comes from a battery: no step takes longer than that lasts, and what was asked for meanwhile is not lost."""

import time

from pimains.core.clock import boot_id
from tests.halt.halting import add_step, ask, cancel, causes, is_asked, let_go, new_halt, pause_at, ran, upgrade
from tests.halt.house.test_halt_command import pimains, said
from tests.kit import House

OF_THIS_BOOT = f"boot {boot_id()}"


def leave_battery_end(house: House, seconds: float, name: str = "ups") -> float:
    """It is empty in so many seconds; returns when that is."""
    end = time.clock_gettime(time.CLOCK_BOOTTIME) + seconds
    directory = house.root / "run/pimains" / name
    directory.mkdir(exist_ok=True)
    (directory / "battery_end").write_text(f"{end:.0f}\n")
    return end


def let_go_of_all(house: House, go: int) -> None:
    """Also the steps of a halt service that was killed wait there."""
    for _ in ran(house):
        let_go(go)


def test_an_upgrade_is_waited_for_no_longer_than_the_battery_lasts(house: House) -> None:
    add_step(house, "20-clients", "echo $PIMAINS_BUDGET_SECONDS >>$RAN; sleep 1000")
    halt = new_halt(house, STEP_SECONDS_MAX="120")
    end = leave_battery_end(house, 80)
    with upgrade(house):
        ask(halt)
        house.until(house.halts)
    assert time.clock_gettime(time.CLOCK_BOOTTIME) < end - 25
    halt.until_logged("05-update gets ", " s instead of 600 s: the battery will be empty")
    halt.until_logged("20-clients gets ", " s instead of 120 s: the battery will be empty")
    assert float(ran(house)[0]) < 40


def test_a_grace_period_is_no_longer_than_the_battery_lasts_and_the_plug_counts_as_before(house: House) -> None:
    halt = new_halt(house, HALT_GRACE_SECONDS="3600", STEP_SECONDS_MAX="1")
    leave_battery_end(house, 10)
    ask(halt)
    house.until(house.halts)


def test_a_battery_whose_end_nobody_knows_shortens_nothing(house: House) -> None:
    add_step(house, "20-clients", "echo $PIMAINS_BUDGET_SECONDS >>$RAN")
    halt = new_halt(house, STEP_SECONDS_MAX="120")
    leave_battery_end(house, float("inf"))
    ask(halt)
    house.until(house.halts)
    assert ran(house) == ["120"]


def test_a_cancel_takes_back_the_request_under_way_and_another_that_came_meanwhile_goes_on(house: House) -> None:
    go = pause_at(house, "20-clients")
    add_step(house, "50-drives", "echo $PIMAINS_REASON by $PIMAINS_REQUESTER >>$RAN")
    halt = new_halt(house)
    ask(halt, "bored\nanna\n")
    house.until(lambda: ran(house))
    ask(halt, f"battery low\nups\n{OF_THIS_BOOT}\n")
    house.until(lambda: not is_asked(halt))
    cancel(halt, "anna")
    halt.until_logged("anna cancels (bored (asked by anna)), and it goes on: battery low (asked by ups)")
    let_go(go)
    house.until(house.halts)
    assert ran(house) == ["20-clients", "battery low by ups"]
    assert ("go on shutting down", "battery low (asked by ups); cancelled by anna: bored (asked by anna)") in causes(house)


def test_who_takes_back_only_what_he_asked_for_leaves_the_request_of_another(house: House) -> None:
    go = pause_at(house, "20-clients")
    halt = new_halt(house)
    ask(halt, "switched off\nplug\n")
    house.until(lambda: ran(house))
    ask(halt, "battery low\nups\n")
    house.until(lambda: not is_asked(halt))
    cancel(halt, "ups\nonly what I asked for")
    halt.until_logged("ups asks no longer; it goes on: switched off (asked by plug)")
    cancel(halt, "anna")
    halt.until_logged("anna cancels")
    let_go(go)
    house.until(lambda: halt.status.startswith("ready; the last shutdown was cancelled by anna"))
    assert house.halts() == []


def test_who_takes_back_what_he_asked_for_alone_keeps_the_machine_up(house: House) -> None:
    go = pause_at(house, "20-clients")
    halt = new_halt(house)
    ask(halt, "battery low\nups\n")
    house.until(lambda: ran(house))
    cancel(halt, "ups\nonly what I asked for")
    halt.until_logged("ups cancels")
    let_go(go)
    house.until(lambda: halt.status.startswith("ready; the last shutdown was cancelled by ups"))
    assert house.halts() == []


def test_what_was_asked_meanwhile_is_known_after_a_kill(house: House) -> None:
    go = pause_at(house, "20-clients")
    halt = new_halt(house)
    ask(halt, "bored\nanna\n")
    house.until(lambda: ran(house))
    ask(halt, "battery low\nups\n")
    house.until(lambda: not is_asked(halt))
    halt.kill()
    house.until(lambda: len(ran(house)) == 2)
    cancel(halt, "anna")
    halt.until_logged("and it goes on: battery low (asked by ups)")
    halt.kill()
    house.until(lambda: len(ran(house)) == 3)
    halt.until_logged("going on with the shutdown that was under way: battery low (asked by ups)")
    let_go_of_all(house, go)
    house.until(house.halts)


def test_past_a_forced_shutdown_nobody_can_take_it_back_and_is_told_why(house: House) -> None:
    go = pause_at(house, "20-clients")
    halt = new_halt(house)
    ask(halt, "bored\nanna\n")
    house.until(lambda: ran(house))
    ask(halt, f"UPS eaton: battery low\nups\n{OF_THIS_BOOT}\nfinal\n")
    house.until(lambda: not is_asked(halt))
    late = pimains(house, "--cancel")
    assert late.returncode == 1
    assert said(late) == "pimains: too late to cancel: UPS eaton: battery low (asked by ups): other machines go down with this one"
    halt.kill()
    house.until(lambda: len(ran(house)) == 2)
    cancel(halt, "ups\nonly what I asked for")
    halt.until_logged("ups cancels, too late: UPS eaton: battery low (asked by ups): other machines go down with this one")
    let_go_of_all(house, go)
    house.until(house.halts)


def test_the_command_says_that_somebody_else_has_asked_as_well(house: House) -> None:
    go = pause_at(house, "20-clients")
    halt = new_halt(house)
    assert pimains(house).returncode == 0
    house.until(lambda: ran(house))
    ask(halt, "battery low\nups\n")
    house.until(lambda: not is_asked(halt))
    first = pimains(house, "--cancel")
    assert first.returncode == 1
    assert said(first) == (
        "pimains: somebody else has asked as well, so it goes on: battery low (asked by ups); "
        "pimains halt --cancel once more stops that, too"
    )
    second = pimains(house, "--cancel", wait=False)
    assert second.stdout
    assert second.stdout.readline().startswith("cancelled; first the step that runs now has to end: ")
    let_go(go)
    assert second.wait(60) == 0
    assert house.halts() == []

"""The halt service under a real supervise: requests, steps, budgets, cancels; a recorder takes the place of shutdown."""

import os

import pytest

from pimains.core.ledger import Ledger
from tests.halt.halting import add_step, ask, cancel, causes, is_asked, let_go, new_halt, pause_at, ran
from tests.kit import House


def test_a_request_is_written_down_and_then_carried_out(house: House) -> None:
    halt = new_halt(house)
    ask(halt)
    house.until(house.halts)
    house.until(lambda: halt.status == "shut down: UPS battery low (asked by ups)")
    assert causes(house) == [("shut down", "UPS battery low (asked by ups)")]
    assert len(house.halts()) == 1
    assert house.halts()[0].endswith("-P now")


def test_steps_run_in_the_order_of_their_names_and_know_why(house: House) -> None:
    for name in ("30-later", "10-first", "20-then"):
        add_step(house, name, f'echo "{name}: $PIMAINS_REASON, $PIMAINS_REQUESTER, $PIMAINS_BUDGET_SECONDS" >>$RAN; echo hello')
    halt = new_halt(house, STEP_SECONDS_MAX="77")
    ask(halt)
    house.until(house.halts)
    assert ran(house) == [f"{name}: UPS battery low, ups, 77" for name in ("10-first", "20-then", "30-later")]
    house.until(lambda: "30-later: hello" in halt.log)


def test_a_cancel_between_steps_keeps_the_machine_up_and_says_what_had_been_done(house: House) -> None:
    add_step(house, "20-clients", f"echo clients >>$RAN; read x <{house.root}/go")
    add_step(house, "50-drives", "echo drives >>$RAN")
    os.mkfifo(house.root / "go")
    halt = new_halt(house)
    ask(halt)
    house.until(lambda: ran(house))
    house.until(lambda: halt.status == "shutting down: UPS battery low (asked by ups), step 20-clients, at most 120 s")
    cancel(halt, "stefan")
    house.until(lambda: "stefan cancels" in halt.log)
    (house.root / "go").write_text("\n")
    house.until(lambda: halt.status.endswith("by stefan; done before that: 05-update, 10-relays, 20-clients; 10-relays undone"))
    assert ran(house) == ["clients"]
    assert house.halts() == []
    assert not is_asked(halt)


def test_once_the_plug_was_told_a_cancel_is_refused(house: House) -> None:
    add_step(house, "80-plug", f"echo plug >>$RAN; read x <{house.root}/go")
    os.mkfifo(house.root / "go")
    halt = new_halt(house)
    ask(halt)
    house.until(lambda: ran(house))
    cancel(halt, "stefan")
    house.until(lambda: "stefan cancels, too late: the power will be cut" in halt.log)
    (house.root / "go").write_text("\n")
    house.until(house.halts)


def test_a_second_request_while_one_is_carried_out_changes_nothing(house: House) -> None:
    add_step(house, "20-clients", f"echo $PIMAINS_REASON >>$RAN; read x <{house.root}/go")
    add_step(house, "50-drives", "echo $PIMAINS_REASON >>$RAN")
    os.mkfifo(house.root / "go")
    halt = new_halt(house)
    ask(halt)
    house.until(lambda: ran(house))
    for _ in range(3):
        ask(halt, "bored\nplug\n")
        house.until(lambda: not is_asked(halt))
    (house.root / "go").write_text("\n")
    house.until(house.halts)
    assert ran(house) == ["UPS battery low"] * 2
    house.until(lambda: "also asked for: bored (asked by plug)" in halt.log)
    assert halt.log.count("bored") == 1


def test_however_many_ask_as_well_the_log_names_twenty(house: House) -> None:
    go = pause_at(house, "20-clients")
    halt = new_halt(house)
    ask(halt)
    house.until(lambda: ran(house))
    for number in range(25):
        ask(halt, f"bored {number}\nplug\n")
        house.until(lambda: not is_asked(halt))
    let_go(go)
    house.until(house.halts)
    house.until(lambda: "also asked for: bored 19" in halt.log)
    assert halt.log.count("also asked for") == 20


def test_a_cancel_is_refused_while_the_halt_command_runs_also_without_a_plug(house: House) -> None:
    (house.root / "etc/pimains/halt.d").mkdir()
    (house.root / "etc/pimains/halt.d/80-plug").symlink_to("/dev/null")
    halt = new_halt(house, HALT_COMMAND="sleep 1000")
    ask(halt)
    house.until(lambda: "HALT_COMMAND started" in halt.status)
    cancel(halt, "stefan")
    house.until(lambda: "stefan cancels, too late" in halt.log)


def test_a_run_directory_that_was_taken_away_is_made_anew(house: House) -> None:
    halt = new_halt(house)
    halt.run.rename(halt.run.with_name("gone"))
    house.until(lambda: halt.status == "ready")
    ask(halt)
    house.until(house.halts)


def test_a_grace_period_leaves_time_for_second_thoughts(house: House) -> None:
    add_step(house, "10-relays", "echo relays >>$RAN")
    halt = new_halt(house, HALT_GRACE_SECONDS="3600")
    ask(halt)
    line = "shutting down in 3600 s: UPS battery low (asked by ups); pimains halt --cancel stops it"
    house.until(lambda: halt.status == line)
    cancel(halt, "ann")
    house.until(lambda: halt.status == "ready; the last shutdown was cancelled by ann; done before that: nothing")
    ask(halt)
    house.until(lambda: halt.status == line)
    cancel(halt, "stefan")
    house.until(lambda: halt.status == "ready; the last shutdown was cancelled by stefan; done before that: nothing")
    assert [action for action, _ in causes(house)] == ["shut down", "cancel"] * 2
    assert (ran(house), house.halts()) == ([], [])


def test_each_step_is_measured_and_gets_its_budget_from_that(house: House) -> None:
    add_step(house, "20-clients", "echo $PIMAINS_BUDGET_SECONDS >>$RAN")
    add_step(house, "30-fails", "exit 1")
    halt = new_halt(house, STEP_SECONDS_MAX="105")
    ask(halt)
    house.until(lambda: halt.status.startswith("shut down: "))
    ledger = Ledger(house.root / "var/lib/pimains/ledger.sqlite")
    [took] = ledger.durations("halt step 20-clients")
    assert 0 < took < 60
    assert ledger.durations("halt step 30-fails") == []
    (halt.run / "accepted").unlink()
    house.until(lambda: halt.status == "ready")
    ask(halt, "again\nme\n")
    house.until(lambda: len(house.halts()) == 2)
    first, second = map(float, ran(house))
    assert first == 105
    assert second == pytest.approx(took + 5 + (105 - took) / 2, abs=0.01)


def test_a_step_that_had_to_be_stopped_gets_all_the_time_there_is_next_time(house: House) -> None:
    add_step(house, "20-clients", "sleep 1000")
    halt = new_halt(house, STEP_SECONDS_MAX="1")
    ask(halt)
    house.until(lambda: halt.status.startswith("shut down: "))
    assert Ledger(house.root / "var/lib/pimains/ledger.sqlite").durations("halt step 20-clients") == [1.0]


def test_a_step_that_says_that_it_needed_more_time_gets_it_next_time(house: House) -> None:
    add_step(house, "20-clients", "exit 124")
    halt = new_halt(house, STEP_SECONDS_MAX="77")
    ask(halt)
    house.until(lambda: halt.status.startswith("shut down: "))
    assert Ledger(house.root / "var/lib/pimains/ledger.sqlite").durations("halt step 20-clients") == [77.0]


def test_the_administrators_step_takes_the_place_of_the_shipped_one_and_dev_null_leaves_it_out(house: House) -> None:
    add_step(house, "20-clients", "echo clients >>$RAN")
    directory = house.root / "etc/pimains/halt.d"
    (directory / "80-plug").symlink_to("/dev/null")
    halt = new_halt(house)
    ask(halt)
    house.until(house.halts)
    assert ran(house) == ["clients"]
    assert "80-plug" not in halt.log


def test_people_are_told_of_a_shutdown_and_of_its_end(house: House) -> None:
    queue = house.root / "var/lib/pimains/notify/queue"
    queue.mkdir(parents=True)
    halt = new_halt(house, HALT_GRACE_SECONDS="3600")
    ask(halt)
    house.until(lambda: "shutting down in" in halt.status)
    cancel(halt, "stefan")
    house.until(lambda: halt.status.startswith("ready; "))
    first, second = [path.read_text().splitlines() for path in sorted(queue.glob("[0-9]*"))]
    assert first[:2] == ["halt", "shutting down: UPS battery low"]
    assert second[:2] == ["halt", "not shutting down: cancelled by stefan"]

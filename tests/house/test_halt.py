"""The halt service under a real supervise: real requests, real step scripts, and a recorder in the place of shutdown."""

import os
from pathlib import Path

from kit import House, TestInstance

from pimains.core.ledger import Ledger


def new_halt(house: House, **variables: str) -> TestInstance:
    halt = house.add("halt", HALT_COMMAND=variables.pop("HALT_COMMAND", house.recorder), **variables)
    house.until(lambda: halt.status.startswith("ready"))
    return halt


def add_step(house: House, name: str, script: str) -> Path:
    """An administrator's step; what it writes to $RAN is seen by `ran`."""
    directory = house.root / "etc/pimains/halt.d"
    directory.mkdir(mode=0o755, exist_ok=True)
    path = directory / name
    path.write_text(f"#!/bin/sh\nRAN={house.root}/ran\n{script}\n")
    path.chmod(0o755)
    return path


def ran(house: House) -> list[str]:
    path = house.root / "ran"
    return path.read_text().splitlines() if path.exists() else []


def ask(halt: TestInstance, text: str = "UPS battery low\nups\n") -> None:
    """As a user would, with echo and mv."""
    aside = halt.run / ".asked"
    aside.write_text(text)
    aside.rename(halt.run / "request")


def causes(house: House) -> list[tuple[str, str]]:
    """The ledger's entries about halt, oldest first."""
    return [(e.action, e.cause) for e in reversed(Ledger(house.root / "var/lib/pimains/ledger.sqlite").entries("halt"))]


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie that nobody has fetched does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


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


def test_a_step_that_fails_is_noted_with_its_last_line_and_the_rest_goes_on(house: House) -> None:
    add_step(house, "20-clients", "echo asking; echo 'two clients are away'; exit 3")
    add_step(house, "50-drives", "echo drives >>$RAN")
    halt = new_halt(house)
    ask(halt)
    house.until(house.halts)
    assert ran(house) == ["drives"]
    assert ("go on without 20-clients", "failed (exit 3): two clients are away") in causes(house)


def test_a_step_that_hangs_is_stopped_with_all_it_started_and_never_blocks_the_rest(house: House) -> None:
    add_step(house, "20-clients", "trap '' TERM; sleep 1000 & echo $! >>$RAN; while :; do sleep 1000; done")
    add_step(house, "50-drives", "echo drives >>$RAN")
    halt = new_halt(house, STEP_SECONDS_MAX="1")
    ask(halt)
    house.until(house.halts, 15)
    assert ran(house)[1:] == ["drives"]
    house.until(lambda: not is_alive(int(ran(house)[0])))
    assert any(action == "go on without 20-clients" and cause.startswith("hung, was stopped after 3.") for action, cause in causes(house))


def test_a_cancel_between_steps_keeps_the_machine_up_and_says_what_had_been_done(house: House) -> None:
    add_step(house, "20-clients", f"echo clients >>$RAN; read x <{house.root}/go")
    add_step(house, "50-drives", "echo drives >>$RAN")
    os.mkfifo(house.root / "go")
    halt = new_halt(house)
    ask(halt)
    house.until(lambda: ran(house))
    assert halt.status == "shutting down: UPS battery low (asked by ups), step 20-clients, at most 120 s"
    (halt.run / "cancel").write_text("stefan\n")
    house.until(lambda: "stefan cancels" in halt.log)
    (house.root / "go").write_text("\n")
    house.until(lambda: halt.status == "ready; the last shutdown was cancelled by stefan; done before that: 20-clients")
    assert ran(house) == ["clients"]
    assert house.halts() == []
    assert not (halt.run / "request").exists()


def test_once_the_plug_was_told_a_cancel_is_refused(house: House) -> None:
    add_step(house, "80-plug", f"echo plug >>$RAN; read x <{house.root}/go")
    os.mkfifo(house.root / "go")
    halt = new_halt(house)
    ask(halt)
    house.until(lambda: ran(house))
    (halt.run / "cancel").write_text("stefan\n")
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
        house.until(lambda: not (halt.run / "request").exists())
    (house.root / "go").write_text("\n")
    house.until(house.halts)
    assert ran(house) == ["UPS battery low"] * 2
    house.until(lambda: "also asked for: bored (asked by plug)" in halt.log)
    assert halt.log.count("bored") == 1

"""A cancelled shutdown: the steps that have run and know how to undo it, the last first; and what else may happen meanwhile."""

from tests.halt.halting import add_step, ask, cancel, let_go, new_halt, pause_at, ran
from tests.kit import House

KNOWS = 'echo "${0##*/}${PIMAINS_CALLED_OFF:+ back, $PIMAINS_CALLED_OFF}" >>$RAN'


def test_a_cancelled_shutdown_is_undone_from_the_last_step_to_the_first_by_those_that_can(house: House) -> None:
    add_step(house, "45-database", "echo 45-database >>$RAN")
    add_step(house, "50-drives", KNOWS)
    add_step(house, "60-usb", KNOWS)
    go = pause_at(house, "65-slow")
    add_step(house, "70-never", KNOWS)
    halt = new_halt(house)
    ask(halt)
    house.until(lambda: ran(house)[-1:] == ["65-slow"])
    cancel(halt, "anna")
    house.until(lambda: "anna cancels" in halt.log)
    let_go(go)
    house.until(lambda: halt.status.startswith("ready; "))
    back = ["60-usb back, cancelled by anna", "50-drives back, cancelled by anna"]
    assert ran(house) == ["45-database", "50-drives", "60-usb", "65-slow", *back]
    assert halt.status.endswith("; 60-usb undone; 50-drives undone; 10-relays undone")
    assert house.halts() == []


def test_what_cannot_be_undone_is_said_and_keeps_nothing_else_undone(house: House) -> None:
    add_step(house, "50-drives", KNOWS)
    add_step(house, "60-usb", '[ ! "${PIMAINS_CALLED_OFF:-}" ] || { echo no such hub; exit 1; }')
    go = pause_at(house, "65-slow")
    halt = new_halt(house)
    ask(halt)
    house.until(lambda: "65-slow" in ran(house))
    cancel(halt, "anna")
    house.until(lambda: "anna cancels" in halt.log)
    let_go(go)
    house.until(lambda: halt.status.endswith("; 60-usb not undone: failed (exit 1): no such hub; 50-drives undone; 10-relays undone"))
    assert halt.read("error") == "60-usb not undone: failed (exit 1): no such hub"


def test_a_halt_command_that_fails_leaves_the_drives_as_they_are_until_somebody_cancels(house: House) -> None:
    add_step(house, "50-drives", KNOWS)
    add_step(house, "80-plug", KNOWS)
    halt = new_halt(house, HALT_COMMAND="/bin/false")
    ask(halt)
    house.until(lambda: "trying again in 10 s" in halt.status)
    assert ran(house)[:2] == ["50-drives", "80-plug"]
    assert ran(house)[2] == "80-plug back, HALT_COMMAND failed (exit 1): it said nothing"
    assert [line for line in ran(house) if line.startswith("50")] == ["50-drives"]
    cancel(halt, "anna")
    house.until(lambda: halt.status.startswith("ready; "))
    assert ran(house)[-1] == "50-drives back, cancelled by anna"
    assert ran(house).count("80-plug") == len([line for line in ran(house) if line.startswith("80-plug back")])


def test_killed_while_it_undoes_the_service_goes_on_with_that_and_shuts_nothing_down(house: House) -> None:
    add_step(house, "50-drives", KNOWS)
    go = pause_at(house, "60-usb")
    with (house.root / "etc/pimains/halt.d/60-usb").open("a") as step:
        step.write("# knows of PIMAINS_CALLED_OFF\n")
    halt = new_halt(house)
    ask(halt)
    house.until(lambda: ran(house)[-1:] == ["60-usb"])
    cancel(halt, "anna")
    house.until(lambda: "anna cancels" in halt.log)
    let_go(go)
    house.until(lambda: ran(house).count("60-usb") == 2)
    house.until(lambda: halt.status == "cancelled by anna: undoing 60-usb")
    pid = halt.pid
    halt.kill()
    house.until(lambda: halt.pid not in (0, pid))
    house.until(lambda: ran(house).count("60-usb") == 3)
    let_go(go)
    let_go(go)
    house.until(lambda: halt.status.endswith("; 60-usb undone; 50-drives undone; 10-relays undone"))
    assert house.halts() == []
    assert not (halt.run / "accepted").exists()


def test_a_request_while_it_undoes_is_carried_out_afterwards(house: House) -> None:
    go = pause_at(house, "60-usb")
    with (house.root / "etc/pimains/halt.d/60-usb").open("a") as step:
        step.write("# knows of PIMAINS_CALLED_OFF\n")
    halt = new_halt(house)
    ask(halt)
    house.until(lambda: ran(house) == ["60-usb"])
    cancel(halt, "anna")
    house.until(lambda: "anna cancels" in halt.log)
    let_go(go)
    house.until(lambda: ran(house) == ["60-usb"] * 2)
    ask(halt, "bedtime\nben\n")
    let_go(go)
    house.until(lambda: ran(house) == ["60-usb"] * 3)
    let_go(go)
    house.until(house.halts)
    house.until(lambda: halt.status == "shut down: bedtime (asked by ben)")


def test_what_a_step_says_stands_in_the_status_while_it_runs(house: House) -> None:
    add_step(house, "50-drives", f"echo waiting for a while; read x <{house.root}/go-70-wait")
    go = pause_at(house, "70-wait")
    halt = new_halt(house)
    ask(halt)
    house.until(lambda: halt.status == "shutting down: UPS battery low (asked by ups), step 50-drives, at most 120 s: waiting for a while")
    let_go(go)
    house.until(lambda: ran(house) == ["70-wait"])
    let_go(go)
    house.until(house.halts)

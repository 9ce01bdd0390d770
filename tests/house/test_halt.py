"""The halt service under a real supervise: real requests, real step scripts, and a recorder in the place of shutdown."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from kit import TOP, House, TestInstance

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


def pimains(house: House, *words: str, wait: bool = True) -> subprocess.Popen[str]:
    """`pimains halt ...`, as it is typed."""
    process = subprocess.Popen(
        ["/usr/bin/python3", "-m", "pimains.cli", "halt", "--servicedir", str(house.scan), *words],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(TOP / "lib")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if wait:
        process.wait(20)
    return process


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.read().strip()


def pause_at(house: House, name: str) -> Path:
    """A step that writes its name to $RAN and goes on when somebody writes to the FIFO that is returned."""
    go = house.root / f"go-{name}"
    os.mkfifo(go)
    add_step(house, name, f"echo {name} >>$RAN; read x <{go}")
    return go


def let_go(fifo: Path) -> None:
    fifo.write_text("\n")


def test_the_command_asks_and_tells_how_it_goes_on_until_the_machine_goes_down(house: House) -> None:
    go = pause_at(house, "20-clients")
    halt = new_halt(house)
    asked = pimains(house, "new SD card", "--wait", wait=False)
    house.until(lambda: ran(house))
    let_go(go)
    assert asked.wait(20) == 0
    lines = said(asked).splitlines()
    assert lines[0].startswith("shutting down: new SD card (asked by ")
    assert lines[-1] == f"shut down: {lines[0][len('shutting down: ') :].split(')')[0]})"
    assert len(house.halts()) == 1
    assert halt.status == lines[-1]


def test_the_command_cancels_and_says_what_had_been_done(house: House) -> None:
    go = pause_at(house, "20-clients")
    new_halt(house)
    assert pimains(house).returncode == 0
    house.until(lambda: ran(house))
    cancelling = pimains(house, "--cancel", wait=False)
    assert cancelling.stdout
    assert cancelling.stdout.readline().startswith("cancelled as soon as the step has ended that runs now: ")
    let_go(go)
    assert cancelling.wait(20) == 0
    assert said(cancelling).endswith("; done before that: 20-clients")
    assert house.halts() == []


def test_the_command_says_when_it_is_too_late_to_cancel_and_when_there_is_nothing_to_cancel(house: House) -> None:
    go = pause_at(house, "80-plug")
    new_halt(house)
    nothing = pimains(house, "--cancel")
    assert (nothing.returncode, said(nothing)) == (1, "pimains: there is no shutdown to cancel")
    pimains(house)
    house.until(lambda: ran(house))
    late = pimains(house, "--cancel")
    assert late.returncode == 1
    assert said(late).startswith("pimains: too late to cancel: shutting down: asked for by hand")
    let_go(go)
    house.until(house.halts)


def test_the_command_leaves_no_request_behind_that_nobody_takes(house: House) -> None:
    halt = new_halt(house)
    halt.svc("-d")
    house.until(lambda: halt.pid == 0)
    asked = pimains(house)
    assert asked.returncode == 1
    assert said(asked).startswith("pimains: the halt service does not take the request: svstat ")
    halt.svc("-u")
    house.until(lambda: halt.status == "ready")
    assert house.halts() == []


def test_the_command_needs_a_service_and_rights(house: House) -> None:
    asked = pimains(house)
    assert asked.returncode == 1
    assert said(asked).startswith("pimains: no halt service was started since boot: ")


def test_a_dry_run_shows_order_budgets_and_what_would_not_be_run_and_does_nothing(house: House) -> None:
    add_step(house, "50-drives", "echo drives >>$RAN").chmod(0o644)
    add_step(house, "20-clients", "echo clients >>$RAN")
    new_halt(house, STEP_SECONDS_MAX="65")
    Ledger(house.root / "var/lib/pimains/ledger.sqlite").took("halt step 20-clients", 5.0)
    shown = pimains(house, "--dry-run", "--json")
    assert shown.returncode == 1
    whole = json.loads(said(shown))
    assert whole["command"][-2:] == ["-P", "now"]
    assert [(step["name"], step["budget_seconds"], step["fault"]) for step in whole["steps"]] == [
        ("20-clients", 40.0, None),
        ("50-drives", 65.0, "not executable"),
    ]
    table = said(pimains(house, "--dry-run"))
    assert "20-clients     40 s  1 times, p95 5.0 s" in table
    assert "would not be run: not executable" in table
    assert ran(house) == []
    assert house.halts() == []


def test_a_grace_period_leaves_time_for_second_thoughts(house: House) -> None:
    add_step(house, "10-relays", "echo relays >>$RAN")
    halt = new_halt(house, HALT_GRACE_SECONDS="3600")
    ask(halt)
    line = "shutting down in 3600 s: UPS battery low (asked by ups); pimains halt --cancel stops it"
    house.until(lambda: halt.status == line)
    cancelled = pimains(house, "--cancel")
    assert said(cancelled).endswith("; done before that: nothing")
    ask(halt)
    house.until(lambda: halt.status == line)
    (halt.run / "cancel").write_text("stefan\n")
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
    assert 0 < took < 5
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


def test_the_administrators_step_takes_the_place_of_the_shipped_one_and_dev_null_leaves_it_out(house: House) -> None:
    add_step(house, "20-clients", "echo clients >>$RAN")
    directory = house.root / "etc/pimains/halt.d"
    (directory / "80-plug").symlink_to("/dev/null")
    halt = new_halt(house)
    ask(halt)
    house.until(house.halts)
    assert ran(house) == ["clients"]
    assert "80-plug" not in halt.log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_others_could_have_written_is_not_run_and_that_is_said_before_it_matters(house: House) -> None:
    os.chown(add_step(house, "20-foreign", "echo foreign >>$RAN"), 65534, 65534)
    add_step(house, "30-loose", "echo loose >>$RAN").chmod(0o757)
    add_step(house, "40-plain", "echo plain >>$RAN").chmod(0o644)
    add_step(house, "50-fine", "echo fine >>$RAN")
    add_step(house, "50-fine.dpkg-old", "echo old >>$RAN")
    (house.root / "etc/pimains/halt.d/60-nowhere").symlink_to("nowhere")
    halt = new_halt(house)
    faults = ["20-foreign", "30-loose", "40-plain", "60-nowhere"]
    assert [part.split()[0] for part in halt.status.split("; ")[1:]] == faults
    assert halt.read("unwell") == halt.status
    ask(halt)
    house.until(house.halts)
    assert ran(house) == ["fine"]
    assert "20-foreign is not run: not owned by root" in halt.log
    assert "30-loose is not run: writable by others than its owner" in halt.log
    assert "40-plain is not run: not executable" in halt.log


def test_a_step_that_prints_without_end_does_no_harm(house: House) -> None:
    add_step(house, "20-floods", "head -c 100000000 /dev/zero | tr '\\0' 'x'; yes 'line after line' | head -c 100000000; echo the end")
    add_step(house, "30-fails", "head -c 1000000 /dev/urandom; echo; echo at last; exit 1")
    halt = new_halt(house)
    ask(halt)
    house.until(house.halts, 60)
    assert ("go on without 30-fails", "failed (exit 1): at last") in causes(house)
    house.until(lambda: "30-fails failed" in halt.log)
    assert "20-floods: (prints more than is logged)" in halt.log
    assert all(line.isprintable() for line in halt.log.splitlines())
    peak = int(Path(f"/proc/{halt.pid}/status").read_text().split("VmHWM:")[1].split()[0])
    assert peak < 40_000, "kB of memory at most"


def test_a_grandchild_that_holds_the_pipe_is_not_waited_for(house: House) -> None:
    add_step(house, "20-daemon", "setsid sleep 30 & echo $! >>$RAN; echo begun")
    halt = new_halt(house)
    ask(halt)
    try:
        house.until(house.halts, 5)
    finally:
        house.until(lambda: ran(house))
        os.kill(int(ran(house)[0]), signal.SIGKILL)


def test_whatever_is_in_a_request_becomes_clean_text(house: House) -> None:
    add_step(house, "20-clients", 'echo "$PIMAINS_REASON|$PIMAINS_REQUESTER" >>$RAN')
    halt = new_halt(house)
    texts = [b"", b"\xff\xfe\0\x1b[2J\x07\n\xff", b"x" * 10_000_000, b"\n\n\n", "\u202e\u2066\ud55c".encode()]
    for number, text in enumerate(texts, 1):
        (halt.run / ".aside").write_bytes(text)
        (halt.run / ".aside").rename(halt.run / "request")
        house.until(lambda number=number: len(house.halts()) == number)
        house.until(lambda: halt.status.startswith("shut down: "))
        assert halt.status.isprintable()
        (halt.run / "accepted").unlink()
        house.until(lambda: halt.status == "ready")
    assert len(ran(house)) == len(texts)
    assert all(line.isprintable() and 0 < len(line) < 700 for line in ran(house))
    assert ran(house)[0] == "no reason given|somebody"


def test_links_fifos_and_directories_in_a_requests_place_are_no_requests_and_tell_nothing(house: House) -> None:
    halt = new_halt(house)
    secret = house.root / "secret"
    secret.write_text("the secret\n")
    for make in (
        lambda path: path.symlink_to(secret),
        os.mkfifo,
        os.mkdir,
        lambda path: path.symlink_to("/etc/shadow"),
        lambda path: path.hardlink_to(secret),
    ):
        make(halt.run / ".aside")
        (halt.run / ".aside").rename(halt.run / "request")
        house.until(lambda: not os.path.lexists(halt.run / "request"))
        house.until(lambda: not os.path.lexists(halt.run / "accepted"))
    house.until(lambda: halt.log.count("is no plain file: ignored") == 5)
    assert halt.status == "ready"
    assert house.halts() == []
    assert secret.read_text() == "the secret\n"
    assert "the secret" not in halt.log
    ask(halt)
    house.until(house.halts)


def test_killed_on_the_way_the_service_goes_on_without_repeating_what_had_ended(house: House) -> None:
    add_step(house, "10-relays", "echo relays >>$RAN")
    go = pause_at(house, "20-clients")
    add_step(house, "50-drives", "echo drives >>$RAN")
    halt = new_halt(house)
    ask(halt)
    house.until(lambda: "20-clients" in ran(house))
    pid = halt.pid
    halt.kill()
    house.until(lambda: halt.pid not in (0, pid))
    house.until(lambda: ran(house).count("20-clients") == 2)
    let_go(go)
    let_go(go)
    house.until(house.halts)
    assert ran(house) == ["relays", "20-clients", "20-clients", "drives"]
    assert [action for action, _ in causes(house)] == ["shut down", "go on shutting down"]


def test_a_request_of_an_earlier_boot_never_halts_a_machine_that_has_just_come_up(house: House) -> None:
    halt = new_halt(house)
    halt.svc("-d")
    house.until(lambda: halt.pid == 0 and halt.status == "stopped")
    for name, earlier in (
        ("request", "UPS battery low\nups\nboot 00000000-0000-0000-0000-000000000000\n"),
        ("accepted", "UPS battery low\nups\nboot 00000000-0000-0000-0000-000000000000\n"),
        ("request", "by echo, before the crash\n"),
        ("accepted", "by echo, before the crash\n"),
    ):
        (halt.run / name).write_text(earlier)
        (halt.run / "progress").write_text("80-plug started\n")
        (halt.run / "boot").write_text("00000000-0000-0000-0000-000000000000\n")
        halt.svc("-u")
        house.until(lambda: halt.status == "ready")
        assert not (halt.run / name).exists()
        assert not (halt.run / "progress").exists()
        halt.svc("-d")
        house.until(lambda: halt.pid == 0 and halt.status == "stopped")
    assert house.halts() == []


def test_a_request_made_while_the_service_was_down_counts_when_it_is_of_this_boot(house: House) -> None:
    halt = new_halt(house)
    halt.svc("-d")
    house.until(lambda: halt.pid == 0)
    ask(halt)
    halt.svc("-u")
    house.until(house.halts)


@pytest.mark.parametrize("option", ["-t", "-d"])
def test_told_to_stop_the_service_finishes_the_shutdown_first(house: House, option: str) -> None:
    go = pause_at(house, "20-clients")
    add_step(house, "50-drives", "echo drives >>$RAN")
    halt = new_halt(house)
    ask(halt)
    house.until(lambda: ran(house))
    pid = halt.pid
    halt.svc(option)
    house.until(lambda: "told to stop" in halt.log)
    let_go(go)
    house.until(house.halts)
    house.until(lambda: halt.pid != pid)
    assert ran(house) == ["20-clients", "drives"]
    if option == "-t":
        house.until(lambda: halt.status == "shut down: UPS battery low (asked by ups)")
    assert len(house.halts()) == 1


def test_told_to_stop_and_cancelled_it_stops(house: House) -> None:
    go = pause_at(house, "20-clients")
    halt = new_halt(house)
    ask(halt)
    house.until(lambda: ran(house))
    halt.svc("-d")
    house.until(lambda: "told to stop" in halt.log)
    (halt.run / "cancel").write_text("stefan\n")
    house.until(lambda: "stefan cancels" in halt.log)
    let_go(go)
    house.until(lambda: halt.pid == 0 and halt.status == "stopped")
    assert house.halts() == []


def test_a_wrong_halt_command_is_said_and_can_be_corrected(house: House) -> None:
    add_step(house, "20-clients", "echo clients >>$RAN")
    halt = new_halt(house, HALT_COMMAND="/sbin/shutdwon -P now")
    ask(halt)
    line = (
        "this machine is not shut down: HALT_COMMAND failed: /sbin/shutdwon: No such file or directory;"
        " trying again in 5 s (UPS battery low (asked by ups))"
    )
    house.until(lambda: halt.status == line)
    assert halt.read("unwell") == line
    assert ("not shut down", line) in causes(house)
    halt.set("HALT_COMMAND", house.recorder)
    halt.svc("-t")
    house.until(house.halts)
    house.until(lambda: halt.read("unwell") == "")
    assert ran(house) == ["clients"]


def test_a_halt_command_that_fails_is_tried_again(house: House) -> None:
    flaky = house.root / "flaky"
    flaky.write_text(f"#!/bin/sh\n[ -e {house.root}/tried ] && exec {house.recorder}\n>{house.root}/tried; echo busy; exit 1\n")
    flaky.chmod(0o755)
    halt = new_halt(house, HALT_COMMAND=str(flaky))
    ask(halt)
    house.until(lambda: "HALT_COMMAND failed (exit 1): busy; trying again in 5 s" in halt.read("unwell"))
    house.until(house.halts)
    house.until(lambda: halt.status.startswith("shut down: ") and halt.read("unwell") == "")


def test_a_halt_command_that_hangs_is_said(house: House) -> None:
    halt = new_halt(house, HALT_COMMAND="sleep 1000", STEP_SECONDS_MAX="1")
    ask(halt)
    house.until(lambda: "this machine is not shut down: HALT_COMMAND hung, was stopped after 1." in halt.status)


def test_a_machine_that_is_still_up_long_after_is_told_again(house: House) -> None:
    halt = new_halt(house, PIMAINS_SPEED="200")
    ask(halt)
    house.until(lambda: len(house.halts()) >= 2)
    house.until(lambda: "it is still up 300 s after HALT_COMMAND" in halt.log)


def test_a_log_that_nobody_reads_keeps_no_machine_up(house: House) -> None:
    for number in range(10, 20):
        add_step(house, f"{number}-talks", "yes 'a line that is not read by anybody' | head -c 20000; echo $0 >>$RAN")
    halt = new_halt(house)
    svstat = subprocess.run(["svstat", halt.directory / "log"], capture_output=True, text=True, check=True).stdout
    multilog = int(svstat.split("(pid ")[1].split(")")[0])
    os.kill(multilog, signal.SIGSTOP)
    try:
        ask(halt)
        house.until(house.halts)
        assert len(ran(house)) == 10
    finally:
        os.kill(multilog, signal.SIGCONT)


def test_a_ledger_that_cannot_be_written_keeps_no_machine_up(house: House) -> None:
    add_step(house, "20-clients", "echo clients >>$RAN")
    halt = new_halt(house)
    (house.root / "var/lib/pimains/ledger.sqlite").write_bytes(b"this is no database" * 100)
    ask(halt)
    house.until(house.halts)
    assert ran(house) == ["clients"]
    house.until(lambda: "shutting down without the ledger: file is not a database" in halt.log)
    assert halt.log.count("without the ledger") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_full_disk_keeps_no_machine_up(house: House) -> None:
    fill = (
        f"mount -t tmpfs -o size=64k none {house.root}/var/lib/pimains && mount -t tmpfs -o size=64k none {house.root}/var/log/pimains"
        f" && mkdir -m 777 {house.root}/var/log/pimains/halt"
        f' && for each in lib log; do cat /dev/zero >{house.root}/var/$each/pimains/ballast 2>/dev/null; done; exec "$0" "$@"'
    )
    house.within = ["unshare", "-m", "--propagation", "private", "sh", "-c", fill]
    add_step(house, "20-clients", "yes 'no room for this' | head -c 200000; echo clients >>$RAN")
    halt = new_halt(house)
    ask(halt)
    house.until(house.halts)
    assert ran(house) == ["clients"]
    house.until(lambda: halt.status == "shut down: UPS battery low (asked by ups)")
    assert halt.read("error").startswith("shutting down without the ledger: ")


STUCK = """#!/usr/bin/python3
# waits in the kernel for a file system that never answers (FUSE, linux/fuse.h), as on a dead network share
import ctypes, os, struct
libc = ctypes.CDLL(None, use_errno=True)
assert libc.unshare(0x00020000) == 0  # CLONE_NEWNS
assert libc.mount(b"none", b"/", None, 0x00040000 | 0x4000, None) == 0  # MS_PRIVATE | MS_REC
fuse = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0".encode()
assert libc.mount(b"none", b"%(mount)s", b"fuse", 0, options) == 0
if os.fork() == 0:
    os.setsid()
    with open("%(ran)s", "a") as ran:
        print(os.getpid(), file=ran)
    os.close(1), os.close(2)
    unique = struct.unpack_from("<IIQ", os.read(fuse, 1 << 18))[2]
    os.write(fuse, struct.pack("<IiQIIIIHHII", 80, 0, unique, 7, 31, 0, 0, 1, 1, 4096, 1) + bytes(36))
    while True:
        os.read(fuse, 1 << 18)
os.close(fuse)
os.stat("%(mount)s/anything")
"""


@pytest.mark.skipif(os.geteuid() != 0 or not Path("/dev/fuse").exists(), reason="only root may mount, and it takes /dev/fuse")
def test_a_step_that_not_even_kill_ends_is_left_alone(house: House) -> None:
    (house.root / "share").mkdir()
    add_step(house, "50-drives", "").write_text(STUCK % {"mount": house.root / "share", "ran": house.root / "ran"})
    add_step(house, "60-usb", "echo usb >>$RAN")
    halt = new_halt(house, STEP_SECONDS_MAX="2")
    ask(halt)
    try:
        house.until(house.halts, 20)
        assert ran(house)[1:] == ["usb"]
        assert any("not even KILL ended it, left alone after 5." in cause for _, cause in causes(house))
    finally:
        house.until(lambda: ran(house))
        os.kill(int(ran(house)[0]), signal.SIGKILL)


def test_people_are_told_of_a_shutdown_and_of_its_end(house: House) -> None:
    queue = house.root / "var/lib/pimains/notify/queue"
    queue.mkdir(parents=True)
    halt = new_halt(house, HALT_GRACE_SECONDS="3600")
    ask(halt)
    house.until(lambda: "shutting down in" in halt.status)
    (halt.run / "cancel").write_text("stefan\n")
    house.until(lambda: halt.status.startswith("ready; "))
    first, second = [path.read_text().splitlines() for path in sorted(queue.glob("[0-9]*"))]
    assert first[:2] == ["halt", "shutting down: UPS battery low"]
    assert second[:2] == ["halt", "not shutting down: cancelled by stefan"]

"""Whatever goes wrong in a shutdown, the machine goes down, and what went wrong is said."""

import contextlib
import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from tests.core.dead_share import STUCK, needs_fuse
from tests.core.lamp import Checkout
from tests.halt.halting import add_step, ask, cancel, causes, is_alive, is_asked, let_go, new_halt, pause_at, ran
from tests.kit import House, TestInstance


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
    house.until(house.halts)
    assert ran(house)[1:] == ["drives"]
    house.until(lambda: not is_alive(int(ran(house)[0])))
    (cause,) = [cause for action, cause in causes(house) if action == "go on without 20-clients"]
    match = re.fullmatch(r"hung, was stopped after ([0-9.]+) s", cause)
    assert match
    assert float(match[1]) >= 3, "a second, and two more until KILL"


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
    halt.until_logged(
        "20-foreign is not run: not owned by root",
        "30-loose is not run: writable by others than its owner",
        "40-plain is not run: not executable",
    )


def test_a_halt_goes_on_though_its_code_is_gone_from_the_disk_as_it_may_be_amid_an_upgrade(house: House, checkout: Checkout) -> None:
    add_step(house, "50-drives", "echo drives >>$RAN")
    halt = new_halt(house, PYTHONPATH=str(checkout.top / "lib"))
    before = halt.pid
    shutil.rmtree(checkout.top / "lib")
    ask(halt)
    house.until(house.halts)
    assert ran(house) == ["drives"]
    assert halt.pid == before
    halt.until_logged("30-meter done")
    assert "Traceback" not in halt.log


def test_a_step_that_prints_without_end_does_no_harm(house: House) -> None:
    add_step(house, "20-floods", "head -c 40000000 /dev/zero | tr '\\0' 'x'; yes 'line after line' | head -c 10000000; echo the end")
    add_step(house, "30-fails", "head -c 1000000 /dev/urandom; echo; echo at last; exit 1")
    halt = new_halt(house)
    ask(halt)
    house.until(house.halts, 200)
    assert ("go on without 30-fails", "failed (exit 1): at last") in causes(house)
    house.until(lambda: "30-fails failed" in halt.log)
    assert "20-floods: (prints more than is logged)" in halt.log
    assert all(line.isprintable() for line in halt.log.splitlines())
    peak = int(Path(f"/proc/{halt.pid}/status").read_text().split("VmHWM:")[1].split()[0])
    assert peak < 40_000, "kB of memory at most"


def test_one_step_that_prints_much_takes_a_tenth_of_the_log_at_most(house: House) -> None:
    add_step(house, "20-talks", f"yes '{'a long line ' * 20}' | head -n 150")
    halt = new_halt(house)
    ask(halt)
    house.until(house.halts)
    halt.until_logged("20-talks: (prints more than is logged)", "20-talks done")
    assert sum(len(line) + 1 for line in halt.log.splitlines() if "20-talks: " in line) <= 4 * 25_000 / 10


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        ("#!/opt/zsh -f\n", "its interpreter /opt/zsh is not there"),
        ("#!/bin/sh\r\necho hello\r\n", "its first line ends as lines of Windows do, so no interpreter is found"),
        ("#!\n", "its interpreter after #! is not there"),
    ],
)
def test_an_interpreter_that_is_not_there_is_called_that_before_it_matters(house: House, script: str, fault: str) -> None:
    add_step(house, "20-mine", "").write_text(script)
    halt = new_halt(house)
    assert halt.status == f"ready; 20-mine would not be run: {fault}"
    ask(halt)
    house.until(house.halts)
    halt.until_logged(f"20-mine is not run: {fault}")


def test_without_an_upgrade_the_status_says_what_the_first_step_would_wait_for(house: House) -> None:
    go = pause_at(house, "05-update")
    halt = new_halt(house)
    ask(halt)
    wait = "step 05-update: an upgrade, if one is under way, gets at most 600 s"
    house.until(lambda: halt.status == f"shutting down: UPS battery low (asked by ups), {wait}")
    let_go(go)
    house.until(house.halts)


def test_a_grandchild_that_holds_the_pipe_is_not_waited_for(house: House) -> None:
    add_step(house, "20-daemon", "setsid sleep 1000 & echo $! >>$RAN; echo begun")
    halt = new_halt(house)
    ask(halt)
    try:
        house.until(house.halts)
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


def was_replaced(path: Path, by: Path) -> bool:
    """Root has put `by` in its place, unless the service was quicker."""
    path.unlink(missing_ok=True)
    with contextlib.suppress(FileExistsError, NotADirectoryError):
        by.rename(path)
    return not os.path.lexists(by)


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
        house.until(lambda: was_replaced(halt.run / "request", halt.run / ".aside"), what="it to lie there")
        house.until(
            lambda: (halt.run / "request").is_file() and not (halt.run / "request").is_symlink() and not is_asked(halt),
            what="it to be taken away",
        )
        house.until(lambda: not os.path.lexists(halt.run / "accepted"), what="no request")
    house.until(lambda: halt.log.count("is no plain file: ignored") == 5, 10, what=lambda: halt.log)
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
        assert not is_asked(halt)
        assert not (halt.run / "accepted").exists()
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
    cancel(halt, "stefan")
    house.until(lambda: "stefan cancels" in halt.log)
    let_go(go)
    house.until(lambda: halt.pid == 0 and halt.status == "stopped")
    assert house.halts() == []


def test_a_wrong_halt_command_is_said_and_can_be_corrected(house: House) -> None:
    add_step(house, "20-clients", "echo clients >>$RAN")
    halt = new_halt(house, HALT_COMMAND="/sbin/shutdwon -P now")
    missing = (
        f"{halt.directory}/variables/HALT_COMMAND: there is no program '/sbin/shutdwon' (one that is there, such as /sbin/shutdown -P now)"
    )
    assert halt.status == halt.read("unwell") == f"ready; {missing}"
    halt.until_logged(missing)
    ask(halt)
    line = (
        "this machine is not shut down: HALT_COMMAND failed: /sbin/shutdwon: No such file or directory;"
        " trying again in 5 s (UPS battery low (asked by ups))"
    )
    house.until(lambda: halt.status == line)
    assert halt.read("unwell") == line
    house.until(lambda: ("not shut down", line) in causes(house))
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


def test_while_a_halt_command_fails_those_who_would_cut_the_power_are_called_off_and_a_cancel_is_possible(house: House) -> None:
    add_step(house, "20-clients", "echo clients >>$RAN")
    add_step(house, "80-plug", 'echo "plug ${PIMAINS_CALLED_OFF:-told}" >>$RAN')
    halt = new_halt(house, HALT_COMMAND="/bin/false")
    ask(halt)
    house.until(lambda: ran(house)[-2:] == ["plug told", "plug HALT_COMMAND failed (exit 1): it said nothing"] and len(ran(house)) > 4)
    assert ran(house)[0] == "clients"
    assert ran(house).count("clients") == 1
    cancel(halt, "stefan")
    house.until(lambda: halt.status.startswith("ready; the last shutdown was cancelled by stefan"))
    assert ran(house)[-1].startswith("plug HALT_COMMAND failed")


def test_a_halt_command_that_is_ended_by_the_shutdown_it_has_begun_has_done_well_and_no_plug_is_called_off(house: House) -> None:
    add_step(house, "80-plug", 'echo "plug ${PIMAINS_CALLED_OFF:-told}" >>$RAN')
    halt = new_halt(house, HALT_COMMAND="/bin/sh -c 'echo no system bus; kill -TERM $$'")
    ask(halt)
    house.until(lambda: halt.status.startswith("shut down: "))
    assert ran(house) == ["plug told"]
    assert [action for action, _ in causes(house)] == ["shut down"]
    assert "HALT_COMMAND done: ended by the shutdown it has begun" in halt.read("progress")


def test_a_halt_command_that_hangs_is_said(house: House) -> None:
    halt = new_halt(house, HALT_COMMAND="sleep 1000", STEP_SECONDS_MAX="1")
    ask(halt)
    house.until(lambda: "this machine is not shut down: HALT_COMMAND hung, was stopped after " in halt.status)


def test_a_machine_that_is_still_up_long_after_is_told_again(house: House) -> None:
    halt = new_halt(house, PIMAINS_SPEED="200")
    ask(halt)
    house.until(lambda: len(house.halts()) >= 2)
    house.until(lambda: "it is still up 300 s after HALT_COMMAND" in halt.log)


def test_a_log_that_nobody_reads_keeps_no_machine_up(house: House) -> None:
    for number in range(10, 20):
        add_step(house, f"{number}-talks", "yes 'a line that is not read by anybody' | head -c 20000; echo $0 >>$RAN")
    halt = new_halt(house)
    log = TestInstance(house, "halt/log")
    house.until(lambda: log.pid)
    multilog = log.pid
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
    (house.root / "var/lib/pimains/ledger.sqlite").symlink_to("/nowhere/ledger.sqlite")
    ask(halt)
    house.until(house.halts)
    assert ran(house) == ["clients"]
    house.until(lambda: "shutting down without the ledger: unable to open database file" in halt.log)
    assert halt.log.count("without the ledger") == 1


def test_a_ledger_that_the_disk_has_ruined_is_set_aside_and_the_shutdown_is_written_into_a_new_one(house: House) -> None:
    add_step(house, "20-clients", "echo clients >>$RAN")
    halt = new_halt(house)
    ledger = house.root / "var/lib/pimains/ledger.sqlite"
    ledger.write_bytes(b"this is no database" * 100)
    ask(halt)
    house.until(house.halts)
    assert ran(house) == ["clients"]
    assert causes(house) == [("shut down", "UPS battery low (asked by ups)")]
    assert ledger.with_name("ledger.sqlite.corrupt-1").read_bytes() == b"this is no database" * 100
    assert halt.read("error") == (f"the ledger was broken (file is not a database): it is kept as {ledger}.corrupt-1, a new one is begun")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_a_full_disk_keeps_no_machine_up(house: House) -> None:
    fill = (
        f"mount -t tmpfs -o size=64k none {house.root}/var/lib/pimains && mount -t tmpfs -o size=64k none {house.root}/var/log/pimains"
        f" && mkdir -m 777 {house.root}/var/log/pimains/halt"
        f' && for each in lib log; do cat /dev/zero >{house.root}/var/$each/pimains/ballast 2>/dev/null; done; exec "$0" "$@"'
    )
    house.enter = ["unshare", "-m", "--propagation", "private", "sh", "-c", fill]
    add_step(house, "20-clients", "yes 'no room for this' | head -c 200000; echo clients >>$RAN")
    halt = new_halt(house)
    ask(halt)
    house.until(house.halts)
    assert ran(house) == ["clients"]
    house.until(lambda: halt.status == "shut down: UPS battery low (asked by ups)")
    assert halt.read("error").startswith("shutting down without the ledger: ")


@needs_fuse
def test_a_step_that_not_even_kill_ends_is_left_alone(house: House) -> None:
    (house.root / "share").mkdir()
    add_step(house, "50-drives", "").write_text(STUCK % {"mount": house.root / "share", "ran": house.root / "ran"})
    add_step(house, "60-usb", "echo usb >>$RAN")
    halt = new_halt(house, STEP_SECONDS_MAX="2")
    ask(halt)
    try:
        house.until(house.halts)
        assert ran(house)[1:] == ["usb"]
        assert any("not even KILL ended it, left alone after " in cause for _, cause in causes(house))
    finally:
        house.until(lambda: ran(house))
        os.kill(int(ran(house)[0]), signal.SIGKILL)

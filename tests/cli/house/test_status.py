"""pimains status, on real instances under a real svscan."""

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import termios
from collections.abc import Callable
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pytest

from tests.kit import TOP, House, until

COMMAND = ["/usr/bin/python3", "-P", "-m", "pimains.cli", "status"]


def environment(house: House) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(TOP / "lib")}


def status(house: House, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, f"--servicedir={house.scan}", *words], env=environment(house), capture_output=True, text=True, check=False
    )


def as_json(house: House, *words: str) -> dict[str, dict[str, Any]]:
    return {each["instance"]: each for each in json.loads(status(house, "--json", *words).stdout)}


def test_a_row_for_each_instance_and_exit_code_0_when_all_are_well(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    told = status(house)
    assert told.returncode == 0, told
    title, row = told.stdout.splitlines()
    assert title.split() == ["INSTANCE", "SERVICE", "STATE", "STATUS"]
    assert row.split()[:3] == ["halt", "halt", "up"]
    assert row.endswith("ready")
    assert told.stderr == ""


def test_down_on_purpose_is_well_and_killed_ones_say_their_last_words(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    halt.svc("-d")
    house.until(lambda: halt.status == "stopped" and halt.pid == 0)
    told = status(house)
    assert told.returncode == 0, told
    assert "down" in told.stdout.splitlines()[1]
    assert as_json(house)["halt"]["up"] is False


def test_a_wrong_setting_makes_it_unwell(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder, STEP_SECONDS_MAX="soon")
    house.until(lambda: "soon" in halt.read("unwell"))
    told = status(house)
    assert told.returncode == 1
    assert "'soon' is no time in seconds" in told.stdout
    assert "unwell" in told.stdout


def test_a_run_that_cannot_start_is_restarting_again_and_again(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    halt.set("PYTHONPATH", "/nowhere")
    halt.svc("-t")
    house.until(lambda: halt.status == "stopped")
    told = as_json(house)["halt"]
    assert told["troubles"] == ["ends and is restarted again and again: its log says why"]
    assert status(house).returncode == 1


def test_one_that_is_told_to_restart_at_this_moment_is_well(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    for _ in range(5):
        halt.svc("-t")
        told = as_json(house)["halt"]
        assert told["troubles"] == []
    house.until(lambda: as_json(house)["halt"]["status"] == "ready")


def test_a_missing_log_service_and_a_missing_svscan_are_unwell(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    subprocess.run(["svc", "-d", halt.directory / "log"], check=True)
    house.until(lambda: "log service is down" in status(house).stdout)
    shutil.copytree(halt.directory / "variables", house.scan / ".aside/variables")
    (house.scan / ".aside/run").symlink_to(TOP / "services/halt/run")
    elsewhere = house.root / "elsewhere"
    elsewhere.mkdir()
    (house.scan / ".aside").rename(elsewhere / "lonely")
    assert "just made: svscan sees it within 5 s" in status(house, f"--servicedir={elsewhere}").stdout
    os.utime(elsewhere / "lonely", (0, 0))
    told = status(house, f"--servicedir={elsewhere}")
    assert told.returncode == 1
    assert "no supervise runs for it" in told.stdout


def test_other_peoples_services_are_not_ours(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    other = house.root / "other"
    other.mkdir()
    (other / "run").write_text("#!/bin/sh\nexec sleep 1000\n")
    (house.scan / "other").symlink_to(other)
    assert list(as_json(house)) == ["halt"]


def test_control_characters_of_a_device_never_reach_the_terminal(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    halt.svc("-d")  # or it would say again how it is
    house.until(lambda: halt.status == "stopped")
    (halt.run / "status").write_text("ready\x1b[2J\x07 now\nand more")
    told = status(house)
    assert "\x1b" not in told.stdout
    assert told.stdout.splitlines()[1].endswith("ready [2J now and more")


def test_on_a_narrow_terminal_no_row_is_wider_than_it(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    halt.svc("-d")  # or it would say again how it is
    house.until(lambda: halt.status == "stopped")
    (halt.run / "status").write_text("x" * 500)
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    subprocess.run([*COMMAND, f"--servicedir={house.scan}"], env=environment(house), stdin=slave, stdout=slave, check=True)
    os.close(slave)
    said = b""
    with contextlib.suppress(OSError):  # EIO: that was all, and nobody has the terminal open any more
        while True:
            said += os.read(master, 65536)
    os.close(master)
    rows = said.decode().splitlines()
    assert max(len(row) for row in rows) in (39, 40)  # nothing ends with a blank before its …
    assert rows[1].endswith("…")
    assert "x" * 500 in status(house).stdout, "all of it where a program reads"


def test_one_may_ask_for_one_instance_only(house: House) -> None:
    house.add("halt", "one", svscan=False, HALT_COMMAND=house.recorder)
    house.add("halt", "two", HALT_COMMAND=house.recorder)
    assert list(as_json(house, "two")) == ["two"]
    told = status(house, "three")
    assert told.returncode == 1
    assert told.stderr.strip() == f"pimains: no instance 'three' in {house.scan}; there are: one, two"


def test_a_missing_scan_directory_is_one_line(house: House) -> None:
    told = status(house, "--servicedir=/nowhere")
    assert (told.returncode, told.stderr) == (
        1,
        "pimains: /nowhere: no such file or directory (svscan's directory is made by: apt install daemontools-run)\n",
    )


def as_nobody(house: House, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, f"--servicedir={house.scan}", *words],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(house.root / "lib"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        user="nobody",
        cwd="/",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_without_root_it_tells_what_it_can_and_says_what_it_cannot(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    Path(house.root).chmod(0o755)
    # the library from a place that anybody may read
    shutil.copytree(TOP / "lib/pimains", house.root / "lib/pimains", ignore=shutil.ignore_patterns("__pycache__"))
    told = as_nobody(house)
    assert told.returncode == 0, told
    assert re.fullmatch("halt +halt +up [0-9.]+ s +ready", told.stdout.splitlines()[1])
    assert told.stderr == ""
    halt.svc("-d")
    house.until(lambda: halt.pid == 0)
    assert as_nobody(house).stdout.splitlines()[1].split() == ["halt", "halt", "down", "stopped"]
    found = json.loads(as_nobody(house, "--json").stdout)[0]
    assert (found["up"], found["wanted_up"], found["pid"], found["well"]) == (False, None, None, True)
    (halt.run / "alive").unlink()  # as beside a service of a version that had no such file
    told = as_nobody(house)
    assert told.stdout.splitlines()[1].split() == ["halt", "halt", "?", "stopped"]
    assert told.stderr == "Only root may see whether those with ? are up: sudo pimains status\n"


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (Path.mkdir, "is a directory; a setting is a plain file, its value in line 1"),
        (os.mkfifo, "is no plain file; a setting is a plain file, its value in line 1"),
        (lambda path: path.write_text("x" * 1_000_000), "line 1 is longer than 64 kB; a value has at most 4096 characters"),
    ],
    ids=["directory", "fifo", "a megabyte"],
)
def test_a_setting_that_envdir_cannot_hand_over_is_named(house: House, make: Callable[[Path], object], fault: str) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    path = halt.directory / "variables/HALT_GRACE_SECONDS"
    path.unlink()
    make(path)
    halt.svc("-t")
    house.until(lambda: halt.status == "stopped")
    told = status(house)
    assert told.returncode == 1
    assert f"    unwell: {path}: {fault}" in told.stdout.splitlines()
    assert "again and again" not in told.stdout
    if make is os.mkfifo:  # envdir waits for somebody to write into it
        halt.kill()


def test_a_long_explanation_in_a_setting_is_no_fault(house: House) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    halt.set("HALT_GRACE_SECONDS", "0\n" + "x" * 200_000)
    halt.svc("-t")
    house.until(lambda: halt.status == "ready")
    assert status(house).returncode == 0


def in_a_closed_directory(house: House, *words: str) -> subprocess.CompletedProcess[str]:
    """As somebody whose present directory may not be read, not even by its owner."""
    closed = house.root / "closed"
    closed.mkdir(mode=0)
    Path(house.root).chmod(0o755)
    shutil.copytree(TOP / "lib/pimains", house.root / "lib/pimains", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(TOP / "services", house.root / "services")
    shutil.copy(TOP / "create_service", house.root)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(house.root / "lib"), "PYTHONDONTWRITEBYTECODE": "1"}
    # the present directory is entered while that is still allowed
    enter = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    closed.chmod(0o711)
    with subprocess.Popen(
        ["sh", "-c", 'read -r _; exec "$@"', "sh", *enter, *words],
        env=environment,
        cwd=closed,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        closed.chmod(0)
        said, complained = started.communicate("\n")
    return subprocess.CompletedProcess(words, started.returncode, said, complained)


@pytest.mark.parametrize(
    "words", [[*COMMAND], ["/usr/bin/python3", "-P", "-m", "pimains.create_service.command", "--list"]], ids=["status", "list"]
)
def test_the_present_directory_need_not_be_readable(house: House, words: list[str]) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    told = in_a_closed_directory(house, *words, f"--servicedir={house.scan}")
    assert told.returncode == 0, told
    assert told.stdout.splitlines()[-1].split()[:3] == ["halt", "halt", "up"]
    assert "Traceback" not in told.stderr


def supervise_of(directory: Path) -> int:
    """Its process: the parent of what it has started."""

    def says() -> str:
        return subprocess.run(["svstat", directory], capture_output=True, text=True, check=True).stdout

    until(lambda: "(pid " in says(), what=f"{directory} to be up")
    pid = says().split("(pid ")[1].split(")")[0]
    return int(stat_of(pid)[1])


def stat_of(pid: object) -> list[str]:
    """Fields 3 and following of /proc/PID/stat (proc(5)): its state, its parent, ..."""
    return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()


@pytest.mark.parametrize("part", ["", "log"])
@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
def test_a_stopped_supervise_does_not_answer_and_is_unwell(house: House, part: str, is_up: bool) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder)
    house.until(lambda: halt.status == "ready")
    supervise = supervise_of(halt.directory / part)
    if not is_up:
        subprocess.run(["svc", "-d", halt.directory / part], check=True)
        house.until(lambda: as_json(house)["halt"]["up"] is False or part)
    os.kill(supervise, signal.SIGSTOP)
    try:
        until(lambda: stat_of(supervise)[0] == "T", what="supervise to stop")
        told, shown = as_json(house)["halt"], status(house)
        listed = subprocess.run(
            [TOP / "create_service", f"--servicedir={house.scan}", "--list"], capture_output=True, text=True, check=True
        ).stdout
    finally:
        os.kill(supervise, signal.SIGCONT)
    whose = "the supervise of its log" if part else "its supervise"
    assert f"{whose} does not answer: it is stopped (kill -CONT lets it go on)" in told["troubles"]
    assert shown.returncode == 1
    assert f"unwell: {whose} does not answer" in shown.stdout
    assert (told["up"] is None and "supervise does not answer" in listed) or part
    assert status(house).returncode == 0 or (part and not is_up)


def test_the_verb_explains_itself() -> None:
    told = subprocess.run(
        [*COMMAND, "--help"], env={**os.environ, "PYTHONPATH": str(TOP / "lib")}, capture_output=True, text=True, check=True
    )
    assert "--servicedir" in told.stdout

"""Programs that get so many seconds: hooks, units, and whatever else a service starts."""

import os
import re
import signal
import time
from pathlib import Path

import pytest

from pimains.core.clock import SystemClock
from pimains.core.naps import poll
from pimains.core.process.child import Child
from pimains.core.process.program import Beside, Ending, Failed, Programs, run_for
from tests.core.dead_share import needs_fuse, state_of, stuck_program
from tests.kit import to_the_end, until

CLOCK = SystemClock()


def programs(directory: Path, seconds_max: float, said: list[str]) -> Programs:
    return Programs(CLOCK, seconds_max, {"PLACE": str(directory)}, said.append)


def hook(directory: Path, text: str) -> None:
    path = directory / "pre_mount"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def is_gone(pid: int) -> bool:
    return state_of(pid) in ("Z", "")


def test_a_hook_is_run_with_its_environment_and_what_it_prints_is_said(tmp_path: Path) -> None:
    hook(tmp_path, "echo it is at $PLACE; printf 'a line without an end'")
    said: list[str] = []
    to_the_end(programs(tmp_path, 60, said).hook(tmp_path, "pre_mount"))
    assert said == [f"hook pre_mount: it is at {tmp_path}", "hook pre_mount: a line without an end"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("exit 3", "hook pre_mount: exit code 3"),
        ("kill -9 $$", "hook pre_mount: exit code -9"),
        ("echo no; printf 'no drive'; exit 3", "hook pre_mount: no drive"),
        ("exec sleep 1000", "hook pre_mount: not done within 0.2 s, left alone"),
    ],
)
def test_a_hook_that_does_not_do_its_work_fails_and_says_why(text: str, why: str, tmp_path: Path) -> None:
    hook(tmp_path, text)
    with pytest.raises(Failed, match=f"^{re.escape(why)}$"):
        to_the_end(programs(tmp_path, 0.2 if "1000" in text else 60, []).hook(tmp_path, "pre_mount"))


def test_a_hook_that_does_not_obey_term_is_killed_with_what_it_started_after_a_second(tmp_path: Path) -> None:
    hook(tmp_path, "trap '' TERM; sleep 1000 & echo $! >$PLACE/pid; while :; do wait; done")
    began = time.monotonic()
    with pytest.raises(Failed, match="left alone"):
        to_the_end(programs(tmp_path, 0.5, []).hook(tmp_path, "pre_mount"))
    assert time.monotonic() - began >= 1.5
    until(lambda: is_gone(int((tmp_path / "pid").read_text())), what="KILL")


def test_a_hook_that_nobody_waits_for_any_more_is_killed(tmp_path: Path) -> None:
    hook(tmp_path, "echo $$ >$PLACE/pid; exec sleep 1000")
    naps = programs(tmp_path, 60, []).hook(tmp_path, "pre_mount")
    next(naps)
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    naps.close()
    until(lambda: is_gone(int((tmp_path / "pid").read_text())), what="KILL")


@needs_fuse
def test_a_hook_that_not_even_kill_ends_is_left_alone_and_buried_later(tmp_path: Path) -> None:
    with stuck_program(tmp_path) as stuck:
        hook(tmp_path, f"exec {stuck.path}")
        naps = programs(tmp_path, 0.1, []).hook(tmp_path, "pre_mount")
        nap = next(naps)
        pid = stuck.pid()
        with pytest.raises(Failed, match=r"not done within 0\.1 s, left alone"):
            while True:
                nap = naps.send(poll(nap, CLOCK))
        until(lambda: state_of(pid) == "D", what="KILL to do nothing")
        stuck.let_loose()
        until(lambda: state_of(pid) == "Z", what="the program to end")
        Child(["true"], os.environ, print).close()
        assert state_of(pid) == "", "it is no zombie any more"


class Never:
    """A file that never becomes readable."""

    def __init__(self) -> None:
        self._out, self._inward = os.pipe()

    def fileno(self) -> int:
        return self._out


def run(words: list[str], seconds: float = 60) -> tuple[Ending, list[str]]:
    said: list[str] = []
    return to_the_end(run_for(seconds, words, os.environ, said.append, CLOCK, Beside(Never(), lambda: None))), said


def test_how_a_program_ended_is_told_in_words() -> None:
    ending, said = run(["sh", "-c", "echo first; printf last; exit 3"])
    assert (str(ending), said) == ("failed (exit 3): last", ["first", "last"])
    assert str(run(["/nowhere"])[0]) == "failed: /nowhere: No such file or directory"
    assert re.fullmatch(r"done in [0-9.]+ s", str(run(["true"])[0]))
    obeyed, _ = run(["sleep", "1000"], 0.1)
    assert re.fullmatch(r"hung, was stopped after [0-9.]+ s", str(obeyed))
    assert obeyed.exit_code == -signal.SIGTERM
    assert run(["sh", "-c", "kill $$"])[0].by_another


def test_a_program_that_does_not_obey_term_is_killed_after_two_seconds() -> None:
    ending, _ = run(["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], 0.1)
    assert ending.exit_code == -signal.SIGKILL
    assert ending.seconds >= 2.1


def test_a_program_of_a_shutdown_goes_on_when_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    words = ["sh", "-c", f"echo $$ >{tmp_path}/pid; read go <{tmp_path}/go; echo went on >{tmp_path}/done"]
    os.mkfifo(tmp_path / "go")
    naps = run_for(60, words, os.environ, print, CLOCK, Beside(Never(), lambda: None))
    next(naps)
    until((tmp_path / "pid").exists)
    naps.close()
    (tmp_path / "go").write_text("go\n")
    until(lambda: (tmp_path / "done").exists() and (tmp_path / "done").read_text() == "went on\n")


def test_what_is_looked_after_beside_a_program_is_looked_at_whenever_it_is_readable(tmp_path: Path) -> None:
    seen: list[bytes] = []
    outward, inward = os.pipe()
    with os.fdopen(outward, "rb", buffering=0) as watch:
        beside = Beside(watch, lambda: seen.append(watch.read(1)))
        words = ["sh", "-c", f"read go <{tmp_path}/go"]
        os.mkfifo(tmp_path / "go")
        naps = run_for(60, words, os.environ, print, CLOCK, beside)
        nap = next(naps)
        os.write(inward, b"ab")
        while len(seen) < 2:
            nap = naps.send(poll(nap, CLOCK))
        (tmp_path / "go").write_text("go\n")
        with pytest.raises(StopIteration) as end:
            while True:
                nap = naps.send(poll(nap, CLOCK))
    os.close(inward)
    assert end.value.value.is_done
    assert seen == [b"a", b"b"]

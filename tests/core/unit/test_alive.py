"""Whether a service is up, as anybody sees it: a lock of its process, told by fcntl, never taken by who asks."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pimains.core import alive
from tests.kit import TOP, until

# its child, without an exec, goes on when it is killed, and says so
SERVICE = """
import os, sys, time
from pathlib import Path
from pimains.core import alive
alive.hold(Path(sys.argv[1]))
if sys.argv[2] == "forks":
    child = os.fork()
    if not child:
        time.sleep(600)
    print(child, flush=True)
if sys.argv[2] == "becomes":
    alive.keep_as_another_program()
    os.execlp("sh", "sh", "-c", "echo there; sleep 600 & wait")
print("held", flush=True)
time.sleep(600)
"""


@contextmanager
def service(directory: Path, kind: str = "plain") -> Iterator["subprocess.Popen[str]"]:
    words = [sys.executable, "-c", SERVICE, str(directory), kind]
    with subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(TOP / "lib")}, stdout=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def line(started: "subprocess.Popen[str]") -> str:
    assert started.stdout is not None
    return started.stdout.readline().strip()


def test_it_is_up_as_long_as_its_process_lives_whatever_ends_it(tmp_path: Path) -> None:
    assert alive.look(tmp_path / "gone") == (False, 0, None)
    assert alive.look(tmp_path).is_up is None, "started by a version that had no such file"
    with service(tmp_path) as started:
        assert line(started) == "held"
        life = alive.look(tmp_path)
        assert (life.is_up, life.pid) == (True, started.pid)
        assert life.seconds is not None and life.seconds < 60
        started.send_signal(signal.SIGSTOP)
        assert alive.look(tmp_path).is_up, "stopped is there, too"
        started.kill()
        started.wait()
        assert alive.look(tmp_path) == (False, 0, None)


def test_a_child_without_an_exec_that_outlives_it_does_not_keep_it_up(tmp_path: Path) -> None:
    with service(tmp_path, "forks") as started:
        child = int(line(started))
        assert line(started) == "held"
        started.kill()
        started.wait()
        os.kill(child, 0)
        assert alive.look(tmp_path).is_up is False
        os.kill(child, signal.SIGKILL)


def test_one_that_becomes_another_program_is_up_while_that_is(tmp_path: Path) -> None:
    with service(tmp_path, "becomes") as started:
        assert line(started) == "there"
        assert alive.look(tmp_path)[:2] == (True, started.pid)


def test_who_asks_takes_nothing_and_keeps_nobody_from_his_own_lock(tmp_path: Path) -> None:
    for _ in range(3):
        with service(tmp_path) as started:
            assert line(started) == "held"
            for _ in range(100):
                assert alive.look(tmp_path).pid == started.pid
    assert [path.name for path in tmp_path.iterdir()] == ["alive"]


def test_a_stranger_who_may_only_read_the_file_cannot_make_it_seem_up_nor_keep_it_down(tmp_path: Path) -> None:
    with service(tmp_path) as started:
        line(started)
    with (tmp_path / "alive").open() as file:
        fcntl.lockf(file, fcntl.LOCK_SH)
        seen = subprocess.run(
            [sys.executable, "-c", f"from pathlib import Path; from pimains.core import alive; print(alive.look(Path({str(tmp_path)!r})))"],
            env={**os.environ, "PYTHONPATH": str(TOP / "lib")},
            capture_output=True,
            text=True,
            check=True,
        )
        assert seen.stdout == "Life(is_up=False, pid=0, seconds=None)\n"
        with service(tmp_path) as started:
            assert line(started) == "held"
            assert alive.look(tmp_path).pid == started.pid


def test_to_look_at_oneself_lets_nothing_go(tmp_path: Path) -> None:
    look = "import sys; from pathlib import Path; from pimains.core import alive; here = Path(sys.argv[1])\n"
    code = f"{look}alive.hold(here)\nfor _ in range(3): print(alive.look(here).pid, flush=True)\n"
    code += "from pimains.core import state\nprint(state.read(here / 'alive'), flush=True)\nsys.stdin.read()"
    words = [sys.executable, "-c", code, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(TOP / "lib")}
    with subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        assert [line(started) for _ in range(3)] == [str(started.pid)] * 3
        assert line(started) == "None", "who opens and closes his own lets it go"
        assert alive.look(tmp_path).pid == started.pid


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/etc/passwd")], ids=["directory", "fifo", "link"])
def test_what_is_no_file_tells_nothing_and_is_replaced_by_the_next_start(tmp_path: Path, make: object) -> None:
    assert callable(make)
    make(tmp_path / "alive")
    assert alive.look(tmp_path).is_up is None
    with service(tmp_path) as started:
        assert line(started) == "held"
        until(lambda: alive.look(tmp_path).is_up)


def test_how_long_a_process_is_there_is_told_of_those_there_are() -> None:
    assert alive.process_seconds(0) is None
    assert alive.process_seconds(2**22 + 1) is None
    mine = alive.process_seconds(os.getpid())
    assert mine is not None and 0 <= mine < 3600 * 24

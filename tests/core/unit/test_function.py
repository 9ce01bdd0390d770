"""Functions in processes of their own, and one that stands by for its function."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pimains.core.clock import SystemClock
from pimains.core.errors import Away, Misused, Refused, WrongSetting
from pimains.core.process.function import Forked, Standby, leave_alone
from tests.core.dead_share import needs_fuse, state_of, stuck_program
from tests.kit import TOP, is_closed, to_the_end, until


def answer_of(forked: Forked) -> str:
    until(forked.has_ended, what="an answer")
    return forked.answer()


def fails(error: BaseException) -> Callable[[], str]:
    def function() -> str:
        raise error

    return function


def test_a_function_answers_from_a_process_of_its_own() -> None:
    assert answer_of(Forked(lambda: f"{os.getppid()}")) == str(os.getpid())


def test_an_answer_has_all_the_lines_that_the_function_returned() -> None:
    assert to_the_end(Forked(lambda: "a  b\n\nä\n").wait(SystemClock(), 60)) == "a  b\n\nä\n"


def test_what_a_function_raises_is_raised_here() -> None:
    with pytest.raises(OSError, match="No such file"):
        answer_of(Forked(lambda: Path("/nowhere").read_text()))


class Unplugged(Away):
    """An error of some device's."""


@pytest.mark.parametrize(
    ("raised", "kind", "words"),
    [
        (Away("no route"), Away, "no route"),
        (Refused("spam"), Refused, "spam"),
        (WrongSetting("MAIL_TO: gone ä\udcff\nand\x1b more"), WrongSetting, "MAIL_TO: gone ä? and more"),
        (Unplugged("no device"), Away, "no device"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), ConnectionRefusedError, "[Errno 111] Connection refused"),
        (OSError("without a number"), OSError, "[Errno 5] without a number"),
        (Misused("not so"), OSError, "[Errno 5] Misused: not so"),
        (KeyError("oops"), OSError, "[Errno 5] KeyError: 'oops'"),
        (SystemExit("oops"), OSError, "[Errno 5] SystemExit: oops"),
    ],
)
def test_an_error_of_each_kind_comes_out_as_itself_with_its_text(raised: BaseException, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind) as came_out:
        answer_of(Forked(fails(raised)))
    assert (type(came_out.value), str(came_out.value)) == (kind, words)


def test_a_function_that_a_signal_ended_says_which() -> None:
    with pytest.raises(OSError, match=r"^\[Errno 5\] ended by SIGSEGV$"):
        answer_of(Forked(lambda: f"{os.kill(os.getpid(), signal.SIGSEGV)}"))


def test_a_function_that_ends_without_an_answer_is_no_answer() -> None:
    with pytest.raises(OSError, match=r"^\[Errno 5\] it ended without an answer$"):
        answer_of(Forked(lambda: os._exit(0)))


def test_a_function_that_does_not_answer_in_time_is_ended(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    forked = Forked(lambda: f"{note.write_text(f'{os.getpid()}')}{time.sleep(1000)}")
    until(lambda: note.exists() and note.read_text())
    assert to_the_end(forked.wait(SystemClock(), 0.1)) is None
    until(lambda: state_of(int(note.read_text())) in ("Z", ""), what="the function to be ended")


def test_a_function_ends_by_its_own_alarm_when_nobody_waits_for_it() -> None:
    with pytest.raises(TimeoutError, match=r"^\[Errno 110\] no end within 0.3 s$"):
        answer_of(Forked(lambda: f"{time.sleep(1000)}", 0.3))


@pytest.mark.parametrize("how", ["answers", "is let go of", "is ended by its alarm", "fails"])
def test_what_a_function_has_started_ends_with_it_when_it(how: str, tmp_path: Path) -> None:
    outward, inward = os.pipe2(os.O_NONBLOCK)

    def start() -> str:
        subprocess.Popen(["sleep", "1000"], stdout=inward)
        (tmp_path / "started").touch()
        if how == "fails":
            raise Away("no route")
        return "" if how == "answers" else f"{time.sleep(1000)}"

    forked = Forked(start, 1.0 if how == "is ended by its alarm" else 1000, keep=(inward,))
    os.close(inward)
    until((tmp_path / "started").exists)
    if how == "is let go of":
        with pytest.raises(BlockingIOError):
            os.read(outward, 1)
        forked.close()
    else:
        until(forked.has_ended)
        with pytest.raises(BlockingIOError):
            os.read(outward, 1)
        try:
            assert forked.answer() == ""
        except (Away, TimeoutError) as error:
            assert how in ("fails", "is ended by its alarm"), error
    until(lambda: is_closed(outward), what="sleep, which holds the pipe, to be ended")
    os.close(outward)


def test_what_a_function_has_forked_does_not_keep_its_answer_from_coming() -> None:
    def fork_one() -> str:
        if os.fork() == 0:
            time.sleep(1000)
        os._exit(0)

    with pytest.raises(OSError, match="it ended without an answer"):
        answer_of(Forked(fork_one, 1000))


@needs_fuse
def test_a_function_that_not_even_kill_ends_is_left_alone_and_buried_later(tmp_path: Path) -> None:
    with stuck_program(tmp_path) as stuck:
        forked = Forked(lambda: os.execv(stuck.path, [stuck.path]), 1000)
        pid = stuck.pid()
        began = time.monotonic()
        assert to_the_end(forked.wait(SystemClock(), 0.1)) is None
        assert time.monotonic() - began < 30, "it was not waited for"
        until(lambda: state_of(pid) == "D", what="KILL to do nothing")
        stuck.let_loose()
        until(lambda: state_of(pid) == "Z", what="the program to end")
        assert answer_of(Forked(lambda: "")) == ""
        assert state_of(pid) == "", "it is no zombie any more"


NO_ROOM = """
import os, resource, signal
from pimains.core.process.function import Forked, Standby
if os.geteuid() == 0:
    os.setuid(65534)  # root may always start one more
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
before = os.listdir("/proc/self/fd")
for start in (lambda: Forked(lambda: ""), lambda: Standby(lambda: None, lambda _: "")):
    try:
        start()
    except OSError as error:
        print(type(error).__name__, os.listdir("/proc/self/fd") == before, signal.pthread_sigmask(signal.SIG_BLOCK, ()))
"""


def test_where_there_is_no_room_for_another_process_nothing_stays_open_and_signals_are_heard_as_before() -> None:
    said = subprocess.run(
        [sys.executable, "-c", NO_ROOM], env={"PYTHONPATH": str(TOP / "lib")}, capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout == "BlockingIOError True set()\n" * 2


def standby_that_writes(directory: Path) -> Standby:
    """It writes `prepared` at once, and `done` when it may."""

    def note(name: str) -> Callable[..., str]:
        return lambda *words: str((directory / name).write_text("".join(words)))

    standby = Standby(note("prepared"), note("done"))
    until((directory / "prepared").exists)
    return standby


def test_one_that_stands_by_begins_when_it_is_told_to_and_has_prepared_itself_before(tmp_path: Path) -> None:
    standby = standby_that_writes(tmp_path)
    assert not standby.has_ended()
    standby.go("by force /mnt/ä b")
    assert answer_of(standby) == "17"
    assert (tmp_path / "done").read_text() == "by force /mnt/ä b"


def test_one_that_stands_by_and_is_not_needed_ends_without_having_done_anything(tmp_path: Path) -> None:
    standby = standby_that_writes(tmp_path)
    standby.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        standby.go("anything")
    another = Forked(lambda: "")  # what was let go of is buried when the next one begins
    assert answer_of(another) == ""
    assert not (tmp_path / "done").exists()


def test_no_process_keeps_a_file_of_this_one_open(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        standby = Standby(lambda: None, lambda _: str(Path(f"/proc/self/fd/{file.fileno()}").exists()))
        standby.go("now")
        assert answer_of(standby) == "False"
        leave_alone(lambda: (tmp_path / "seen").write_text(str(Path(f"/proc/self/fd/{file.fileno()}").exists())), 60)
        until(lambda: (tmp_path / "seen").exists() and (tmp_path / "seen").read_text())
        assert (tmp_path / "seen").read_text() == "False"


def test_one_that_is_left_alone_ends_by_its_own_alarm(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    leave_alone(lambda: (note.write_text(f"{os.getpid()}"), time.sleep(1000)), 0.5)
    until(lambda: note.exists() and note.read_text())
    until(lambda: state_of(int(note.read_text())) in ("Z", ""), what="its alarm")

"""Stepping a service: what it waits for, how it is told to stop, what it may do for its goodbye."""

import os
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from pimains.core import state
from pimains.core.clock import FakeClock, SystemClock
from pimains.core.instance import Instance
from pimains.core.naps import Naps, Stop, drive, poll, seconds, within


class Pipe:
    """A file to wait for."""

    def __init__(self) -> None:
        self.out, self.inward = os.pipe2(os.O_NONBLOCK)

    def fileno(self) -> int:
        return self.out

    def is_due(self, *, is_signalled: bool) -> bool:
        return is_signalled

    def write(self) -> None:
        os.write(self.inward, b"x")

    def close(self) -> None:
        os.close(self.out)
        os.close(self.inward)


@pytest.fixture
def wakeup() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


@pytest.fixture
def file() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    (tmp_path / "run/pimains/example").mkdir(parents=True)
    return Instance("example", tmp_path / "example", FakeClock())


def test_a_nap_ends_when_its_time_is_over_or_a_file_is_readable(wakeup: Pipe, file: Pipe) -> None:
    clock = SystemClock()
    started = time.monotonic()
    assert poll(within(0.05, file), clock, wakeup) == ()
    assert time.monotonic() - started >= 0.049
    file.write()
    assert poll(within(60, file), clock, wakeup) == (file,)
    wakeup.write()
    assert set(poll(within(60, file), clock, wakeup)) == {file, wakeup}
    assert time.monotonic() - started < 60


def test_no_nap_is_too_long_or_too_short(wakeup: Pipe) -> None:
    wakeup.write()
    for length in (-5, 0, 1e12, float("inf")):
        assert poll(seconds(length), SystemClock(), wakeup) == (wakeup,)


def test_the_service_hears_which_files_are_readable_until_it_ends(wakeup: Pipe, file: Pipe) -> None:
    heard: list[object] = []

    def service() -> Naps:
        heard.append((yield seconds(0)))
        file.write()
        heard.append((yield within(60, file)))

    drive(service(), SystemClock(), wakeup)
    assert heard == [(), (file,)]


def test_told_to_stop_its_finally_runs(wakeup: Pipe) -> None:
    said: list[str] = []

    def service() -> Naps:
        try:
            while True:
                wakeup.write()
                yield seconds(60)
        finally:
            said.append("goodbye")

    drive(service(), SystemClock(), wakeup)
    assert said == ["goodbye"]


def test_a_goodbye_may_yield_on_and_a_second_signal_does_not_cut_it_short(wakeup: Pipe, file: Pipe) -> None:
    said: list[object] = []

    def service() -> Naps:
        try:
            wakeup.write()
            yield seconds(60)
        except Stop:
            wakeup.write()
            said.append((yield seconds(0.01)))
            file.write()
            said.append((yield within(60, file)))

    drive(service(), SystemClock(), wakeup)
    assert said == [(), (file,)]


def test_a_stop_that_came_before_the_first_nap_is_not_lost(wakeup: Pipe) -> None:
    wakeup.write()
    said: list[str] = []

    def service() -> Naps:
        said.append("started")
        try:
            yield seconds(60)
        finally:
            said.append("stopped")

    drive(service(), SystemClock(), wakeup)
    assert said == ["started", "stopped"]


def test_what_goes_wrong_in_a_service_is_not_swallowed(wakeup: Pipe) -> None:
    def service() -> Naps:
        yield seconds(0)
        raise ValueError("no pulse")

    with pytest.raises(ValueError, match="no pulse"):
        drive(service(), SystemClock(), wakeup)


def test_a_service_that_waits_for_a_closed_file_says_goodbye_all_the_same(wakeup: Pipe) -> None:
    said: list[str] = []

    def service(closed: IO[bytes]) -> Naps:
        try:
            yield within(60, closed)
        finally:
            said.append("goodbye")

    with Path("/dev/null").open("rb") as file:
        naps = service(file)
    with pytest.raises(ValueError, match="closed file"):
        drive(naps, SystemClock(), wakeup)
    assert said == ["goodbye"]


def test_well_and_unwell(me: Instance) -> None:
    me.status("no answer from plug.lan", well=False)
    assert (state.read(me.run / "status"), state.read(me.run / "unwell")) == ("no answer from plug.lan", "no answer from plug.lan")
    me.status("wrong key", well=False)
    assert state.read(me.run / "unwell") == "wrong key"
    me.starts()
    assert state.read(me.run / "unwell") == "wrong key", "not well before it says so"
    me.status("connected")
    assert (state.read(me.run / "status"), state.read(me.run / "unwell")) == ("connected", None)


def test_the_same_status_said_again_writes_nothing(me: Instance) -> None:
    me.status("connected")
    os.utime(me.run / "status", (100, 100))
    me.status("connected")
    assert (me.run / "status").stat().st_mtime == 100


def test_an_error_is_logged_and_its_age_is_that_of_the_last_time(me: Instance, capsys: pytest.CaptureFixture[str]) -> None:
    me.complain("no answer")
    os.utime(me.run / "error", (100, 100))
    me.complain("no answer")
    assert (me.run / "error").stat().st_mtime > 100
    assert capsys.readouterr().out == "no answer\nno answer\n"


def test_a_full_disk_is_said_once_and_keeps_no_service_from_its_work(me: Instance, capsys: pytest.CaptureFixture[str]) -> None:
    me.status("connected")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    capture = capsys.disabled()
    with capture:  # what is captured goes to a file, which is full as well
        said: list[str] = []
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("builtins.print", said.append)
                me.status("power on")
                me.status("power off", well=False)
                me.complain("no answer")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, ignored)
    assert said == [f"cannot write to {me.run}: File too large", "no answer"]
    me.status("power on")
    assert state.read(me.run / "status") == "power on"

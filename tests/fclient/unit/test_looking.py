"""Looking at what is mounted, by a clock of the test's own; /proc is mounted everywhere, and never hangs."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.core.clock import FakeClock
from pimains.fclient.looking import Looking
from pimains.shared.fileserver.mount import Mount
from tests.kit import until


class SlowClock(FakeClock):
    """Its children really wait; those that are begun when it `hangs` never come to look."""

    hangs = False
    parent = os.getpid()

    def monotonic(self) -> float:
        if self.hangs and os.getpid() != self.parent:
            signal.pause()
        return super().monotonic()

    def real_seconds(self, seconds: float) -> float:
        return seconds


@pytest.fixture
def clock() -> SlowClock:
    return SlowClock()


@pytest.fixture
def looking(clock: SlowClock) -> Iterator[Looking]:
    looking = Looking(clock, Path("/proc"), "self")
    looking.begin()
    yield looking
    looking.close()


def child_of(looking: Looking) -> int:
    (line,) = [each for each in Path(f"/proc/self/fdinfo/{looking.files[0].fileno()}").read_text().splitlines() if each.startswith("Pid:")]
    return int(line.split()[1])


def test_a_look_that_does_not_end_is_trouble_in_time(looking: Looking, clock: SlowClock) -> None:
    assert looking.trouble() == ""
    os.kill(child_of(looking), signal.SIGSTOP)
    clock.advance(2.5)
    assert looking.trouble() == ""
    assert looking.is_in_doubt
    clock.advance(looking.seconds_left() + 0.01)
    assert looking.trouble() == "no answer for 4.4 s"
    assert looking.is_broken


def test_after_ten_minutes_of_sleep_the_share_is_looked_at_anew_and_soon_given_up(looking: Looking, clock: SlowClock) -> None:
    before = child_of(looking)
    clock.hangs = True
    clock.advance(600)
    assert looking.trouble() == ""
    assert child_of(looking) != before
    clock.advance(2.4)
    assert looking.trouble() == ""
    clock.advance(looking.seconds_left() + 0.01)
    assert looking.trouble() == "no answer for 4.4 s"


def test_after_ten_minutes_of_sleep_a_share_that_answers_stays(looking: Looking, clock: SlowClock) -> None:
    clock.advance(600)
    assert looking.trouble() == ""
    clock.advance(0.2)  # in doubt until it has been seen
    until(lambda: looking.trouble() == "" and not looking.is_in_doubt, 20)
    os.kill(child_of(looking), signal.SIGSTOP)
    for _ in range(4):
        clock.advance(1)
        assert looking.trouble() == ""


def test_a_machine_that_stalls_for_five_seconds_has_seen_nothing_of_its_share(looking: Looking, clock: SlowClock) -> None:
    clock.hangs = True
    clock.advance(5)
    assert looking.trouble() == ""
    clock.advance(2.4)
    assert looking.trouble() == ""


def test_a_look_that_somebody_ended_is_begun_anew_and_says_nothing_of_the_share(looking: Looking) -> None:
    before = child_of(looking)
    os.kill(before, signal.SIGKILL)
    until(lambda: looking.trouble() == "" and child_of(looking) != before, 20)


def test_a_marker_that_is_gone_is_no_share_that_hangs(clock: SlowClock) -> None:
    looking = Looking(clock, Path("/proc"), "no-such-file")
    looking.begin()
    until(lambda: looking.trouble() == "no such file or directory", 20)
    assert not looking.is_broken
    looking.close()


def test_what_is_not_mounted_any_more_is_said(clock: SlowClock, tmp_path: Path) -> None:
    looking = Looking(clock, tmp_path, "")
    looking.begin()
    until(lambda: looking.trouble() == "nothing is mounted there any more", 20)
    looking.close()


@pytest.mark.parametrize(
    ("source", "options", "address"),
    [
        ("music.lan:/MDrive", "rw,vers=4.2,clientaddr=10.0.0.2,addr=10.0.0.1", "10.0.0.1"),
        ("//music/share", "rw,addr=10.0.0.1", "10.0.0.1"),
        ("pi@10.0.0.1:/MDrive", "rw,user_id=0", "10.0.0.1"),
        ("10.0.0.1:/MDrive", "rw", "10.0.0.1"),
        ("[fd00::1]:/MDrive", "rw", "fd00::1"),
        ("//10.0.0.1/share", "rw", "10.0.0.1"),
        ("pi@music.lan:/MDrive", "rw", ""),
        ("/dev/sda1", "rw", ""),
        ("tmpfs", "rw", ""),
    ],
)
def test_where_a_share_comes_from_is_known_from_the_kernels_list(source: str, options: str, address: str) -> None:
    assert Mount(Path("/MDrive"), "any", source, of_file_system=options).address == address

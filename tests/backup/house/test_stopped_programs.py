"""A program of a backup ends when the backup is told to stop, also one that would not."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from pimains.backup.program import BackupProgram, Interrupted
from tests.core.dead_share import needs_fuse, state_of, stuck_program
from tests.kit import until


@pytest.fixture
def stop() -> Iterator[IO[bytes]]:
    """Readable: somebody stops the backup."""
    outward, inward = os.pipe()
    os.close(inward)
    with os.fdopen(outward, "rb") as readable:
        yield readable


def stopped(words: list[str], stop: IO[bytes]) -> float:
    """Seconds until it was let go of, once it has said that it is ready."""
    with pytest.raises(Interrupted, match="stopped half-way"), BackupProgram(words) as program:
        assert next(program.says(None)) == (b"ready\n", b"")
        began = time.monotonic()
        list(program.says(stop))
    return time.monotonic() - began


def test_a_program_that_obeys_term_ends_at_once(stop: IO[bytes]) -> None:
    assert stopped(["sh", "-c", "echo ready; exec sleep 1000"], stop) < 5


def test_a_program_that_does_not_obey_term_is_killed(stop: IO[bytes], tmp_path: Path) -> None:
    words = ["sh", "-c", f"trap '' TERM; echo $$ >{tmp_path}/pid; echo ready; while :; do sleep 0.1; done"]
    assert 5 <= stopped(words, stop) < 60
    assert state_of(int((tmp_path / "pid").read_text())) == ""


def test_the_others_that_belong_to_a_program_are_waited_for_while_they_tidy_up(stop: IO[bytes], tmp_path: Path) -> None:
    done = tmp_path / "done"
    stopped(["sh", "-c", f"(echo ready; sleep 2; touch {done}) & trap 'exit 1' TERM; wait"], stop)
    assert done.exists()


@needs_fuse
def test_a_program_that_not_even_kill_ends_is_left_alone(stop: IO[bytes], tmp_path: Path) -> None:
    with stuck_program(tmp_path) as stuck:
        with pytest.raises(Interrupted), BackupProgram([str(stuck.path)]) as program:
            pid = stuck.pid()
            began = time.monotonic()
            list(program.says(stop))
        assert time.monotonic() - began < 60
        until(lambda: state_of(pid) == "D", what="KILL to do nothing")

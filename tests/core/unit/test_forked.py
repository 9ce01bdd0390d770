"""Functions in processes of their own, and one that stands by for its function."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pimains.core.process.function import Forked, Standby
from tests.kit import until


def answer_of(forked: Forked) -> str:
    until(forked.has_answered, what="an answer")
    return forked.answer()


def test_a_function_answers_from_a_process_of_its_own() -> None:
    assert answer_of(Forked(lambda: f"{os.getppid()}")) == str(os.getpid())


def test_what_a_function_raises_is_raised_here() -> None:
    with pytest.raises(OSError, match="No such file"):
        answer_of(Forked(lambda: Path("/nowhere").read_text()))


def standby_that_writes(directory: Path) -> Standby:
    """It writes `prepared` at once, and `done` when it may."""

    def note(name: str) -> Callable[..., str]:
        return lambda *words: str((directory / name).write_text("".join(words)))

    standby = Standby(note("prepared"), note("done"))
    until((directory / "prepared").exists)
    return standby


def test_one_that_stands_by_begins_when_it_is_told_to_and_has_prepared_itself_before(tmp_path: Path) -> None:
    standby = standby_that_writes(tmp_path)
    assert not standby.has_answered()
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

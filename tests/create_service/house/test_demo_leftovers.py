"""What a demo that was killed has left is found by its directory, and nothing else is taken for it."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.house import demo_leftovers
from tests.kit import until


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where demos have their directories."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path


def left(temporary: Path) -> Path:
    """A directory as one that was killed leaves it."""
    made = temporary / f"{demo_leftovers.PREFIX}killed"
    made.mkdir()
    (made / "processes").touch()
    return made


def test_a_demo_that_goes_on_is_left_alone(temporary: Path) -> None:
    with demo_leftovers.directory() as one:
        sleeper = subprocess.Popen(demo_leftovers.noted(one, "sleep", "100"))
        assert demo_leftovers.clear_others() == 0
        with demo_leftovers.directory() as other:
            assert one.is_dir()
            assert other != one
        assert sleeper.poll() is None
    assert sleeper.wait(10) != 0
    assert list(temporary.iterdir()) == []


def test_what_one_that_was_killed_has_started_is_ended(temporary: Path) -> None:
    directory = left(temporary)
    noted = subprocess.Popen(demo_leftovers.noted(directory, "sleep", "100"))
    # as a service under supervise: it stands in no list
    marked = subprocess.Popen(["sleep", "100"], env={**os.environ, demo_leftovers.MARK: str(directory)})
    until(lambda: (directory / "processes").read_text() == f"{noted.pid} {demo_leftovers.began(noted.pid)}\n")
    assert demo_leftovers.clear_others() == 1
    assert noted.wait(10) != 0
    assert marked.wait(10) != 0
    assert not directory.exists()


def test_a_process_that_came_by_the_id_of_one_of_its_own_later_is_left_alone(temporary: Path) -> None:
    directory = left(temporary)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as another:
        begun = demo_leftovers.began(another.pid)
        assert begun is not None
        (directory / "processes").write_text(f"{another.pid} {begun - 1}\n")
        assert demo_leftovers.clear_others() == 1
        assert another.poll() is None
        assert not directory.exists()


def test_a_directory_that_no_demo_has_made_and_a_link_are_left_alone(temporary: Path) -> None:
    (temporary / "pimains-demo-of-somebody").mkdir()
    elsewhere = left(temporary).rename(temporary / "elsewhere")
    (temporary / "pimains-demo-link").symlink_to(elsewhere)
    assert demo_leftovers.clear_others() == 0
    assert elsewhere.is_dir()
    assert len(list(temporary.iterdir())) == 3

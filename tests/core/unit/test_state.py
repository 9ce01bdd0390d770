"""State files: whole or not at all, whatever else lies in their place."""

import os
import resource
import select
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pimains.core import state


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow: as on a full disk, every write of a byte fails with OSError."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_what_was_written_is_read_and_nobody_else_may_write_it(tmp_path: Path) -> None:
    state.write(tmp_path / "mode", "auto on")
    assert state.read(tmp_path / "mode") == "auto on"
    assert (tmp_path / "mode").read_text() == "auto on\n"
    assert (tmp_path / "mode").stat().st_mode & 0o777 == 0o644


def test_a_reader_never_sees_half_of_a_value(tmp_path: Path) -> None:
    values = {"a" * 30000, "b" * 30000}
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            for value in values:
                state.write(tmp_path / "value", value)

    writer = threading.Thread(target=write)
    state.write(tmp_path / "value", "a" * 30000)
    writer.start()
    try:
        assert all(state.read(tmp_path / "value") in values for _ in range(1000))
    finally:
        ended.set()
        writer.join()


def test_on_a_full_disk_the_old_value_stands_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    state.write(tmp_path / "mode", "old", durable=True)
    with full_disk(), pytest.raises(OSError, match="File too large"):
        state.write(tmp_path / "mode", "new")
    assert state.read(tmp_path / "mode") == "old"
    assert os.listdir(tmp_path) == ["mode"]


def test_a_value_is_written_whatever_lies_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    for name in ("link", ".link.aside"):
        (tmp_path / name).symlink_to("precious")
    os.mkfifo(tmp_path / "fifo")
    for name in ("link", "fifo"):
        state.write(tmp_path / name, "value")
        assert state.read(tmp_path / name) == "value"
    assert (tmp_path / "precious").read_text() == "precious"


def test_what_lies_where_a_value_is_written_aside_is_neither_followed_nor_waited_for(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / f".one.{os.getpid()}").symlink_to(tmp_path / "precious")
    os.mkfifo(tmp_path / f".two.{os.getpid()}")
    for name in ("one", "two"):
        state.write(tmp_path / name, "value")
        assert state.read(tmp_path / name) == "value"
    assert (tmp_path / "precious").read_text() == "precious"


def test_links_fifos_and_directories_are_no_values(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "link").symlink_to("secret")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "directory").mkdir()
    for name in ("link", "fifo", "directory", "nothing", "secret/below"):
        assert state.read(tmp_path / name) is None, name


def test_no_more_than_64_kib_are_read_and_no_byte_is_too_odd(tmp_path: Path) -> None:
    (tmp_path / "huge").write_bytes(b"x" * 1_000_000)
    assert state.read(tmp_path / "huge") == "x" * 65536
    (tmp_path / "odd").write_bytes(b"\xff\xfe on \n")
    assert state.read(tmp_path / "odd") == "\ufffd\ufffd on"


@pytest.mark.parametrize("name", ["status", f".status.{os.getpid()}"], ids=["its place", "the name that it is written under"])
def test_a_directory_in_the_place_of_a_value_is_set_aside_and_nothing_in_it_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    for number in (1, 2):
        (tmp_path / name).mkdir()
        (tmp_path / name / "somebody's").write_text(f"{number}\n")
        state.write(tmp_path / "status", "ready")
        assert state.read(tmp_path / "status") == "ready"
        kept = tmp_path / f".{name}.set-aside-{number}"
        assert (kept / "somebody's").read_text() == f"{number}\n"
        assert capsys.readouterr().err == f"{tmp_path / name} was not what belongs there: it is kept as {kept}\n"
        state.remove(tmp_path / "status")


def test_an_empty_directory_in_the_place_of_a_value_just_goes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "status").mkdir()
    state.write(tmp_path / "status", "ready")
    state.remove(tmp_path / "status")
    (tmp_path / "status").mkdir()
    state.remove(tmp_path / "status")
    assert (list(tmp_path.iterdir()), capsys.readouterr().err) == ([], "")


def test_an_age_is_never_negative(tmp_path: Path) -> None:
    assert state.age(tmp_path / "value", 100) is None
    state.write(tmp_path / "value", "1")
    os.utime(tmp_path / "value", (100, 100))
    assert state.age(tmp_path / "value", 160) == 60
    assert state.age(tmp_path / "value", 40) == 0, "the clock was set back"


def readable(watch: state.Watch) -> bool:
    return bool(select.select([watch], [], [], 0)[0])


def test_a_watch_tells_what_was_written_removed_or_echoed(tmp_path: Path) -> None:
    state.write(tmp_path / "removed", "1")
    watch = state.Watch(tmp_path)
    assert not readable(watch)
    state.write(tmp_path / "written", "1")
    state.remove(tmp_path / "removed")
    subprocess.run(["/bin/sh", "-c", "echo 1 >echoed"], cwd=tmp_path, check=True)
    assert readable(watch)
    assert watch.changed() == {"written", "removed", "echoed"}
    assert not readable(watch)
    assert watch.changed() == set()
    watch.close()
    watch.close()


def test_after_more_changes_than_the_kernel_remembers_every_file_may_have_changed(tmp_path: Path) -> None:
    state.write(tmp_path / "a", "1")
    state.write(tmp_path / "b", "1")
    watch = state.Watch(tmp_path)
    queued = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for number in range(queued + 1):  # equal events in a row count as one
        os.utime(tmp_path / ("a" if number % 2 else ".other"), (0, 0)) if number > 1 else (tmp_path / ".other").touch()
    state.write(tmp_path / "b", "2")
    assert "b" in watch.changed()
    watch.close()


def test_a_watch_on_several_directories_tells_in_which_something_changed(tmp_path: Path) -> None:
    for name in ("3", "4"):
        (tmp_path / name).mkdir()
    watch = state.Watch(tmp_path)
    watch.also(tmp_path / "3", "3/")
    watch.also(tmp_path / "4", "4/")
    (tmp_path / "4/PIN").write_text("17\n")
    state.write(tmp_path / "3/NAME", "boiler")
    assert watch.changed() == {"3/NAME", "4/PIN"}
    (tmp_path / "4/PIN").unlink()
    (tmp_path / "4").rmdir()
    assert watch.changed() == {"4", "4/PIN", "4/."}
    watch.close()


def test_a_watch_tells_when_its_directory_goes_away(tmp_path: Path) -> None:
    (tmp_path / "variables").mkdir()
    watch = state.Watch(tmp_path / "variables")
    (tmp_path / "variables").rename(tmp_path / "other")
    assert watch.changed() == {"."}
    (tmp_path / "other").rmdir()
    assert watch.changed() == {"."}
    watch.close()


def test_a_directory_that_is_not_there_cannot_be_watched(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        state.Watch(tmp_path / "nowhere")

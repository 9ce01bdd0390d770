"""Posting a message: one small file, and never trouble for the service that posts."""

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimains.core import notify_queue


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    notify_queue.queue().mkdir(parents=True)
    return notify_queue.queue()


def test_a_message_is_one_file_that_nobody_else_may_write(queue: Path) -> None:
    notify_queue.post("Power is away", "since now\non battery", "On battery")
    (name,) = notify_queue.waiting()
    assert (queue / name).read_text() == "on-battery\nPower is away\nsince now\non battery\n"
    assert (queue / name).stat().st_mode & 0o777 == 0o644
    assert notify_queue.read(name) == notify_queue.Post("on-battery", "Power is away", "since now\non battery")


def test_messages_are_fetched_in_the_order_they_were_posted(queue: Path) -> None:
    for number in range(20):
        notify_queue.post(str(number), "", "count")
    assert [notify_queue.read(name).subject for name in notify_queue.waiting()] == [str(number) for number in range(20)]  # type: ignore[union-attr]


def test_a_full_queue_drops_the_oldest_and_counts_them(queue: Path) -> None:
    for number in range(notify_queue.QUEUE_ROOM + 7):
        notify_queue.post(str(number), "", "count")
    assert len(notify_queue.waiting()) == notify_queue.QUEUE_ROOM
    assert notify_queue.read(notify_queue.waiting()[0]).subject == "7"  # type: ignore[union-attr]
    assert (notify_queue.directory() / "dropped").stat().st_size == 7


def test_two_posters_at_once_drop_and_count_each_message_once(queue: Path) -> None:
    def flood() -> None:
        for number in range(notify_queue.QUEUE_ROOM):
            notify_queue.post(str(number), "", "count")

    posters = [threading.Thread(target=flood) for _ in range(3)]
    for poster in posters:
        poster.start()
    for poster in posters:
        poster.join()
    left, dropped = len(notify_queue.waiting()), (notify_queue.directory() / "dropped").stat().st_size
    assert left + dropped == 3 * notify_queue.QUEUE_ROOM
    assert left <= notify_queue.QUEUE_ROOM


def test_without_a_notify_service_it_is_said_once_and_the_caller_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    monkeypatch.setattr(notify_queue, "_said", "")
    notify_queue.post("Power is\naway", "", "power")
    notify_queue.post("Power is away", "", "power")
    assert capsys.readouterr().out == "nobody is told (there is no notify service): Power is away\n"


def test_a_queue_that_cannot_be_written_is_said_and_the_caller_goes_on(queue: Path, capsys: pytest.CaptureFixture[str]) -> None:
    queue.rmdir()
    queue.write_text("not a directory")
    notify_queue.post("Power is away", "", "power")
    assert capsys.readouterr().out == "nobody is told (Not a directory): Power is away\n"


def test_a_message_torn_by_a_power_cut_is_none(queue: Path) -> None:
    (queue / "torn").write_bytes(b"")
    assert notify_queue.read("torn") is None
    assert notify_queue.read("gone") is None


def test_nothing_but_a_file_is_read_from_the_queue(queue: Path) -> None:
    os.mkfifo(queue / "fifo")
    (queue / "link").symlink_to("/etc/hostname")
    assert notify_queue.read("fifo") is None
    assert notify_queue.read("link") is None


@settings(max_examples=30)
@given(subject=st.text(), body=st.text(), event=st.text())
def test_any_text_may_be_posted_and_comes_out_bounded(
    subject: str, body: str, event: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    os.environ["PIMAINS_ROOT"] = str(tmp_path_factory.mktemp("root"))
    try:
        notify_queue.queue().mkdir(parents=True)
        got = notify_queue.read(notify_queue.put(subject, body, event))
    finally:
        del os.environ["PIMAINS_ROOT"]
    assert got is not None
    assert got.subject.isprintable()
    assert 0 < len(got.subject) <= 300
    assert got.event == notify_queue.event_name(got.event)
    assert len(got.body) <= 8000

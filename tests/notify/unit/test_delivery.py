"""Deliveries: each in a process of its own, whatever becomes of it."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pimains.core.errors import Away, Refused, WrongSetting
from pimains.notify.address import AWAY, DONE, REFUSED, SETTING, Address, Outcome, Words
from tests.kit import TOP, is_closed, until

WORDS = Words("1", "host", "subject", "body", 0.0)


def fails(error: Exception) -> Callable[[], None]:
    def job() -> None:
        raise error

    return job


def outcome(job: Callable[[], None], seconds_max: float = 10) -> Outcome:
    address = Address("id", "name", lambda _: job())
    address.start(WORDS, seconds_max)
    ended: list[Outcome | None] = []
    until(lambda: ended.append(address.ended(0.0)) or ended[-1])
    assert ended[-1]
    return ended[-1]


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        (lambda: None, Outcome(DONE, "")),
        (fails(Away("no route")), Outcome(AWAY, "no route")),
        (fails(Refused("spam")), Outcome(REFUSED, "spam")),
        (fails(WrongSetting("MAIL_TO: gone ä\udcff")), Outcome(SETTING, "MAIL_TO: gone ä?")),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), Outcome(AWAY, "ended by SIGSEGV")),
    ],
)
def test_the_exception_of_a_job_is_its_outcome(job: Callable[[], None], expected: Outcome) -> None:
    assert outcome(job) == expected


DEFECT = """
import select
from pimains.notify.address import Address, Words
address = Address("id", "name", lambda words: {}["oops"])
address.start(Words("1", "host", "subject", "body", 0.0), 10)
while not (outcome := address.ended(0.0)):
    select.select([address.delivery], [], [])
print(outcome)
"""


def test_a_defect_in_a_job_is_in_the_log_and_in_its_words() -> None:
    said = subprocess.run(
        [sys.executable, "-c", DEFECT], env={"PYTHONPATH": str(TOP / "lib")}, capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout == "Outcome(kind='away', words=\"KeyError: 'oops'\")\n"
    assert "Traceback" in said.stderr


def test_a_job_that_hangs_is_ended_with_what_it_started() -> None:
    with tempfile.TemporaryDirectory() as directory:
        fifo = Path(directory) / "fifo"
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        assert outcome(lambda: hang(fifo), 2) == Outcome(AWAY, "no end within 2 s")
        assert os.read(reader, 100) == b"started"
        until(lambda: is_closed(reader), what="sleep, which holds the FIFO, to be ended")
        os.close(reader)


def hang(fifo: Path) -> None:
    with fifo.open("wb") as file:
        file.write(b"started")
        file.flush()
        subprocess.run(["sleep", "1000"], stdout=file, check=False)


def test_signals_for_a_delivery_are_not_taken_for_the_services() -> None:
    wakeup, inward = os.pipe2(os.O_NONBLOCK)
    before = signal.set_wakeup_fd(inward)
    try:
        assert outcome(lambda: os.kill(os.getpid(), signal.SIGTERM)) == Outcome(AWAY, "ended by SIGTERM")
        with pytest.raises(BlockingIOError):
            os.read(wakeup, 1)
    finally:
        signal.set_wakeup_fd(before)
        os.close(wakeup)
        os.close(inward)

"""What the tests of the halt service have in common: steps, requests, and what came of them."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pimains.core.ledger import Ledger
from pimains.shared import kept_file
from tests.kit import House, TestInstance


def new_halt(house: House, **variables: str) -> TestInstance:
    halt = house.add("halt", HALT_COMMAND=variables.pop("HALT_COMMAND", house.recorder), **variables)
    house.until(lambda: halt.status.startswith("ready"))
    return halt


def add_step(house: House, name: str, script: str) -> Path:
    """An administrator's step; what it writes to $RAN is seen by `ran`."""
    directory = house.root / "etc/pimains/halt.d"
    directory.mkdir(mode=0o755, exist_ok=True)
    path = directory / name
    path.write_text(f"#!/bin/sh\nRAN={house.root}/ran\n{script}\n")
    path.chmod(0o755)
    return path


def ran(house: House) -> list[str]:
    path = house.root / "ran"
    return path.read_text().splitlines() if path.exists() else []


def ask(halt: TestInstance, text: str = "UPS battery low\nups\n") -> None:
    """As a user would, with echo."""
    (halt.run / "request").write_text(text)


def is_asked(halt: TestInstance) -> bool:
    """Whether a request waits to be taken."""
    return kept_file.asked(halt.run / "request") is not None


def cancel(halt: TestInstance, who: str) -> None:
    """As a user would, with echo."""
    (halt.run / "cancel").write_text(f"{who}\n")


def causes(house: House) -> list[tuple[str, str]]:
    """The ledger's entries about halt, oldest first."""
    return [(e.action, e.cause) for e in reversed(Ledger(house.root / "var/lib/pimains/ledger.sqlite").entries("halt"))]


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie that nobody has fetched does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def pause_at(house: House, name: str) -> int:
    """A step that writes its name to $RAN and goes on when it is let go, as often as it was begun."""
    go = house.root / f"go-{name}"
    os.mkfifo(go)
    # open for writing all the time: a line is for one reader, and what another one would get else is the end of the file
    fifo = os.open(go, os.O_RDWR)
    house.closing.callback(os.close, fifo)
    add_step(house, name, f"echo {name} >>$RAN; read x <{go}")
    return fifo


def let_go(fifo: int) -> None:
    os.write(fifo, b"\n")


@contextmanager
def upgrade(house: House) -> Iterator["subprocess.Popen[bytes]"]:
    """What an upgrade leaves while it runs: a lock that is held, and a note of what it does."""
    directory = house.root / "run/pimains-update/update"
    directory.mkdir(parents=True)
    job = house.root / "var/lib/pimains/update/job"
    job.parent.mkdir()
    job.write_text("change\tmpd\t1\t2\nchange\tlibmpd\t1\t2\nfailed\talpha\twhy\n")
    with subprocess.Popen(["flock", "--no-fork", directory / "lock", "sleep", "1000"]) as process:
        house.until(lambda: subprocess.run(["flock", "-n", directory / "lock", "true"], check=False).returncode)
        try:
            yield process
        finally:
            process.kill()

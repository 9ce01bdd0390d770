#!/usr/bin/env python3
"""Several processes that write into one ledger and read it while it is ruined, locked and without room: is a row lost in silence?

    sudo tests/core/bench/ledger_stress.py [ROUNDS]

In each round (30 of each kind) five processes record for most of a second, and a third of it after they began something is done to the
ledger. A row counts as lost if its `record` began after that and returned, and the ledger does not have it: whoever was told by an
exception knows. `locked`: another process has it for 6 s, longer than anybody waits, in a round for each ten. `full`: no room on its disk.
"""

import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from pimains.core.ledger import Ledger  # noqa: E402  # only findable now

_WRITERS = 5
_PAGE = 4096
_LOCKED_SECONDS = 6.0
_Doing = Callable[[Path], None]


def main() -> None:
    """Do it, and print what became of the rows."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    for name, do, seconds, count in (
        ("a page ruined", _ruin_page, 0.7, rounds),
        ("its beginning ruined", _ruin_beginning, 0.7, rounds),
        ("locked", _lock, _LOCKED_SECONDS + 1, max(1, rounds // 10)),
        ("full", _fill, 0.7, rounds),
    ):
        found: Counter[str] = Counter()
        for number in range(count):
            with _disk() as top:
                found += _round(top, do, seconds, random.Random(number))
        told = ", ".join(f"{times} x {what}" for what, times in sorted(found.items()) if what not in ("written", "lost"))
        print(f"{name}: {found['written']} rows written, {found['lost']} lost in silence; told: {told or 'nothing'}")


@contextlib.contextmanager
def _disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as name:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", name], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=True)


def _round(top: Path, do: _Doing, seconds: float, luck: random.Random) -> Counter[str]:
    ledger = Ledger(top / "ledger.sqlite", tell=_heard)
    ledger.write_down([ledger.row(f"old {number % 7}", "on", "x" * 300) for number in range(300)])
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as notes:
        until = time.monotonic() + 0.25 + seconds
        writers = [_writer(ledger, Path(notes) / str(number), until) for number in range(_WRITERS)]
        time.sleep(0.25)
        random.seed(luck.random())
        begun = time.monotonic()
        do(ledger.path)
        for pid in writers:
            os.waitpid(pid, 0)
        (top / "fill").unlink(missing_ok=True)
        have = {entry.action for entry in ledger.entries(limit=10**6)}
        found: Counter[str] = Counter()
        for note in Path(notes).iterdir():
            for line in note.read_text().splitlines():
                at, _, what = line.partition(" ")
                if not what.startswith(f"{note.name}."):
                    found[what] += 1
                elif float(at) > begun:
                    found["written"] += 1
                    found["lost"] += what not in have
    return found


def _writer(ledger: Ledger, note: Path, until: float) -> int:
    if pid := os.fork():
        return pid
    number = 0
    with note.open("w", buffering=1) as notes:
        while time.monotonic() < until:
            number += 1
            at, what = time.monotonic(), f"{note.name}.{number}"
            try:
                ledger.record(f"subject {note.name}", what, "a test")
                ledger.entries("old 1") if number % 3 == 0 else None
            except (OSError, sqlite3.Error) as error:
                what = str(error)
            notes.write(f"{at} {what}\n")
            time.sleep(random.uniform(0, 0.01))
    os._exit(0)


def _heard(line: str) -> None:
    """That it was begun anew is what it is about."""


def _ruin_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(_PAGE * random.randrange(1, path.stat().st_size // _PAGE - 2))
        file.write(os.urandom(_PAGE))


def _ruin_beginning(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"no database" * 20)


def _lock(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, timeout=_LOCKED_SECONDS)) as connection:
        connection.execute("begin exclusive")
        time.sleep(_LOCKED_SECONDS)


def _fill(path: Path) -> None:
    with contextlib.suppress(OSError), (path.parent / "fill").open("wb", buffering=0) as fill:
        while True:
            fill.write(bytes(_PAGE))


if __name__ == "__main__":
    main()

"""An attacker: a process of user pimains, or of a member of the group, that does to the files of the services all that it may.

    python3 attacker.py ROOT OUTSIDE SECONDS SEED

It puts links, FIFOs and directories in the place of what it finds, writes into every file and FIFO, takes every lock, moves
directories away and back, below ROOT/run and ROOT/var/lib. OUTSIDE is where its links lead to. It prints how often the system let it.
"""

import fcntl
import os
import random
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

LINES = "{outside}\ncron ssh\nboot 00000000-0000-0000-0000-000000000000\nchange\tmpd\t1\t2\n{outside}/file\n80-plug started\n1 1 1\n"


class Attacker:
    """`outside` has a `file` and a `directory`."""

    def __init__(self, root: Path, outside: Path, seed: int) -> None:
        self.tops = [root / "run", root / "var/lib"]
        self.outside = outside
        self.random = random.Random(seed)  # no cryptography
        self.locks: list[int] = []
        self.succeeded: dict[str, int] = {}
        self.ways: list[Callable[[Path], None]] = [
            self.link_to_the_file,
            self.link_to_the_directory,
            self.hard_link,
            self.fifo,
            self.directory,
            self.move_away,
            self.write,
            self.lock,
            self.change_mode,
            self.leave,
            self.journal,
        ]

    def attack(self, seconds: float) -> None:
        """Anything, anywhere, as often as it can."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for place in self.places():
                way = self.random.choice(self.ways)
                with suppress(OSError):
                    way(place)
                    self.succeeded[way.__name__] = self.succeeded.get(way.__name__, 0) + 1
                time.sleep(0.0005)

    def places(self) -> list[Path]:
        """Everything that is there now, and names that services use, in every directory."""
        found = [Path(top, name) for above in self.tops for top, names, files in os.walk(above) for name in (*names, *files)]
        names = (
            "holds",
            "accepted",
            "progress",
            "boot",
            "job",
            "armed",
            "queue",
            "orders",
            "ledger.sqlite",
            "backup.lock",
            "status",
            "dropped",
        )
        found += [place / self.random.choice(names) for place in found if os.path.isdir(place)]  # noqa: PTH112  # pathlib's raises where it may not look
        self.random.shuffle(found)
        return found[:200]

    def aside(self, path: Path) -> Path:
        return path.with_name(f".{self.random.random()}")

    def replace(self, path: Path, make: Callable[[Path], None]) -> None:
        aside = self.aside(path)
        make(aside)
        try:
            if os.path.isdir(path) and not path.is_symlink():  # noqa: PTH112
                path.rename(self.aside(path))
            aside.rename(path)
        except OSError:
            with suppress(OSError):
                aside.rmdir() if aside.is_dir() and not aside.is_symlink() else aside.unlink()
            raise

    def link_to_the_file(self, path: Path) -> None:
        self.replace(path, lambda aside: aside.symlink_to(self.outside / "file"))

    def link_to_the_directory(self, path: Path) -> None:
        self.replace(path, lambda aside: aside.symlink_to(self.outside / "directory"))

    def hard_link(self, path: Path) -> None:
        self.replace(path, lambda aside: aside.hardlink_to(self.outside / "file"))

    def fifo(self, path: Path) -> None:
        self.replace(path, lambda aside: os.mkfifo(aside, 0o666))

    def directory(self, path: Path) -> None:
        self.replace(path, lambda aside: aside.mkdir(mode=0o777))

    def move_away(self, path: Path) -> None:
        aside = self.aside(path)
        path.rename(aside)
        path.symlink_to(self.outside / "directory")
        time.sleep(0.02)
        path.unlink()
        aside.rename(path)

    def write(self, path: Path) -> None:
        if path.parent.name == "halt" and path.name == "request":
            return  # that is allowed: this machine would go down, and nothing be left to attack
        handle = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(handle, LINES.format(outside=self.outside).encode())
        finally:
            os.close(handle)

    def lock(self, path: Path) -> None:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.locks.append(handle)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        while len(self.locks) > 100:
            os.close(self.locks.pop(0))

    def change_mode(self, path: Path) -> None:
        path.chmod(self.random.choice([0, 0o777, 0o666, 0o4755]))

    def leave(self, path: Path) -> None:
        order = os.open(path.parent / "ask", os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(order, b"1.1 leave 1 because\n2.2 save\n3.3 halt now\n")
        finally:
            os.close(order)

    def journal(self, path: Path) -> None:
        """One that SQLite would roll back into whatever the link leads to."""
        handle = os.open(path.with_name(f"{path.name}-journal"), os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK, 0o666)
        try:
            os.write(handle, bytes.fromhex("d9d505f920a163d7") + b"\0\0\0\1" * 200)
        finally:
            os.close(handle)


if __name__ == "__main__":
    attacker = Attacker(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[4]))
    attacker.attack(float(sys.argv[3]))
    print(sum(attacker.succeeded.values()), attacker.succeeded)

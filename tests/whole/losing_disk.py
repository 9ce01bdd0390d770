"""A disk that loses what was not flushed when the power is pulled: a plugin of nbdkit's, for tests/whole/bench/pulled_plug.py.

    nbdkit -f -U SOCKET python tests/whole/losing_disk.py image=FILE seed=NUMBER pulled=FILE report=FILE

What is written stays in memory until the machine flushes, which takes as long as a card may take for it. The power is gone as soon as
there is a file `pulled`: nothing is taken any more. When the machine has gone, too, each sector that was written since is in the image as
it was before, or as any of these writes made it: a card may write in any order, and it may not come to all of it. How many there were, and
how many of them came onto the disk, is then in the report.
"""

import json
import os
import random
import time
from pathlib import Path

API_VERSION = 2
SECTOR = 512
_FLUSH_SECONDS = 0.02, 0.2
_given: dict[str, str] = {}


class Disk:
    """The image, and by the number of its sector what was written and not flushed, oldest first."""

    def __init__(self, image: str, pulled: Path, luck: random.Random) -> None:
        self.image = os.open(image, os.O_RDWR)
        self._pulled = pulled
        self._luck = luck
        self.waiting: dict[int, list[bytes]] = {}

    def read(self, buffer: bytearray, offset: int) -> None:
        """As the machine sees it."""
        buffer[:] = os.pread(self.image, len(buffer), offset)
        for place in range(0, len(buffer), SECTOR):
            if versions := self.waiting.get((offset + place) // SECTOR):
                buffer[place : place + SECTOR] = versions[-1]

    def write(self, data: bytes, offset: int) -> None:
        """In whole sectors, which is all that a machine writes."""
        self._needs_power()
        for place in range(0, len(data), SECTOR):
            self.waiting.setdefault((offset + place) // SECTOR, []).append(data[place : place + SECTOR])

    def flush(self) -> None:
        """Nothing of what was written before is lost."""
        if self.waiting:
            time.sleep(self._luck.uniform(*_FLUSH_SECONDS))
        self._needs_power()
        for sector, versions in self.waiting.items():
            os.pwrite(self.image, versions[-1], sector * SECTOR)
        self.waiting.clear()

    def _needs_power(self) -> None:
        if self._pulled.exists():
            raise OSError("there is no power")

    def lose(self) -> dict[str, int]:
        """What is on the disk, now that the power is gone."""
        luck = self._luck
        share = luck.choice((0.0, luck.random(), luck.random(), 1.0))
        kept = 0
        for sector, versions in sorted(self.waiting.items()):
            if luck.random() < share:
                kept += 1
                os.pwrite(self.image, luck.choice(versions), sector * SECTOR)
        os.close(self.image)
        return {"unflushed": len(self.waiting), "written": kept}


def config(key: str, value: str) -> None:
    """nbdkit hands over KEY=VALUE."""
    _given[key] = value


def thread_model() -> int:
    """One machine, and one request of it after the other: nbdkit.THREAD_MODEL_SERIALIZE_CONNECTIONS."""
    return 0


def open(readonly: bool) -> Disk:  # nbdkit's names from here on
    """The machine is there."""
    return Disk(_given["image"], Path(_given["pulled"]), random.Random(int(_given["seed"])))


def get_size(disk: Disk) -> int:
    return os.fstat(disk.image).st_size


def can_flush(disk: Disk) -> bool:
    return True


def pread(disk: Disk, buffer: bytearray, offset: int, flags: int) -> None:
    disk.read(buffer, offset)


def pwrite(disk: Disk, buffer: bytearray, offset: int, flags: int) -> None:
    disk.write(bytes(buffer), offset)


def flush(disk: Disk, flags: int) -> None:
    disk.flush()


def close(disk: Disk) -> None:
    """The machine is gone."""
    report = Path(_given["report"])
    aside = report.with_suffix(".aside")
    aside.write_text(json.dumps(disk.lose()))
    aside.rename(report)

"""What can become of a file on a card: each damage by its name, done to a path; and whether a service that has met it is settled.

def test_it(house):
    damage.do("torn", meter.lib / "count")
    damage.settled(meter)
"""

import contextlib
import itertools
import os
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.kit import TestInstance, until

PAGE = 1024
_LOOKED_AT_SECONDS = 1.5  # supervise waits for one before it restarts what has ended


def lost(path: Path) -> None:
    """The file is not there any more."""
    path.unlink()


def empty(path: Path) -> None:
    """It has no byte any more: what a power cut leaves of a file whose name was written before what is in it."""
    os.truncate(path, 0)


def torn(path: Path) -> None:
    """It ends in the middle."""
    os.truncate(path, path.stat().st_size // 2)


def zeroed(path: Path) -> None:
    """It is as long as it was, and nothing of it was written: XFS, ext4 with delayed allocation."""
    path.write_bytes(bytes(path.stat().st_size))


def of_another_owner(path: Path) -> None:
    """As `sudo cp` leaves it: the service may not even read it."""
    os.chown(path, 0, 0)
    path.chmod(0o600)


def a_directory(path: Path) -> None:
    """Something else stands there."""
    if path.exists():
        path.unlink()
    path.mkdir()
    os.chown(path, path.parent.stat().st_uid, -1)
    (path / "something").write_text("of somebody")


def behind_page_1(path: Path) -> None:
    """Each seventh page with rows of a database; where its trees begin and branch, and what came last into each, stays."""
    look = "select name, pageno from dbstat where pagetype = 'leaf' and name not like 'sqlite%' order by name, path"
    with closing(sqlite3.connect(path)) as database:
        leaves = database.execute(look).fetchall()
        roots = {page for (page,) in database.execute("select rootpage from sqlite_master")}
    luck = random.Random(path.name)
    with path.open("r+b") as file:
        for (name, page), (next_name, _) in list(itertools.pairwise(leaves))[::7]:
            if name == next_name and page not in roots:
                file.seek((page - 1) * PAGE)
                file.write(luck.randbytes(PAGE))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "lost": lost,
    "empty": empty,
    "torn": torn,
    "zeroed": zeroed,
    "of another owner": of_another_owner,
    "a directory": a_directory,
}


def do(name: str, *paths: Path) -> None:
    """One of DAMAGES, to each that is there."""
    for path in paths:
        DAMAGES[name](path)


def met_by(instance: TestInstance, name: str, *paths: Path) -> None:
    """The instance is started on files with this damage, and has said how it is."""
    down(instance)
    do(name, *paths)
    up(instance)


def down(*instances: TestInstance) -> None:
    """Stopped in order, all at once."""
    for each in instances:
        each.svc("-d")
    for each in instances:
        until(lambda each=each: not each.pid, what=f"{each.name} to be down")  # type: ignore[misc]


def up(*instances: TestInstance) -> None:
    """Started all at once, and each has said how it is."""
    for each in instances:
        (each.run / "status").unlink(missing_ok=True) if (each.run / "status").is_file() else None
        each.svc("-u")
    for each in instances:
        until(lambda each=each: _has_said(each), what=f"{each.name} to say how it is")  # type: ignore[misc]


def _has_said(instance: TestInstance) -> bool:
    with contextlib.suppress(IsADirectoryError):
        return instance.status not in ("", "starting")
    return False


def settled(*instances: TestInstance) -> None:
    """They are up and stay up: no crash loop. Whoever has been up for that long already is not waited for."""
    for each in instances:
        pid = each.pid
        assert pid, each.story()
        until(lambda each=each, pid=pid: each.pid != pid or _up_for_seconds(pid) > _LOOKED_AT_SECONDS, what=each.name)  # type: ignore[misc]
        assert each.pid == pid, each.log[-3000:]
        assert "Traceback" not in each.log, each.log[-3000:]
        assert not each.status.startswith("failed"), each.status


def _up_for_seconds(pid: int) -> float:
    """proc_pid_stat(5): starttime."""
    started = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started

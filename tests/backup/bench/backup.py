#!/usr/bin/env python3
"""How long `pimains backup now` takes, and how much memory: the first snapshot, one of what did not change, one after a change.

    tests/backup/bench/backup.py [FILES]

FILES (10000) files of 4 kB in 100 directories, copied from one tmpfs to another: what is measured is what pimains and rsync
themselves need, not a disk. Memory is the most that all processes together had, each page counted once (PSS).
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from pimains.core import templates  # noqa: E402
from pimains.create_service import making  # noqa: E402
from tests.kit import TOP  # noqa: E402  # only findable now

_SECRET = "bXkgc2VjcmV0IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE="


class Measured(NamedTuple):
    """Seconds, and megabytes at the most."""

    seconds: float
    megabytes: float


def proportional(session: int) -> float:
    """Megabytes of all processes in a session (proc(5): smaps_rollup)."""
    found = 0
    for directory in Path("/proc").iterdir():
        if not directory.name.isdigit():
            continue
        try:
            if os.getsid(int(directory.name)) == session:
                found += int((directory / "smaps_rollup").read_text().partition("\nPss:")[2].split()[0])
        except (OSError, IndexError):  # it has just ended
            continue
    return found / 1024


def back_up(root: Path) -> Measured:
    """One backup from its start to its end."""
    words = ["/usr/bin/python3", "-Pm", "pimains.cli", "backup", "now", f"--servicedir={root / 'etc/service'}"]
    environment = {**os.environ, "PYTHONPATH": str(TOP / "lib"), "PIMAINS_ROOT": str(root)}
    began, most = time.monotonic(), 0.0
    with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, start_new_session=True) as child:
        while child.poll() is None:
            most = max(most, proportional(child.pid))
            time.sleep(0.02)
    assert child.returncode == 0
    return Measured(time.monotonic() - began, most)


def measure(root: Path, files: int) -> dict[str, Measured]:
    """All of it; in a mount namespace of its own."""
    for name in ("etc/service", "run/pimains/fserver", "var/lib/pimains", "drive", "source"):
        (root / name).mkdir(parents=True)
    for name in ("drive", "source"):
        subprocess.run(["mount", "-t", "tmpfs", name, root / name], check=True)
    (root / "drive/backup").mkdir()
    for number in range(files):
        directory = root / f"source/{number % 100:02}"
        directory.mkdir(exist_ok=True)
        (directory / f"{number}").write_bytes(os.urandom(4096))
    settings = {"SECRET": _SECRET, "BACKUP": str(root / "source"), "DEST": str(root / "drive"), "BACKUP_KEEP": "2"}
    settings |= {"PIMAINS_ROOT": str(root)}
    making.create(templates.all_of_them()["fserver"], root / "etc/service", "fserver", settings, down=True)
    found = {"the first": back_up(root), "nothing changed": back_up(root)}
    (root / "source/00/0").write_text("changed\n")
    found["one file changed, the oldest goes"] = back_up(root)
    for name in ("drive", "source"):
        subprocess.run(["umount", root / name], check=True)
    return found


def main() -> None:
    """Print the table."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    if os.environ.get("PIMAINS_BENCH_MOUNTS") != "own":
        os.environ["PIMAINS_BENCH_MOUNTS"] = "own"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as root:
        print(f"{f'snapshot of {files} files':36}  seconds   memory at most")
        for name, found in measure(Path(root), files).items():
            print(f"{name:36}  {found.seconds:7.1f}   {found.megabytes:7.1f} MB")


if __name__ == "__main__":
    main()

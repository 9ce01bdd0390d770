"""One ledger for root's services and those of user pimains: who reads gets both, and none of root's is written by anybody else."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pimains.core.ledger import Ledger
from tests.kit import TOP

RECORD = 'from pimains.core.ledger import Ledger; import sys; Ledger().record("plug", sys.argv[1], "a test"); Ledger().took("plug", 1)'

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def root() -> Iterator[Path]:
    """As a service of the package makes it: /var/lib/pimains is root's."""
    with tempfile.TemporaryDirectory(prefix="pimains-ledger-") as name:
        root = Path(name)
        root.chmod(0o755)
        shutil.copytree(TOP / "lib/pimains", root / "lib/pimains", ignore=shutil.ignore_patterns("__pycache__"))
        lib = root / "var/lib/pimains"
        lib.mkdir(parents=True)
        (lib / "ledger").mkdir()
        shutil.chown(lib / "ledger", "pimains", "pimains")
        yield root


def record(root: Path, user: str, group: str, action: str) -> subprocess.CompletedProcess[str]:
    environment = {"PIMAINS_ROOT": str(root), "PYTHONPATH": str(root / "lib"), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    words = ["/usr/bin/python3", "-P", "-c", RECORD, action]
    return subprocess.run(
        words, env=environment, user=user, group=group, extra_groups=[], umask=0o022, cwd="/", capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("order", [("root", "pimains"), ("pimains", "root"), ("pimains", "pimains", "root", "pimains")])
def test_whoever_comes_first_the_other_can_write_too_and_who_reads_gets_both(root: Path, order: tuple[str, ...]) -> None:
    for user in (*order, *order):
        told = record(root, user, "root" if user == "root" else "pimains", user)
        assert told.returncode == 0, told.stderr
    ledger = Ledger(root / "var/lib/pimains/ledger.sqlite")
    assert [entry.action for entry in reversed(ledger.entries())] == [*order, *order]
    assert [entry.action for entry in ledger.entries(limit=2)] == [order[-1], order[-2]]
    assert ledger.subjects() == ["plug"]


def test_root_believes_no_times_that_user_pimains_has_written(root: Path) -> None:
    for user in ("pimains", "root", "pimains"):
        assert record(root, user, user, "halt").returncode == 0
    assert Ledger(root / "var/lib/pimains/ledger.sqlite").durations("plug") == [1.0]


def test_a_ledger_of_user_pimains_that_leads_elsewhere_has_root_change_nothing(root: Path) -> None:
    (elsewhere := root / "elsewhere.sqlite").write_bytes(b"root's" * 1000)
    elsewhere.chmod(0o600)
    services = root / "var/lib/pimains/ledger/ledger.sqlite"
    services.symlink_to(elsewhere)
    (crafted := services.with_name("elsewhere.sqlite-journal")).write_bytes(bytes.fromhex("d9d505f920a163d7") + b"x" * 600)
    ledger = Ledger(root / "var/lib/pimains/ledger.sqlite", tell=[].append)
    ledger.record("halt", "shut down", "a test")
    with contextlib.suppress(sqlite3.Error):
        ledger.entries()
    assert (elsewhere.read_bytes(), services.is_symlink(), crafted.exists()) == (b"root's" * 1000, True, True)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.write_bytes(b"no database" * 1000)])
def test_whatever_stands_for_the_ledger_of_user_pimains_root_tells_its_own(root: Path, make: Callable[[Path], object]) -> None:
    make(root / "var/lib/pimains/ledger/ledger.sqlite")
    ledger = Ledger(root / "var/lib/pimains/ledger.sqlite", tell=[].append)
    ledger.record("halt", "shut down", "a test")
    assert [entry.action for entry in ledger.entries()] == ["shut down"]


def test_a_member_of_the_group_can_read_it_and_not_write(root: Path) -> None:
    assert record(root, "pimains", "pimains", "first").returncode == 0
    assert record(root, "games", "pimains", "second").returncode != 0
    assert [entry.action for entry in Ledger(root / "var/lib/pimains/ledger.sqlite").entries()] == ["first"]


def test_others_can_read_it_and_not_write(root: Path) -> None:
    assert record(root, "root", "root", "first").returncode == 0
    told = record(root, "nobody", "nogroup", "second")
    assert told.returncode != 0
    why = ["/usr/bin/python3", "-P", "-m", "pimains.cli", "why"]
    environment = {"PIMAINS_ROOT": str(root), "PYTHONPATH": str(root / "lib"), "PATH": os.environ["PATH"]}
    told = subprocess.run(
        why, env=environment, user="nobody", group="nogroup", extra_groups=[], cwd="/", capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert "plug: first, because a test." in told.stdout

"""One ledger for root's services and those of user pimains, whoever writes first."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.core.ledger import Ledger
from tests.kit import TOP

RECORD = 'from pimains.core.ledger import Ledger; import sys; Ledger().record("plug", sys.argv[1], "a test"); Ledger().took("plug", 1)'

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def root() -> Iterator[Path]:
    """As the package makes it: /var/lib/pimains is 2775 root:pimains."""
    with tempfile.TemporaryDirectory(prefix="pimains-ledger-") as name:
        root = Path(name)
        root.chmod(0o755)
        shutil.copytree(TOP / "lib/pimains", root / "lib/pimains", ignore=shutil.ignore_patterns("__pycache__"))
        lib = root / "var/lib/pimains"
        lib.mkdir(parents=True)
        shutil.chown(lib, "root", "pimains")
        lib.chmod(0o2775)
        yield root


def record(root: Path, user: str, group: str, action: str) -> subprocess.CompletedProcess[str]:
    environment = {"PIMAINS_ROOT": str(root), "PYTHONPATH": str(root / "lib"), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    words = ["/usr/bin/python3", "-P", "-c", RECORD, action]
    return subprocess.run(
        words, env=environment, user=user, group=group, extra_groups=[], umask=0o022, cwd="/", capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("order", [("root", "pimains"), ("pimains", "root"), ("games", "root", "pimains"), ("pimains", "games", "root")])
def test_whoever_comes_first_the_others_can_write_too(root: Path, order: tuple[str, ...]) -> None:
    for user in (*order, *order):
        told = record(root, user, "root" if user == "root" else "pimains", user)
        assert told.returncode == 0, told.stderr
    entries = Ledger(root / "var/lib/pimains/ledger.sqlite").entries()
    assert [entry.action for entry in reversed(entries)] == [*order, *order]


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

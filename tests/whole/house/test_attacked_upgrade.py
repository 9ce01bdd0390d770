"""The package's postinst over a tree of before 0.2, in which the group may write, while it is attacked."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import TOP
from tests.whole.attacked import ATTACKERS, described

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be attacked")
SECONDS = float(os.environ.get("PIMAINS_ATTACK_SECONDS", "5"))
INSTANCES = ("halt", "fclient", "fserver", "notify", "update")
# /etc is a copy, for adduser, with an instance
CONFIGURE = r"""
set -e
rm -rf "$1/etc"
cp -a /etc "$1/etc"
mkdir -p "$1/etc/service/halt" "$1/var/log"
ln -sf /usr/share/pimains/services/halt/run "$1/etc/service/halt/run"
for place in run var/lib var/log etc; do mount --bind "$1/$place" "/$place"; done
exec sh "$2" configure 0.1.0
"""


@pytest.fixture
def root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pimains-upgrade-") as name:
        root = Path(name)
        root.chmod(0o755)
        (root / "outside/directory").mkdir(parents=True)
        for path in (root / "outside/file", root / "outside/directory/file"):
            path.write_text("root's\n")
            path.chmod(0o600)
        shutil.copy(TOP / "tests/whole/attacker.py", root)
        for top in ("run/pimains", "var/lib/pimains"):
            for directory in (top, *(f"{top}/{name}" for name in INSTANCES)):
                (root / directory).mkdir(parents=True)
        yield root


def make_old(root: Path) -> None:
    """As a pimains of before 0.2 had it."""
    for top in (root / "run/pimains", root / "var/lib/pimains"):
        for directory in (top, *(top / name for name in INSTANCES)):
            if directory.is_dir() and not directory.is_symlink():
                shutil.chown(directory, "root", "pimains")
                directory.chmod(0o2775)


def configure(root: Path) -> "subprocess.CompletedProcess[str]":
    """What dpkg does; where its files are is a mount namespace's, which ends with it."""
    words = [
        "timeout",
        "60",
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        CONFIGURE,
        "sh",
        root,
        TOP / "debian/pimains.postinst",
    ]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_a_fifo_in_the_place_of_a_request_does_not_hold_up_the_upgrade(root: Path) -> None:
    make_old(root)
    os.mkfifo(root / "run/pimains/halt/request", 0o666)
    done = configure(root)
    assert done.returncode == 0, done.stderr


def test_nothing_outside_changes_and_the_two_directories_are_roots_afterwards(root: Path) -> None:
    outside = sorted(described(path, root) for path in (root / "outside").rglob("*"))
    make_old(root)
    attackers = [
        subprocess.Popen(
            ["/usr/bin/python3", "-IS", root / "attacker.py", root, root / "outside", str(SECONDS), str(number)],
            stdout=subprocess.PIPE,
            text=True,
            extra_groups=[],
            **each,  # type: ignore[call-overload]
        )
        for number, each in enumerate(ATTACKERS)
    ]
    end = time.monotonic() + SECONDS
    try:
        while any(attacker.poll() is None for attacker in attackers) or time.monotonic() < end:
            make_old(root)
            done = configure(root)
            assert done.returncode == 0, done.stderr
            tops = [described(root / top, root) for top in ("run/pimains", "var/lib/pimains")]
            assert tops == ["run/pimains: 40755 0:0 ''", "var/lib/pimains: 40755 0:0 ''"]
    finally:
        for attacker in attackers:
            attacker.kill()
    assert int(attackers[0].communicate()[0].split()[0]) > 0, "the attacker could do something"
    assert sorted(described(path, root) for path in (root / "outside").rglob("*")) == outside

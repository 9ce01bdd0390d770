"""The directories of a service, made by root where others might write until now."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.core.instance import Instance
from pimains.core.privileges import make_directories

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives directories away")


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """As it was before: the group may write in all of it."""
    with tempfile.TemporaryDirectory(prefix="pimains-privileges-") as name:
        monkeypatch.setenv("PIMAINS_ROOT", name)
        for top in ("run/pimains", "var/lib/pimains"):
            (Path(name) / top).mkdir(parents=True)
            shutil.chown(Path(name) / top, "root", "pimains")
            (Path(name) / top).chmod(0o2775)
        yield Path(name)


def shape(path: Path) -> str:
    status = path.lstat()
    return f"{stat.S_IMODE(status.st_mode):o} {path.owner()} {path.group()}"


def old(path: Path, text: str, user: str = "root") -> Path:
    path.write_text(text)
    path.chmod(0o664)
    shutil.chown(path, user, "pimains")
    return path


@pytest.mark.parametrize(("user", "owner"), [("pimains", "pimains pimains"), (None, "root root")])
def test_a_service_gets_directories_that_are_its_own(root: Path, user: str | None, owner: str) -> None:
    make_directories(Instance("lamp", root / "etc/service/lamp"), user)
    assert [shape(root / top) for top in ("run/pimains", "var/lib/pimains")] == ["755 root root"] * 2
    assert [shape(root / top / "lamp") for top in ("run/pimains", "var/lib/pimains")] == [f"755 {owner}"] * 2
    assert shape(root / "var/lib/pimains/ledger") == "755 pimains pimains"


def test_a_service_whose_own_directory_was_closed_to_it_gets_in_again(root: Path) -> None:
    me = Instance("lamp", root / "etc/service/lamp")
    make_directories(me, "pimains")
    me.run.chmod(0)
    make_directories(me, "pimains")
    assert shape(me.run) == "755 pimains pimains"


def test_what_root_believes_stays_and_is_a_new_file_that_nobody_has_open(root: Path) -> None:
    run = root / "run/pimains/fclient"
    run.mkdir()
    run.chmod(0o2775)
    with old(run / "holds", "/mnt/MDrive\n").open("a") as before:
        old(run / "id", "a stranger's", "pimains")
        os.mkfifo(run / "status", 0o666)
        (run / "error").symlink_to("/etc/passwd")
        (run / "backup").mkdir()
        shutil.chown(run / "backup", "pimains")
        make_directories(Instance("fclient", root / "etc/service/fclient"), None)
        before.write("cron ssh\n")
    assert os.listdir(run) == ["holds"]
    assert (shape(run / "holds"), (run / "holds").read_text()) == ("644 root root", "/mnt/MDrive\n")


@pytest.mark.parametrize("kind", ["link", "fifo", "file"])
def test_what_stands_in_the_place_of_a_directory_goes_and_where_it_led_to_stays_as_it_was(root: Path, kind: str) -> None:
    (elsewhere := root / "opt").mkdir(mode=0o700)
    place = root / "run/pimains/fserver"
    if kind == "link":
        place.symlink_to(elsewhere)
    elif kind == "fifo":
        os.mkfifo(place)
    else:
        place.touch()
    os.chown(place, 1, 1, follow_symlinks=False)
    make_directories(Instance("fserver", root / "etc/service/fserver"), "pimains")
    assert (shape(elsewhere), shape(place), place.is_dir()) == ("700 root root", "755 pimains pimains", True)


def test_a_link_of_roots_leads_to_where_the_administrator_keeps_it(root: Path) -> None:
    (disk := root / "disk").mkdir(mode=0o750)
    (root / "var/lib/pimains/collector").symlink_to(disk)
    make_directories(Instance("collector", root / "etc/service/collector"), "pimains")
    assert ((root / "var/lib/pimains/collector").is_symlink(), shape(disk)) == (True, "750 root root")


@pytest.mark.parametrize("user", ["root", "pimains"])
def test_the_ledger_of_before_stays_and_is_roots_and_no_journal_of_others_is_believed(root: Path, user: str) -> None:
    ledger = old(root / "var/lib/pimains/ledger.sqlite", "entries", user)
    journal = old(root / "var/lib/pimains/ledger.sqlite-journal", "", "pimains")
    make_directories(Instance("halt", root / "etc/service/halt"), None)
    assert (shape(ledger), ledger.read_text(), journal.exists()) == ("644 root root", "entries", False)

"""Which client of this machine still needs a unit, by the files of clients alone."""

import os
import shutil
from pathlib import Path

import pytest

from pimains.fclient.holds import Holds


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    for name in ("fclient", "garden", "notify"):
        (tmp_path / "run/pimains" / name).mkdir(parents=True)
    return tmp_path / "run/pimains"


def test_a_unit_is_needed_until_the_last_client_leaves() -> None:
    Holds("fclient").begin(Path("/mnt/music"), ["autofs", "mpd"])
    garden = Holds("garden")
    garden.begin(Path("/mnt/garden"), ["autofs.service"])
    assert Holds("fclient").who_else_needs("autofs") == "garden"
    assert Holds("fclient").who_else_needs("mpd") == ""
    garden.needs_no_units()
    assert Holds("fclient").who_else_needs("autofs") == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a directory away")
def test_what_user_pimains_writes_into_the_directory_of_its_own_services_keeps_no_unit_running(root: Path) -> None:
    Holds("fclient").begin(Path("/mnt/music"), ["autofs"])
    (root / "notify/holds").write_text("/mnt/music\nautofs\n")
    shutil.chown(root / "notify", "nobody")
    assert Holds("fclient").who_else_needs("autofs") == ""

"""Whatever becomes of the settings that a removed instance leaves, bringing it back takes what is there, or says what is wrong."""

import os
import subprocess
from pathlib import Path

import pytest

from tests import damage
from tests.kit import TOP, House

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="what is removed is root's: needs root")
# what becomes of the setting that is damaged: its value afterwards, or what is said
COMES_TO = {
    "lost": "875",
    "empty": "PORT: it is empty",
    "torn": "PORT: it ends in the middle",
    "zeroed": "PORT: it is empty",
    "of another owner": "1873",
    "a directory": "PORT: it is no plain file",
}


def create_service(house: House, *words: str) -> subprocess.CompletedProcess[str]:
    command = [TOP / "create_service", f"--servicedir={house.scan}", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(house: House) -> Path:
    """Where the settings of a removed instance are."""
    made = create_service(house, "--service_name=rsync", f"--root={house.root}", "--port=1873", "--down", "--add-service")
    assert made.returncode == 0, made.stderr
    assert create_service(house, "--del-service", "--instance=rsync").returncode == 0
    return house.root / "var/lib/pimains/removed/rsync-1"


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_a_removed_instance_comes_back_with_what_is_left_of_its_settings_or_not_at_all(house: House, copy: Path, name: str) -> None:
    damage.do(name, copy / "PORT")
    words = ("--service_name=rsync", "--instance=rsync", f"--restore={copy}", f"--root={house.root}", "--add-service")
    done = create_service(house, *words)
    port = house.scan / "rsync/variables/PORT"
    if done.returncode:
        assert COMES_TO[name] in done.stderr
        assert (done.stderr.count("\n"), port.exists()) == (1, False)
    else:
        assert port.read_text().splitlines()[0] == COMES_TO[name]
        assert ("has no PORT: what is not given is as it comes" in done.stderr) == (name == "lost")


def test_where_settings_cannot_be_kept_nothing_is_removed(house: House, copy: Path) -> None:
    removed = copy.parent
    assert create_service(house, "--service_name=rsync", f"--root={house.root}", "--down", "--add-service").returncode == 0
    removed.rename(removed.with_name("removed-elsewhere"))
    removed.write_text("of somebody\n")
    refused = create_service(house, "--del-service", "--instance=rsync")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert str(removed) in refused.stderr
    assert (house.scan / "rsync/variables/PORT").exists()
    assert removed.read_text() == "of somebody\n"

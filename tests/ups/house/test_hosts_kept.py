"""What becomes of the hosts of an ups that is removed, and made again."""

import os
from pathlib import Path

import pytest

from pimains.create_service.command import main as create_service
from pimains.ups.hosts import directories
from tests.kit import House, TestInstance

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the key belongs to user pimains: needs root")


@pytest.fixture
def ups(house: House, monkeypatch: pytest.MonkeyPatch) -> TestInstance:
    ups = house.add("ups", svscan=False, UPS="eaton@localhost", POWER="0")
    make_host(ups.directory, "nas")
    return ups


def make_host(instance: Path, name: str) -> None:
    directory = instance / "hosts" / name
    directory.mkdir(parents=True)
    (directory / "SSH").write_text(f"root@{name}.lan\nIn my words.\n")
    (directory / "key").write_text("a key\n")
    (directory / "key").chmod(0o600)
    os.chown(directory / "key", 65534, 65534)


def create(house: House, *words: str) -> int:
    return create_service(["--service_name=ups", f"--servicedir={house.scan}", *words])


def remove(house: House, ups: TestInstance) -> Path:
    assert create(house, "--del-service") == 0
    assert not ups.directory.exists()
    return house.root / "var/lib/pimains/removed/ups-1"


def test_hosts_are_kept_with_the_settings_and_given_back_as_they_were(house: House, ups: TestInstance) -> None:
    (ups.directory / "hosts/nas/link").symlink_to("/etc/shadow")
    copy = remove(house, ups)
    assert copy.stat().st_mode & 0o777 == 0o700
    assert create(house, f"--restore={copy}", f"--root={house.root}", "--add-service") == 0
    assert sorted(path.name for path in (ups.directory / "hosts/nas").iterdir()) == ["SSH", "key"]
    assert directories.read(ups.directory).good["nas"].way == "root@nas.lan"
    key = (ups.directory / "hosts/nas/key").stat()
    assert (key.st_mode & 0o777, key.st_uid) == (0o600, 65534)
    assert (ups.directory / "hosts/nas/SSH").read_text() == "root@nas.lan\nIn my words.\n"


def test_hosts_that_are_there_stay_as_they_are(house: House, ups: TestInstance, capsys: pytest.CaptureFixture[str]) -> None:
    copy = remove(house, ups)
    words = (f"--restore={copy}", f"--root={house.root}", "--add-service")
    assert create(house, f"--root={house.root}", "--add-service", "--ups=eaton@localhost", "--power=0") == 0
    make_host(ups.directory, "pc")
    assert create(house, *words) == 0
    assert f"{ups.directory}/hosts is there already and stays as it is; {copy}/hosts is not taken\n" in capsys.readouterr().out
    assert list(directories.read(ups.directory).good) == ["pc"]


def test_hosts_come_to_an_instance_that_has_none(house: House, ups: TestInstance, capsys: pytest.CaptureFixture[str]) -> None:
    copy = remove(house, ups)
    assert create(house, f"--root={house.root}", "--add-service", "--ups=eaton@localhost", "--power=0") == 0
    assert create(house, f"--restore={copy}", f"--root={house.root}", "--add-service") == 0
    assert f"made {ups.directory}/hosts\n" in capsys.readouterr().out
    assert list(directories.read(ups.directory).good) == ["nas"]


def test_nothing_else_that_lies_beside_settings_is_taken(house: House, ups: TestInstance, tmp_path: Path) -> None:
    copy = remove(house, ups)
    (copy / "photos").mkdir()
    (copy / "hosts").rename(tmp_path / "hosts")
    (copy / "hosts").symlink_to(tmp_path / "hosts")
    assert create(house, f"--restore={copy}", f"--root={house.root}", "--add-service") == 0
    assert sorted(path.name for path in ups.directory.iterdir()) == ["log", "run", "variables"]

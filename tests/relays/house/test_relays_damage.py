"""What a disk, or somebody, has done to the files of relays: it goes on, says so, and a person still switches everything."""

import subprocess
from pathlib import Path

import pytest

from tests import damage
from tests.kit import House
from tests.relays.relays import Relays


@pytest.mark.parametrize("name", damage.DAMAGES)
@pytest.mark.parametrize("file", ["1.mode", "1.history", "time", "1.switches", "ahead"])
def test_a_damaged_file_ends_nothing(house: House, file: str, name: str) -> None:
    relays = Relays(house, {"NAME": "pump"})
    relays.mode(1, "on")
    relays.until(1, "state", "on")
    damage.down(relays.instance)
    path = relays.instance.lib / file
    for each in (path, relays.instance.run / file):
        if each.exists():
            damage.do(name, each)
    damage.up(relays.instance)
    damage.settled(relays.instance)
    mode = relays.instance.lib / "1.mode"
    if file == "1.mode" and name in ("of another owner", "a directory"):
        subprocess.run(["rm", "-rf", mode], check=True)
        damage.down(relays.instance)
        damage.up(relays.instance)
    relays.mode(1, "off")
    relays.until(1, "state", "off")
    relays.mode(1, "on")
    relays.until(1, "state", "on")


def on_a_disk(house: House) -> Path:
    """/var/lib/pimains on a small disk of its own."""
    top = house.root / "var/lib/pimains"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=755", "tmpfs", top], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("only root may mount a small disk")
    house.closing.callback(subprocess.run, ["umount", "-l", top], check=True)
    return top


def test_on_a_full_disk_relays_are_switched_and_it_is_said(house: House) -> None:
    top = on_a_disk(house)
    relays = Relays(house, {})
    relays.mode(1, "auto")
    with (top / "fill").open("wb", buffering=0) as fill, pytest.raises(OSError, match="No space left"):
        while True:
            fill.write(bytes(4096))
    relays.wish(1, "on sun")
    relays.until(1, "state", "on")
    relays.instance.until_logged("the ledger cannot be used")
    damage.settled(relays.instance)
    (top / "fill").unlink()
    relays.wish(1, "off clouds")
    relays.until(1, "state", "off")
    assert [row["cause"] for row in relays.ledger(1)] == ["sun", "clouds"]


def test_with_var_read_only_relays_are_switched_and_it_is_said(house: House) -> None:
    top = on_a_disk(house)
    relays = Relays(house, {})
    subprocess.run(["mount", "-o", "remount,ro", top], check=True)
    relays.wish(1, "on sun")
    relays.until(1, "state", "on")
    relays.instance.until_logged("the ledger cannot be used")
    pid = relays.instance.pid
    relays.instance.kill()
    house.until(lambda: relays.instance.pid not in (0, pid))
    damage.settled(relays.instance)
    relays.until(1, "reason", "sun")

"""50-drives in a booted Debian 13: real units, a socket and an automount, as in pistop's example; down and up again."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fserver.music import AUTOMOUNT, LAYERS, MOUNT
from tests.kit import TOP, until
from tests.whole.booted import CannotBoot, Machine, machines

UNITS = "mpd.socket mpd.service smbd.service MDrive.automount MDrive.mount"
INSTANCE = "/etc/service/fserver"


@pytest.fixture
def nas(tmp_path: Path) -> Iterator[Machine]:
    """Booted, with a drive that is mounted when somebody touches it, and two programs that keep files on it open."""
    if os.geteuid() != 0:
        pytest.skip("only root may boot machines")
    try:
        with machines(tmp_path, LAYERS, {"nas": "10.93.0.1"}) as (machine,):
            shutil.copytree(TOP / "lib/pimains", machine.top / "usr/lib/python3/dist-packages/pimains")
            shutil.copytree(TOP / "services", machine.top / "usr/share/pimains/services")
            shutil.copytree(TOP / "services/fserver/halt.d", machine.top / "usr/lib/pimains/halt.d")
            machine.write("etc/systemd/system/MDrive.mount", MOUNT)
            machine.write("etc/systemd/system/MDrive.automount", AUTOMOUNT)
            machine.write("etc/systemd/system/mpd.socket", "[Socket]\nListenStream=6600")
            machine.write("etc/systemd/system/mpd.service", "[Service]\nExecStart=/bin/sh -c 'cd /MDrive; exec sleep 1000'")
            machine.write("etc/systemd/system/smbd.service", "[Service]\nExecStart=/bin/sh -c 'exec 5>/MDrive/x; exec sleep 1000'")
            subprocess.run(["systemctl", "-q", f"--root={machine.top}", "enable", "MDrive.automount"], check=True)
            machine.boot()
            machine.run(
                f"""systemctl start mpd.socket mpd smbd
                mkdir -p {INSTANCE} /var/lib/pimains && cp -r /usr/share/pimains/services/fserver/variables {INSTANCE}
                ln -s /usr/share/pimains/services/fserver/run {INSTANCE}/run
                echo /MDrive >{INSTANCE}/variables/MDRIVE; echo mpd >{INSTANCE}/variables/MPD_UNIT"""
            )
            yield machine
    except CannotBoot as trouble:
        pytest.skip(f"no machine can be booted here: {trouble}")


def states(nas: Machine) -> set[str]:
    return set(nas.run(f"systemctl is-active {UNITS}", check=False).split())


def test_what_systemd_runs_and_mounts_goes_down_in_order_and_comes_back(nas: Machine) -> None:
    nas.run("until [ -e /MDrive/x ]; do sleep 0.1; done")
    assert (states(nas), nas.has_mounted("/MDrive")) == ({"active"}, "ext4")
    said = nas.run("PIMAINS_BUDGET_SECONDS=30 /usr/lib/pimains/halt.d/50-drives").splitlines()
    assert said == [f"stopping {unit}" for unit in UNITS.split()[:4]] + ["/MDrive is unmounted"]
    assert nas.has_mounted("/MDrive") == ""
    nas.run("ls /MDrive")
    # where much was mounted within a second, as at boot, systemd hears of a mount only once the second is over
    until(lambda: nas.run("systemctl is-active MDrive.mount", check=False) == "inactive\n")
    assert (states(nas), nas.has_mounted("/MDrive")) == ({"inactive"}, "")
    said = nas.run("PIMAINS_CALLED_OFF=cancelled PIMAINS_BUDGET_SECONDS=30 /usr/lib/pimains/halt.d/50-drives").splitlines()
    assert said[-1] == "/MDrive is mounted again"
    assert (states(nas), nas.has_mounted("/MDrive")) == ({"active"}, "ext4")
    assert nas.run("ls /MDrive/x") == "/MDrive/x\n"

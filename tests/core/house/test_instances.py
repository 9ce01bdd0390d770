"""Instances under a real svscan: made, changed and removed while it watches."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from pimains.core import scan_directory
from pimains.create_service import removing, svscan
from tests.core.lamp import Checkout
from tests.kit import House, TestInstance, until


@pytest.fixture
def lamps(house: House, checkout: Checkout) -> Checkout:
    """The checkout with the lamp, working on the house's own scan directory."""
    checkout.servicedir, checkout.root = house.scan, house.root
    return checkout


def lit_lamp(house: House, lamps: Checkout, *words: str) -> TestInstance:
    """A lamp that runs; it is there before svscan looks for the first time, which saves five seconds."""
    assert lamps.add("--host=lamp.lan", *words).code == 0
    house.start()
    lamp = TestInstance(house, "lamp")
    house.until(lambda: lamp.status == "lit by lamp.lan")
    house.until(lambda: any("multilog" in each for each in processes_in(house.root)))
    return lamp


def processes_in(directory: Path) -> list[str]:
    """The processes whose working directory is below `directory`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(directory):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def test_an_added_service_runs_within_five_seconds_and_a_removed_one_is_gone_for_good(house: House, lamps: Checkout) -> None:
    house.start()
    lamp = TestInstance(house, "lamp")
    house.until(lambda: svscan.watches(house.scan))
    assert lamps.add("--host=lamp.lan").out.endswith("\nit starts within 5 s\n")
    house.until(lambda: lamp.status == "lit by lamp.lan")
    listed = json.loads(lamps.create_service("--list", "--json").out)["instances"][0]
    assert (listed["state"], listed["pid"], listed["status"]) == ("up", lamp.pid, "lit by lamp.lan")
    assert lamps.create_service("--instance=lamp", "--del-service").code == 0
    assert list(house.scan.iterdir()) == []
    assert not lamp.run.exists()
    house.until(lambda: processes_in(house.root) == ["svscan " + str(house.scan) + " "])
    # svscan has looked again when it has started something new
    lamps.add("--host=h", "--instance=next")
    house.until(lambda: (house.scan / "next/supervise/ok").exists())
    assert [path.name for path in house.scan.iterdir()] == ["next"]


def test_a_change_is_applied_when_asked(house: House, lamps: Checkout) -> None:
    lamp = lit_lamp(house, lamps)
    assert lamps.create_service("--instance=lamp", "--host=lamp2.lan", "--add-service").code == 0
    assert lamp.status == "lit by lamp.lan"
    answer = lamps.create_service("--instance=lamp", "--port=99", "--add-service", "--apply")
    assert answer.out.endswith("told lamp to start again with them\n")
    house.until(lambda: lamp.status == "lit by lamp2.lan")


def test_a_service_made_with_down_waits_until_it_is_wanted(house: House, lamps: Checkout) -> None:
    answer = lamps.add("--host=lamp.lan", "--down")
    assert answer.out.endswith(f"; then svc -u {house.scan}/lamp starts it\n")
    house.start()
    lamp = TestInstance(house, "lamp")
    house.until(lambda: (lamp.directory / "supervise/ok").exists())
    assert lamp.pid == 0
    lamp.svc("-u")
    house.until(lambda: lamp.status == "lit by lamp.lan")


def test_a_service_that_does_not_end_is_killed_after_its_time(house: House, lamps: Checkout, capfd: pytest.CaptureFixture[str]) -> None:
    lamp = lit_lamp(house, lamps, "--stubborn=1")
    found = scan_directory.at(lamp.directory)
    assert found is not None
    removing.remove(found, goodbye_seconds=0.3)
    assert capfd.readouterr().err == f"{house.scan}/.lamp did not end 0.3 s after TERM: killing it\n"
    assert list(house.scan.iterdir()) == []
    house.until(lambda: processes_in(house.root) == ["svscan " + str(house.scan) + " "])


def test_an_interrupted_removal_is_seen_and_finished_by_the_next(house: House, lamps: Checkout) -> None:
    lamp = lit_lamp(house, lamps, "--stubborn=1")
    pid = lamp.pid
    words = [lamps.top / "create_service", f"--servicedir={house.scan}", "--instance=lamp", "--del-service"]
    interrupted = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert interrupted.stderr is not None
    assert interrupted.stderr.readline() == f"waiting for {house.scan}/.lamp to end, up to 30 s\n"
    interrupted.send_signal(signal.SIGINT)
    assert interrupted.wait() == 130
    assert interrupted.stderr.read() == "create_service: interrupted; the same command goes on where it stopped\n"
    assert re.search(r"  lamp  lamp  being removed .* lit by lamp.lan\n$", lamps.create_service("--list").out)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pid}").exists())
    answer = lamps.create_service("--instance=lamp", "--del-service")
    assert (answer.code, answer.err) == (0, "")
    assert f"{house.root}/var/lib/pimains/removed/lamp-1" in answer.out
    assert list(house.scan.iterdir()) == []


def test_adding_while_a_removal_is_unfinished_finishes_it_first(house: House, lamps: Checkout) -> None:
    lamp = lit_lamp(house, lamps)
    lamp.directory.rename(house.scan / ".lamp")
    answer = lamps.add("--host=lamp2.lan")
    assert answer.out.startswith("finishing the removal of the earlier lamp\n")
    house.until(lambda: lamp.status == "lit by lamp2.lan")
    assert [path.name for path in house.scan.iterdir()] == ["lamp"]


def test_without_root_the_list_tells_what_anybody_may_know(house: House, lamps: Checkout) -> None:
    if os.geteuid() != 0:
        pytest.skip("this is about root's svscan, and only root can start one")
    lit_lamp(house, lamps)
    as_pimains = ["setpriv", "--reuid=pimains", "--regid=pimains", "--clear-groups", lamps.top / "create_service"]
    where = [f"--servicedir={house.scan}"]
    listed = subprocess.run([*as_pimains, *where, "--list"], capture_output=True, text=True, check=True).stdout
    assert re.search(r"\n  lamp  lamp  up [0-9.]+ s  lit by lamp.lan\n$", listed)
    shown = subprocess.run([*as_pimains, *where, "--show=lamp"], capture_output=True, text=True, check=True).stdout
    assert "  ENCRYPTION_KEY: secret (only root may look)\n" in shown
    refused = subprocess.run([*as_pimains, *where, "--instance=lamp", "--del-service"], capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "Permission denied (try it with sudo)" in refused.stderr

"""What a device once sent, played at the service: house/capture.py."""

import os
import subprocess
from pathlib import Path

from tests.kit import TOP, House
from tests.vedirect import devices

DAMAGED = b"\r\nV\t1\x002000\r\nPPV\t99"  # where the capture begins amid a block


def played(house: House, capture: Path, link: Path) -> "subprocess.Popen[str]":
    words = ["/usr/bin/python3", "-Pu", "-m", "pimains.house.capture", capture, f"--link={link}", "--rate=8000"]
    environment = {**os.environ, "PYTHONPATH": str(TOP / "lib")}
    program = subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert program.stdin
    assert program.stdout
    house.closing.callback(program.wait, timeout=30)
    house.closing.callback(program.stdin.close)
    house.closing.callback(program.stdout.close)
    assert program.stdout.readline() == f"speaking at {link}\n"
    return program


def test_a_capture_is_played_to_its_end_and_nothing_of_it_is_left_out(house: House) -> None:
    sent = devices.sent("MPPT_150_70_FW_162", 15)
    capture = house.root / "day.ve"
    capture.write_bytes(DAMAGED + sent)
    program = played(house, capture, house.root / "mppt")
    mppt = house.add("vedirect", "mppt", PORT=str(house.root / "mppt"), LOST_SECONDS="600")  # it is silent once all is played
    assert program.stdout
    assert program.stdout.readline() == f"played {len(DAMAGED + sent)} bytes\n"
    house.until(lambda: mppt.read("H19") == "11580", what=mppt.story)
    assert (mppt.read("V"), mppt.read("PPV"), mppt.read("CS.words")) == ("52.710", "412", "bulk")
    house.until(lambda: "HQ9999FGHIJ" in mppt.status, what=mppt.story)
    assert program.stdin
    program.stdin.close()
    house.until(lambda: "was unplugged" in mppt.status or "not there" in mppt.status, what=mppt.story)


def test_a_capture_that_is_not_there_is_said_in_a_line(tmp_path: Path) -> None:
    words = ["/usr/bin/python3", "-P", "-m", "pimains.house.capture", tmp_path / "day.ve", f"--link={tmp_path / 'mppt'}"]
    done = subprocess.run(words, env={**os.environ, "PYTHONPATH": str(TOP / "lib")}, capture_output=True, text=True, check=False)
    assert done.stderr == f"{tmp_path / 'day.ve'}: no such file or directory; --help tells how such a file is made\n"
    assert done.returncode == 1
    assert not (tmp_path / "mppt").is_symlink()

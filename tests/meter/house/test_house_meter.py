"""The simulated electricity meter: its pulses, and what it is told on its standard input."""

import subprocess
from pathlib import Path

from tests.kit import TOP


def simulated(directory: Path, told: str) -> "subprocess.CompletedProcess[str]":
    words = ["/usr/bin/python3", "-P", "-m", "pimains.house.meter", "--pins", directory / "pins", "--watts", "2000"]
    return subprocess.run(words, env={"PYTHONPATH": str(TOP / "lib")}, input=told, capture_output=True, text=True, check=True, timeout=60)


def test_it_says_why_it_ends_when_its_standard_input_does(tmp_path: Path) -> None:
    ended = simulated(tmp_path, "watts 500\n\n")
    assert ended.stdout == "pulses on GPIO 24\nno more pulses: its standard input has ended, by which it is told; leave it open\n"
    assert ended.stderr == ""


def test_what_it_does_not_understand_it_says_and_goes_on(tmp_path: Path) -> None:
    ended = simulated(tmp_path, "watts much\nwatts\nfaster\nquit\n")
    assert ended.stdout == "pulses on GPIO 24\n"
    assert ended.stderr == "".join(f"{line!r}: watts NUMBER, or quit\n" for line in ("watts much", "watts", "faster"))

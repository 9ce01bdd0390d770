"""The simulated solar house as a program: what it says at its ptys, and what it is told on its standard input."""

import os
import subprocess
from pathlib import Path

from pimains.vedirect.plan.framing import Framing
from tests.kit import TOP, until


def program(*words: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["/usr/bin/python3", "-Pu", "-m", "pimains.house.sun", *words],
        env={**os.environ, "PYTHONPATH": str(TOP / "lib")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_does_all_that_it_is_told_at_once_and_says_what_it_does_not_understand(tmp_path: Path) -> None:
    lines = ["clouds much", "faster", "", "silent mppt9 on", "synchronised mppt on", "weld 17 on", "load 300", "quit"]
    said, complained = program("--mppt", tmp_path / "mppt").communicate("".join(f"{line}\n" for line in lines), timeout=60)
    assert said == f"speaking at {tmp_path / 'mppt'}\n"
    assert [line.partition(": ")[0] for line in complained.splitlines()] == [repr(line) for line in lines[:2] + lines[3:6]]
    assert not (tmp_path / "mppt").is_symlink()


def test_it_says_why_it_ends_when_its_standard_input_does(tmp_path: Path) -> None:
    said, _ = program("--bmv", tmp_path / "bmv").communicate("", timeout=60)
    assert said.endswith("no more sun: its standard input has ended, by which it is told; leave it open\n")


def test_its_day_goes_as_fast_as_it_is_told(tmp_path: Path) -> None:
    sun = program("--mppt", tmp_path / "mppt", "--speed=50", "--hour=6.5")
    try:
        until((tmp_path / "mppt").exists)
        port = os.open(tmp_path / "mppt", os.O_RDONLY | os.O_NOCTTY)
        framing, watts = Framing(), [0]

        def is_enough() -> bool:
            watts.extend(int(dict(block)["PPV"]) for block in framing.feed(os.read(port, 4096)))
            return len(watts) > 200

        until(is_enough)
        os.close(port)
        assert watts[-1] > watts[1] > 0  # it is morning
    finally:
        sun.communicate("quit\n", timeout=60)

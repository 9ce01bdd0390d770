"""Who interrupts a demo while it installs packages finds them whole."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.kit import TOP, until

INSTALLING = 'echo >begun; read -r line <go; echo "$line" >done'
DEMO = "from pimains.house import demo_packages; demo_packages.step('Installing', 'sh', '-c', '{}', is_finished={})"


def begun(directory: Path, *, is_finished: bool) -> "subprocess.Popen[str]":
    """A step that is amid its work."""
    os.mkfifo(directory / "go")
    words = ["/usr/bin/python3", "-c", DEMO.format(INSTALLING, is_finished)]
    process = subprocess.Popen(
        words,
        cwd=directory,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(TOP / "lib")},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    until((directory / "begun").exists)
    return process


def test_an_installation_that_is_interrupted_is_finished_first(tmp_path: Path) -> None:
    process = begun(tmp_path, is_finished=True)
    assert process.stdout
    os.killpg(process.pid, signal.SIGINT)  # as ^C does at a terminal
    until(lambda: process.stdout and "Finishing that first" in process.stdout.readline())
    (tmp_path / "go").write_text("whole\n")
    assert process.wait(10) == -signal.SIGINT
    assert (tmp_path / "done").read_text() == "whole\n"


def test_a_build_that_is_interrupted_ends(tmp_path: Path) -> None:
    process = begun(tmp_path, is_finished=False)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(10) == -signal.SIGINT
    with pytest.raises(OSError, match="No such device"):
        os.open(tmp_path / "go", os.O_WRONLY | os.O_NONBLOCK)  # nobody reads there any more
    assert not (tmp_path / "done").exists()

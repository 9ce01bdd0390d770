"""tests/prepare.sh: what tests stand on is there as a whole, or the run ends with a line that says what is missing."""

import os
import subprocess
from pathlib import Path

from tests.kit import TOP


def prepare(cache: Path, script: str) -> "subprocess.CompletedProcess[str]":
    words = ["bash", "-c", f"set -euo pipefail; . tests/prepare.sh; sleep() {{ :; }}\n{script}"]
    environment = {**os.environ, "PIMAINS_CACHE": str(cache)}
    return subprocess.run(words, cwd=TOP, env=environment, capture_output=True, text=True, check=False)


def test_a_step_ends_at_its_first_command_that_fails_and_the_run_with_it(tmp_path: Path) -> None:
    done = prepare(tmp_path, f"half() {{ echo began; false; touch {tmp_path}/stamp; }}\nstep 'all of it' half\ntouch {tmp_path}/went-on")
    assert (done.returncode, done.stderr) == (1, "began\ntests/run: could not prepare: all of it\n")
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_what_asks_another_machine_is_tried_three_times(tmp_path: Path) -> None:
    program = tmp_path / "download"
    program.write_text(f'#!/bin/sh\necho once >>{tmp_path}/tries\n[ "$(wc -l <{tmp_path}/tries)" -ge "$1" ]\n')
    program.chmod(0o755)
    assert prepare(tmp_path, f"get() {{ again {program} 3; }}\nstep 'a package' get").returncode == 0
    (tmp_path / "tries").unlink()
    failed = prepare(tmp_path, f"get() {{ again {program} 4; }}\nstep 'a package' get")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-2:] == [f"this failed (try 3 of 3): {program} 4", "tests/run: could not prepare: a package"]


def test_what_somebody_stopped_half_way_is_made_anew(tmp_path: Path) -> None:
    venv = tmp_path / "esphome-1"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/esphome").touch(0o755)
    # a python whose venv has a pip that installs nothing
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nmkdir -p "$3/bin" && ln -s /bin/true "$3/bin/pip"\n')
    python.chmod(0o755)
    script = f"it() {{ esphome_version 1 {python}; }}\nstep 'it' it"
    assert prepare(tmp_path, script).returncode == 0
    assert (venv / "bin/esphome").exists(), "it was whole"
    (venv / "unfinished").touch()
    assert prepare(tmp_path, script).returncode == 0
    assert [path.name for path in venv.rglob("*")] == ["bin", "pip"]

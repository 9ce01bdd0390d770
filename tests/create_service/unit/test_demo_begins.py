"""A demo begins on a Debian that has Python and nothing else: it installs what it needs."""

import subprocess

from tests.kit import TOP


def test_it_needs_nothing_but_python_before_it_has_installed_what_it_needs() -> None:
    words = ["/usr/bin/python3", "-S", "-c", "import pimains.house.demo"]  # without all that Debian's packages bring
    done = subprocess.run(words, env={"PYTHONPATH": str(TOP / "lib")}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

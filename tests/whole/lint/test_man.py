"""The man pages are well-formed."""

import subprocess
from pathlib import Path

import pytest

from tests.kit import TOP


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("man")
    subprocess.run([TOP / "debian/man/make", directory], check=True)
    return directory


COMMANDS = sorted(path.name for path in (TOP / "debian/man").glob("*.[1-9]"))
SERVICES = sorted(f"pimains-{path.parent.name}.8" for path in (TOP / "services").glob("*/README.md"))


def test_each_command_and_each_service_has_a_page(complete: Path) -> None:
    assert sorted(path.name for path in complete.iterdir()) == sorted([*COMMANDS, *SERVICES])


@pytest.mark.parametrize("page", [*COMMANDS, *SERVICES])
def test_man_has_no_warning(complete: Path, page: str) -> None:
    path = complete / page
    words = ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path]
    told = subprocess.run(words, env={"LC_ALL": "C.UTF-8", "MANWIDTH": "80", "PATH": "/usr/bin:/bin"}, capture_output=True, check=False)
    assert (told.returncode, told.stderr.decode()) == (0, "")
    assert b"@VERSION@" not in path.read_bytes()

"""ruff, mypy --strict, import-linter and shellcheck find nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit import TOP

TOOLS = Path(sys.executable).parent


def passes(*words: str | Path) -> None:
    result = subprocess.run(words, cwd=TOP, env={**os.environ, "PYTHONPATH": str(TOP / "lib")}, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def scripts() -> list[Path]:
    """Every shell script git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=TOP, capture_output=True, text=True, check=True
    )
    return [
        path
        for path in (TOP / name for name in listed.stdout.splitlines())
        if path.is_file() and path.read_bytes()[:64].split(b"\n")[0] in (b"#!/bin/sh", b"#!/bin/bash", b"#!/bin/sh -e", b"#!/bin/sh -eu")
    ]


def test_ruff_finds_nothing() -> None:
    passes(TOOLS / "ruff", "check", "lib", "tests", "setup.py")


def test_everything_is_formatted_alike() -> None:
    passes(TOOLS / "ruff", "format", "--check", "lib", "tests", "setup.py")


def test_mypy_strict_finds_nothing_in_lib() -> None:
    passes(TOOLS / "mypy", "lib")


def test_imports_only_point_down() -> None:
    passes(TOOLS / "lint-imports")


@pytest.mark.parametrize("script", scripts(), ids=lambda path: str(path.relative_to(TOP)))
def test_shellcheck_finds_nothing(script: Path) -> None:
    passes("shellcheck", "-x", script)

"""Habits that no linter knows of."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.kit import TOP


def tracked(*patterns: str) -> list[Path]:
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(words, cwd=TOP, capture_output=True, text=True, check=True).stdout.splitlines()
    names = [name for name in listed if not name.endswith(".png")]
    return [TOP / name for name in names if (TOP / name).is_file() and Path(name) != Path(__file__).relative_to(TOP)]


def lines(paths: list[Path], pattern: str) -> list[str]:
    found = re.compile(pattern)
    return [
        f"{path.relative_to(TOP)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if found.search(line)
    ]


def test_no_text_ever_becomes_a_shell_command() -> None:
    assert lines(tracked("*.py", "create_service", "debian/*/make"), r"shell=True|os\.system\(|os\.popen\(|getoutput\(") == []


def test_nothing_is_left_for_later() -> None:
    assert lines(tracked(), r"\b(TODO|FIXME|XXX)\b(?!X)") == []


def test_our_own_code_is_never_mocked() -> None:
    assert lines(tracked("tests/*.py"), r"^\s*(from unittest import mock|import unittest\.mock|from unittest\.mock import)") == []


def test_every_exception_from_a_linter_has_its_reason() -> None:
    assert [
        line for line in lines(tracked("lib/*.py"), r"# (noqa|type: ignore)") if not re.search(r"# (noqa|type: ignore)[^#]*# \w", line)
    ] == []


def test_every_test_file_has_a_name_of_its_own() -> None:
    names = [path.name for path in tracked("tests/*.py")]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("path", tracked("tests/*.py"), ids=lambda path: path.name)
def test_no_test_is_skipped_without_a_reason(path: Path) -> None:
    text = path.read_text()
    assert re.findall(r"pytest\.skip\(\)|mark\.skip\b(?!if)(?!\()|skipif\((?:(?!reason=).)*\)\s*$", text, re.MULTILINE) == []

"""Which file is the rule of a relay, whatever else lies beside it."""

import os
from pathlib import Path

import pytest

from pimains.rules.rule_files import RuleFiles, draft, read

RULE = "def rule(relay, data, relays, now):\n    return ON, 'always'\n"


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    etc, made = tmp_path / "etc", tmp_path / "made"
    etc.mkdir()
    made.mkdir()
    return etc, made


def test_a_file_that_is_not_used_is_told_until_it_is_gone(places: tuple[Path, Path]) -> None:
    etc, made = places
    files = RuleFiles(*places)
    for directory in places:
        (directory / "3.py").write_text(RULE)
    assert files.look()[3].besides == made / "3.py"
    (made / "3.py").unlink()
    rule = files.look()[3]
    assert (rule.path, rule.besides) == (etc / "3.py", None)
    files.close()


def test_with_three_files_for_a_relay_nothing_changes_from_look_to_look(places: tuple[Path, Path]) -> None:
    etc, made = places
    files = RuleFiles(*places)
    for path in (etc / "3.py", made / "3.py"):
        path.write_text(RULE)
    (etc / "3.rule").mkdir()
    rule = files.look()[3]
    assert (rule.path, rule.besides) == (etc / "3.py", etc / "3.rule")
    assert files.look()[3] is rule
    files.close()


def test_what_windows_and_its_editors_write_is_a_rule(tmp_path: Path) -> None:
    path = tmp_path / "3.py"
    path.write_bytes(b"\xef\xbb\xbf" + RULE.replace("\n", "\r\n").encode())
    for found in (read(path), draft(path)):
        assert (found.number, found.fault) == (3, "")
        compile(found.text, "3.py", "exec")


def test_nobody_waits_for_what_is_no_plain_file(tmp_path: Path) -> None:
    path = tmp_path / "3.rule"
    path.mkdir()
    os.mkfifo(path / "KIND")
    assert read(path).fault == "KIND: is no plain file; a setting is a plain file"


def test_a_draft_too_long_for_the_service_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / "draft.py"
    path.write_text(RULE + "#" * 65_536)
    assert draft(path).fault == "it is longer than 64 KiB"
    path.write_bytes(b"# \xff")
    assert draft(path).fault == "it is no text in UTF-8"

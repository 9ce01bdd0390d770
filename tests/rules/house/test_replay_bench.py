"""A short version of tests/rules/bench/replay.py, which measures a year as well."""

from pathlib import Path

import pytest

from tests.rules.bench import replay as bench

pytestmark = pytest.mark.alone


def test_a_week_of_minutes_is_played_in_a_moment(tmp_path: Path) -> None:
    path = bench.journal(tmp_path / "journal.sqlite", 60, 8)
    assert min(bench.measure(path, tmp_path, 7, 8)[0] for _ in range(3)) <= 0.2

"""What a collector has recorded, as a replay looks at it."""

from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimains.core.errors import Refused
from pimains.rules.plan.replay import Span
from pimains.rules.recorded_values import HELD_SECONDS, Held, RecordedValues
from pimains.rules.replay_rows import rows
from tests.rules.journals import Recording

NAME = "bmv/SOC"
START = 1_790_000_000.0


def known(path: Path, start: float, every: float, count: int, now: float = 1e12) -> list[tuple[float | None, float]]:
    values = RecordedValues(path, now)
    try:
        return list(islice(values.known(NAME, start, every), count))
    finally:
        values.close()


def held(path: Path, start: float, end: float, now: float = 1e12) -> list[Held]:
    values = RecordedValues(path, now)
    try:
        return list(values.held(NAME, start, end))
    finally:
        values.close()


def test_a_value_holds_until_the_next_one_and_grows_old_in_a_gap(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "journal.sqlite")
    recording.looked(NAME, [(0, 5), (10, 5), (20, 8), (30, None), (60, 6), (70, 7), (80, None)])
    assert known(recording.path, 0, 10, 10) == [
        (5, 0), (5, 10), (8, 20), (8, 20), (8, 20), (8, 20), (6, 60), (7, 70), (7, 70), (7, 70)
    ]  # fmt: skip
    assert known(recording.path, -20, 15, 4) == [(None, -20), (None, -20), (5, 10), (8, 20)]
    assert known(recording.path, 65, 1, 2) == [(6, 65), (6, 66)]
    assert held(recording.path, 5, 100) == [(5, 20, 5), (60, 70, 6)]


def test_what_was_noted_last_is_known_still_a_while(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "journal.sqlite")
    recording.looked(NAME, [(0, 5), (10, 6)])
    assert known(recording.path, 100, 60, 2, now=10 + HELD_SECONDS) == [(6, 100), (6, 160)]
    assert known(recording.path, 100, 60, 2, now=11 + HELD_SECONDS) == [(6, 10), (6, 10)]
    assert held(recording.path, 0, 1e9, now=200) == [(0, 10, 5), (10, 200, 6)]


def test_a_boot_later_it_goes_on_behind_a_gap_and_a_run_within_another_tells_nothing(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "journal.sqlite")
    recording.looked(NAME, [(START, 5), (START + 60, 6)], "first", offset=START - 1000)
    recording.looked(NAME, [(START + 100, 7), (START + 160, 8)], "second", offset=START + 50)
    recording.looked(NAME, [(START + 120, 70), (START + 150, 80)], "another", offset=START)
    assert known(recording.path, START, 30, 7) == [
        (5, START), (5, START + 30), (6, START + 60), (6, START + 60), (7, START + 120), (7, START + 150), (8, START + 160)
    ]  # fmt: skip
    assert held(recording.path, START, START + 500) == [(START, START + 60, 5), (START + 100, START + 160, 7)]


def test_a_source_that_counts_is_no_value_and_what_is_not_there_was_never_known(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "journal.sqlite")
    recording.looked(NAME, [(START, 5), (START + 60, 6)], unit="%")
    values = RecordedValues(recording.path, START + 60)
    assert values.units == {NAME: "%"}
    assert values.first(NAME) == START
    assert values.first("bmv/P") is None
    assert list(islice(values.known("bmv/P", 0, 60), 2)) == [(None, 0), (None, 0)]
    assert list(values.held("bmv/P", 0, 1e12)) == []
    values.close()


def test_another_process_hands_on_the_same_step_by_step(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "journal.sqlite")
    recording.looked(NAME, [(60 * number, None if number % 7 == 3 else number % 50) for number in range(1, 1000)])
    recording.looked("bmv/P", [(60 * number, -number) for number in range(300, 1200)])
    recording.close()
    values = RecordedValues(recording.path, 1e12)
    names, span = ("bmv/P", NAME), Span(0, 61, 1000)
    wanted = list(islice(zip(*(values.known(name, span.start, span.every) for name in names), strict=True), span.steps))
    values.close()
    assert list(rows(recording.path, names, span, 1e12)) == wanted
    assert wanted[0] == ((None, 0), (None, 0))


def test_what_cannot_be_read_to_the_end_is_no_shorter_past(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "journal.sqlite")
    recording.looked(NAME, [(60 * number, number) for number in range(1, 1000)])
    recording.close()
    with recording.path.open("r+b") as file:
        file.truncate(recording.path.stat().st_size * 3 // 4)
    with pytest.raises(Refused, match=r"journal\.sqlite: cannot be read to the end"):
        list(rows(recording.path, [NAME], Span(0, 60, 1000), 1e12))


LOOKS = st.lists(st.tuples(st.integers(1, 200), st.one_of(st.none(), st.integers(0, 3))), min_size=1, max_size=30)


@settings(max_examples=25, deadline=None)
@given(st.lists(LOOKS, min_size=1, max_size=3), st.integers(-100, 2000), st.integers(1, 120))
def test_it_is_what_looking_at_the_file_would_have_said(boots: list[list[tuple[int, int | None]]], start: int, every: int) -> None:
    """Looked at together, or at one time alone; and as long as it was known it was that value."""
    at = 0.0
    looked: list[tuple[float, float | None]] = []
    with TemporaryDirectory() as directory:
        recording = Recording(Path(directory) / "journal.sqlite")
        for number, looks in enumerate(boots):
            seen: list[tuple[float, float | None]] = []
            for seconds, value in looks:
                at += seconds
                seen.append((at, value))
            seen.append((at + 0.5, None))
            looked += seen
            recording.looked(NAME, seen, str(number))
            at += 1
        found = known(recording.path, start, every, 20)
        alone = [known(recording.path, start + number * every, 1, 1)[0] for number in range(0, 20, 7)]
        assert [each for each in found[::7] if each[0] is not None] == [each for each in alone if each[0] is not None]
        recording.close()
        spans = held(recording.path, start, start + 20 * every)
        for number, (value, time) in enumerate(found):
            due = start + number * every
            last = max((each for each in looked if each[0] <= due), key=lambda each: each[0], default=(0.0, None))
            after = next((each for each in looked if each[0] > due), (0.0, None))
            if value is not None and last[1] is not None and after[1] is not None:
                assert (value, time) == (last[1], due)
                assert [span.value for span in spans if span.begin <= due < span.end] == [value]
            elif value is not None:
                assert time <= due

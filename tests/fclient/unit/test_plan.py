"""What is worth a line in the log."""

import pytest

from pimains.fclient.plan import is_news


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("waiting to unmount /MDrive: device or resource busy, kept by mpd (124) at /MDrive/song", False),
        ("waiting to unmount /MDrive: device or resource busy, kept by mpd (124) at /MDrive/other", True),
        ("waiting to unmount /MDrive: device or resource busy, kept by sh (123) at /MDrive/song", True),
        ("waiting to unmount /MDrive: device or resource busy, kept by mpd (9) at /MDrive/song, sh (10) at /MDrive", True),
        ("/MDrive is mounted", True),
    ],
)
def test_a_line_that_only_changes_its_pids_is_no_news(words: str, expected: bool) -> None:
    before = "waiting to unmount /MDrive: device or resource busy, kept by mpd (123) at /MDrive/song"
    assert not is_news(before, before)
    assert is_news(words, before) == expected

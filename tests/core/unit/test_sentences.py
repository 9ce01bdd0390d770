"""Durations, moments and ledger entries in words."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pimains.core.plan import sentences

NOW = datetime(2026, 11, 21, 5, 0, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (0.42, "0.4 s"),
        (1, "1 s"),
        (95, "95 s"),
        (119.9, "119 s"),
        (120, "2 min"),
        (3600, "60 min"),
        (7200, "2 h"),
        (47.9 * 3600, "47 h"),
        (48 * 3600, "2 days"),
        (400 * 86400, "400 days"),
    ],
)
def test_a_duration_has_one_unit(seconds: float, words: str) -> None:
    assert sentences.duration(seconds) == words


def test_how_long_ago_or_in_how_long() -> None:
    assert [sentences.ago(seconds) for seconds in (None, 0.3, 5, -300)] == ["", "just now", "5 s ago", "in 5 min"]


def test_a_moment_of_this_year_needs_no_year() -> None:
    assert sentences.moment(NOW - 7200, NOW, UTC) == "21 Nov 03:00:12"
    assert sentences.moment(NOW - 400 * 86400, NOW, UTC) == "17 Oct 2025 05:00:12"
    assert sentences.moment(NOW, NOW, timezone(timedelta(hours=1))) == "21 Nov 06:00:12"


def test_a_moment_before_the_clock_was_set_is_not_told_as_1970() -> None:
    assert sentences.moment(40, NOW, UTC) == "at a time not known (the clock was not set)"


def test_an_entry_is_a_sentence() -> None:
    told = sentences.entry(
        wall=NOW - 7200,
        now=NOW,
        age=7200,
        subject="halt",
        action="shut down",
        cause="plug: delay switch switched off (asked by plug)",
        inputs={"power": ("2.4 W", 1.2), "off requested": ("yes", None)},
        next_change=NOW + 300,
        zone=UTC,
    )
    assert told == (
        "21 Nov 03:00:12 (2 h ago): halt: shut down, because plug: delay switch switched off (asked by plug). "
        "Based on: power 2.4 W (1 s old), off requested yes. May change again at 21 Nov 05:05:12 (in 5 min)."
    )


def test_readings_have_their_ages_as_far_as_these_are_known() -> None:
    told = sentences.readings({"power": ("2.4 W", 61.0), "relay": ("on", 0.2), "off requested": ("yes", None)})
    assert told == "power 2.4 W (61 s old), relay on (just now), off requested yes"


def test_an_entry_says_no_more_than_is_known() -> None:
    told = sentences.entry(
        wall=40, now=NOW, age=None, subject="plug", action="power on", cause="", inputs={}, next_change=NOW - 1, zone=UTC
    )
    assert told == "at a time not known (the clock was not set): plug: power on."

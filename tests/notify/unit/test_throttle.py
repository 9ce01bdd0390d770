"""Throttling: how often people are told."""

from hypothesis import given
from hypothesis import strategies as st

from pimains.notify.plan import HOUR, Moment, Sent, Throttle, retry_seconds, summed_up, wall_time

EVENTS = st.sampled_from(["power", "plug", "halt"])


def test_the_same_event_waits_and_another_does_not() -> None:
    throttle = Throttle(300, 20)
    throttle.note("power", 1000.0)
    assert throttle.wait_seconds("power", 1100.0) == 200
    assert throttle.wait_seconds("plug", 1100.0) == 0
    assert throttle.wait_seconds("power", 1300.0) == 0


def test_beyond_the_hourly_bound_every_event_waits_for_the_first_to_be_an_hour_old() -> None:
    throttle = Throttle(0, 3)
    for at in (0.0, 10.0, 20.0):
        throttle.note(f"event-{at}", at)
    assert throttle.wait_seconds("another", 30.0) == HOUR - 30
    assert throttle.wait_seconds("another", HOUR) == 0


def test_what_was_sent_before_a_restart_counts_and_what_was_before_a_boot_does_not() -> None:
    throttle = Throttle(300, 20, [Sent("power", 1000.0), Sent("plug", 90_000.0)])
    assert throttle.wait_seconds("power", 1100.0) == 200
    assert throttle.wait_seconds("plug", 1100.0) == 0


@given(st.lists(st.tuples(EVENTS, st.floats(0, 2000)), max_size=60), st.floats(0, 900), st.integers(1, 5))
def test_however_they_come_no_bound_is_passed_and_a_wait_is_long_enough(
    posts: list[tuple[str, float]], same_event_seconds: float, per_hour_max: int
) -> None:
    throttle, now, sent = Throttle(same_event_seconds, per_hour_max), 0.0, []
    for event, pause in posts:
        now += pause
        wait = throttle.wait_seconds(event, now)
        assert 0 <= wait <= max(same_event_seconds, HOUR) + 0.001
        if wait == 0:
            throttle.note(event, now)
            sent.append((event, now))
        else:
            assert throttle.wait_seconds(event, now + wait + 0.001) == 0
    for index, (event, at) in enumerate(sent):
        assert len([other for _, other in sent[index:] if other - at < HOUR - 0.001]) <= per_hour_max
        assert not [other for name, other in sent[index + 1 :] if name == event and other - at < same_event_seconds - 0.001]


def test_an_address_in_trouble_is_tried_after_half_a_minute_at_first_and_every_hour_at_last() -> None:
    pauses = [retry_seconds(failures) for failures in range(1, 10)]
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_a_clock_set_after_the_post_does_not_make_it_old() -> None:
    posted = Moment("boot", 20.0, 0.0)  # 1970: no clock battery
    assert wall_time(posted, Moment("boot", 50.0, 1_790_000_030.0)) == 1_790_000_000.0
    assert wall_time(posted, Moment("next boot", 50.0, 1_790_000_030.0)) == 0.0


def test_what_was_held_back_is_summed_up() -> None:
    assert summed_up("on battery", 12, "14:05") == "on battery\n\nand 12 more of these since 14:05"
    assert summed_up("", 1, "14:05") == "and 1 more of these since 14:05"
    assert summed_up("on battery", 0, "14:05") == "on battery"

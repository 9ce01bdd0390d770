"""Guessing a password costs time."""

from pimains.shared.plan.attempts import Attempts


def test_a_few_wrong_ones_are_free_then_each_costs_time_and_time_heals() -> None:
    attempts = Attempts(free=3, seconds_each=6)
    for _ in range(3):
        assert attempts.wait_seconds("192.0.2.1", 100.0) == 0
        attempts.failed("192.0.2.1", 100.0)
    assert attempts.wait_seconds("192.0.2.1", 100.0) == 6
    assert attempts.wait_seconds("192.0.2.1", 106.0) == 0
    attempts.failed("192.0.2.1", 106.0)
    assert attempts.wait_seconds("192.0.2.1", 106.0) == 6
    assert attempts.wait_seconds("192.0.2.1", 1000.0) == 0


def test_others_are_not_held_up_and_who_knows_the_password_owes_nothing() -> None:
    attempts = Attempts(free=1, seconds_each=6)
    attempts.failed("192.0.2.1", 0.0)
    assert attempts.wait_seconds("192.0.2.2", 0.0) == 0
    attempts.succeeded("192.0.2.1")
    assert attempts.wait_seconds("192.0.2.1", 0.0) == 0


def test_a_network_of_ipv6_addresses_is_one_place() -> None:
    attempts = Attempts(free=1, seconds_each=6)
    attempts.failed("2001:db8::1", 0.0)
    assert attempts.wait_seconds("2001:db8::ffff:2", 0.0) == 6
    assert attempts.wait_seconds("2001:db8:0:1::1", 0.0) == 0


def test_what_is_remembered_is_bounded() -> None:
    attempts = Attempts(free=1, seconds_each=6, places_max=100)
    for number in range(10_000):
        attempts.failed(f"place {number}", 0.0)
    assert len(attempts._paid_at) == 100
    assert attempts.wait_seconds("place 9999", 0.0) == 6

"""The clocks."""

import time

import pytest

from pimains.core.clock import FakeClock, SystemClock, boot_id


def test_the_wall_clock_may_jump_and_intervals_do_not_notice() -> None:
    clock = FakeClock(monotonic=100, wall=40)
    clock.advance(5)
    clock.jump(1_790_000_000)
    clock.jump(-3600)
    assert clock.monotonic() == 105
    assert clock.wall() == 40 + 5 + 1_790_000_000 - 3600


def test_the_machines_clock_counts_from_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIMAINS_SPEED", raising=False)
    clock = SystemClock()
    for told, true in ((clock.monotonic, lambda: time.clock_gettime(time.CLOCK_BOOTTIME)), (clock.wall, time.time)):
        before = true()
        assert before <= told() <= true()
    assert clock.real_seconds(60) == 60


def test_in_a_rehearsal_an_hour_passes_in_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIMAINS_SPEED", "6000")
    clock = SystemClock()
    assert clock.real_seconds(60) == pytest.approx(0.01)
    outer = time.clock_gettime(time.CLOCK_BOOTTIME)
    before = clock.monotonic()
    inner = time.clock_gettime(time.CLOCK_BOOTTIME)
    time.sleep(clock.real_seconds(60))
    inner = time.clock_gettime(time.CLOCK_BOOTTIME) - inner
    passed = clock.monotonic() - before
    outer = time.clock_gettime(time.CLOCK_BOOTTIME) - outer
    assert 6000 * inner - 1 <= passed <= 6000 * outer + 1


def test_a_boot_has_a_name_that_does_not_change() -> None:
    assert len(boot_id()) == 36
    assert boot_id() == boot_id()

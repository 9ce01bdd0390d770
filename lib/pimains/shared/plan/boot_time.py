"""When a boot was, on a machine without a clock battery: what is known of it now, and when that has changed."""

from pimains.shared.plan.delivery import Boot

EARLIEST_WALL = 1_767_225_600.0  # 2026: a clock that shows less was not set since the machine came up
_STEP_SECONDS = 0.5  # less is the time between reading the one clock and the other


def judged(before: Boot, wall: float, uptime: float, synchronised: bool) -> Boot:
    """The boot as `before`, or better, when the clock shows `wall` at `uptime`; both in seconds."""
    if wall < EARLIEST_WALL:
        return before
    now = Boot(wall - uptime, synchronised)
    is_another = before.offset is None or abs(wall - uptime - before.offset) > _STEP_SECONDS or synchronised > before.synchronised
    return now if is_another and before.is_improved_by(now) else before

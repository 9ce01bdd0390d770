"""How long a halt takes, by what each of its steps took before: for a plug and a UPS, which have to leave it that time."""

from collections.abc import Mapping, Sequence

from pimains.core.plan.budget import budget, percentile_95
from pimains.halt.plan import short_time
from pimains.shared.plan.step_progress import is_upgrade


def measured_seconds(took: Mapping[str, Sequence[float]]) -> float:
    """What the steps took, as far as they were measured; `took` has the seconds of each by its name."""
    known = [percentile_95(seconds or [0.0]) for seconds in took.values()]
    return short_time.longest([max(short_time.LEAST_SECONDS, seconds) for seconds in known])


def longest_seconds(took: Mapping[str, Sequence[float]], step_seconds_max: float, grace_seconds: float) -> float:
    """If each step uses up its budget; but for the one that waits for an upgrade."""
    granted = [budget(seconds, step_seconds_max) for name, seconds in took.items() if not is_upgrade(name)]
    return grace_seconds + short_time.longest(granted)


def shutdown_seconds(took: Sequence[float], unknown: float) -> float:
    """What HALT_COMMAND and all that it begins may take, by what that `took` before; `unknown` until measured."""
    return budget(took, max(unknown, 2 * max(took, default=0.0)))

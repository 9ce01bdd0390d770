"""How long to wait before trying again."""

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
_STEPS_MAX = 60  # more than there are from the shortest pause to the longest; a float ends at 2 ** 1023


def wait_seconds(
    failures: int, chance: float = 0.0, *, first: float = FIRST_SECONDS, longest: float = LONGEST_SECONDS, growth: float = 2.0
) -> float:
    """Seconds to wait after so many failures in a row: `first` for 0, each time `growth` times as long, at last `longest`.

    `chance` (0-1) takes up to half of it away, so that machines that lost the same network do not come back as one; `first` stays.
    """
    whole = min(longest, first * growth ** min(failures, _STEPS_MAX))
    return max(first, whole * (1 - chance / 2))

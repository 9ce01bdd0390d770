"""How long to wait before trying again."""

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0


def wait_seconds(failures: int, chance: float) -> float:
    """Seconds (1-60) to wait after so many failures in a row: doubled each time.

    `chance` (0-1) takes up to half of it away, so that machines that lost the same network do not come back as one.
    """
    whole = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(failures, 10))
    return max(FIRST_SECONDS, whole * (1 - chance / 2))

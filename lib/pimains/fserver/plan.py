"""Saying a thing that may happen a thousand times a second once a minute."""


class RateLimit:
    """Lets the first line through, then one in `seconds`, which tells how many there were."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.seconds = seconds
        self.held_back = 0
        self._next: float | None = None

    def line(self, now: float, text: str) -> str | None:
        """What to say at `now` (monotonic seconds) about another `text`; None to keep quiet."""
        if self._next is not None and now < self._next:
            self.held_back += 1
            return None
        more = f" (and {self.held_back} more since the last such line)" if self.held_back else ""
        self.held_back, self._next = 0, now + self.seconds
        return text + more

"""When a file server or one of its clients is gone, and how often to look for it again.

Beats come more often than once a second, because two promises meet here: a cut of less than four seconds changes nothing, and
five seconds after a cut the share is unmounted. A cut may begin right after a beat or almost one beat later, and its end is noticed
only with the next try to connect: 4 s + 0.6 s + 0.2 s is what a client has to bear, and 4.85 s is what it bears.
"""

BEAT_SECONDS = 0.6  # between two beats of the server; a client answers every second one
CLIENT_PATIENCE_SECONDS = 4.85  # without a word from the server
SERVER_PATIENCE_SECONDS = 4.0  # without a word from a client
DOUBT_SECONDS = 1.5  # without a word: two beats are overdue, so a second connection is tried beside the first
_RETRY_IN_DOUBT_SECONDS = 0.2
_RETRY_SECONDS = 2.0
_RETRY_SHARE_OF_ABSENCE = 0.1
CONNECT_SECONDS = 5.0
_CONNECT_IN_DOUBT_SECONDS = _RETRY_IN_DOUBT_SECONDS  # one after the other, without a pause


class Hearing:
    """What is known of the other end by its words alone; times are monotonic seconds."""

    def __init__(self, now: float, patience: float) -> None:
        self.patience = patience
        self.last = now

    def heard(self, now: float) -> None:
        """It said something that only it can say."""
        self.last = now

    def is_in_doubt(self, now: float) -> bool:
        """Whether it is worth finding out."""
        return now - self.last >= DOUBT_SECONDS

    def is_gone(self, now: float) -> bool:
        """Whether nothing was heard for as long as can be borne."""
        return now - self.last >= self.patience

    def seconds_left(self, now: float) -> float:
        """Until it is taken for gone."""
        return max(0.0, self.last + self.patience - now)


def retry_seconds(absent_seconds: float, longest: float) -> float:
    """From one try to connect to the next: every 2 s while it has just gone, a tenth of its absence later on."""
    return min(longest, max(_RETRY_SECONDS, _RETRY_SHARE_OF_ABSENCE * absent_seconds))


def retry_in_doubt_seconds() -> float:
    """From one try to the next while everything hangs on it."""
    return _RETRY_IN_DOUBT_SECONDS


def connect_seconds(*, in_doubt: bool) -> float:
    """How long a try may take: in doubt a new one soon does better than a lost packet that the kernel sends again after a second."""
    return _CONNECT_IN_DOUBT_SECONDS if in_doubt else CONNECT_SECONDS

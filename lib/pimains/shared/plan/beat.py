"""When a file server or one of its clients is gone, and how often to look for it again.

Two promises meet here: a cut of less than four seconds changes nothing, and five seconds after a cut the share is unmounted. So a
client has to know to 0.6 s when a cut began, whose end it notices only with its next try to connect: 4 s + 0.6 s + 0.2 s is what it has
to bear, and 4.85 s is what it bears. It knows by the server's beats and, half-way between two of them, by its own answer: when the
server's kernel has acknowledged that one, the server was there then. A cut is so found as soon as with twice as many beats, each of
which costs the server time on its processor.

A server whose machine goes on and whose fserver is silent acknowledges answers, too: such an answer does not count.
"""

BEAT_SECONDS = 1.2  # between two beats of the server
ANSWER_SECONDS = 0.6  # from a beat to the client's answer
CLIENT_PATIENCE_SECONDS = 4.85  # since the server was there for certain
SERVER_PATIENCE_SECONDS = 3.9  # since a client answered; it is looked at a moment later
WAKING_SECONDS = 2.5  # for a new proof, once this machine has slept for longer than all patience
DOUBT_SECONDS = 2.0  # without a word: a beat is long overdue, so a second connection is tried beside the first
_RETRY_IN_DOUBT_SECONDS = 0.2
_RETRY_SECONDS = 2.0
_RETRY_SHARE_OF_ABSENCE = 0.1
CONNECT_SECONDS = 5.0
_CONNECT_IN_DOUBT_SECONDS = _RETRY_IN_DOUBT_SECONDS  # one after the other, without a pause


class Hearing:
    """What is known of the other end; times are monotonic seconds."""

    def __init__(self, now: float, patience: float) -> None:
        self.patience = patience
        self.last = now  # when it was heard
        self.there = now  # when it was there for certain
        self._is_silent = False

    def heard(self, now: float) -> None:
        """It said something that only it can say."""
        self.last = self.there = now
        self._is_silent = False

    def reached(self, said: float) -> None:
        """What was said to it then has arrived."""
        if not self._is_silent:
            self.there = max(self.there, said)

    def says_nothing(self) -> None:
        """It can be reached, but says nothing: so it may have been silent since it was heard last."""
        self.there = self.last
        self._is_silent = True

    def woke(self, now: float) -> None:
        """Nothing is known of it, and it gets a moment to prove itself: what this machine slept through is not its fault."""
        self.last = self.there = now + WAKING_SECONDS - self.patience
        self._is_silent = False

    def is_in_doubt(self, now: float) -> bool:
        """Whether it is worth finding out."""
        return now - self.last >= DOUBT_SECONDS

    def is_gone(self, now: float) -> bool:
        """Whether it was away, or silent, for as long as can be borne."""
        return now - self.there >= self.patience

    def seconds_left(self, now: float) -> float:
        """Until it is taken for gone."""
        return max(0.0, self.there + self.patience - now)


def retry_seconds(absent_seconds: float, longest: float) -> float:
    """From one try to connect to the next: every 2 s while it has just gone, a tenth of its absence later on."""
    return min(longest, max(_RETRY_SECONDS, _RETRY_SHARE_OF_ABSENCE * absent_seconds))


def retry_in_doubt_seconds() -> float:
    """From one try to the next while everything hangs on it."""
    return _RETRY_IN_DOUBT_SECONDS


def connect_seconds(*, in_doubt: bool) -> float:
    """How long a try may take: in doubt a new one soon does better than a lost packet that the kernel sends again after a second."""
    return _CONNECT_IN_DOUBT_SECONDS if in_doubt else CONNECT_SECONDS

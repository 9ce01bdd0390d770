"""What somebody is about to have done, between his first request, which tells what will happen, and the second, which has it done."""

from typing import NamedTuple

SECONDS = 120.0
_INTENTS_MAX = 32


class Intent(NamedTuple):
    """`act` upon `subject`, with a `reason`; only the `session` that began it goes on with it. `clients` were told to leave with it."""

    act: str
    subject: str
    reason: str
    session: str
    clients: tuple[str, ...] = ()


class Intents:
    """By their tokens; each is carried out once, within SECONDS. The oldest makes room for one too many."""

    def __init__(self) -> None:
        self._by_token: dict[str, tuple[Intent, float]] = {}

    def begin(self, token: str, intent: Intent, now: float) -> None:
        """It was told what will happen; `now` is monotonic."""
        self._by_token = {each: kept for each, kept in self._by_token.items() if now - kept[1] < SECONDS}
        while len(self._by_token) >= _INTENTS_MAX:
            del self._by_token[next(iter(self._by_token))]
        self._by_token[token] = intent, now

    def of(self, token: str, session: str, now: float) -> Intent | None:
        """What that token stands for; None when it is over, was carried out, or is somebody else's."""
        intent, begun = self._by_token.get(token, (None, now))
        return intent if intent and intent.session == session and now - begun < SECONDS else None

    def end(self, token: str) -> None:
        """It is about to be carried out, and will not be a second time."""
        self._by_token.pop(token, None)

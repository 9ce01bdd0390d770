"""Who is logged in: bounded in number and in time."""

from typing import NamedTuple

IDLE_SECONDS = 7 * 86_400.0
SECONDS_MAX = 30 * 86_400.0
_SESSIONS_MAX = 64


class _Session(NamedTuple):
    csrf: str
    begun_at: float
    used_at: float


class Sessions:
    """By the digest of the token in the browser's cookie. Times are seconds of a monotonic clock.

    The session that was unused for longest makes room for one too many.
    """

    def __init__(self, idle_seconds: float = IDLE_SECONDS, seconds_max: float = SECONDS_MAX, sessions_max: int = _SESSIONS_MAX) -> None:
        self._idle_seconds = idle_seconds
        self._seconds_max = seconds_max
        self._sessions_max = sessions_max
        self._by_digest: dict[bytes, _Session] = {}

    def begin(self, digest: bytes, csrf: str, now: float) -> None:
        """Somebody knew the password; `csrf` is the token that each order of the session carries."""
        self._by_digest = {each: session for each, session in self._by_digest.items() if self._holds(session, now)}
        while len(self._by_digest) >= self._sessions_max:
            del self._by_digest[min(self._by_digest, key=lambda each: self._by_digest[each].used_at)]
        self._by_digest[digest] = _Session(csrf, now, now)

    def csrf(self, digest: bytes, now: float) -> str | None:
        """The token for orders of this session, which is used by that; None when there is no such session (any more)."""
        session = self._by_digest.get(digest)
        if session is None:
            return None
        if not self._holds(session, now):
            del self._by_digest[digest]
            return None
        self._by_digest[digest] = session._replace(used_at=now)
        return session.csrf

    def end(self, digest: bytes) -> None:
        """Its browser has logged out."""
        self._by_digest.pop(digest, None)

    def _holds(self, session: _Session, now: float) -> bool:
        return now - session.used_at < self._idle_seconds and now - session.begun_at < self._seconds_max

"""What is looked for in the ledger, and where a page of what was found ends: by the numbers of rows, which no clock that is set moves."""

import json
import sqlite3
from typing import Any, NamedTuple

_HAS_WORDS = "pimains_has_words"
COLUMNS = "boot, monotonic, wall, subject, action, cause, inputs, next_change"


class Asked(NamedTuple):
    """Which entries: of one `subject`, with all of these `words`, made from `since` and before `until`; each of them where it is given.

    Times are seconds since 1970; an entry of the boot `boot`, which has its `now` and `monotonic` now, is dated by the monotonic clock.
    """

    subject: str | None = None
    words: tuple[str, ...] = ()
    since: float | None = None
    until: float | None = None
    boot: str = ""
    monotonic: float = 0.0
    now: float = 0.0


class Place(NamedTuple):
    """Between which rows a page ends: all that is older has a smaller number, in root's ledger and in that of user pimains's services."""

    root: int
    services: int

    def __str__(self) -> str:
        return f"{self.root}-{self.services}"


NEWEST = Place(1 << 62, 1 << 62)


def place(text: str) -> Place:
    """What a `Place` was written as. Raises ValueError."""
    root, _, services = text.partition("-")
    if not (text.isascii() and root.isdecimal() and services.isdecimal() and len(text) < 50):
        raise ValueError
    return Place(min(int(root), NEWEST.root), min(int(services), NEWEST.services))


def rows(connection: sqlite3.Connection, asked: Asked, before: int, limit: int) -> list[Any]:
    """The newest ones below the number `before`, newest first: the number, and COLUMNS."""
    conditions = ["id < :before"]
    if asked.subject is not None:
        conditions.append("subject = :subject")
    told_at = "(case when boot = :boot and monotonic <= :monotonic then :now - :monotonic + monotonic else wall end)"
    conditions += [f"{told_at} >= :since"] if asked.since is not None else []
    conditions += [f"{told_at} < :until"] if asked.until is not None else []
    if asked.words:
        words = [word.casefold() for word in asked.words]
        connection.create_function(_HAS_WORDS, 4, lambda *texts: _has_words(words, *texts))
        conditions.append(f"{_HAS_WORDS}(subject, action, cause, inputs)")
    question = f"select id, {COLUMNS} from entries where {' and '.join(conditions)} order by id desc limit :limit"  # noqa: S608  # ours
    return connection.execute(question, {**asked._asdict(), "words": None, "before": before, "limit": limit}).fetchall()


def _has_words(words: list[str], subject: str, action: str, cause: str, inputs: str) -> bool:
    text = f"{subject}: {action}, because {cause}".casefold()
    missing = [word for word in words if word not in text]
    if not missing:
        return True
    try:
        known = json.loads(inputs).items()
        told = " ".join(f"{name} {reading[0]}" for name, reading in known).casefold()
    except (ValueError, TypeError, AttributeError, LookupError):  # a disk may change what stands on a page and leave its shape
        return False
    return all(word in told for word in missing)

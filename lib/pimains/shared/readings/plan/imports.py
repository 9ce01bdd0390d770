"""A history that is imported: what flowed in which time, made into readings that a journal takes.

Each piece of it that lies between other readings is a boot of its own, which begins to count wherever it likes: where its
source counts on from it, the readings of its meter say (shared/readings/series/series.py).
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pimains.shared.plan import known_seconds

COUNTS_PER_UNIT = {"kWh": 3_600_000.0, "m3": 1_000_000.0}  # Ws, cm3
_WORD = "import "
_SAME_SECONDS = 0.002


class Slice(NamedTuple):
    """In the `seconds` before `end` (seconds since 1970) `amount` flowed, in the source's unit; whether it is known how evenly."""

    end: float
    seconds: float
    amount: float
    is_even: bool = True


class Span(NamedTuple):
    """From `start` until `end`, in seconds since 1970."""

    start: float
    end: float


class Row(NamedTuple):
    """A reading of the piece `piece`: `time` in seconds since 1970, `counted` as COUNTS_PER_UNIT has it."""

    piece: int
    sequence: int
    time: float
    counted: int


def boot_name(number: int, piece: int) -> str:
    """How the boot of a piece of the import `number` is called in the journal."""
    return f"{_WORD}{number} {piece}"


def is_one(boot: str) -> bool:
    """Whether a boot with this name was imported."""
    return boot.startswith(_WORD)


def stored_slices(rows: Iterable[Row], unit: str) -> Iterator[Slice]:
    """What flowed between such readings; where nobody knows is nothing."""
    before: Row | None = None
    for row in rows:
        if before is not None and row.piece == before.piece:
            seconds, counted = row.time - before.time, row.counted - before.counted
            is_known = seconds <= known_seconds.UNKNOWN_SECONDS * (row.sequence - before.sequence)
            if counted or is_known:
                yield Slice(row.time, seconds, counted / COUNTS_PER_UNIT[unit], is_known)
        before = row


class Readings:
    """What is made of slices where nothing is known yet: `taken` is what there is known of. Tells what it took and left out."""

    def __init__(self, unit: str, taken: Iterable[Span]) -> None:
        self.slices = 0
        self.left_out = 0
        self.amount = 0.0
        self.pieces: dict[int, Span] = {}
        self._unit = unit
        self._taken = list(taken)

    @property
    def span(self) -> Span | None:
        """From its first to its last."""
        spans = self.pieces.values()
        return Span(min(each.start for each in spans), max(each.end for each in spans)) if spans else None

    def of(self, slices: Iterable[Slice]) -> Iterator[Row]:
        """The readings of slices in the order of time. There may be millions: what is known is in plain names here."""
        taken = sorted([*self._taken, *self.pieces.values()], reverse=True)
        block = taken.pop() if taken else None
        per_unit, count, begun = COUNTS_PER_UNIT[self._unit], 0.0, self.amount
        piece = sequence = number = 0
        first = reached = 0.0
        for end, seconds, amount, is_even in slices:
            start = end - seconds
            while block is not None and block.end <= start + _SAME_SECONDS:
                block = taken.pop() if taken else None
            if block is not None and block.start < end - _SAME_SECONDS:
                self.left_out += 1
                if piece:
                    self.pieces[piece] = Span(first, reached)
                piece = 0
                continue
            if not piece:
                piece, sequence, first = max(self.pieces, default=0) + 1, 1, start
                self.pieces[piece] = Span(start, end)
                yield Row(piece, sequence, start, round(count))
            elif start - reached > _SAME_SECONDS:
                sequence += 1
                yield Row(piece, sequence, start, round(count))
            sequence = known_seconds.following(sequence, seconds) if is_even else sequence + 1
            count += amount * per_unit
            reached = end
            number += 1
            yield Row(piece, sequence, end, round(count))
        if piece:
            self.pieces[piece] = Span(first, reached)
        self.slices += number
        self.amount = begun + count / per_unit

"""Which blocks are believed.

An 8-bit sum lets one broken block in 256 through. So a block has to have labels that came before, in their order, and numbers where numbers
belong; and one in which a number jumps further than its bound, or anything else changes, waits until the next block of its kind agrees.
A device may send blocks of several kinds in turn: each is compared with its own.
"""

from collections import deque
from collections.abc import Iterable
from typing import TypeAlias

from pimains.vedirect.plan import fields
from pimains.vedirect.plan.framing import Block

_Labels: TypeAlias = tuple[str, ...]
_KINDS_MAX = 8
_NEW_KINDS_MAX = 4
_NEW_KIND_BLOCKS = 8  # within so many blocks a new kind has to come again
_RESTLESS_BLOCKS = 3  # so many that jump soon after each other: it is what is measured that jumps
_RESTLESS_BLOCKS_MAX = 4
_REST = 0.25  # of such a block is forgotten with each that does not
_RECENT_BLOCKS = 4
_ROOM = 2.0
_CALMER = 0.995


class Belief:
    """What is known of one device since it was connected."""

    def __init__(self) -> None:
        self.unbelieved = 0
        self._kinds: dict[_Labels, _Kind] = {}
        self._new: dict[_Labels, tuple[int, Block]] = {}
        self._blocks = 0

    def believes(self, block: Block) -> bool:
        """Whether `block`, whose sum is right, is true as far as can be told; asked once for each block, in their order."""
        self._blocks += 1
        is_true = all(fields.is_well_formed(label, text) for label, text in block) and self._agrees(block)
        self.unbelieved += not is_true
        return is_true

    def _agrees(self, block: Block) -> bool:
        labels = tuple(label for label, _ in block)
        if len(set(labels)) < len(labels):
            return False
        kind = self._kinds.pop(labels, None)
        if kind is None:
            return self._is_new(labels, block)
        self._kinds[labels] = kind  # the last one is the one seen last
        return kind.believes(block)

    def _is_new(self, labels: _Labels, block: Block) -> bool:
        """Blocks of a new kind are believed from the second one on that agrees with the one before."""
        before = self._new.pop(labels, None)
        if before and self._blocks - before[0] <= _NEW_KIND_BLOCKS:
            self._kinds[labels] = kind = _Kind(before[1])
            if len(self._kinds) > _KINDS_MAX:
                del self._kinds[next(iter(self._kinds))]
            return kind.believes(block)
        self._new[labels] = (self._blocks, block)
        if len(self._new) > _NEW_KINDS_MAX:
            del self._new[next(iter(self._new))]
        return False


class _Kind:
    """Blocks with the same labels; of the `first` one nobody knows yet whether it is true."""

    def __init__(self, first: Block) -> None:
        self._believed = first
        self._waiting: Block | None = None
        self._recent: deque[Block] = deque((first,), _RECENT_BLOCKS)
        self._restless = 0.0
        self._bounds: dict[str, float] = {label: bound for label, _ in first if (bound := fields.jump(label)) is not None}

    def believes(self, block: Block) -> bool:
        known = [self._believed] if self._waiting is None else [self._believed, self._waiting]
        if any(self._is_near(block, each) for each in known):
            is_true = True
            self._calm_down(block)
        else:
            is_true = self._restless >= _RESTLESS_BLOCKS and any(self._is_near(block, each, self._recent) for each in known)
            self._restless = min(self._restless + 1, _RESTLESS_BLOCKS_MAX)
            if self._restless >= _RESTLESS_BLOCKS:
                self._make_room(block, known[-1])
        self._recent.append(block)
        if is_true:
            self._believed, self._waiting = block, None
        else:
            self._waiting = block
        return is_true

    def _is_measured(self, label: str, text: str) -> bool:
        return fields.whole(text) is not None and (label in self._bounds or fields.is_unknown(label))

    def _is_near(self, block: Block, other: Block, recent: Iterable[Block] = ()) -> bool:
        """Whether one is what may follow the other; what is no number may also be as it was in a `recent` one."""
        return all(
            text == before
            or (self._is_measured(label, text) and self._is_measured(label, before) and self._is_within(label, text, before))
            or any(each[place][1] == text for each in recent)
            for place, ((label, text), (_, before)) in enumerate(zip(block, other, strict=True))
        )

    def _is_within(self, label: str, text: str, before: str) -> bool:
        return label not in self._bounds or _distance(text, before) <= self._bounds[label]

    def _make_room(self, block: Block, other: Block) -> None:
        for (label, text), (_, before) in zip(block, other, strict=True):
            if label in self._bounds and not self._is_within(label, text, before):
                self._bounds[label] = _ROOM * _distance(text, before)

    def _calm_down(self, block: Block) -> None:
        self._restless = max(0.0, self._restless - _REST)
        for (label, text), (_, before) in zip(block, self._believed, strict=True):
            usual = fields.jump(label)
            if usual is not None and self._bounds[label] > usual and _distance(text, before) < self._bounds[label] / 2:
                self._bounds[label] = max(usual, self._bounds[label] * _CALMER)


def _distance(text: str, other: str) -> int:
    """Between two values, in the device's units; 0 where one is none."""
    one, two = fields.whole(text), fields.whole(other)
    return 0 if one is None or two is None else abs(one - two)

"""Which device it is that speaks: by its serial number, or its product id, or its model, as far as it tells."""

import re
from typing import NamedTuple

from pimains.vedirect.plan import words
from pimains.vedirect.plan.framing import Block

_WRITTEN = re.compile(r"SER#=(\S*) PID=(\S*) BMV=(.*)")
_NAMELESS_BLOCKS = 10  # a device has told who it is by then, or never does


class Identity(NamedTuple):
    """What a device tells of itself; "" for what it does not."""

    serial: str
    pid: str
    model: str

    def __str__(self) -> str:
        """For people: what it is, and which one."""
        kind = words.kind(self.pid, self.model)
        return f"{kind} {self.serial}" if self.serial else kind if self.model else f"{kind} {self.pid}".rstrip()

    def is_same(self, other: "Identity") -> bool:
        """Whether both can be one device; a newer firmware may tell more."""
        if self.serial and other.serial:
            return self.serial == other.serial
        return (self.pid or self.model) == (other.pid or other.model)


def parsed(text: str) -> Identity:
    """What `written` has written. Raises ValueError."""
    match = _WRITTEN.fullmatch(text)
    if not match:
        raise ValueError
    return Identity(*match.groups())


def written(identity: Identity) -> str:
    """As one line."""
    return f"SER#={identity.serial} PID={identity.pid} BMV={identity.model}"


class Introduction:
    """Waits until the device of one connection has said who it is."""

    def __init__(self) -> None:
        self.identity: Identity | None = None
        self._nameless = 0

    def hear(self, block: Block) -> bool:
        """Take in a block that is believed; whether it says, or changes, who speaks."""
        told = dict(block)
        seen = Identity(told.get("SER#", ""), told.get("PID", ""), told.get("BMV", ""))
        if not any(seen):
            self._nameless += 1
            if self.identity is not None or self._nameless < _NAMELESS_BLOCKS:
                return False
        if self.identity is not None:
            seen = Identity(*(new or before for new, before in zip(seen, self.identity, strict=True)))
        is_news = seen != self.identity
        self.identity = seen
        return is_news

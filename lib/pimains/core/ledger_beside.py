"""Writing into the ledger beside other work: in a child, which takes SQLite's memory with it, and within limits."""

from collections.abc import Generator

from pimains.core.instance import Instance
from pimains.core.naps import Nap, Readable
from pimains.core.process.function import Forked

_SECONDS = 2.0


def noted(me: Instance, note: Forked) -> Generator[Nap, tuple[Readable, ...], str]:
    """What `note` returns once it has written; '' when that fails or takes too long: nothing is kept up by a ledger."""
    try:
        answer = yield from note.wait(me.clock, _SECONDS)
    except OSError as error:
        me.complain(f"the ledger cannot be written: {error.strerror}")
        return ""
    if answer is None:
        me.complain(f"the ledger was not written within {_SECONDS:g} s")
    return answer or ""

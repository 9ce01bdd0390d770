"""Children that nobody waits for any more, and that may still run: buried once they have ended, so that they stay no zombies."""

import os

_children: set[int] = set()


def leave_alone(pid: int) -> None:
    """Do not wait for this child of ours, however long it takes to end."""
    _children.add(pid)
    bury()


def bury() -> None:
    """Take note of those that have ended; never waits. Whoever starts another child does so."""
    for pid in list(_children):
        try:
            if os.waitpid(pid, os.WNOHANG)[0]:
                _children.discard(pid)
        except ChildProcessError:
            _children.discard(pid)

"""Children that nobody waits for any more, and that may still run: buried once they have ended, so that they stay no zombies."""

import os

_children: set[int] = set()


def leave_alone(pid: int) -> None:
    """Do not wait for this child of ours, however long it takes to end; those left alone before are buried if they have ended."""
    _children.add(pid)
    for each in list(_children):
        try:
            if os.waitpid(each, os.WNOHANG)[0]:
                _children.discard(each)
        except ChildProcessError:
            _children.discard(each)

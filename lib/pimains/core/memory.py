"""How little memory a process with threads can do with."""

import ctypes

_M_ARENA_MAX = -8  # malloc.h


def share_one_heap() -> None:
    """Threads that are still to come take their memory from this one's heap (mallopt(3)): several heaps grow by their gaps alone."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc's
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)

"""What both ends of the orders stand on: FIFOs in a directory that strangers may write, and lines that do not mix."""

import os
import select
import stat

LINE_BYTES = select.PIPE_BUF  # what a pipe takes in one piece
WORD_FILE = "words."  # and a word that the service understands: a name needs no room in a /run that is full


def open_fifo(directory: int, name: str, flags: int) -> int | None:
    """The FIFO of that name in the open `directory`; None when it is none, is not there, or nobody has its other end open."""
    try:
        fifo = os.open(name, flags | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return None
    if stat.S_ISFIFO(os.fstat(fifo).st_mode):
        return fifo
    os.close(fifo)
    return None

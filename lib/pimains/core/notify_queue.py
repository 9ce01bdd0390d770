"""Telling people: a service puts a message into the queue and goes on; the notify service delivers it.

    /var/lib/pimains/notify/queue/<id>   line 1 the event ("plug-lost"), line 2 the subject, the rest the body
    /var/lib/pimains/notify/dropped      one byte for each message that a full queue had no room for
    /var/lib/pimains/notify/test         what became of the last test messages

The queue is there once a notify service was started on this machine. Anybody in group pimains may put a message into
it, also a shell script: written aside under a name that begins with a dot, then renamed. Only the notify service and root take
others' messages away. `notify` is user pimains's: root opens the queue itself, whatever is put in its place.
"""

import contextlib
import os
import re
import stat
import time
from pathlib import Path
from typing import NamedTuple

from pimains.core import paths, state
from pimains.core.plan.text import short_line
from pimains.core.set_aside import own_directory

DELIVERED = "delivered"
TEST = "test"  # the event of a message that goes out at once, and whose fate is told in `test`
ROOM = 100  # messages that nobody has been told of yet; a few hundred kilobytes at most
QUEUE_ROOM = 1000  # messages; they come faster than they can be fetched, and some people want to hear of each
_LONGEST_BODY = 8000  # characters
_QUEUE_MODE = 0o3775  # who is not of the group reads, who is removes nothing but what he has put there
_said = ""
_posted = 0


class Post(NamedTuple):
    """A message as it was posted."""

    event: str
    subject: str
    body: str


def directory() -> Path:
    """Where messages wait."""
    return paths.lib() / "notify"


def queue() -> Path:
    """Where messages are put; it exists once a notify service was started here."""
    return directory() / "queue"


def post(subject: str, body: str, event: str, *, durable: bool = True) -> None:
    """Have people told: one line `subject`, any `body`; messages of one `event` (a word) are throttled together.

    It survives a power cut as soon as post returns, or if not `durable`, which does not wait for the disk, as soon as the notify
    service has fetched it. Takes a moment and never raises: when there is no notify service, no room on the disk or no permission, it
    prints one line, once for each reason, and the message is lost.
    """
    global _said  # noqa: PLW0603  # a process says it once
    try:
        put(subject, body, event, durable=durable)
        _said = ""
    except OSError as error:
        why = "there is no notify service" if isinstance(error, FileNotFoundError) else error.strerror
        if _said != why:
            print(f"nobody is told ({why}): {short_line(subject)}")
            _said = str(why)


def put(subject: str, body: str, event: str, *, durable: bool = True) -> str:
    """Do as `post` does; returns the message's id, which is its file's name.

    Raises FileNotFoundError when there is no notify service, PermissionError outside group pimains, another OSError
    when the disk does not take it.
    """
    global _posted  # noqa: PLW0603  # counted for the whole process
    _posted += 1
    name = f"{time.time_ns():020}-{os.getpid()}-{_posted:06}"
    directory = os.open(queue(), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        state.write_into(directory, name, f"{event_name(event)}\n{short_line(subject)}\n{body[:_LONGEST_BODY]}", durable=durable)
        _keep_within_room(directory)
    finally:
        os.close(directory)
    return name


def make_queue() -> None:
    """For the notify service: the queue, where all of the group may put messages."""
    directory().mkdir(parents=True, exist_ok=True)
    handle = own_directory(queue())
    try:
        os.fchmod(handle, _QUEUE_MODE)
    finally:
        os.close(handle)


def event_name(event: str) -> str:
    """`event` as one word of letters, digits, dots and hyphens: "Plug lost" is plug-lost."""
    return re.sub(r"[^a-z0-9.]+", "-", event.lower()).strip("-.")[:40].rstrip("-.") or "other"


def waiting() -> list[str]:
    """The ids of the messages in the queue, oldest first; none when there is no queue."""
    try:
        return sorted(name for name in os.listdir(queue()) if not name.startswith("."))
    except FileNotFoundError:
        return []


def read(name: str) -> Post | None:
    """The message with the id `name`; None when it is gone or was torn by a power cut."""
    lines = (state.read(queue() / name) or "").replace("\0", "")
    if not lines:
        return None
    event, _, rest = lines.partition("\n")
    subject, _, body = rest.partition("\n")
    return Post(event_name(event), short_line(subject) or event_name(event), body[:_LONGEST_BODY])


def _keep_within_room(directory: int) -> None:
    """Drop the oldest messages beyond QUEUE_ROOM, a byte in `dropped` for each, so that people hear how many."""
    names = sorted(name for name in os.listdir(directory) if not name.startswith("."))
    for name in names[:-QUEUE_ROOM]:
        with contextlib.suppress(OSError):  # dropped or fetched just now; or that is left to the service
            os.unlink(name, dir_fd=directory)
            _count_dropped()


def _count_dropped() -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = os.open(directory() / "dropped", flags, 0o644)
    try:
        status = os.fstat(handle)
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
            os.write(handle, b".")
    finally:
        os.close(handle)

"""Asking the halt service to shut this machine down: a request file with a reason and a requester.

    /run/pimains/halt/request   line 1 the reason, line 2 who asks (any text a person will read)
    /run/pimains/halt/cancel    who wants the machine to stay up, as long as nothing irreversible was done

Anybody in group pimains may write them, also with echo. The halt service moves a request that it takes to

    /run/pimains/halt/accepted  the shutdown that is under way
    /run/pimains/halt/progress  a line for each step that was started, or has ended and how

so that what is asked later cannot change it. A third line `boot ID` tells a request of this boot from one that a crash left;
a fourth one, `rehearsal`, that the machine stays up and no plug is told.
"""

import contextlib
import os
import time
from pathlib import Path
from typing import NamedTuple

from pimains.core import paths, state
from pimains.core.clock import boot_id
from pimains.core.errors import PimainsError
from pimains.core.plan.text import short_line

_REHEARSAL = "rehearsal"
_LOOKS_AT_AN_EMPTY_FILE = 20
_LOOK_SECONDS = 0.01


class HaltRequest(NamedTuple):
    """Why this machine is to be shut down, and who wants it."""

    reason: str
    requester: str
    is_rehearsal: bool = False

    def __str__(self) -> str:
        return f"{self.reason} (asked by {self.requester})"


class NoRequest(PimainsError):
    """What lies in a request's place is none; the text says why. It was taken away."""


def directory() -> Path:
    """Where requests are put; it exists while the halt service was started since boot."""
    return paths.run() / "halt"


def ask(reason: str, requester: str, *, is_rehearsal: bool = False) -> None:
    """Ask for a shutdown, or for its rehearsal.

    Raises FileNotFoundError when no halt service was started since boot, PermissionError outside group pimains.
    """
    lines = [short_line(reason), short_line(requester), f"boot {boot_id()}", *([_REHEARSAL] if is_rehearsal else [])]
    state.write(directory() / "request", "\n".join(lines))


def withdraw() -> None:
    """Take back a request that was not taken yet."""
    state.remove(directory() / "request")


def cancel(requester: str) -> None:
    """Ask to forget the shutdown; raises as `ask` does."""
    state.write(directory() / "cancel", short_line(requester))


def pending() -> HaltRequest | None:
    """The request that is being carried out, or else the one that waits to be taken."""
    try:
        return accepted() or _read(directory() / "request")
    except NoRequest:
        return None


def is_going_down() -> bool | None:
    """Whether this machine is being shut down, and not only for a rehearsal; None where no halt service was started since boot."""
    if not directory().is_dir():
        return None
    try:
        request = accepted()
    except NoRequest:
        return False
    return request is not None and not request.is_rehearsal


def accepted() -> HaltRequest | None:
    """The request that the halt service has taken; raises NoRequest as `take` does."""
    return _read(directory() / "accepted")


def take() -> HaltRequest | None:
    """For the halt service: accept the request, if there is one.

    Raises NoRequest for a link, a FIFO, a directory, and for a request of an earlier boot.
    """
    with contextlib.suppress(FileNotFoundError):
        _move(directory() / "request", directory() / "accepted")
        return accepted()
    return None


def waiting() -> HaltRequest | None:
    """For the halt service: a request made while one is carried out, which stays where it is; raises as `take` does."""
    return _read(directory() / "request")


def take_another() -> HaltRequest | None:
    """For the halt service: a request made while one is carried out, which it takes away; raises as `take` does."""
    another = _read(directory() / "request")
    state.remove(directory() / "request")
    return another


def who_cancels() -> str | None:
    """For the halt service: who cancels, if anybody does."""
    path = directory() / "cancel"
    if not os.path.lexists(path):
        return None
    return short_line(_words(path) or "") or "somebody"


def take_cancel() -> None:
    """For the halt service, when the answer stands where those who cancel look for it: they do as soon as this is done."""
    _discard(directory() / "cancel")


def progress() -> list[str]:
    """How far the shutdown under way has come, see pimains.halt.plan.step_progress."""
    return (state.read(directory() / "progress") or "").splitlines()


def note_progress(lines: list[str]) -> None:
    """For the halt service: how far it has come, for itself when it was killed; a full disk keeps it from nothing."""
    with contextlib.suppress(OSError):
        state.write(directory() / "progress", "\n".join(lines))


def finish() -> None:
    """For the halt service: there is no shutdown under way any more."""
    for name in ("accepted", "progress"):
        _discard(directory() / name)


def left_over() -> HaltRequest | None:
    """For the halt service, when it starts: the shutdown that was under way when it was killed.

    What was asked before this boot is forgotten: it does not halt a machine that has just come up. Raises NoRequest if
    that was a request.
    """
    noted = directory() / "boot"
    if state.read(noted) == boot_id():
        return accepted()
    finish()
    take_cancel()
    with contextlib.suppress(OSError):
        state.write(noted, boot_id())
    request = directory() / "request"
    if os.path.lexists(request) and f"boot {boot_id()}" not in (state.read(request) or "").splitlines():
        _discard(request)
        raise NoRequest(f"{request} is older than this boot: ignored")
    return None


def _read(path: Path) -> HaltRequest | None:
    try:
        links = path.lstat().st_nlink
    except FileNotFoundError:
        return None
    text = _words(path)
    if text is None or links > 1:  # a second name of some other file would show the first lines of that to everybody
        _discard(path)
        raise NoRequest(f"{path} is no plain file: ignored")
    reason, requester, boot, kind = (*text.split("\n", 4), "", "", "", "")[:4]
    if boot.startswith("boot ") and boot != f"boot {boot_id()}":
        _discard(path)
        raise NoRequest(f"{path} ({short_line(reason)}) is older than this boot: ignored")
    return HaltRequest(short_line(reason) or "no reason given", short_line(requester) or "somebody", kind == _REHEARSAL)


def _words(path: Path) -> str | None:
    """What stands there; who writes it with echo has a moment between making the file and filling it."""
    for _ in range(_LOOKS_AT_AN_EMPTY_FILE):
        if (text := state.read(path)) != "":
            return text
        time.sleep(_LOOK_SECONDS)
    return ""


def _move(source: Path, destination: Path) -> None:
    try:
        source.rename(destination)
    except FileNotFoundError:
        raise
    except OSError as error:
        _discard(source)
        raise NoRequest(f"{source} cannot be taken: {error.strerror}") from None


def _discard(path: Path) -> None:
    """Take away whatever somebody put there; a directory with something in it stays."""
    with contextlib.suppress(OSError):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()

"""Asking the halt service to shut this machine down: a file with a reason and a requester.

    /run/pimains/halt/request   line 1 the reason, line 2 who asks (any text a person will read)
    /run/pimains/halt/cancel    who wants the machine to stay up, as long as nothing irreversible was done

Anybody in group pimains may write them, also with echo; the halt service keeps them for that (kept_file). All else there is root's
alone. A request that it takes it notes in

    /run/pimains/halt/accepted  the shutdown that is under way; as long as there is none, .accepted keeps the room for it
    /run/pimains/halt/progress  a line for each step that was started, or has ended and how

so that what is asked later cannot change it. A third line `boot ID` tells a request of this boot from one that a crash left;
a fourth one, `rehearsal`, that the machine stays up and no plug is told, or `final`, that nobody can take it back: others go down with it.
A second line of a cancel, `only what I asked for`, leaves the requests of others as they are.
"""

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

from pimains.core import kept, paths, state
from pimains.core.clock import boot_id
from pimains.core.errors import PimainsError
from pimains.core.plan.text import short_line
from pimains.shared import kept_file
from pimains.shared.plan import step_progress

_REHEARSAL = "rehearsal"
_FINAL = "final"
_ONLY_OWN = "only what I asked for"


class HaltRequest(NamedTuple):
    """Why this machine is to be shut down, and who wants it."""

    reason: str
    requester: str
    is_rehearsal: bool = False
    is_final: bool = False

    def __str__(self) -> str:
        return f"{self.reason} (asked by {self.requester})"


class Cancel(NamedTuple):
    """Who wants this machine to stay up, and whether he takes back only what he asked for himself; `mark` tells it from his next one."""

    requester: str
    only_own: bool = False
    mark: str = ""


class NoRequest(PimainsError):
    """What lies in a request's place is none; the text says why. It was taken away."""


def directory() -> Path:
    """Where requests are put; it exists while the halt service was started since boot."""
    return paths.run() / "halt"


def ask(reason: str, requester: str, *, is_rehearsal: bool = False, is_final: bool = False) -> None:
    """Ask for a shutdown, or for its rehearsal; `is_final` for one that nobody can take back.

    Raises FileNotFoundError when no halt service was started since boot, PermissionError outside group pimains.
    """
    _say(_request(), "\n".join(_lines(HaltRequest(short_line(reason) or "no reason given", short_line(requester), is_rehearsal, is_final))))


def withdraw() -> None:
    """Take back a request that was not taken yet."""
    kept_file.forget(_request())


def cancel(requester: str, *, only_own: bool = False) -> None:
    """Ask to forget the shutdown, or only what the requester asked for himself; raises as `ask` does."""
    _say(_cancel(), "\n".join([short_line(requester), *([_ONLY_OWN] if only_own else [])]))


def is_cancel_answered() -> bool:
    """Whether the halt service has heard of all who cancelled."""
    return kept_file.asked(_cancel()) is None


def is_wanted(run: Path) -> bool:
    """Whether the halt service whose directory is `run` carries out a request, or one waits for it."""
    return os.path.lexists(run / "accepted") or kept_file.asked(run / "request") is not None


def pending() -> HaltRequest | None:
    """The request that is being carried out, or else the one that waits to be taken."""
    try:
        return accepted() or _waiting()
    except NoRequest:
        return None


def is_going_down() -> bool | None:
    """Whether this machine is being shut down, not only for a rehearsal, and not called off; None without a halt service since boot."""
    if not directory().is_dir():
        return None
    try:
        request = accepted()
    except NoRequest:
        return False
    return request is not None and not request.is_rehearsal and not step_progress.is_called_off(progress())


def accepted() -> HaltRequest | None:
    """The request that the halt service has taken; raises NoRequest as `take` does."""
    path = directory() / "accepted"
    if not os.path.lexists(path):
        return None
    text = None if kept_file.is_no_file(path) else state.read(path)
    if text is None:
        _discard(path)
        raise NoRequest(f"{path} is no plain file: ignored")
    try:
        if not text.strip("\0") or "\n" not in text:  # nobody's power is cut for a note that was never whole
            raise NoRequest(f"{path} is damaged, and nobody knows what was asked: ignored")
        return _parsed(text, path)
    except NoRequest:
        _discard(path)
        raise


def keep_files() -> None:
    """For the halt service, when it starts: from now on it can be asked, however full the disk."""
    for path in (_request(), _cancel()):
        if _keep(path) and path.exists():
            kept_file.keep(path)  # it may be one of before, with other rights
    _keep_room()


def take() -> HaltRequest | None:
    """For the halt service: accept the request, if there is one.

    Raises NoRequest for a link, a FIFO, a directory, and for a request of an earlier boot.
    """
    request = _heard()
    if request:
        _accept("\n".join(_lines(request)))
        kept_file.forget(_request())
    return request


def waiting() -> HaltRequest | None:
    """For the halt service: a request made while one is carried out, which stays where it is; raises as `take` does."""
    return _waiting()


def take_another() -> HaltRequest | None:
    """For the halt service: a request made while one is carried out, which it takes away; raises as `take` does."""
    another = _heard()
    if another:
        kept_file.forget(_request())
    return another


def who_cancels() -> str | None:
    """For the halt service: who cancels, if anybody does."""
    said = cancelled()
    return said.requester if said else None


def cancelled() -> Cancel | None:
    """For the halt service: who cancels, and what, if anybody does."""
    if not _keep(_cancel()):
        return Cancel("somebody")
    text = kept_file.asked(_cancel())
    if text is None:
        return None
    requester, *more = text.splitlines() or [""]
    with contextlib.suppress(OSError):
        return Cancel(short_line(requester) or "somebody", more[:1] == [_ONLY_OWN], f"{_cancel().stat().st_mtime_ns}")
    return None


def take_cancel() -> None:
    """For the halt service, when the answer stands where those who cancel look for it: they do as soon as this is done."""
    with contextlib.suppress(OSError):
        kept_file.forget(_cancel())


def go_on_under(request: HaltRequest) -> None:
    """For the halt service: the shutdown that is under way is this one's from now on, on a full disk too."""
    try:
        with (directory() / "accepted").open("r+", encoding="utf-8") as file:
            file.write("\n".join(_lines(request)) + "\n")
            file.truncate()
    except OSError:
        with contextlib.suppress(OSError):
            state.write(directory() / "accepted", "\n".join(_lines(request)))


def progress() -> list[str]:
    """How far the shutdown under way has come, see pimains.shared.plan.step_progress."""
    return (state.read(directory() / "progress") or "").splitlines()


def note_progress(lines: list[str]) -> None:
    """For the halt service: how far it has come, for itself when it was killed; a full disk keeps it from nothing."""
    with contextlib.suppress(OSError):
        state.write(directory() / "progress", "\n".join(lines))


def finish() -> None:
    """For the halt service: there is no shutdown under way any more."""
    _discard(directory() / "progress")
    try:
        (directory() / "accepted").rename(_room())
    except OSError:  # somebody has taken it away, or made a directory of it
        _discard(directory() / "accepted")
        _keep_room()


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
    if (asked := kept_file.asked(_request())) is not None and f"boot {boot_id()}" not in asked.splitlines():
        kept_file.forget(_request())
        raise NoRequest(f"{_request()} is older than this boot: ignored")
    return None


def _say(path: Path, text: str) -> None:
    try:
        kept_file.ask(path, text)
    except FileNotFoundError:  # a service of 0.1 keeps no file and takes what is put there: it is not restarted while it halts
        state.write(path, text)


def _lines(request: HaltRequest) -> list[str]:
    kind = [_REHEARSAL] if request.is_rehearsal else [_FINAL] if request.is_final else []
    return [request.reason, request.requester, f"boot {boot_id()}", *kind]


def _request() -> Path:
    return directory() / "request"


def _cancel() -> Path:
    return directory() / "cancel"


def _keep(path: Path) -> bool:
    """Have a file there that can be written; whether there was none, or one that may be read."""
    is_file = not kept_file.is_no_file(path)
    if not is_file:
        _discard(path)
    if not (is_file and path.exists()):
        try:
            kept_file.keep(path)
        except OSError as error:
            print(f"{path}: {error.strerror}: nobody can write it")
    return is_file


def _room() -> Path:
    return directory() / ".accepted"


def _keep_room() -> None:
    if not os.path.lexists(_room()):
        with contextlib.suppress(OSError):
            state.write(_room(), "for the next request")


def _accept(text: str) -> None:
    """Note it, on a file system that is full where room was kept for it."""
    try:
        with _room().open("r+", encoding="utf-8", errors="replace") as file:
            file.write(f"{text}\n")
            file.truncate()
        _room().rename(directory() / "accepted")
    except OSError:
        state.write(directory() / "accepted", text)


def _heard() -> HaltRequest | None:
    """For the halt service: what waits; what is none is taken away."""
    if not _keep(_request()):
        raise NoRequest(f"{_request()} is no plain file: ignored")
    try:
        return _waiting()
    except NoRequest:
        kept_file.forget(_request())
        raise


def _waiting() -> HaltRequest | None:
    text = kept_file.asked(_request())
    return None if text is None else _parsed(text, _request())


def _parsed(text: str, path: Path) -> HaltRequest:
    reason, requester, boot, kind = (*text.split("\n", 4), "", "", "", "")[:4]
    if boot.startswith("boot ") and boot != f"boot {boot_id()}":
        raise NoRequest(f"{path} ({short_line(reason)}) is older than this boot: ignored")
    return HaltRequest(short_line(reason) or "no reason given", short_line(requester) or "somebody", kind == _REHEARSAL, kind == _FINAL)


def _discard(path: Path) -> None:
    """Take away whatever somebody put there; a directory with something in it is kept beside it."""
    with contextlib.suppress(OSError):
        if not path.is_dir() or path.is_symlink():
            path.unlink()
        elif any(path.iterdir()):
            print(f"{path}: is a directory: kept as {kept.set_aside(path).name}")
        else:
            path.rmdir()

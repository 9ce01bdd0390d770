"""How what somebody has built gets from an editor to the service rules, and what becomes of it; workspace.py says what it looks like.

    /var/lib/pimains/rules/workspaces/<n>.json    what people want for relay n; members of group pimains write it, also by cp
    /var/lib/pimains/rules/versions/<n>/<k>.json  the service's: the last ten that it has taken, the greatest k is the newest
    /run/pimains/rules/<n>.blocks                 the service's: what has become of the newest, `Result` in a line

`top` is /var/lib/pimains/rules, `run` is /run/pimains/rules. A service that is not running takes what waits when it is started.
"""

import fcntl
import json
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from pimains.core import state
from pimains.core.errors import PimainsError
from pimains.core.plan.text import one_line
from pimains.shared.blocks import workspace
from pimains.shared.blocks.workspace import BYTES_MAX, Wrong

WORKSPACES, VERSIONS, BLOCKS = "workspaces", "versions", "blocks"
VERSIONS_MAX = 10
ACCEPTED, REFUSED, CONFLICT, CHANGED, NEWER, REMOVED, FAILED = "accepted", "refused", "conflict", "changed", "newer", "removed", "failed"
_WAITING = re.compile(r"([1-9][0-9]{0,2})\.json")
_VERSION = re.compile(r"([1-9][0-9]{0,8})\.json")
_ABOUT_BYTES = 1000  # what a version has more than what was saved
_RESULT_LONGEST = 290
_OTHERS_SECONDS = 3.0  # saving takes moments; any of the group may lock the directory, and forget it
_LOOK_SECONDS = 0.02


class Conflict(PimainsError):
    """What somebody else has saved would be written over, and nobody has said that it may be."""


class Result(NamedTuple):
    """What has become of what was saved with this digest.

    `word`: ACCEPTED and in use; REFUSED, for the reason in `words`; CONFLICT, it was not made from what is in use; CHANGED, what was made
    of the last one has been edited by hand; NEWER, its set of blocks is of a pimains to come; REMOVED; FAILED, it is tried again. `words`
    of one that is ACCEPTED tell what else there is to say: "" for nothing.
    """

    word: str
    digest: str
    words: str

    @property
    def line(self) -> str:
        """As it stands in the file."""
        return one_line(f"{self.word} {self.digest or '-'} {self.words}", _RESULT_LONGEST)


class Version(NamedTuple):
    """One that the service has taken: the `number`-th, at `saved` seconds since 1970, None while the clock was not set."""

    number: int
    saved: float | None
    digest: str
    content: dict[str, Any]

    @property
    def is_removal(self) -> bool:
        """Whether from then on there was no rule."""
        return "remove" in self.content


def waiting_path(top: Path, number: int) -> Path:
    """What people want for this relay."""
    return top / WORKSPACES / f"{number}.json"


def numbers_waiting(top: Path) -> list[int]:
    """The relays for which something lies there. Raises OSError."""
    with suppress(FileNotFoundError):
        return sorted(int(match[1]) for name in os.listdir(top / WORKSPACES) if (match := _WAITING.fullmatch(name)))
    return []


def waiting(top: Path, number: int) -> dict[str, Any] | None:
    """What people want for this relay; None if nobody wants anything. Raises Wrong for what cannot be it, and OSError."""
    data = _bytes(waiting_path(top, number), BYTES_MAX + 2)
    return None if data is None else workspace.content_of(data.rstrip(b"\n"))


def save(top: Path, number: int, content: Mapping[str, Any]) -> str:
    """For an editor: have it taken; its digest, by which `result` is known. Raises Wrong, Conflict, OSError and PimainsError.

    "made_from" in `content` is the digest of what it was made from (`current`, or what was saved since), "" where there was nothing.
    """
    found, given = workspace.document(content), dict(content)
    with _alone(top / WORKSPACES):
        before, newest = _before(top, number), current(top, number)
        if before is not None and before.digest not in (found.digest, newest.digest if newest else ""):
            if before.digest == found.made_from:  # one of his own, which the service has not seen yet
                given.update(made_from=before.made_from or "", overwrite=found.overwrite or before.overwrite)
            elif not found.overwrite and not _was_seen(top, number, before.digest):
                raise Conflict(f"somebody else has just saved blocks for relay {number}")
        state.write(waiting_path(top, number), _text(given), durable=True, mode=0o664)
    return found.digest


def _text(content: Mapping[str, Any]) -> str:
    """Raises Wrong."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        raise Wrong("it is no text in UTF-8") from None
    if length > BYTES_MAX:
        raise Wrong(f"it is longer than {BYTES_MAX // 1024} KiB")
    return text


def _before(top: Path, number: int) -> workspace.Document | None:
    try:
        content = waiting(top, number)
        return None if content is None else workspace.document(content)
    except Wrong:
        return None  # it is no workspace, so nobody built it


def _was_seen(top: Path, number: int, digest: str) -> bool:
    """Whether the service has told its author what has become of it."""
    return any(digest == each.digest for each in versions(top, number)) or _seen(top, number) == digest


def _seen(top: Path, number: int) -> str:
    """The digest of the last one that the service has looked at, also when it did not take it."""
    return state.read(top / VERSIONS / str(number) / "seen") or ""


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Of several who save at the same time, one after the other. Raises PimainsError, OSError."""
    try:
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise PimainsError(f"{directory} is not there: the service rules makes it when it is started") from None
    try:
        until = time.monotonic() + _OTHERS_SECONDS
        while not _is_locked(handle):
            if time.monotonic() > until:
                raise PimainsError(f"{directory}: another program of the group pimains keeps it locked, so nothing was saved")
            time.sleep(_LOOK_SECONDS)
        yield
    finally:
        os.close(handle)


def _is_locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def versions(top: Path, number: int) -> list[Version]:
    """Those that the service has taken, the newest last; one that is damaged is left out."""
    found = []
    with suppress(OSError):
        for name in os.listdir(top / VERSIONS / str(number)):
            if match := _VERSION.fullmatch(name):
                with suppress(Wrong, OSError):
                    found.append(_version(top / VERSIONS / str(number) / name, int(match[1])))
    return sorted(found)


def _version(path: Path, number: int) -> Version:
    """Raises Wrong, OSError."""
    about = workspace.object_of(_bytes(path, BYTES_MAX + _ABOUT_BYTES) or b"")
    saved, content = about.get("saved"), about.get("content")
    if not isinstance(content, dict) or not (saved is None or type(saved) in (int, float)):
        raise Wrong("it is no version")
    return Version(number, None if saved is None else float(saved), workspace.digest(content), content)


def current(top: Path, number: int) -> Version | None:
    """What the rule of this relay is made of; None where it has none that was made here."""
    newest = max(versions(top, number), default=None)
    return None if newest is None or newest.is_removal else newest


def add_version(top: Path, number: int, content: Mapping[str, Any], saved: float | None) -> None:
    """For the service: it has taken this one. Raises OSError."""
    before = versions(top, number)
    directory = top / VERSIONS / str(number)
    directory.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in content.items() if name not in ("made_from", "overwrite")}
    text = json.dumps({"saved": saved, "content": kept}, separators=(",", ":"), ensure_ascii=False)
    state.write(directory / f"{before[-1].number + 1 if before else 1}.json", text, durable=True)
    for old in before[: 1 - VERSIONS_MAX]:
        state.remove(directory / f"{old.number}.json")


def mark_seen(top: Path, number: int, digest: str) -> None:
    """For the service: it has looked at this one, and told what has become of it. Raises OSError."""
    directory = top / VERSIONS / str(number)
    directory.mkdir(parents=True, exist_ok=True)
    if _seen(top, number) != digest:
        state.write(directory / "seen", digest)


def result(run: Path, number: int) -> Result | None:
    """What has become of what was saved last; None while the service has not said."""
    word, _, rest = (state.read(run / f"{number}.{BLOCKS}") or "").partition(" ")
    digest, _, words = rest.partition(" ")
    return Result(word, "" if digest == "-" else digest, words) if word else None


def _bytes(path: Path, longest: int) -> bytes | None:
    """What a plain file holds; None where nothing is. Raises Wrong, OSError."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Wrong("it is no plain file" if path.is_symlink() else (error.strerror or str(error)).lower()) from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(handle)
        raise Wrong("it is no plain file")
    with open(handle, "rb") as file:
        return file.read(longest)

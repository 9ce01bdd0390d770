"""Messages on their way: files below /var/lib/pimains/notify, so that none is lost by a restart or a power cut.

held/<event>    waits for its turn (see plan/throttle); later messages of the same event are counted in it
outbox/<id>     on its way, with the addresses that have it already
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pimains.core import kept, state
from pimains.core.plan.text import one_line
from pimains.core.set_aside import own_directory
from pimains.notify.plan import Moment


class Message(NamedTuple):
    """What people are told: the newest post of an event, and how many `more` there were `since`.

    `id`: the newest post's. `done`: ids of the addresses that have it. `waited`: seconds spent on trying.
    """

    id: str
    event: str
    subject: str
    body: str
    at: Moment
    since: Moment
    more: int = 0
    done: tuple[str, ...] = ()
    waited: float = 0.0


def set_aside(path: Path) -> str:
    """Keep what is no message beside the directories of messages: where it is, and what can be read of it. A fourth one goes."""
    left = one_line((state.read(path) or "").replace("\0", ""))
    try:
        aside = kept.set_aside_as(path, path.parent.with_name(f"{path.parent.name}-message"))
    except OSError:
        with contextlib.suppress(OSError):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        return left
    return f"{aside}: {left}"


class Outbox:
    """One of the two directories, with what is in it; `damaged` is what can be said of those that were no message, which are kept."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.messages: dict[str, Message] = {}
        self.damaged: list[str] = []
        os.close(own_directory(directory))
        for path in sorted(directory.iterdir()):
            if path.name.startswith("."):  # a power cut came before it was renamed: where it came from, it still is
                with contextlib.suppress(OSError):
                    path.unlink()
            elif message := _read(path):
                self.messages[path.name] = message
            else:
                self.damaged.append(set_aside(path))

    def __iter__(self) -> Iterator[Message]:
        return iter(list(self.messages.values()))

    def __len__(self) -> int:
        return len(self.messages)

    def keep(self, name: str, message: Message) -> None:
        """Keep `message` under `name`; it survives a power cut. Raises OSError if the disk does not take it; nothing has changed then."""
        state.write(self.directory / name, json.dumps(message, ensure_ascii=False), durable=True)
        self.messages[name] = message

    def drop(self, name: str) -> None:
        """Forget the message `name`, also after a power cut: nobody is told again."""
        self.messages.pop(name, None)
        with contextlib.suppress(OSError):
            state.remove(self.directory / name, durable=True)

    def move(self, name: str, other: "Outbox", to: str) -> None:
        """Hand a message over to `other` in one step, so that it is never in both."""
        other.messages[to] = self.messages.pop(name)
        with contextlib.suppress(OSError):
            (self.directory / name).rename(other.directory / to)


def _read(path: Path) -> Message | None:
    """None for what is not a message: a file torn by a power cut, or somebody else's."""
    try:
        id_, event, subject, body, at, since, more, done, waited = json.loads(state.read(path) or "")
        return Message(str(id_), str(event), str(subject), str(body), Moment(*at), Moment(*since), int(more), tuple(done), float(waited))
    except (ValueError, TypeError):
        return None

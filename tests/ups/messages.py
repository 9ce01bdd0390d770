"""What people are told: the queue of messages of a house."""

import shutil

import pytest

from pimains.core import notify_queue
from tests.kit import House


class Queue:
    """Where messages wait in the house, as if its notify service had been started once."""

    def __init__(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PIMAINS_ROOT", str(house.root))
        notify_queue.make_queue()
        shutil.chown(notify_queue.queue(), group="pimains")
        shutil.chown(notify_queue.directory(), group="pimains")

    def posts(self) -> list[notify_queue.Post]:
        return [post for name in notify_queue.waiting() if (post := notify_queue.read(name))]

    def events(self) -> list[str]:
        return [post.event for post in self.posts()]

"""A file server and its client in one house on loopback, in a mount namespace of their own: for everything that needs no cable.

The client's `systemctl start autofs` mounts a tmpfs with a marker on it.
"""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kit import House, TestInstance, free_port, new_house

SECRET = "bXkgc2VjcmV0IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE="
ANOTHER_SECRET = "YW5vdGhlciBzZWNyZXQgb2YgMzIgYnl0ZXMgdG9vISE="
_SYSTEMCTL = """#!/bin/sh
echo "$1 $2" >>{root}/systemctl.log
grep -q " {share} " /proc/self/mountinfo && mounted=yes || mounted=
case "$1 $2" in
"start autofs") [ "$mounted" ] || {{ mount -t tmpfs music {share} && mkdir {share}/Music; }} ;;
"stop autofs") [ ! "$mounted" ] || umount {share} ;;
"start broken") echo "Unit broken.service not found."; exit 5 ;;
esac
"""


class OneHouse(House):
    """A house whose share is at `share`, on `port`."""

    def prepare(self) -> None:
        self.share = self.root / "mnt/MDrive"
        self.share.mkdir(parents=True)
        (self.root / "bin").mkdir()
        systemctl = self.root / "bin/systemctl"
        systemctl.write_text(_SYSTEMCTL.format(root=self.root, share=self.share))
        systemctl.chmod(0o755)
        self.port = free_port()

    def add_fserver(self, *, svscan: bool = True, **variables: str) -> TestInstance:
        settings = {"HOST": "127.0.0.1", "PORT": str(self.port), "SECRET": SECRET, **variables}
        return self.add("fserver", svscan=svscan, PATH=self.path, **settings)

    def add_fclient(self, name: str = "fclient", *, svscan: bool = True, **variables: str) -> TestInstance:
        settings = {"HOST": "127.0.0.1", "PORT": str(self.port), "SECRET": SECRET, "MDRIVE": str(self.share), "MARKER": "Music"}
        return self.add("fclient", name, svscan=svscan, PATH=self.path, **{**settings, "NAME": "kitchen", **variables})

    @property
    def path(self) -> str:
        return f"{self.root}/bin:{os.environ['PATH']}"

    def units(self) -> list[str]:
        """What systemctl was told, in order."""
        log = self.root / "systemctl.log"
        return log.read_text().splitlines() if log.exists() else []

    def is_mounted(self) -> bool:
        return f" {self.share} " in Path(f"/proc/{self.pid}/mountinfo").read_text()

    def connect(self) -> socket.socket:
        """A peer of the test's own."""
        return socket.create_connection(("127.0.0.1", self.port), 30)


@contextmanager
def one_house() -> Iterator[OneHouse]:
    with tempfile.TemporaryDirectory(prefix="pimains-house-", ignore_cleanup_errors=True) as root:
        enter = ("unshare", "--mount", "--propagation", "private")
        for house in new_house(Path(root), enter, OneHouse):
            house.prepare()
            yield house

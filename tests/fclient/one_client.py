"""A file server and its client in one house on loopback, in a mount namespace of their own: for everything that needs no cable.

The client's `systemctl start autofs` mounts a tmpfs with a marker on it, at each place for a share.
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
is_mounted() {{ grep -q " $1 " /proc/self/mountinfo; }}
case "$1 $2" in
"start autofs" | "start autofs.service")
    for share in {root}/mnt/*; do
        is_mounted "$share" || {{ mount -t tmpfs music "$share" && mkdir "$share/Music"; }}
    done ;;
"stop autofs" | "stop autofs.service") for share in {root}/mnt/*; do ! is_mounted "$share" || umount "$share" || exit; done ;;
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
        systemctl.write_text(_SYSTEMCTL.format(root=self.root))
        systemctl.chmod(0o755)
        self.port = free_port()

    def add_fserver(self, *, svscan: bool = True, **variables: str) -> TestInstance:
        return self.add("fserver", svscan=svscan, **self.server_settings(**variables))

    def server_settings(self, **variables: str) -> dict[str, str]:
        return {"HOST": "127.0.0.1", "PORT": str(self.port), "SECRET": SECRET, "PATH": self.path, **variables}

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

    def is_mounted(self, share: Path | None = None) -> bool:
        return f" {share or self.share} " in Path(f"/proc/{self.pid}/mountinfo").read_text()

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

"""Only what served the share that was unmounted is ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pimains.fclient import fuse_daemon
from pimains.shared.fileserver.mount import Mount
from tests.core.dead_share import needs_fuse

SHARE = Mount(Path("/mnt/of a test"), "fuse.sshfs", "music:/MDrive")
DAEMON = "import sys; opened = open(sys.argv[1], 'rb'); print(flush=True); sys.stdin.read()"


@contextmanager
def daemon(*words: str | Path, opens: str = "/dev/fuse") -> Iterator["subprocess.Popen[bytes]"]:
    """One that does not end by itself."""
    told = [sys.executable, "-c", DAEMON, opens, *words]
    with subprocess.Popen(told, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            yield process
        finally:
            process.kill()


@needs_fuse
def test_the_daemon_of_a_share_that_is_gone_is_ended() -> None:
    with daemon(SHARE.source, SHARE.place) as served:
        os.kill(served.pid, signal.SIGSTOP)
        fuse_daemon.end_those_of(SHARE, fuse_daemon.now())
        assert served.wait(10) == -signal.SIGKILL


@needs_fuse
def test_nothing_else_is() -> None:
    before = fuse_daemon.now() - 1
    with (
        daemon(SHARE.source, "/mnt/of another") as elsewhere,
        daemon("music:/Other", SHARE.place) as of_another_source,
        daemon(SHARE.source, SHARE.place, opens="/dev/null") as no_daemon,
    ):
        fuse_daemon.end_those_of(SHARE, fuse_daemon.now())
        with daemon(SHARE.source, SHARE.place) as next_one:
            fuse_daemon.end_those_of(SHARE, before)
            assert [each.poll() for each in (elsewhere, of_another_source, no_daemon, next_one)] == [None] * 4


def test_what_is_no_share_of_fuse_has_none() -> None:
    kinds = ("nfs4", "cifs", "fuse", "fuse.sshfs", "fuseblk", "tmpfs")
    assert [kind for kind in kinds if fuse_daemon.serves(SHARE._replace(kind=kind))] == ["fuse", "fuse.sshfs"]

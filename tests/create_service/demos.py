"""Demos as people start them: at a terminal, or where nobody watches."""

import os
import pty
import re
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from tests.kit import TOP, until
from tests.plug.plugs import aioesphomeapi
from tests.ups.nut2_library import NUT2

DEBIANS = "/usr/lib/python3/dist-packages"  # first: asyncssh is for Debian's cryptography, aioesphomeapi brings another one along
OUTAGE_SECONDS = 44


def environment(temporary: Path, **more: str) -> dict[str, str]:
    """Of a demo that has its directory in `temporary`."""
    return {
        **os.environ,
        "PYTHONPATH": f"{DEBIANS}:{aioesphomeapi()}:{NUT2}",
        "TMPDIR": str(temporary),
        "PIMAINS_DEMO_OUTAGE_SECONDS": str(OUTAGE_SECONDS),
        **more,
    }


def demo(temporary: Path) -> "subprocess.Popen[str]":
    """One that nobody watches: a story."""
    return subprocess.Popen(
        [TOP / "create_service", "--demo", "--no-install"],
        env=environment(temporary),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


class Watched:
    """One at a terminal, which lives on."""

    def __init__(self, temporary: Path, **more: str) -> None:
        self.said = ""
        self._here, there = pty.openpty()
        words = [TOP / "create_service", "--demo", "--no-install"]
        self.process = subprocess.Popen(
            words, env=environment(temporary, **more), stdin=there, stdout=there, stderr=there, start_new_session=True
        )
        os.close(there)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):  # its last process has closed the terminal
            while said := os.read(self._here, 4096):
                self.said += said.decode(errors="replace").replace("\r\n", "\n")
        os.close(self._here)

    def until_said(self, words: str, seconds: float = 120) -> None:
        """Wait until this regular expression is found in what it says."""
        until(lambda: re.search(words, self.said), seconds, lambda: f"{words!r} to be said: {self.said[-3000:]}")

    def end(self, number: signal.Signals) -> int:
        """Send it a signal; its exit code once it has ended."""
        self.process.send_signal(number)
        code = self.process.wait(60)
        self._reader.join(30)
        return code


def still_running_in(directory: Path) -> list[str]:
    """What still runs with something of `directory` in its command line or environment, or as its working directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            settings = [each for each in (process / "environ").read_bytes().split(b"\0") if each.startswith(b"PIMAINS_DEMO=")]
            if any(str(directory) in each for each in (words, str(settings), str((process / "cwd").readlink()))):
                found.append(words)
    return found

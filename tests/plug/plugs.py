"""Simulated plugs for tests: pimains' own, for what a real firmware will not do on demand."""

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kit import CACHE, TOP, until

KEY = "QRTIErOb/fcE9Ukd/5qA3RGYMn0Y+p06U58SCtOXvPc="
OTHER_KEY = "AAAAErOb/fcE9Ukd/5qA3RGYMn0Y+p06U58SCtOXvPc="
OLDEST, NEWEST = "25.1.0", (TOP / "tests/aioesphomeapi-newest.txt").read_text().strip()


@functools.cache
def aioesphomeapi(version: str = OLDEST) -> str:
    """What goes into PYTHONPATH to use that version: where user pimains may read it too."""
    readable = tempfile.mkdtemp(prefix="pimains-aioesphomeapi-")
    atexit.register(shutil.rmtree, readable, ignore_errors=True)
    shutil.copytree(CACHE / f"aioesphomeapi-{version}", readable, dirs_exist_ok=True, ignore=shutil.ignore_patterns("bin"))
    Path(readable).chmod(0o755)
    return readable


class HousePlug:
    """A running python3 -m pimains.house.plug."""

    def __init__(self, *options: str, version: str = OLDEST) -> None:
        self.said: list[str] = []
        self._process = subprocess.Popen(
            ["/usr/bin/python3", "-Pu", "-m", "pimains.house.plug", *options],
            env={**os.environ, "PYTHONPATH": f"{TOP / 'lib'}:{aioesphomeapi(version)}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        until(lambda: self.said, what="the house plug to listen")
        self.port = self.said[0].rsplit(":")[-1]

    def tell(self, line: str) -> None:
        """A command for its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def has_said(self, words: str) -> bool:
        """Whether any line had these words."""
        return any(words in line for line in self.said)

    def until_said(self, words: str, seconds: float = 60) -> None:
        """Wait for such a line."""
        until(lambda: self.has_said(words), seconds, words)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line.rstrip())


@contextmanager
def house_plug(*options: str, version: str = OLDEST) -> Iterator[HousePlug]:
    """One that listens on a port of its own until the test ends."""
    plug = HousePlug("--port", "0", *options, version=version)
    try:
        yield plug
    finally:
        plug.close()

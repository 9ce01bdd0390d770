"""A checkout of its own with one more service, lamp, that has a setting of each kind: create_service is tested with it."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.kit import TOP

KEY = "QRTIErOb/fcE9Ukd/5qA3RGYMn0Y+p06U58SCtOXvPc="
SETTINGS = '''"""What the lamp service may be told."""

from pimains.core.settings import Settings, choice, flag, host, key, optional, port


class LampSettings(Settings):
    """services/lamp/variables/."""

    HOST = host()
    PORT = port()
    ENCRYPTION_KEY = optional(key())
    LCD_HOST = optional(host())
    ON_LOST = choice("ignore", "shutdown")
    STUBBORN = flag()

    def check_together(self) -> None:
        """Nothing shuts down a lamp without a display."""
        if self.ON_LOST == "shutdown" and not self.LCD_HOST:
            raise self.wrong("LCD_HOST", "is empty; ON_LOST=shutdown needs a display to say so")
'''
SERVICE = '''"""The lamp as a service."""

from pimains.core.service import Instance, Naps, Stop, run, seconds
from pimains.lamp.settings import LampSettings


def lamp(me: Instance, settings: LampSettings) -> Naps:
    me.status(f"lit by {settings.HOST}")
    while True:
        try:
            yield seconds(3600)
        except Stop:
            if not settings.STUBBORN:
                raise


if __name__ == "__main__":
    run(lamp, LampSettings)
'''
README = """# lamp: lights the hall

Lights the [hall](../halt/README.md) for whoever
comes in.

![a lamp](lamp.png)

## How to begin

Press [the button](../../button.md).

## Files

- the hall
"""
VARIABLES = {
    "HOST": "\nThe lamp: a name or an IP address.\n",
    "PORT": "6053\nTCP port, 1-65535.\n",
    "ENCRYPTION_KEY": "\nThe key of the lamp, 32 bytes\nin base64, or empty.\n",
    "LCD_HOST": "\nA display in the hall, or empty.\n",
    "ON_LOST": "ignore\nWhat to do without a lamp: ignore or shutdown.\n",
    "STUBBORN": "0\n1: does not end when it is told to.\n",
}


class Answer(NamedTuple):
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


class Checkout:
    """A copy of what is checked out, with the lamp; `servicedir` and `root` are what its tests work on."""

    def __init__(self, top: Path) -> None:
        self.top = top / "checkout"
        self.servicedir = top / "service"
        self.root = top / "root"
        self.servicedir.mkdir(parents=True)
        # a hundred times; no test edits what is there, but another one's Python may be compiling
        shutil.copytree(TOP / "lib", self.top / "lib", copy_function=_linked, ignore=shutil.ignore_patterns("*.pyc.*"))
        shutil.copytree(TOP / "services", self.top / "services")
        shutil.copy(TOP / "create_service", self.top)
        template = self.top / "services/lamp"
        shutil.copytree(self.top / "services/halt", template, ignore=shutil.ignore_patterns("variables", "halt.d"))
        (template / "run").write_text((template / "run").read_text().replace("pimains.halt.service", "pimains.lamp.service"))
        (template / "README.md").write_text(README)
        (template / "variables").mkdir()
        for name, text in VARIABLES.items():
            (template / "variables" / name).write_text(text)
        room = self.top / "lib/pimains/lamp"
        room.mkdir()
        (room / "__init__.py").touch()
        (room / "settings.py").write_text(SETTINGS)
        (room / "service.py").write_text(SERVICE)

    def create_service(self, *words: str, stdin: str = "", path: str | None = None, as_is: bool = False) -> Answer:
        """Run create_service on this checkout's own service directory."""
        where = () if as_is else (f"--servicedir={self.servicedir}",)
        environment = {**os.environ, "PATH": path or os.environ["PATH"]}
        environment.pop("PYTHONPATH", None)  # an instance would get it as a setting
        done = subprocess.run(
            [self.top / "create_service", *where, *words], input=stdin, capture_output=True, text=True, check=False, env=environment
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def add(self, *words: str) -> Answer:
        """--service_name=lamp --root=... WORDS --add-service"""
        return self.create_service("--service_name=lamp", f"--root={self.root}", *words, "--add-service")

    def value(self, name: str, instance: str = "lamp") -> str:
        """Line 1 of a variable."""
        return (self.servicedir / instance / "variables" / name).read_text().partition("\n")[0]

    def files(self) -> dict[str, str]:
        """Everything in the service directory, to see that nothing changed."""
        return {
            str(path.relative_to(self.servicedir)): path.read_text() if path.is_file() else ""
            for path in sorted(self.servicedir.rglob("*"))
        }


def _linked(source: str, copy: str) -> None:
    try:
        os.link(source, copy)
    except OSError:  # /tmp may be another file system
        shutil.copy2(source, copy)

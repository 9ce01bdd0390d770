"""Where a demo takes place: its root, the programs of its simulated house, and people's commands, carried out there."""

import contextlib
import os
import shlex
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from pimains.core import paths, state
from pimains.house import demo_leftovers, demo_pins
from pimains.house.demo_failed import DemoFailed
from pimains.house.demo_progress import progress

_LAST_CHARACTERS = 2000
_ENDS_SECONDS_MAX = 5.0


class Site:
    """Below `root`. A story shows each command and what it says; who is `quiet` hears of those that fail, by DemoFailed."""

    def __init__(self, root: Path, *, quiet: bool = False, demo: Path | None = None) -> None:
        self.root = root
        self.demo = demo or root  # the directory of the demo, if that is another one
        self.quiet = quiet
        self.services = root / "etc/service"
        self.services.mkdir(parents=True)
        self.create = ("--add-service", f"--servicedir={self.services}", f"--root={root}")  # how create_service makes one here
        self.in_services = f"--servicedir={self.services}"  # for verbs of pimains
        self.environment = _environment(root, self.demo)

    def command(self, name: str, *words: str) -> None:
        """Do as a user would who typed it."""
        if not self.quiet:
            print(f"\n$ {shlex.join([name, *words])}", flush=True)
            subprocess.run([*program(name), *words], env=self.environment, check=False)
            return
        done = subprocess.run([*program(name), *words], env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DemoFailed(f"{shlex.join([name, *words])}: {(done.stdout + done.stderr)[-_LAST_CHARACTERS:]}")

    def say(self, line: str) -> None:
        """Something that happens, which a story tells."""
        if not self.quiet:
            print(f"  {line.rstrip()}", flush=True)

    def until(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        """Wait for `condition`, saying how long; raises DemoFailed with the logs after `seconds`."""
        with contextlib.nullcontext() if self.quiet else progress(what):
            deadline = time.monotonic() + seconds
            while not condition():
                if time.monotonic() > deadline:
                    logs = [log.read_text(errors="replace") for log in self.root.glob("var/log/pimains/*/current")]
                    raise DemoFailed(f"not within {seconds:.0f} s: {what}\n{''.join(logs)[-_LAST_CHARACTERS:]}")
                time.sleep(0.05)

    def status(self, instance: str) -> str:
        """The status line of an instance."""
        return self.value(instance, "status")

    def value(self, instance: str, name: str) -> str:
        """What an instance says; "" while it does not."""
        with contextlib.suppress(OSError):
            return state.read(self.root / "run/pimains" / instance / name) or ""
        return ""

    @contextlib.contextmanager
    def program(self, module: str, *words: str) -> Iterator[tuple[IO[str], IO[str]]]:
        """One of the simulated house's, until the end; yields its standard input, by whose end it ends, and its output."""
        started = subprocess.Popen(
            demo_leftovers.noted(self.demo, "/usr/bin/python3", "-PuWignore", "-m", f"pimains.house.{module}", *words),
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # ^C is for the demo, which ends it
        )
        with started:
            assert started.stdin is not None  # noqa: S101  # they are pipes
            assert started.stdout is not None  # noqa: S101  # the same
            try:
                yield started.stdin, started.stdout
            finally:
                with contextlib.suppress(BrokenPipeError):
                    started.stdin.close()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    started.wait(_ENDS_SECONDS_MAX)
                started.terminate()


def listening(said: IO[str]) -> list[str]:
    """What stands after LISTENING in the next line of a program. Raises DemoFailed."""
    first, *words = said.readline().split() or [""]
    if first != "LISTENING":
        raise DemoFailed("a program of the simulated house did not start")
    return words


def tell(program: IO[str], line: str) -> None:
    """Say a line to a program, if it still is there."""
    with contextlib.suppress(OSError, ValueError):
        program.write(f"{line}\n")
        program.flush()


def in_background(function: Callable[..., None], *given: object) -> None:
    """Do it beside everything else, until the demo ends."""
    threading.Thread(target=function, args=given, daemon=True).start()


def program(name: str) -> list[str]:
    """The words that start a command of pimains, of the checkout where that is what is shown."""
    top = _checkout_in_use()
    if top is None or name not in ("create_service", "pimains"):
        return [name]
    return [str(top / name)] if name == "create_service" else ["/usr/bin/python3", "-P", "-m", "pimains.cli"]


def shown(name: str, root: Path) -> str:
    """How people call a command of pimains in a demo: by its name, or, in a checkout that is not installed, by a script below `root`."""
    top = _checkout_in_use()
    if top is None:
        return name
    script = root / name
    if not script.exists():
        (path,) = _library(root).values()
        script.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(path)} exec {shlex.join(program(name))} "$@"\n', encoding="utf-8")
        script.chmod(0o755)
    return str(script)


def _library(demo: Path) -> dict[str, str]:
    top = _checkout_in_use()
    found = [] if top is None else [str(top / "lib"), os.environ.get("PYTHONPATH"), str(demo_pins.python_path(demo))]
    return {"PYTHONPATH": ":".join(filter(None, found))} if found else {}


def _environment(root: Path, demo: Path) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**ours, "PIMAINS_ROOT": str(root), demo_leftovers.MARK: str(demo), **_library(demo)}


def _checkout_in_use() -> Path | None:
    """The checkout whose code is shown; None when the installed package is."""
    return None if shutil.which("pimains") else paths.checkout()

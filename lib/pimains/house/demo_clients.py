"""The demo's file server, and a machine `kitchen` that uses it, with a network and mounts of its own behind a cable that can be pulled."""

import contextlib
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from pimains.house import ports
from pimains.house.demo_machine import Machine, recorder
from pimains.house.demo_site import Site, listening, tell

NAME = "kitchen"
_PORT = 5555
_MARKER = "Music"
_NAMESPACES = ("unshare", "--mount", "--net", "--propagation", "private")


class Kitchen:
    """The machine, where it keeps things, and its share. Its cable leads to the port of the file server."""

    def __init__(self, site: Site, share: Path, port: int) -> None:
        self.site = site
        self.share = share
        self.machine = Machine(site, {}, _NAMESPACES)
        self._port = port
        self._cable: IO[str] | None = None
        self._plugged_in = contextlib.ExitStack()

    def switch_on(self) -> None:
        """With a network of its own, and its cable in it."""
        self.machine.switch_on()
        words = ("--machine", str(self.machine.pid), f"{_PORT}={self._port}")
        self._cable, said = self._plugged_in.enter_context(self.site.program("cable", *words))
        listening(said)

    def tell_cable(self, line: str) -> None:
        """Pull it, or plug it in (cable.py)."""
        if self._cable:
            tell(self._cable, line)

    def switch_off(self) -> None:
        """In order; its network is gone then."""
        self.machine.switch_off()
        self._plugged_in.close()
        self._cable = None


def cannot() -> str:
    """Why there can be no machine beside this one; "" if there can."""
    if os.geteuid() != 0:
        return "only root may mount a share for it"
    done = subprocess.run([*_NAMESPACES, "true"], capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


@contextlib.contextmanager
def served(site: Site) -> Iterator[Kitchen]:
    """The file server among the services of `site`, and the kitchen."""
    port = ports.free_port()
    settings = ("--host=127.0.0.1", f"--port={port}", "--stop_units=")  # nothing of this machine's own is stopped at a halt
    site.command("create_service", "--service_name=fserver", *settings, *site.create)
    drive = site.root / "drive"
    (drive / _MARKER).mkdir(parents=True)
    own = Site(site.root / NAME, quiet=site.quiet, demo=site.demo)
    share = own.root / "mnt/MDrive"
    share.mkdir(parents=True)
    _make_hooks(own.root / "hooks", drive, share)
    secret = own.root / "secret.txt"
    secret.touch(0o600)
    secret.write_text((site.services / "fserver/variables/SECRET").read_text(encoding="ascii").partition("\n")[0], encoding="ascii")
    kitchen = Kitchen(own, share, port)
    kitchen.switch_on()
    try:
        own.command("create_service", "--service_name=halt", f"--halt_command={recorder(own)}", *own.create)
        where = ("--host=127.0.0.1", f"--port={_PORT}", f"--name={NAME}", f"--secret=@{secret}")
        mounts = (f"--mdrive={share}", f"--marker={_MARKER}", "--units=", f"--hooks={own.root}/hooks", "--power_off=told")
        own.command("create_service", "--service_name=fclient", *where, *mounts, *own.create)
        yield kitchen
    finally:
        kitchen.switch_off()


def _make_hooks(directory: Path, drive: Path, share: Path) -> None:
    """What mounts the share there: by a hook, so that no unit of this machine's own is ever named."""
    directory.mkdir()
    hook = directory / "pre_mount"
    place = shlex.quote(str(share))
    hook.write_text(
        f"#!/bin/sh\n# the share, as a network would bring it\nmountpoint -q {place} || mount --bind {shlex.quote(str(drive))} {place}\n",
        encoding="utf-8",
    )
    hook.chmod(0o755)

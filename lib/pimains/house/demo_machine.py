"""A machine of the demo: svscan on its service directory, switched on and off. What stands in for its shutdown only writes that down."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from pimains.house import demo_leftovers
from pimains.house.demo_failed import DemoFailed
from pimains.house.demo_site import Site

_BEGINS_SECONDS_MAX = 10.0
_ENDS_SECONDS_MAX = 10.0
# halt would first have its plug called off, as on a machine that stays up, and that plug is gone; ups would wait for the mains
_AT_ONCE = ("halt", "ups")


class Machine:
    """One whose services are in `site`; `enter` are the words before svscan's, which bring it into namespaces of its own."""

    def __init__(self, site: Site, environment: dict[str, str], enter: tuple[str, ...] = ()) -> None:
        self._site = site
        self._environment = {"PATH": os.environ.get("PATH", ""), demo_leftovers.MARK: str(site.demo), **environment}
        self._enter = enter
        self._svscan: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """svscan's, whose namespaces are the machine's; 0 while it is off."""
        return self._svscan.pid if self._svscan else 0

    def switch_on(self) -> None:
        """Nothing of /run is left of the time before."""
        shutil.rmtree(self._site.root / "run/pimains", ignore_errors=True)
        words = demo_leftovers.noted(self._site.demo, *self._enter, "svscan", str(self._site.services))
        quiet = subprocess.DEVNULL if self._site.quiet else None
        self._svscan = subprocess.Popen(
            words, env=self._environment, stdin=subprocess.DEVNULL, stdout=quiet, stderr=quiet, start_new_session=True
        )
        deadline = time.monotonic() + _BEGINS_SECONDS_MAX
        while not self._is_svscan():  # by then it is in its namespaces
            if self._svscan.poll() is not None or time.monotonic() > deadline:
                raise DemoFailed(f"svscan does not start: {' '.join(words[-2:])}")
            time.sleep(0.01)

    def _is_svscan(self) -> bool:
        return Path(f"/proc/{self.pid}/cmdline").read_bytes().startswith(b"svscan\0")

    def switch_off(self, *, is_cut: bool = False) -> None:
        """End all its services: in order, as at a shutdown, or as when its power is cut."""
        if self._svscan is None:
            return
        self._svscan.terminate()
        self._svscan.wait()
        self._svscan = None
        services = self._site.services
        supervised = [each for top in services.iterdir() for each in (top, top / "log") if (each / "supervise").exists()]
        _svc("-dxk", [each for each in supervised if is_cut or each.name in _AT_ONCE])
        _svc("-dx", supervised)
        deadline = time.monotonic() + _ENDS_SECONDS_MAX
        while time.monotonic() < deadline and any(_is_supervised(each) for each in supervised):
            time.sleep(0.05)


@contextlib.contextmanager
def switched_on(machine: Machine) -> Iterator[Machine]:
    """On until the end."""
    machine.switch_on()
    try:
        yield machine
    finally:
        machine.switch_off()


def recorder(site: Site) -> str:
    """A HALT_COMMAND that only adds a line to the file `halted`."""
    script = site.root / "record-halt"
    script.write_text(f'#!/bin/sh\n# stands in for shutdown: nothing halts\necho "$*" >>{halted(site)}\n', encoding="utf-8")
    script.chmod(0o755)
    return f"{script} -P now"


def halted(site: Site) -> Path:
    """A line for each time when the machine would have halted."""
    return site.root / "halted"


def _svc(option: str, directories: list[Path]) -> None:
    if directories:
        subprocess.run(["svc", option, *directories], check=False)


def _is_supervised(directory: Path) -> bool:
    return subprocess.run(["svok", directory], check=False).returncode == 0

"""An instance of ups that no service runs for, with other machines, and what `pimains rehearse outage` says of it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from tests.kit import TOP
from tests.ups.nut2_library import NUT2

HOSTS: dict[str, dict[str, str]] = {
    "router": {"SSH": "root@router.lan", "MAC": "00:11:32:00:00:01"},
    "nas": {"SSH": "root@nas.lan", "MAC": "00:11:32:00:00:02", "AFTER": "router", "WAKE": "yes"},
    "pc": {"SSH": "root@pc.lan", "MAC": "00:11:32:00:00:03", "AFTER": "nas", "SHED_AT": "after 1m"},
    "tv": {"CLIENT": "192.168.1.30", "WAKE": "no"},
}
_WATCH = """import sys
def touched(event, about):
    mode = about[1] if event == "open" else None
    if event in EVENTS or (isinstance(mode, str) and set(mode) & set("wax+")) or (event == "open" and mode is None and about[2] & 0o3):
        sys.stderr.write(f"touched: {event} {about}\\n")
        sys.stderr.flush()
EVENTS = {"socket.connect", "socket.bind", "socket.sendto", "os.mkdir", "os.rename", "os.remove", "os.link", "os.fork", "os.posix_spawn",
          "os.kill", "subprocess.Popen", "os.utime", "os.chmod", "os.truncate"}
from pimains.cli.main import main
sys.addaudithook(touched)
FIRST
sys.exit(main())
"""


class Said(NamedTuple):
    """What a rehearsal printed, and how it ended; `touched` is what it did beside reading."""

    code: int
    text: str
    touched: list[str]
    errors: list[str]

    @property
    def found(self) -> dict[str, Any]:
        return dict(json.loads(self.text))

    def acts(self, *who: str) -> list[tuple[str, str]]:
        """Who does what, in order."""
        return [(each["who"], each["act"]) for each in self.found["timeline"] if not who or each["who"] in who]

    def at(self, who: str, act: str) -> float:
        return float(next(each["at"] for each in self.found["timeline"] if (each["who"], each["act"]) == (who, act)))


class Instance:
    """Of the service ups, below `root`."""

    def __init__(self, root: Path, **settings: str) -> None:
        self.root, self.directory = root, root / "etc/service/ups"
        _fill(
            self.directory / "variables",
            TOP / "services/ups/variables",
            {"UPS": "eaton@localhost", "USERNAME": "anna", "PASSWORD": "secret", **settings},
        )
        (self.directory / "run").symlink_to(TOP / "services/ups/run")
        for name, given in HOSTS.items():
            self.host(name, **given)

    def host(self, name: str, **given: str) -> None:
        _fill(self.directory / "hosts" / name, TOP / "services/ups/host", {"DOWN_SECONDS_MAX": "60", **given})

    def shows(self, **values: str) -> None:
        """What the service has left of how its UPS is: charge, runtime."""
        run = self.root / "run/pimains/ups"
        run.mkdir(parents=True, exist_ok=True)
        for name, value in values.items():
            (run / f"battery.{name}").write_text(f"{value}\n")

    def rehearse(self, *words: str, first: str = "") -> Said:
        return rehearse(self.root, self.directory.parent, *words, first=first)


def rehearse(root: Path, scan: Path, *words: str, first: str = "") -> Said:
    """`pimains rehearse outage` of the instance in `scan`, watched; `first` is Python that is run before it, watched, too."""
    environment = {**os.environ, "PYTHONPATH": f"{TOP / 'lib'}:{NUT2}", "PIMAINS_ROOT": str(root)}
    asked = ["/usr/bin/python3", "-B", "-c", _WATCH.replace("FIRST", first), "rehearse", "outage", f"--servicedir={scan}", *words]
    said = subprocess.run(asked, env=environment, capture_output=True, text=True, check=False)
    lines = said.stderr.splitlines()
    touched = [line for line in lines if line.startswith("touched: ")]
    return Said(said.returncode, said.stdout, touched, [line for line in lines if line not in touched])


def _fill(directory: Path, template: Path, given: dict[str, str]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for file in template.iterdir():
        value = given.get(file.name)
        (directory / file.name).write_text(file.read_text() if value is None else f"{value}\n")

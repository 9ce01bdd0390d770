"""What a newcomer is shown of a demo that lives: where its page is, and lines to paste into another terminal."""

import os
import shlex
from pathlib import Path
from typing import NamedTuple

from pimains.house.demo_site import shown

HAPPEN = "happen"  # the FIFO that hears what happens to the house
_INDENT = "    "


class Way(NamedTuple):
    """How somebody gets at the demo in `root`: `sudo` is the word before what only root may, `pimains` how that is called."""

    root: Path
    sudo: str = ""
    pimains: str = "pimains"

    @property
    def services(self) -> Path:
        """Its service directory."""
        return self.root / "etc/service"

    def verb(self, *words: str, as_root: bool = False, in_root: bool = False) -> str:
        """A line with a verb of pimains; `in_root`: it finds the demo's files by PIMAINS_ROOT; others by the settings of its services."""
        setting = f"PIMAINS_ROOT={self.root}" if in_root else ""
        there = "" if words[0] == "why" else f"--servicedir={self.services}"
        return " ".join(filter(None, (*self._before(as_root, setting), self.pimains, shlex.join(words), there)))

    def plain(self, *words: str) -> str:
        """A line with another command, which only root may."""
        return " ".join((*self._before(True, ""), shlex.join(words)))

    def mode(self, relay: int, mode: str) -> str:
        """A line that writes the mode of a relay."""
        path = self.root / f"var/lib/pimains/relays/{relay}.mode"
        return f"echo {mode} | {self.sudo} tee {path}" if self.sudo else f"echo {mode} >{path}"

    def happens(self, what: str) -> str:
        """A line by which something happens to the house."""
        return f"echo {what} >{self.root / HAPPEN}"

    def _before(self, as_root: bool, setting: str) -> list[str]:
        return list(filter(None, ([self.sudo, "env" if setting else ""] if as_root and self.sudo else []))) + ([setting] if setting else [])


class Seen(NamedTuple):
    """What there is to be seen: addresses of pages and a password, "" where there are none; what this demo lacks, and why."""

    page: str = ""
    password: str = ""
    collector: str = ""
    has_relays: bool = False
    has_ups: bool = False
    has_kitchen: bool = False
    lacks: tuple[str, ...] = ()


def here(root: Path) -> Way:
    """Of who runs this demo, and by sudo if that is how it was started."""
    return Way(root, "sudo" if os.geteuid() == 0 and "SUDO_UID" in os.environ else "", shown("pimains", root))


def text(seen: Seen, way: Way) -> str:
    """All of it."""
    outages = "; its mains fail every quarter of an hour" if seen.has_ups else ""
    lines = ["", f"The house is up. A day of its sun lasts ten minutes{outages}.", ""]
    if seen.page:
        lines += ["The page of the whole house, and its password, which is this demo's only:", f"{_INDENT}{seen.page}   {seen.password}"]
    if seen.collector:
        lines += ["The collector's own page:", f"{_INDENT}{seen.collector}"]
    lines += seen.lacks
    lines += ["", "Lines to paste into another terminal:", ""]
    for what, pasted in _steps(seen, way):
        lines += [what if what.endswith("?") else f"{what}:", *(f"{_INDENT}{each}" for each in pasted)]
    return "\n".join([*lines, "", "^C ends it, and nothing of it is left.", ""])


def _steps(seen: Seen, way: Way) -> list[tuple[str, list[str]]]:
    meter = str(way.services / "meter")
    told = [
        ("How everything is", [way.verb("status", as_root=True)]),
        ("A service is stopped, and started again", [way.plain("svc", "-d", meter), way.plain("svc", "-u", meter)]),
    ]
    if seen.has_relays:
        told += [
            ("How relays are, and what rules say", [way.verb("relay"), way.verb("rule")]),
            ("Switch the heater on, which has no rule yet; why is it on?", [way.mode(3, "on"), way.verb("why", "relay.3", in_root=True)]),
            ("A cloud comes: rules switch boiler and pump off", [way.happens("clouds 0.9"), way.verb("why", "relay.1", in_root=True)]),
        ]
    if seen.has_ups:
        told.append(("Cut the mains for a minute: who is shed, and woken?", [way.happens("outage 60"), way.verb("ups")]))
    if seen.has_kitchen:
        kitchen = way._replace(root=way.root / "kitchen")
        pulled = [way.happens("cable out"), kitchen.verb("status", as_root=True), way.happens("cable in")]
        told.append(("Pull the network of the kitchen, which uses the file server; its share is gone five seconds later", pulled))
    return [
        *told,
        ("What a shutdown would do, step by step", [way.verb("halt", "--dry-run", as_root=True, in_root=True)]),
        (
            "Shut the Pi down, which it only writes down: its plug cuts the power, and gives it again",
            [way.verb("halt", as_root=True, in_root=True)],
        ),
        ("Press the button of the plug: the same; press it again once it has cut, and the Pi boots", [way.happens("button")]),
        ("Why all that was", [way.verb("why", in_root=True)]),
    ]

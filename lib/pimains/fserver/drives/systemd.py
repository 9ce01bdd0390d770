"""systemd's units, as systemctl tells of them."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_SECONDS_MAX = 10.0


class Unit(NamedTuple):
    """One unit: whether it runs, or is about to, and which others would start it again (sockets, automounts, ...)."""

    name: str
    runs: bool
    triggered_by: list[str]


def units(names: Sequence[str]) -> list[Unit]:
    """What systemd knows of these; nothing where there is no systemd, or it does not answer within ten seconds."""
    if not names:
        return []
    words = ["systemctl", "show", "--property=Id,ActiveState,TriggeredBy", "--", *names]
    try:
        said = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_SECONDS_MAX, check=False
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.TimeoutExpired):
        return []
    found = []
    for block in said.strip().split("\n\n"):
        values = dict(line.partition("=")[::2] for line in block.splitlines())
        if "Id" in values:
            runs = values.get("ActiveState") in ("active", "activating", "reloading")
            found.append(Unit(values["Id"], runs, values.get("TriggeredBy", "").split()))
    return found


def automount(place: Path) -> str:
    """The name of the unit that mounts `place` when it is touched (systemd-escape(1), --path)."""
    text = str(place).strip("/").replace("/", "\0")
    escaped = re.sub(rb"^\.|[^A-Za-z0-9:_.\0]", lambda found: b"\\x%02x" % found[0][0], text.encode("utf-8", "surrogateescape"))
    return escaped.decode().replace("\0", "-") + ".automount"


def is_automount(unit: str) -> bool:
    """Whether it mounts what is touched."""
    return unit.endswith(".automount")


def is_service(unit: str) -> bool:
    """Whether it is a program, and no socket, timer or path that starts one."""
    return unit.endswith(".service")

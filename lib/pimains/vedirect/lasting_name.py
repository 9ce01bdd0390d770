"""The names of serial ports: /dev/ttyUSB0 is another port when the cables were found in another order, those in /dev/serial/by-id stay."""

import re
from contextlib import suppress
from pathlib import Path

_BY_ID = Path("/dev/serial/by-id")


def advice(port: Path, directory: Path = _BY_ID) -> str:
    """Which name to write in the place of `port`, if that may be another one's after a reboot; "" where it stays."""
    if not re.fullmatch(r"tty(USB|ACM)[0-9]+", port.name):
        return ""
    name = f"the name that it has in {directory}"
    with suppress(OSError):
        target = port.resolve()
        name = next((str(each) for each in sorted(directory.iterdir()) if each.resolve() == target), name)
    return f"{port} may be another device after a reboot; write {name}"

"""How values come to be recorded: what to type so that a collector of this machine does."""

import shlex
from collections.abc import Iterable

from pimains.core.scan_directory import ServiceDirectory
from pimains.shared.readings import recorded_files

_UNITS = {"SOC": "%", "P": "W", "PPV": "W", "V": "V", "I": "A", "watts": "W"}  # of what is mostly asked for; the page shows them


def record_line(collector: ServiceDirectory, names: Iterable[str]) -> str:
    """For all of them, beside what it records now; "" where it records them already, or they cannot be recorded."""
    now = (collector.variables().get("RECORD") or "").split()
    known = {word.partition("=")[0] for word in now}
    wanted = [name for name in dict.fromkeys(names) if name not in known and _can_be(name)]
    words = [f"{name}={unit}" if (unit := _UNITS.get(name.rpartition("/")[2].rpartition(".")[2])) else name for name in wanted]
    if not wanted:
        return ""
    instance = "" if collector.name == "collector" else f" --instance={collector.name}"
    value = shlex.quote(" ".join([*now, *words]))
    return f"sudo create_service --service_name=collector{instance} --record={value} --add-service --apply"


def _can_be(name: str) -> bool:
    try:
        return bool(recorded_files.parse(name))
    except ValueError:
        return False

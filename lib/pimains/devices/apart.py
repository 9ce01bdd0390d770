"""Starting a program that outlives whoever started it, also when daemontools itself is restarted meanwhile."""

from collections.abc import Generator
from pathlib import Path

from pimains.core.child import Child
from pimains.core.clock import Clock
from pimains.core.service import Nap, Readable
from pimains.devices.programs import Programs

_SYSTEMD_SECONDS_MAX = 60.0


def start(clock: Clock, words: list[str], unit: str) -> Generator[Nap, tuple[Readable, ...], None]:
    """Start `words` as the transient systemd unit `unit`, or without systemd in a session of their own; raises Failed or OSError.

    systemd ends what is in the same control group as a service that it restarts: a session of its own would not be enough there.
    """
    if Path("/run/systemd/system").is_dir():  # sd_booted(3)
        by_systemd = ["systemd-run", "--quiet", "--collect", f"--unit={unit}", "--", *words]
        yield from Programs(clock, _SYSTEMD_SECONDS_MAX, {}).run(by_systemd, "systemd-run")
    else:
        Child(words, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, print).close()

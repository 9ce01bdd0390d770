"""Starting a program that outlives whoever started it, also when daemontools itself is restarted meanwhile."""

from collections.abc import Generator
from pathlib import Path

from pimains.core.clock import Clock
from pimains.core.naps import Nap, Readable
from pimains.devices.programs import Programs

_START_SECONDS_MAX = 60.0


def start(clock: Clock, words: list[str], unit: str) -> Generator[Nap, tuple[Readable, ...], None]:
    """Start `words` as the transient systemd unit `unit`, or without systemd in a session of their own; raises Failed.

    systemd ends what is in the same control group as a service that it restarts: a session of its own would not be enough there.
    Nothing of this environment is handed on.
    """
    if Path("/run/systemd/system").is_dir():  # sd_booted(3)
        starter = ["systemd-run", "--quiet", "--collect", f"--unit={unit}", "--"]
    else:
        starter = ["setsid", "--fork", "env", "-i"]
    yield from Programs(clock, _START_SECONDS_MAX, {}).run([*starter, *words], starter[0])

#!/usr/bin/env python3
"""A day of a music server and the machine in the kitchen, both booted for real with systemd, autofs, sshfs and an ext4 drive.

    tests/whole/bench/machines.py [DAYS]

Allowed: 1 s from the order to leave until the share is unmounted, 5 s from the pulled cable until it is unmounted, 5 s from the cable's
return until it is mounted and its player runs. The rest is what it takes.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from pimains.core.ledger import Entry  # noqa: E402  # only findable now
from tests.fserver.music import SHARE, is_up, new_layer, plays, set_up, two_machines  # noqa: E402  # only findable now
from tests.kit import until  # noqa: E402  # only findable now
from tests.whole.booted import Machine  # noqa: E402  # only findable now

ALLOWED_SECONDS = {
    "create_service typed on both -> it plays": None,
    "systemctl poweroff at the server -> both are off": None,
    "both switched on -> it plays": None,
    "cable pulled -> unmounted": 5.0,
    "cable pulled -> autofs and player stopped": None,
    "cable back -> mounted, it plays": 5.0,
    "pimains halt at the server -> unmounted": 1.0,
    "pimains halt at the server -> both are off": None,
}


class Day(NamedTuple):
    """What it took, what was seen on the way, and what both ledgers hold, with the machines' names, oldest first."""

    seconds: dict[str, float]
    seen: dict[str, str]
    ledger: list[tuple[str, Entry]]

    def run(self, boot: int) -> list[tuple[str, str, str, str]]:
        """Machine, subject, action and cause, in the first (0) or second (1) run of each machine."""
        boots = {name: list(dict.fromkeys(entry.boot for who, entry in self.ledger if who == name)) for name, _ in self.ledger}
        return [(name, e.subject, e.action, e.cause) for name, e in self.ledger if e.boot == boots[name][boot]]


def a_day(music: Machine, kitchen: Machine) -> Day:
    """Set up, switched off by systemd, on again, a cable pulled, upgraded, and halted by pimains."""
    seconds, seen = {}, {}

    def took(what: str, change: Callable[[], object], is_done: Callable[[], object]) -> None:
        began = time.monotonic()
        change()
        until(is_done, 90, f"{what}; in the kitchen: {kitchen.status('fclient')}")
        seconds[what] = time.monotonic() - began

    def are_off() -> bool:
        return music.is_off and kitchen.is_off

    steps = iter(ALLOWED_SECONDS)
    switch_on(music, kitchen)
    took(next(steps), lambda: set_up(music, kitchen, power_off="told"), lambda: is_up(kitchen))
    until(lambda: kitchen.status("fclient") in music.read("run/pimains/fserver/clients"))
    seen["clients"] = music.read("run/pimains/fserver/clients")
    seen["mounted"] = kitchen.run("ls /var/lib/mpd/MDrive/Music; findmnt -no FSTYPE,SOURCE /var/lib/mpd/MDrive || true")
    took(next(steps), lambda: music.run("systemctl poweroff"), are_off)
    for machine in (music, kitchen):
        machine.until_off(30)
    seen["drive after systemctl poweroff"] = music.drive_says()["Filesystem state"]

    took(next(steps), lambda: switch_on(music, kitchen), lambda: is_up(kitchen))
    began = time.monotonic()
    took(next(steps), lambda: music.plug_cable(in_=False), lambda: not kitchen.has_mounted(SHARE))
    until(lambda: not plays(kitchen) and kitchen.status("fclient").startswith("waiting for"))
    seconds[next(steps)] = time.monotonic() - began
    seen["ls without a server"] = kitchen.run(
        # autofs leaves its own directory, empty, where somebody looks into it just then
        "timeout 4 ls -A /var/lib/mpd 2>/dev/null || test $? = 2 && timeout 4 ls /var/lib/mpd/MDrive; echo exit $?"
    )
    took(next(steps), lambda: music.plug_cable(in_=True), lambda: is_up(kitchen))

    seen |= upgrade(music, kitchen)

    kitchen.run("echo 1 >/etc/service/fclient/variables/POWER_OFF && svc -u /etc/service/fclient")
    until(lambda: is_up(kitchen) and kitchen.status("fclient") in music.read("run/pimains/fserver/clients"))
    began = time.monotonic()
    took(next(steps), lambda: music.run("pimains halt 'good night'"), lambda: not kitchen.has_mounted(SHARE))
    until(are_off, 60)
    seconds[next(steps)] = time.monotonic() - began
    for machine in (music, kitchen):
        machine.until_off(30)
    seen["drive after pimains halt"] = music.drive_says()["Filesystem state"]
    ledger = [(machine.name, entry) for machine in (music, kitchen) for entry in machine.ledger()]
    return Day(seconds, seen, sorted(ledger, key=lambda each: each[1].monotonic))


def switch_on(*machines: Machine) -> None:
    """Both at once, as after a power cut."""
    for machine in machines:
        machine.boot()


def upgrade(music: Machine, kitchen: Machine) -> dict[str, str]:
    """The server is to upgrade pimains, which is put off while the kitchen is there, and another package, which is not.

    Leaves the client stopped.
    """
    seen = {}
    seen["versions before"] = versions(music)
    # it looks five minutes after boot, and these machines have the clock of this one, which may have been up for less
    music.run("mkdir -p /run/pimains/update && touch /run/pimains/update/now")
    music.run("create_service --service_name=update --upgrade='pimains alpha' --add-service")
    until(lambda: music.status("update").startswith("upgraded alpha 1 to 2"), 60, "alpha to be upgraded")
    seen["versions while the kitchen is there"] = versions(music)
    kitchen.run("svc -d /etc/service/fclient")
    until(lambda: not music.read("run/pimains/fserver/clients"))
    music.run("touch /run/pimains/update/now")
    until(lambda: music.status("update").startswith("upgraded pimains"), 60, "pimains to be upgraded")
    seen["versions when it has left"] = versions(music)
    return seen


def versions(machine: Machine) -> str:
    """What is installed of what may be upgraded."""
    return machine.run("dpkg-query -W -f '${Package} ${Version} ' alpha pimains").strip()


def main() -> None:
    """Print the table."""
    days = int((*sys.argv[1:], 3)[0])
    rows: dict[str, list[float]] = {name: [] for name in ALLOWED_SECONDS}
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as top:
        (Path(top) / "layer").mkdir()
        layer = new_layer(Path(top) / "layer")
        for number in range(days):
            (Path(top) / str(number)).mkdir()
            with two_machines(Path(top) / str(number), layer) as (music, kitchen):
                for name, seconds in a_day(music, kitchen).seconds.items():
                    rows[name].append(seconds)
    print(f"{days} days                                               median      max   allowed")
    for name, each in rows.items():
        allowed = ALLOWED_SECONDS[name]
        print(f"{name:50} {median(each):6.2f} s {max(each):6.2f} s  {f'{allowed:4.1f} s' if allowed else ''}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""From upsd's new answer to the message in the queue, and from FSD to the request to halt; a real upsmon at its defaults beside it. Root.

    tests/ups/bench/ups_latency.py [CHANGES [SHUTDOWNS]]

CHANGES (200) of the status of eight UPSes of one upsd, each at a random moment between two looks (POLL_SECONDS 1); of those that upsmon
tells of, too (power cuts and their ends), it is waited for. SHUTDOWNS (5) are begun by somebody's FSD, with a secondary of either kind.
"""

import contextlib
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from subprocess import DEVNULL, Popen

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lib"))

import pytest

from pimains.core import notify_queue  # only findable now
from tests.halt.halting import new_halt  # only findable now
from tests.kit import House, new_house, until  # only findable now
from tests.ups.messages import Queue  # only findable now
from tests.ups.nut2_library import NUT2  # only findable now
from tests.ups.upsd import PASSWORD, PROGRAMS, USERS, Upsd  # only findable now

NAMES = [f"ups{number}" for number in range(8)]
WORDS = ("ALARM", "BOOST", "BYPASS", "CAL", "ECO", "OVER", "TRIM")
STATUSES = ["OB", "OL", *[status for word in WORDS for status in (f"OL {word}", "OL")] * 2]  # no oftener than all of it is told
POLL_SECONDS, FINAL_DELAY = 1.0, 5.0
REQUEST = re.compile(r"@(\w{16})(\w{8}) shutting down: UPS")
CARL = "[carl]\n password = carl\n upsmon primary\n"


def main(changes: int = 200, shutdowns: int = 5) -> None:
    """Measure and print."""
    with pytest.MonkeyPatch.context() as patch:
        ours, upsmons = messages(changes, patch)
        show(f"message, {len(ours)} changes (99 % at most {POLL_SECONDS + 0.2:g} s)", ours)
        show(f"  upsmon's, {len(upsmons)} of them", upsmons)
        ours, upsmons = [], []
        for _ in range(shutdowns):
            one, other = shutdown(patch)
            ours.append(one)
            upsmons.append(other)
        show(f"FSD to the request to halt, {shutdowns} times (at most {FINAL_DELAY + 1.2:g} s)", ours)
        show("  upsmon's SHUTDOWNCMD", upsmons)


def show(what: str, seconds: Sequence[float]) -> None:
    """Its percentiles."""
    found = sorted(seconds)
    of = {share: found[min(len(found) - 1, int(len(found) * share / 100))] for share in (50, 95, 99, 100)}
    print(f"{what}: " + ", ".join(f"{share} % {each:.2f} s" for share, each in of.items()), flush=True)


@contextlib.contextmanager
def house_of() -> Iterator[tuple[House, Path]]:
    """One, and a directory beside it."""
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as top:
        Path(top).chmod(0o755)
        directory = Path(top) / "house"
        directory.mkdir()
        with contextlib.contextmanager(new_house)(directory) as house:
            yield house, Path(top)


@contextlib.contextmanager
def upsmon(here: Path, upsd: Upsd, names: Sequence[str], power: int) -> Iterator[Path]:
    """At its defaults; what it tells and when it shuts down stands in the file that this yields: SECONDS TYPE UPS."""
    told = here / "told"
    told.touch()
    command = here / "notify"
    command.write_text(f'#!/bin/sh\necho "$(date +%s.%N) $NOTIFYTYPE $UPSNAME" >>{told}\n')
    command.chmod(0o755)
    monitors = "".join(f"MONITOR {name}@127.0.0.1:{upsd.port} {power} bert bert secondary\n" for name in names)
    flags = "".join(f"NOTIFYFLAG {event} EXEC\n" for event in ("ONBATT", "ONLINE"))
    shut = f'SHUTDOWNCMD "echo $(date +%s.%N) DOWN >>{told}"'
    (here / "upsmon.conf").write_text(f"RUN_AS_USER root\n{monitors}MINSUPPLIES {power}\n{shut}\nNOTIFYCMD {command}\n{flags}")
    (here / "upsmon.conf").chmod(0o640)
    environment = {"PATH": os.environ["PATH"], "NUT_CONFPATH": str(here), "NUT_STATEPATH": str(here), "NUT_ALTPIDPATH": str(here)}
    script = 'mkdir -p /run/nut && mount -t tmpfs tmpfs /run/nut; exec "$0" -F'
    process = Popen(["unshare", "-m", "sh", "-c", script, PROGRAMS / "upsmon"], env=environment, stdout=DEVNULL, stderr=DEVNULL)
    try:
        yield told
    finally:
        process.kill()
        process.wait()


def messages(changes: int, patch: pytest.MonkeyPatch) -> tuple[list[float], list[float]]:
    """Seconds until the message is in the queue, and until upsmon has told."""
    chance, ours, upsmons = random.Random(1), [], []
    with house_of() as (house, top), Upsd(top, *NAMES, users=USERS) as upsd, upsmon(top, upsd, NAMES, 0) as told:
        Queue(house, patch)
        upses = " ".join(f"{name}@127.0.0.1:{upsd.port}" for name in NAMES)
        given = {"UPS": upses, "POWER": "0", "USERNAME": "anna", "PASSWORD": PASSWORD, "POLL_SECONDS": f"{POLL_SECONDS:g}"}
        ups = house.add("ups", pythonpath=str(NUT2), **given)
        until(lambda: ups.status.count("on line") == len(NAMES), what=ups.story)
        for name, status in [(name, status) for status in STATUSES for name in NAMES][:changes]:
            for waiting in notify_queue.waiting():
                (notify_queue.queue() / waiting).unlink()
            before = told.read_text()
            time.sleep(chance.random() * POLL_SECONDS)
            upsd.say(name, status=status)
            began = time.time()
            until(notify_queue.waiting, 30, ups.story)
            ours.append(time.time() - began)
            if status == "OB" or _is_line(before, name):
                event = "ONBATT" if status == "OB" else "ONLINE"
                until(lambda before=before, event=event, name=name: _told(told, before, event, name), 30, f"upsmon to tell {event} {name}")  # type: ignore[misc]
                upsmons.append(_told(told, before, event, name) - began)
    return ours, upsmons


def shutdown(patch: pytest.MonkeyPatch) -> tuple[float, float]:
    """Seconds from FSD to the request, and to upsmon's SHUTDOWNCMD."""
    with house_of() as (house, top), Upsd(top, users=USERS + CARL) as upsd, upsmon(top, upsd, ["eaton"], 1) as told:
        patch.setenv("PIMAINS_ROOT", str(house.root))
        halt = new_halt(house)
        given = {"UPS": f"eaton@127.0.0.1:{upsd.port}", "ROLE": "secondary", "USERNAME": "bert", "PASSWORD": "bert"}
        ups = house.add("ups", pythonpath=str(NUT2), FINALDELAY_SECONDS=f"{FINAL_DELAY:g}", POLL_SECONDS="1", **given)
        until(lambda: ups.status == "on line, 100 %", what=ups.story)
        with upsd.talk() as ask:
            until(lambda: ask("GET NUMLOGINS eaton") == "NUMLOGINS eaton 2", 30, "upsmon to log in")
        time.sleep(random.random() * POLL_SECONDS)
        with upsd.talk("carl", "carl") as ask:
            assert ask("FSD eaton").startswith("OK")
        began = time.time()
        until(lambda: REQUEST.search(halt.log), 60, ups.story)
        found = REQUEST.search(halt.log)
        assert found
        at = int(found[1], 16) - 2**62 - 10 + int(found[2], 16) / 1e9  # TAI64N as multilog has it
        until(lambda: "DOWN" in told.read_text(), 60, "upsmon to shut down")
        return at - began, float(next(line for line in told.read_text().splitlines() if "DOWN" in line).split()[0]) - began


def _is_line(before: str, name: str) -> bool:
    """Whether upsmon has told that it is on battery, and not yet that that is over."""
    return next((f" ONBATT {name}@" in line for line in reversed(before.splitlines()) if f" {name}@" in line), False)


def _told(told: Path, before: str, event: str, name: str) -> float:
    lines = told.read_text()[len(before) :].splitlines()
    return next((float(line.split()[0]) for line in lines if f" {event} {name}@" in line), 0.0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""A house with an ups service and halt beside a real upsd: what its tests look at on both sides, and a real upsmon."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.kit import House, TestInstance
from tests.ups.nut2_library import NUT2
from tests.ups.nuts import opened
from tests.ups.upsd import PASSWORD, PROGRAMS, Upsd

LB = {"status": "OB LB", "charge": "12", "runtime": "120"}


def guarding(house: House, upses: str, **settings: str) -> TestInstance:
    given = {"USERNAME": "anna", "PASSWORD": PASSWORD, "POLL_SECONDS": "0.5", "FINALDELAY_SECONDS": "1", "HOSTSYNC_SECONDS_MAX": "20"}
    ups = house.add("ups", pythonpath=str(NUT2), UPS=upses, **{**given, **settings})
    house.until(lambda: "on line" in ups.status or "OL" in ups.status or "mains" in ups.status, what=ups.story)
    return ups


def at(upsd: Upsd, name: str = "eaton") -> str:
    return f"{name}@127.0.0.1:{upsd.port}"


def clients(upsd: Upsd, name: str = "eaton") -> int:
    nut = opened(upsd.port, name)
    try:
        return len(nut.clients())
    finally:
        nut.close()


def status(upsd: Upsd, name: str = "eaton") -> str:
    with upsd.talk() as ask:
        return ask(f"GET VAR {name} ups.status")


@contextlib.contextmanager
def upsmon(upsd: Upsd, directory: Path, role: str, user: str, password: str, final_delay: int = 0) -> Iterator[Path]:
    """A real upsmon, of upsd's version, in its own /run/nut; its SHUTDOWNCMD writes when it was called into the file that this yields."""
    here = directory / f"upsmon-{role}-{len(list(directory.glob('upsmon-*')))}"
    here.mkdir()
    shut = here / "shut"
    (here / "upsmon.conf").write_text(
        f'RUN_AS_USER root\nMONITOR {at(upsd)} 1 {user} {password} {role}\nMINSUPPLIES 1\nSHUTDOWNCMD "date +%s.%N >{shut}"\n'
        f"POLLFREQ 1\nPOLLFREQALERT 1\nFINALDELAY {final_delay}\nHOSTSYNC 15\nDEADTIME 15\nPOWERDOWNFLAG {here}/killpower\n"
    )
    (here / "upsmon.conf").chmod(0o640)
    script = 'mount -t tmpfs tmpfs /run/nut 2>/dev/null || { mkdir -p /run/nut && mount -t tmpfs tmpfs /run/nut; }; exec "$0" -F'
    environment = {"PATH": os.environ["PATH"], "NUT_CONFPATH": str(here), "NUT_STATEPATH": str(here), "NUT_ALTPIDPATH": str(here)}
    with (here / "log").open("wb") as log:
        process = subprocess.Popen(
            [*(upsd.enter or ("unshare", "-m")), "sh", "-c", script, PROGRAMS / "upsmon"],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield shut
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def requests(halt: TestInstance) -> int:
    return sum(line.partition(" ")[2].startswith("shutting down: UPS") for line in halt.log.splitlines()) + halt.log.count("also asked")

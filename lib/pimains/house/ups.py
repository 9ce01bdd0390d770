"""A UPS of the simulated house: Debian's upsd, and its dummy-ups behind it, which does what a script says.

    python3 -m pimains.house.ups --directory DIRECTORY --password FILE

All of it is in that directory, on a free port of 127.0.0.1; neither /etc/nut nor an upsd of this machine is touched. The UPS is called
house, and user pimains commands it with the password in the file of --password. It prints `LISTENING 127.0.0.1:PORT` and reads lines:

    outage SECONDS       the mains are gone for so long
    quit

and ends with its standard input. Source: dummy-ups(8), ups.conf(5), upsd.conf(5), upsd.users(5).
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pimains.house.ports import free_port, listens

PROGRAMS = Path("/lib/nut")
NAME = "house"
USER = "pimains"
_RUNTIME = 2400.0  # seconds that its battery lasts when it is full
_STEP_SECONDS = 5
_STARTS_SECONDS_MAX = 30.0
_NUT_USER = "nut"
_CONF = f"[{NAME}]\n driver = dummy-ups\n port = {NAME}.dev\n mode = dummy-once\n pollinterval = 1\n"


def on_line(charge: float = 100) -> str:
    """The script of a UPS with the mains there."""
    status = "OL" if charge >= 100 else "OL CHRG"
    return f"ups.status: {status}\n{_battery(charge)}input.voltage: 230\noutput.voltage: 230\nups.load: 20\n"


def outage(seconds: int) -> str:
    """The script of one whose mains are gone for so many seconds."""
    lines = ["ups.status: OB DISCHRG\ninput.voltage: 0\n"]
    for past in range(0, seconds, _STEP_SECONDS):
        lines.append(f"{_battery(_charge(past))}TIMER {min(_STEP_SECONDS, seconds - past)}\n")
    return "".join([*lines, on_line(_charge(seconds))])


def _charge(seconds: float) -> float:
    return max(1.0, 100 - 100 * seconds / _RUNTIME)


def _battery(charge: float) -> str:
    return f"battery.charge: {charge:.1f}\nbattery.runtime: {_RUNTIME * charge / 100:.0f}\n"


class House:
    """Where its files are."""

    def __init__(self, directory: Path, password: str, port: int) -> None:
        self._directory = directory
        directory.mkdir(mode=0o750, exist_ok=True)
        self._write("ups.conf", _CONF)
        self._write("upsd.conf", f"LISTEN 127.0.0.1 {port}\nSTATEPATH {directory}\n")
        self._write("upsd.users", f'[{USER}]\n password = "{password}"\n upsmon primary\n')
        self.says(on_line())
        self._give(directory)

    def says(self, script: str) -> None:
        """Have the UPS do what `script` says, from its next look at it on, within a second."""
        self._write("next", script)
        (self._directory / "next").rename(self._directory / f"{NAME}.dev")

    @contextlib.contextmanager
    def running(self, program: str, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
        """One of NUT's programs, in this directory."""
        environment = {
            **os.environ,
            **dict.fromkeys(("NUT_CONFPATH", "NUT_STATEPATH", "NUT_ALTPIDPATH"), str(self._directory)),
        }
        with (self._directory / "log").open("ab") as log:
            started = subprocess.Popen(
                [PROGRAMS / program, "-F", *words], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            yield started
        finally:
            started.terminate()
            started.wait()

    def has_driver(self) -> bool:
        """Whether upsd can reach the UPS."""
        return (self._directory / f"dummy-ups-{NAME}").exists()

    def log(self) -> str:
        """What NUT said."""
        return (self._directory / "log").read_text(errors="replace")

    def _write(self, name: str, text: str) -> None:
        path = self._directory / name
        path.touch(0o640)
        path.write_text(text, encoding="utf-8")
        self._give(path)

    def _give(self, path: Path) -> None:
        if os.geteuid() == 0:
            shutil.chown(path, _NUT_USER, _NUT_USER)


def main(options: argparse.Namespace) -> None:
    """Let it live until told to quit."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # NUT's programs end with it
    port = options.port or free_port()
    house = House(options.directory.resolve(), options.password.read_text(encoding="ascii").strip(), port)
    with house.running("dummy-ups", "-a", NAME) as driver, contextlib.ExitStack() as stack:
        _until(house, driver, house.has_driver)
        upsd = stack.enter_context(house.running("upsd"))
        _until(house, upsd, lambda: listens(port))
        print(f"LISTENING 127.0.0.1:{port}", flush=True)
        for line in sys.stdin:
            words = line.split()
            if words == ["quit"]:
                return
            if words[:1] == ["outage"]:
                house.says(outage(int(words[1])))
                print(f"the mains are gone, for {words[1]} s", flush=True)


def _until(house: House, program: "subprocess.Popen[bytes]", condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _STARTS_SECONDS_MAX
    while not condition():
        if program.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"NUT does not start: {house.log()[-1000:]}")
        time.sleep(0.05)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python3 -m pimains.house.ups", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--directory", type=Path, required=True, help="for NUT's files; made where it is not there")
    parser.add_argument("--password", type=Path, required=True, metavar="FILE", help="with the password of user pimains")
    parser.add_argument("--port", type=int, default=0, help="where upsd listens; 0: any that is free")
    main(parser.parse_args())

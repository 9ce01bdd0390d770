"""Outages of a house whose ups service is killed with -9, at random instants or at the boundary of a phase, with a real upsd and halt.

with killed_house(directory, seed=1) as killed:
    killed.outage(kills=5)                                # at random instants of it
    killed.outage(at=Boundary("forced", "after"))
    killed.outage(at=Boundary("asked", "before"), crashes=True, is_empty_then=True)

Each asserts what has to come of it: one forced shutdown, one request that halt accepts, the client waited for, the UPS named to the last
act; and after the boot that follows no shutdown, and no outage file. A seed gives the same instants; what runs beside them does not.
"""

import os
import random
import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests.halt.halting import new_halt
from tests.kit import House, TestInstance, new_house
from tests.ups.nut2_library import NUT2
from tests.ups.upsd import PASSWORD, Upsd

KILL_AT = Path(__file__).parent / "kill_at"
LB, OL = "OB LB", "OL"
FINALDELAY_SECONDS = 0.5
OUTAGE_SECONDS = 5.0  # from LB to halt's "shut down", when nobody kills
_DAEMONTOOLS = ("svscan", "supervise", "multilog")
_BOOT_ID = "00000000-0000-4000-8000-{:012d}\n"
_WITH_BOOT_ID = 'mount --bind "$0" /proc/sys/kernel/random/boot_id; exec "$@"'


class Boundary(NamedTuple):
    """The outage file comes to say `phase`; `side` is before or after."""

    phase: str
    side: str


BOUNDARIES = [Boundary(phase, side) for phase in ("forced", "delayed", "asked", "cutting") for side in ("before", "after")]


class Killed:
    """One house, whose machine boots as often as its power comes back; see the top of this file."""

    def __init__(self, house: House, upsd: Upsd, boot: Path, seed: int) -> None:
        self.kills = 0
        self._house, self._upsd, self._boot = house, upsd, boot
        self._luck = random.Random(seed)
        self._boots = 0
        (house.root / "kill").mkdir()
        (house.root / "kill").chmod(0o777)
        self._name_boot()
        pythonpath = f"{NUT2}:{KILL_AT}"
        settings = {"UPS": f"eaton@127.0.0.1:{upsd.port}", "USERNAME": "anna", "PASSWORD": PASSWORD, "POLL_SECONDS": "0.5"}
        self.ups = house.add("ups", pythonpath=pythonpath, svscan=False, FINALDELAY_SECONDS=f"{FINALDELAY_SECONDS}", **settings)
        self.halt = new_halt(house)
        self._until_well()

    def outage(self, *, kills: int = 0, at: Boundary | None = None, crashes: bool = False, is_empty_then: bool = False) -> None:
        """One, and the boot after it; `crashes`: the machine's power goes where the service is killed, `is_empty_then`: without mains."""
        instants = sorted(self._luck.uniform(0, OUTAGE_SECONDS) for _ in range(kills))
        if at:
            (self._house.root / "kill/at").write_text(f"{at.phase} {at.side}\n")
        if crashes:
            self._not_again(self.ups)
        marks = self._marks()
        with _Client(self._upsd, self._luck.uniform(0.1, 0.8)) as client:
            began = time.monotonic()
            self._upsd.say("eaton", status=LB)
            for instant in instants:
                time.sleep(max(0.0, began + instant - time.monotonic()))
                self.ups.kill()
                self.kills += 1
            if crashes:
                self._house.until(lambda: not self.ups.pid, what=self.story)
                self.kills += 1
                self._lose_power()
                marks = self._marks() if is_empty_then else marks
                self._boot_again(LB if is_empty_then else OL)
            if not crashes or is_empty_then:
                client.is_to_come_back = is_empty_then
                self._has_shut_down_once(marks, client)
        if at:
            assert not (self._house.root / "kill/at").exists(), f"it was not killed there\n{self.story()}"
            self.kills += not crashes
        if not crashes or is_empty_then:
            self._lose_power()
            self._boot_again(OL)
        self._until_well()
        assert len(self._house.halts()) == marks.halts + (not crashes or is_empty_then), self.story()

    def _has_shut_down_once(self, marks: "_Marks", client: "_Client") -> None:
        self._house.until(lambda: len(self._house.halts()) > marks.halts, what=self.story)
        self._house.until(lambda: self.halt.status.startswith("shut down: "), what=self.story)
        story = self.story()
        halt, ups = self.halt.log[marks.halt_log :], self.ups.log[marks.ups_log :]
        assert len(re.findall(r"(?m)^@[0-9a-f]+ shutting down: UPS eaton: ", halt)) == 1, story
        assert "also asked for" not in halt, story
        assert ups.count("-> forced") <= 1, story  # who is killed between writing and saying it says nothing
        assert "still logged in" not in ups, story
        assert client.left_at, story
        assert float(self._house.halts()[-1].split()[0]) >= client.left_at + FINALDELAY_SECONDS - 0.01, story  # it counts in hundredths
        flag = (self._house.root / "run/pimains-halt/cut").read_text()
        assert flag == "pimains: cut by the last act of this shutdown\n300\neaton\n", story
        assert self._status().startswith('VAR eaton ups.status "FSD'), story

    def _lose_power(self) -> None:
        for service in (self.ups, self.halt):
            if service.pid:
                self._not_again(service)
        self._house.until(lambda: not self._kill_all())
        for each in (self._house.root / "run/pimains").iterdir():
            shutil.rmtree(each)
        shutil.rmtree(self._house.root / "run/pimains-halt", ignore_errors=True)

    def _kill_all(self) -> list[Path]:
        """Of the machine but what starts services, also the steps of a halt; returns who was there."""
        machine = Path(f"/proc/{self._house.pid}/ns/mnt").readlink()
        killed = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has just ended
                if (process / "ns/mnt").readlink() == machine and (process / "comm").read_text().strip() not in _DAEMONTOOLS:
                    os.kill(int(process.name), signal.SIGKILL)
                    killed.append(process)
        return killed

    def _not_again(self, service: TestInstance) -> None:
        """When it dies, it is not started; it runs now."""
        service.svc("-o")
        self._house.until(lambda: (service.directory / "supervise/status").read_bytes()[17] == 0)  # neither wanted up nor down

    def _boot_again(self, status: str) -> None:
        self._name_boot()
        self._upsd.reboot(status)
        for service in (self.halt, self.ups):
            service.svc("-u")

    def _until_well(self) -> None:
        outage = self.ups.lib / "outage"
        self._house.until(lambda: self.ups.status.startswith("on line") and not outage.exists(), what=self.story)
        self._house.until(lambda: self.halt.status.startswith("ready"), what=self.story)
        assert "FSD" not in self._status(), self.story()

    def _name_boot(self) -> None:
        self._boots += 1
        self._boot.write_text(_BOOT_ID.format(self._boots))

    def _status(self) -> str:
        with self._upsd.talk() as ask:
            return ask("GET VAR eaton ups.status")

    def _marks(self) -> "_Marks":
        return _Marks(len(self._house.halts()), len(self.halt.log), len(self.ups.log))

    def story(self) -> str:
        return f"{self._status()} at {time.monotonic():.2f}\n{self.ups.story()}\n{self.halt.story()}"


class _Marks(NamedTuple):
    """How much there was."""

    halts: int
    halt_log: int
    ups_log: int


class _Client:
    """A secondary that shuts down in `seconds` from the FSD, and that comes back when upsd does if it is to."""

    def __init__(self, upsd: Upsd, seconds: float) -> None:
        self.left_at = 0.0  # CLOCK_BOOTTIME
        self.is_to_come_back = False
        self._upsd, self._seconds = upsd, seconds
        self._is_over = threading.Event()
        self._is_there = threading.Event()
        self._thread = threading.Thread(target=self._live)

    def __enter__(self) -> "_Client":
        self._thread.start()
        assert self._is_there.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _live(self) -> None:
        while not self._is_over.is_set() and not self.left_at:
            with suppress(OSError, AssertionError):
                self._be_logged_in()
            self._is_over.wait(0.02)

    def _be_logged_in(self) -> None:
        with self._upsd.talk("bert", "bert") as ask:
            assert ask("LOGIN eaton") == "OK"
            self._is_there.set()
            while "FSD" not in (said := ask("GET VAR eaton ups.status")):
                assert said, "upsd has ended"
                if self._is_over.wait(0.02):
                    return
            if not self._is_over.wait(self._seconds) and ask("GET VAR eaton ups.status"):
                self.left_at = time.clock_gettime(time.CLOCK_BOOTTIME)


@contextmanager
def killed_house(aside: Path, seed: int) -> Iterator[Killed]:
    """In `aside`, where user pimains may go too."""
    boot = aside / "boot_id"
    boot.write_text(_BOOT_ID.format(0))
    (aside / "house").mkdir()
    enter = ("unshare", "--mount", "sh", "-c", _WITH_BOOT_ID, str(boot))
    with Upsd(aside, "eaton") as upsd, contextmanager(new_house)(aside / "house", enter) as house:
        yield Killed(house, upsd, boot, seed)

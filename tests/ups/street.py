"""This machine with its UPS in a network namespace, and another machine of the house at the other end of its cable.

with street(top, nas) as found:
    ups = found.begin(host={"SHED_AT": "after 2s"})
    found.upsd.say("eaton", status="OB")
"""

import ctypes
import json
import os
import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.kit import House, TestInstance, new_house
from tests.ups.killing import KILL_AT
from tests.ups.neighbour import Neighbour
from tests.ups.nut2_library import NUT2
from tests.ups.upsd import Upsd

_NETWORK = 0x40000000  # CLONE_NEWNET of setns(2), which Python has from 3.12 on


class UpsdThere(Upsd):
    """In the network namespace that its `enter` enters."""

    def connect(self, seconds: float) -> socket.socket:
        """From within it: a thread enters it, and the connection stays there."""
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(self._connect_there, seconds).result()

    def _connect_there(self, seconds: float) -> socket.socket:
        handle = os.open(f"/run/netns/{self.enter[-1]}", os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(handle, _NETWORK):
                raise OSError(ctypes.get_errno(), "setns")
        finally:
            os.close(handle)
        return super().connect(seconds)


class Street:
    """This machine with its UPS in one namespace, its `nas` in another; `ups` watches, and nas is one of its hosts."""

    def __init__(self, house: House, upsd: Upsd, nas: Neighbour) -> None:
        self.house, self.upsd, self.nas = house, upsd, nas
        self.ups: TestInstance

    def begin(
        self, *, power: str = "0", host: dict[str, str] | None = None, others: dict[str, dict[str, str]] | None = None, **settings: str
    ) -> TestInstance:
        """Start the service; the settings of the host are those of `nas` and `host`, of further ones those of `others`, by name."""
        given = {"POLL_SECONDS": "0.5", "FINALDELAY_SECONDS": "1", "WAKE_AFTER_SECONDS": "2", "POWER": power, "ROLE": "secondary"}
        (self.house.root / "kill").mkdir()
        (self.house.root / "kill").chmod(0o777)
        pythonpath = f"{NUT2}:{KILL_AT}"
        self.ups = self.house.add(
            "ups", pythonpath=pythonpath, svscan=False, **{"UPS": f"eaton@127.0.0.1:{self.upsd.port}", **given, **settings}
        )
        there = self.ups.directory / "hosts/nas"
        for name, value in {"PROOF": "22", "DOWN_SECONDS_MAX": "20", **(host or {})}.items():
            self.nas.set(name, value)
        self.nas.authorize()
        for name, its in (others or {}).items():
            (there.parent / name).mkdir(parents=True)
            for setting, value in its.items():
                (there.parent / name / setting).write_text(f"{value}\n")
        shutil.copytree(self.nas.directory, there)
        for path in (there, *there.iterdir()):
            shutil.chown(path, "pimains", "pimains")
        self.house.start()
        self.house.until(lambda: "on line" in self.ups.status and "no data" not in self.ups.status, what=self.ups.story)
        return self.ups

    def kill_at(self, boundary: str) -> None:
        """Have the service killed there, with -9: tests/ups/kill_at."""
        (self.house.root / "kill/at").write_text(f"{boundary}\n")

    @property
    def was_killed(self) -> bool:
        return not (self.house.root / "kill/at").exists()

    def lose_power(self) -> None:
        """This machine's: what is in /run is gone, and it boots with what is on the disk."""
        self.ups.svc("-o")
        self.house.until(lambda: (self.ups.directory / "supervise/status").read_bytes()[17] == 0)
        self.ups.kill()
        self.house.until(lambda: not self.ups.pid)
        shutil.rmtree(self.house.root / "run/pimains/ups")
        file = self.ups.lib / "outage"
        file.write_text(json.dumps({**json.loads(file.read_text()), "boot": "another"}))

    def boot(self) -> None:
        self.ups.svc("-u")

    def outage(self) -> dict[str, dict[str, object]]:
        """The hosts in the outage file."""
        file = self.ups.lib / "outage"
        return dict(json.loads(file.read_text())["hosts"]) if file.exists() else {}

    def until_step(self, step: str) -> None:
        self.house.until(lambda: self.outage().get("nas", {}).get("step") == step, what=self.story)

    def story(self) -> str:
        return f"{self.outage()}\n{self.ups.story()}"


@contextmanager
def street(top: Path, nas: Neighbour, *upses: str) -> Iterator[Street]:
    top.chmod(0o755)  # user pimains may go there, too
    (top / "house").mkdir()
    enter = ("ip", "netns", "exec", nas.here)
    with UpsdThere(top, *(upses or ("eaton",)), enter=enter) as upsd, contextmanager(new_house)(top / "house", enter) as house:
        yield Street(house, upsd, nas)

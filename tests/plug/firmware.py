"""The plug's firmware, run as a process: what a test needs to play the house around it.

def test_it(plugs):                        # the fixture in tests/conftest.py; ends them all
    plug = plugs(metering=True, time_scale=60)
    agent.connect("127.0.0.1", plug.port)  # the agent's way, which plug.wifi(False) interrupts
    plug.switch("Real Delay Switch", False)  # the test's own way never breaks
    until(lambda: not plug.relay)
"""

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.kit import CACHE, TOP, free_port, until
from tests.shared.wire import Wire

VERSIONS = ("2026.6.5", "2026.10.0")
KEY = base64.b64encode(hashlib.sha256(b"a plug of the tests").digest()).decode()


OTHERS = ("rpimp", "strip")  # firmware that is not pimains', written by us with what it does


def program(version: str, kind: str) -> Path:
    """The program that tests/prepare.sh built from just these sources."""
    directories = [TOP / "tests/plug/esphome-host", *([TOP / "tests/plug/esphome-others"] if kind in OTHERS else [])]
    sources = [path for directory in directories for path in directory.rglob("*") if path.is_file()]
    sources += [] if kind in OTHERS else TOP.glob("esphome/pimains-*.yaml")
    text = b"".join(path.read_bytes() for path in sorted(sources, key=lambda path: os.fsencode(path.relative_to(TOP))))
    built = CACHE / "firmware" / hashlib.sha256(text).hexdigest()[:16] / version / kind
    if not built.exists():
        if not (CACHE / f"esphome-{version}/bin/esphome").exists():
            pytest.skip(f"ESPHome {version} is not here: it needs Python 3.12 or newer")
        pytest.fail(f"{built} is missing: tests/run builds it")
    return built


class Said(NamedTuple):
    """Something the hardware did."""

    what: str  # relay, real delay, heartbeat, led, watts, stall (it did nothing for so many seconds of its time)
    value: str
    device_s: float  # the plug's own clock
    at: float  # time.monotonic() when the test heard it

    @property
    def on(self) -> bool:
        """For what is on or off."""
        return self.value == "on"


class Plug:
    """One plug: its flash is a directory, its clock runs `time_scale` times as fast as ours.

    Up to 120 is fine. Faster, and the plug's own patience with its clients (60 s) gets too short for a busy machine.
    """

    def __init__(
        self,
        directory: Path,
        *,
        version: str = VERSIONS[-1],
        metering: bool = False,
        encrypted: bool = False,
        time_scale: int = 1,
        other: str = "",
    ) -> None:
        self.directory = directory
        self.time_scale = time_scale
        self.key = ""
        self.log: list[str] = []
        self.said: list[Said] = []
        self._program = program(version, other or ("host-metering" if metering else "host"))
        self._told_at_first = {"Relay", "Delay Switch"} if other else {"Relay", "Delay Switch", "Countdown", "Dead Man"}
        self._port = free_port()  # after a restart still its own
        self._clock_start = 0.0
        self._process: subprocess.Popen[str] | None = None
        self._client: _Client | None = None
        self._wire: Wire | None = None
        directory.mkdir(parents=True, exist_ok=True)
        self.start()
        if encrypted:
            self.client.ask(do="key", value=KEY)
            self.key = KEY
            self._forget_client()
        self._wire = Wire(self._port)

    # the plug's own life

    def start(self) -> None:
        """Power for the plug. It finds the flash as it was left."""
        assert self._process is None
        environment = {"HOME": str(self.directory), "ESPHOME_TEST_PORT": str(self._port), "ESPHOME_TEST_TIME_SCALE": str(self.time_scale)}
        # its own descriptors only: a client that vanishes must look vanished
        self._process = subprocess.Popen([self._program], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        listening = threading.Event()
        threading.Thread(target=self._listen, args=(self._process, listening), daemon=True).start()
        assert listening.wait(60), f"the plug does not start: {self.log[-5:]}"

    def _listen(self, process: "subprocess.Popen[str]", listening: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            now = time.monotonic()
            if line.startswith("SAY "):
                _, ms, *what, value = line.split()
                self.said.append(Said(" ".join(what), value, int(ms) / 1000, now))
            elif line.startswith("CLOCK "):
                self._clock_start = int(line.split()[1]) / 1e9
            elif line.startswith("LISTENING "):
                self._port = int(line.rsplit(":", 1)[1])
                listening.set()
            else:
                self.log.append(line.rstrip())
        process.stdout.close()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """SIGTERM: as a restart after an update, what was set is in the flash. SIGKILL: the power is gone."""
        self._forget_client()
        if self._process is not None:
            if number == signal.SIGKILL:
                until(self._is_stopped_with_its_flash_whole, what="the plug's flash to be whole")
            else:
                self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(number)
            self._process.wait(60)
            self._process = None

    def _is_stopped_with_its_flash_whole(self) -> bool:
        """ESPHome writes it on a host as a file, emptied first, at each second of the plug's; a chip's is never empty."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        status = Path(f"/proc/{self._process.pid}/status")
        until(lambda: status.read_text().partition("\nState:\t")[2][:1] in ("T", "Z"), what="the plug to stand still")
        if all(path.stat().st_size for path in self.directory.rglob("*.prefs")):
            return True
        self._process.send_signal(signal.SIGCONT)
        return False

    def restart(self) -> None:
        """A reboot of the plug: same flash, same port."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """The plug hangs: it answers nothing and does nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it."""
        self.stop(signal.SIGKILL)
        if self._wire is not None:
            self._wire.close()

    # what can be seen from outside

    @property
    def port(self) -> int:
        """Where an agent finds it, on 127.0.0.1."""
        assert self._wire is not None
        return self._wire.port

    def flash(self) -> bytes:
        """What the plug keeps over a restart."""
        (prefs,) = self.directory.rglob("*.prefs")
        return prefs.read_bytes()

    @property
    def relay(self) -> bool:
        """The relay is closed: the Pi has power."""
        return self.last("relay").on

    def last(self, what: str) -> Said:
        """The newest of what the hardware said about this."""
        return next(said for said in reversed(self.said) if said.what == what)

    def until_last(self, what: str, on: bool) -> Said:
        """Wait until the hardware said that this is on or off: what it says comes through a pipe, maybe after what it caused."""
        until(lambda: [said.on for said in self.all(what)[-1:]] == [on], what=f"{what} to be {'on' if on else 'off'}")
        return self.last(what)

    def all(self, what: str) -> list[Said]:
        """All of what the hardware said about this."""
        return [said for said in self.said if said.what == what]

    def device_s(self, at: float | None = None) -> float:
        """The plug's own clock now or `at` a time.monotonic(). It goes on while the plug is frozen."""
        return self._clock_start + ((time.monotonic() if at is None else at) - self._clock_start) * self.time_scale

    def stalled(self, since: float, until: float) -> float:
        """Seconds of its time in which the machine did not let the plug do anything: what a measured time may be longer by."""
        return sum(float(said.value) for said in self.all("stall") if since < said.device_s <= until + 1)

    # the house around it

    def wifi(self, up: bool) -> None:
        """The plug's Wi-Fi: without it the plug knows, and the agent's connections are silent."""
        self.switch("Test Network", up)
        self.wire(requests=up, answers=up)

    def wire(self, *, requests: bool = True, answers: bool = True) -> None:
        """What passes between agent and plug, without the plug's knowing."""
        assert self._wire is not None
        self._wire.passes(requests=requests, answers=answers)

    def lose_the_agent(self) -> None:
        """The agent's connection ends, and it gets no other before `wire` is told so."""
        assert self._wire is not None
        self.wire(requests=False, answers=False)
        self._wire.breaks()

    def watts(self, watts: float) -> None:
        """What the Pi draws; -1: the meter says nothing."""
        self.number("Test Watts", watts)

    def press(self, times: int = 1, seconds: float = 0.2) -> None:
        """The button, in the plug's time."""
        self.client.ask(do="action", name="press", value={"times": times, "seconds": seconds})

    # a client as Home Assistant is one

    @property
    def client(self) -> "_Client":
        """The test's own connection, made when it is first used."""
        if self._client is None:
            self._client = _Client(self._port, self.key)
            # the first states come one by one
            until(lambda: self._told_at_first <= set(self.client.states), what="the first states")
        return self._client

    def _forget_client(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def reconnect(self) -> None:
        """A new connection, with nothing heard yet but what a new client is told."""
        self._forget_client()
        assert self.client.states

    def switch(self, name: str, on: bool) -> None:
        """Switch one of its switches; returns when the plug has dealt with it."""
        self.client.ask(do="switch", name=name, value=on)

    def number(self, name: str, value: float) -> None:
        """Set one of its numbers; returns when the plug has dealt with it."""
        self.client.ask(do="number", name=name, value=value)

    def state(self, name: str) -> Any:
        """What the plug last published; None: nothing yet."""
        return self.client.states.get(name)

    def until_state(self, name: str, value: Any, seconds: float = 60) -> None:
        """Wait until the plug publishes this."""
        until(lambda: self.state(name) == value, seconds, f"{name} to be {value}, not {self.state(name)}")


class _Client:
    """One API connection, held by a helper process."""

    def __init__(self, port: int, key: str) -> None:
        newest = (TOP / "tests/aioesphomeapi-newest.txt").read_text().strip()
        self.states: dict[str, Any] = {}
        self.history: list[tuple[str, Any, float]] = []
        self.entities: list[str] = []
        self._replies: dict[int, str] = {}
        self._ready = threading.Event()
        self._asked = 0
        self._process = subprocess.Popen(
            [sys.executable, TOP / "tests/plug/firmware_client.py", str(port), key],
            env={"PYTHONPATH": str(CACHE / f"aioesphomeapi-{newest}"), "PATH": os.environ["PATH"]},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        if not self._ready.wait(60):
            self.close()
            raise AssertionError("no connection to the plug")

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            words = json.loads(line)
            if "reply" in words:
                self._replies[words["reply"]] = words.get("error", "")
            elif "entities" in words:
                self.entities = words["entities"]
                self._ready.set()
            else:
                self.history.append((words["name"], words["value"], words["at"]))
                self.states[words["name"]] = words["value"]

    def ask(self, **words: Any) -> None:
        """Have something done, and a question answered behind it: then it is done."""
        for request in (words, {"do": "ping"}) if words["do"] != "key" else (words,):
            self._asked += 1
            assert self._process.stdin is not None
            print(json.dumps({"id": self._asked, **request}), file=self._process.stdin, flush=True)
            number = self._asked
            until(lambda number=number: number in self._replies or self._process.poll() is not None, 20, f"an answer to {request}")
            error = self._replies.get(number, "the connection is gone")
            assert not error, f"{request}: {error}"

    def leave_midway(self) -> None:
        """Ask for much and be gone before the answers come."""
        assert self._process.stdin is not None
        for number in range(50):
            print(json.dumps({"id": -number, "do": "switch", "name": "Heartbeat Switch", "value": True}), file=self._process.stdin)
        self._process.stdin.flush()
        until(lambda: 0 in self._replies)
        self.close()

    def close(self) -> None:
        """End the helper."""
        self._process.kill()
        self._process.wait()


def new_plugs(directory: Path) -> Iterator[Any]:
    """For fixtures: a function that makes plugs and, at the end, their end."""
    plugs: list[Plug] = []

    def new(**options: Any) -> Plug:
        plug = Plug(directory / f"plug{len(plugs)}", **options)
        plugs.append(plug)
        return plug

    try:
        yield new
    finally:
        for plug in plugs:
            plug.close()

"""create_service --demo: a simulated house on this machine, to see what the services do before trusting them with a Pi.

Installs the packages (from a checkout they are built first), then starts a scan directory of its own below /tmp: halt,
whose HALT_COMMAND only writes down that it was called; plug, against a simulated plug speaking ESPHome's protocol; meter,
at pins that a simulated electricity meter moves, and the collector that it delivers to, with its page; vedirect, at a
solar charger and a battery monitor of a simulated sun; relays, whose loads that sun and its battery feed, and rules that
switch them; ups, at a UPS of NUT's own dummy-ups with two simulated machines on it.
Nothing of it can halt this machine, and nothing of it is left when it ends.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pimains.core import paths
from pimains.core.errors import PimainsError
from pimains.house import demo_meter, demo_pins, demo_relays, demo_rules, demo_sun, demo_ups

_SECONDS_TO_LOOK = 5
_IDLE_WATTS = 2
_WATTS_HALTED = 0.6


class DemoFailed(PimainsError):
    """A step of the demo did not work out; the text says which and shows its last lines."""


def run(*, install: bool) -> int:
    """Show it all; returns the exit code. `install` is whether the packages are built and installed first."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        if install:
            install_packages()
        with tempfile.TemporaryDirectory(prefix="pimains-demo-") as directory:
            root = Path(directory)
            root.chmod(0o755)
            with _house(root) as house:
                _show(house)
    except KeyboardInterrupt:
        print("\nStopped and cleaned up; the packages stay until: apt purge pimains")
        return 130
    except DemoFailed as failure:
        print(f"create_service --demo: {failure}", file=sys.stderr)
        return 1
    return 0


def install_packages() -> None:
    """Build the packages from this checkout and install them with what they need.

    Raises DemoFailed without a checkout or without root, and when a step fails.
    """
    top = paths.checkout()
    if top is None:
        return
    if os.geteuid() != 0:
        raise DemoFailed("it installs packages: run it as root (sudo ./create_service --demo), or with --no-install to use what is there")
    _step("Building the packages (the first time takes a minute or two)", str(top / "debian/build"))
    packages = sorted(str(path) for path in (top / "dist").glob("*.deb"))
    if not any("/python3-aioesphomeapi_" in package for package in packages):
        packages.append("python3-aioesphomeapi")  # this Debian has it
    _step("Installing them", "apt-get", "install", "-y", "--no-install-recommends", "--allow-downgrades", "--reinstall", *packages)
    if more := " ".join(filter(None, (demo_meter.missing(), demo_pins.missing(), demo_sun.missing(), demo_ups.missing()))):
        what = "Installing what meter, collector, vedirect, relays and ups need"
        _step(what, "apt-get", "install", "-y", "--no-install-recommends", *more.split())


class _House:
    """The demo's root with svscan and the simulated plug running in it."""

    def __init__(self, root: Path, plug: "subprocess.Popen[str]", plug_port: int) -> None:
        self.root = root
        self.plug = plug
        self.plug_port = plug_port
        self.services = root / "etc/service"
        self.halted = root / "halted"
        self.relay_opened = threading.Event()
        self.page = ""
        self.tell_sun: Callable[[str], None] | None = None
        self.rules: demo_rules.Rules | None = None
        self.powered: demo_ups.Powered | None = None

    def command(self, name: str, *words: str) -> None:
        """Show a command as the user would type it, and run it."""
        print(f"\n$ {shlex.join([name, *words])}", flush=True)
        subprocess.run([*_program(name), *words], env=_environment(self.root), check=False)

    def until(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        """Wait for `condition`, saying how long; raises DemoFailed with the logs after `seconds`."""
        with _progress(what):
            deadline = time.monotonic() + seconds
            while not condition():
                if time.monotonic() > deadline:
                    logs = [log.read_text(errors="replace") for log in self.root.glob("var/log/pimains/*/current")]
                    raise DemoFailed(f"not within {seconds:.0f} s: {what}\n{''.join(logs)[-2000:]}")
                time.sleep(0.05)

    def tell_plug(self, command: str) -> None:
        """Something happens to the plug or to what is behind it."""
        if self.plug.stdin is not None:
            self.plug.stdin.write(command + "\n")
            self.plug.stdin.flush()

    def status(self, instance: str) -> str:
        """The status line of an instance."""
        with contextlib.suppress(OSError):
            return (self.root / "run/pimains" / instance / "status").read_text().strip()
        return ""


def _show(house: _House) -> None:
    house.until("halt is ready and plug has found its plug", lambda: house.status("plug").startswith("connected"), 60)
    if house.page:
        house.until("the collector has what the meter has read before", lambda: demo_meter.is_told(house.page), 60)
        house.command("pimains", "energy", "--month", f"--servicedir={house.services}")
        print(f"\nA year of readings, and pulses as they come: look at {house.page}")
    if house.tell_sun:
        house.until("the sun's devices are read", lambda: demo_sun.is_seen(house.root), 60)
    if house.rules:
        house.until("relays has its pins", lambda: demo_relays.are_there(house.root), 60)
        house.until("rules looks for rules", lambda: house.status(demo_rules.SERVICE).startswith("no rule"), 60)
    if house.powered:
        house.until("the UPS is read", house.powered.is_known, 60)
    house.command("pimains", "status", f"--servicedir={house.services}")
    if house.rules:
        if not demo_relays.show(house.root, house.command, house.services, demo_sun.MONITOR):
            raise DemoFailed("the monitor of the battery does not see what the boiler draws")
        house.rules.show(demo_sun.MONITOR)
    if house.powered:
        _show_outage(house, house.powered)
    if house.rules:
        house.rules.show_sun_is_back()
    with _progress(f"In {_SECONDS_TO_LOOK} seconds somebody switches the plug off"):
        time.sleep(_SECONDS_TO_LOOK)
    house.command("pimains", "plug", "off", "--host=127.0.0.1", f"--port={house.plug_port}")
    house.until("the Pi shuts down (here it only writes that down)", house.halted.exists, 60)
    with _progress("its file systems are synced and unmounted; then it draws nearly nothing any more"):
        time.sleep(_SECONDS_TO_LOOK)
    house.tell_plug(f"load {_WATTS_HALTED}")
    house.until(f"the plug sees less than {_IDLE_WATTS} W for ten seconds, and cuts the power", house.relay_opened.is_set, 60)
    house.command("pimains", "why", "plug")
    house.command("pimains", "why", "halt")
    if house.rules:
        house.command("pimains", "relay", str(demo_relays.BOILER.number), f"--servicedir={house.services}")
    house.command("pimains", "status", f"--servicedir={house.services}")
    if house.page and sys.stdin.isatty():
        input(f"\nThe page is at {house.page} until you press Enter. ")
    print("\nThat was it: nothing was halted, and all of it is removed again. The packages stay; apt purge pimains removes them.")
    print("For a real plug: create_service --service_name=plug --host=NAME --encryption_key=@FILE --add-service")


def _show_outage(house: _House, powered: demo_ups.Powered) -> None:
    services = f"--servicedir={house.services}"
    print(f"\nNow the mains go, for {powered.outage_seconds} s: nas and tv hang on the UPS, too")
    powered.cut()
    house.until("the UPS says that it is on battery", powered.is_on_battery, 60)
    house.command("pimains", "ups", services)
    house.until("nas and what needs it shut down to spare the battery", powered.are_down, powered.outage_seconds + 60)
    house.command("pimains", "status", services)
    house.command("pimains", "ups", "host", "list", services)
    house.until("the mains come back, both are woken, and prove that they are up", powered.is_over.is_set, powered.outage_seconds + 120)
    house.command("pimains", "why", "host nas")
    house.command("pimains", "ups", services)


@contextlib.contextmanager
def _house(root: Path) -> Iterator[_House]:
    (root / "etc/service").mkdir(parents=True)
    recorder = root / "record-halt"
    recorder.write_text(f'#!/bin/sh\n# stands in for shutdown: nothing halts\necho "$*" >>{root}/halted\n', encoding="utf-8")
    recorder.chmod(0o755)
    with contextlib.ExitStack() as stack:
        plug, port = stack.enter_context(_simulated_plug(root))
        house = _House(root, plug, port)
        threading.Thread(target=_tell_of_plug, args=(house,), daemon=True).start()
        stack.enter_context(_svscan(house.services, demo_pins.made(root)))
        create = ("--add-service", f"--servicedir={house.services}", f"--root={root}")
        house.command("create_service", "--service_name=halt", f"--halt_command={recorder} -P now", *create)
        house.command("create_service", "--service_name=plug", "--host=127.0.0.1", f"--port={port}", f"--idle_watts={_IDLE_WATTS}", *create)
        if more := demo_meter.missing():
            print(f"\n(There is no meter and no collector: they need apt install {more})")
        else:
            house.page = stack.enter_context(demo_meter.metered(root, create, house.command, _environment(root)))
        if more := demo_sun.missing():
            print(f"\n(There is no sun: it needs apt install {more})")
        else:
            fed = (f"--outputs={demo_pins.outputs(root)}", *(each.draw for each in demo_relays.ALL))
            house.tell_sun = stack.enter_context(demo_sun.shining(root, create, house.command, _environment(root), fed))
        if more := demo_pins.missing():
            print(f"\n(There are no relays and no rules: they need apt install {more})")
        elif house.tell_sun:
            demo_relays.make(root, create, house.command, house.services)
            demo_rules.make(root, create, house.command)
            house.rules = demo_rules.Rules(root, house.command, house.until, house.tell_sun)
        if more := demo_ups.missing():
            print(f"\n(There is no UPS: it needs apt install {more})")
        elif why := demo_ups.cannot_wake():
            print(f"\n(There is no UPS with machines to wake: {why})")
        else:
            house.powered = stack.enter_context(demo_ups.supplied(root, create, house.command, _environment(root)))
        yield house


@contextlib.contextmanager
def _simulated_plug(root: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    words = ["/usr/bin/python3", "-Pu", "-m", "pimains.house.plug", "--port", "0", "--metering"]
    with subprocess.Popen(words, env=_environment(root), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as plug:
        try:
            assert plug.stdout is not None  # noqa: S101  # it is a pipe
            line = plug.stdout.readline()
            if "LISTENING" not in line:
                raise DemoFailed("the simulated plug did not start")
            yield plug, int(line.rsplit(":", 1)[1])
        finally:
            plug.terminate()


def _tell_of_plug(house: _House) -> None:
    for line in house.plug.stdout or ():
        print(f"  (plug) {line.rstrip()}", flush=True)
        if "relay off" in line:
            house.relay_opened.set()


@contextlib.contextmanager
def _svscan(services: Path, environment: dict[str, str]) -> Iterator[None]:
    environment = {"PATH": os.environ.get("PATH", ""), **environment}
    with subprocess.Popen(["svscan", services], env=environment, start_new_session=True) as svscan:
        try:
            yield
        finally:
            svscan.terminate()
            svscan.wait()
            supervised = [each for top in services.iterdir() for each in (top, top / "log") if (each / "supervise").exists()]
            # halt would first have its plug called off, as on a machine that stays up, and that plug is gone; ups would wait for the mains
            subprocess.run(["svc", "-dxk", *(each for each in supervised if each.name in ("halt", "ups"))], check=False)
            subprocess.run(["svc", "-dx", *supervised], check=False)
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline and any(subprocess.run(["svok", each], check=False).returncode == 0 for each in supervised):
                time.sleep(0.05)


def _program(name: str) -> list[str]:
    top = _checkout_in_use()
    if top is None or name not in ("create_service", "pimains"):
        return [name]
    return [str(top / name)] if name == "create_service" else ["/usr/bin/python3", "-P", "-m", "pimains.cli"]


def _environment(root: Path) -> dict[str, str]:
    top = _checkout_in_use()
    library = (
        {}
        if top is None
        else {"PYTHONPATH": ":".join(filter(None, (str(top / "lib"), os.environ.get("PYTHONPATH"), str(demo_pins.python_path(root)))))}
    )
    return {**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, "PIMAINS_ROOT": str(root), **library}


def _checkout_in_use() -> Path | None:
    """The checkout whose code is shown; None when the installed package is."""
    return None if shutil.which("pimains") else paths.checkout()


def _step(what: str, *words: str) -> None:
    with _progress(what), tempfile.TemporaryFile("w+") as said:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        if subprocess.run(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment, check=False).returncode:
            said.seek(0)
            raise DemoFailed(f"{what}: did not work\n" + "".join(said.readlines()[-20:]))


@contextlib.contextmanager
def _progress(what: str) -> Iterator[None]:
    """Say what is being waited for, and how long it has been; on a terminal in one line that counts."""
    print(f"... {what}", end="" if sys.stdout.isatty() else "\n", flush=True)
    started = time.monotonic()
    ended = threading.Event()

    def count() -> None:
        while not ended.wait(1):
            if sys.stdout.isatty():
                print(f"\r... {what} ({time.monotonic() - started:.0f} s)", end="", flush=True)

    counter = threading.Thread(target=count, daemon=True)
    counter.start()
    try:
        yield
    finally:
        ended.set()
        counter.join()
        if sys.stdout.isatty():
            print()


def _as_interrupt(*_: object) -> None:
    raise KeyboardInterrupt

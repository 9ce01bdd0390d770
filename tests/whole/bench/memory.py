#!/usr/bin/env python3
"""What the services of a house take in memory when all of them run on one machine, idle and connected with each other.

    tests/whole/bench/memory.py [CHECKOUT ...]

PSS of each and of all together, and of each as if it were the only Python (see tests/core/bench/footprint.py). With several checkouts
(another version, from `git worktree add`) each is measured in turn. Needs root; rsync is left out: it becomes tcpserver.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lib"))

from tests.core.bench.footprint import is_asleep, memory
from tests.kit import TOP, House, TestInstance, free_port, new_house, until
from tests.meter.meters import entry_points
from tests.plug.plugs import aioesphomeapi
from tests.vedirect.suns import Sun

SECRET = "bXkgc2VjcmV0IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE="


def settings(house: House, plug_port: int) -> dict[str, dict[str, str]]:
    """Of each service, and so that they find each other."""
    link, page = str(free_port()), str(free_port())
    (house.root / "tokens").mkdir()
    (house.root / "tokens/house").write_text("a-token-of-a-test\n")
    (house.root / "tokens/house").chmod(0o600)
    shutil.chown(house.root / "tokens/house", "pimains")
    pins = house.root / "pins"
    pins.touch()
    (house.root / "token").write_text("a-token-of-a-test\n")
    (house.root / "secret").write_text(f"{SECRET}\n")
    secret = f"@{house.root}/secret"
    return {
        "halt": {"halt_command": house.recorder},
        "notify": {"mail_to": "anna@example.org", "mail_from": "pi@example.org", "mail_host": "localhost"},
        "plug": {"host": "127.0.0.1", "port": str(plug_port)},
        "fserver": {"host": "127.0.0.1", "port": link, "secret": secret},
        "fclient": {"host": "127.0.0.1", "port": link, "secret": secret, "mdrive": f"{house.root}/share"},
        "update": {"upgrade": "no-such-package"},
        "collector": {"listen": f"127.0.0.1:{page}", "tokens": f"{house.root}/tokens"},
        "meter": {"source": "house", "collector": f"http://127.0.0.1:{page}", "token": f"@{house.root}/token", "interval": "5"},
        "vedirect": {"port": str(Sun(house, speed=1).ports["mppt"])},
    }


def measure(checkout: Path) -> None:
    """Start all of them by the create_service of a checkout and print what they take."""
    subprocess.run(["/usr/bin/python3", "-m", "compileall", "-q", checkout / "lib"], check=True)
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as root:
        for house in new_house(Path(root)):
            device = subprocess.Popen(
                ["/usr/bin/python3", "-Pu", "-m", "pimains.house.plug", "--port", "0"],
                env={"PYTHONPATH": f"{TOP / 'lib'}:{aioesphomeapi()}"},
                stdout=subprocess.PIPE,
                text=True,
            )
            assert device.stdout
            port = int(device.stdout.readline().rpartition(":")[2])
            try:
                show(checkout, started(house, checkout, settings(house, port)))
            finally:
                device.terminate()
                device.wait()


def started(house: House, checkout: Path, services: dict[str, dict[str, str]]) -> list[TestInstance]:
    """All of them, up and idle."""
    for service, given in services.items():
        words = [f"--{name}={value}" for name, value in given.items()]
        where = [f"--servicedir={house.scan}", f"--root={house.root}", "--down"]
        subprocess.run(
            [checkout / "create_service", f"--service_name={service}", *where, *words, "--add-service"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        variables = house.scan / service / "variables"
        (variables / "PYTHONPATH").write_text(f"{checkout / 'lib'}:{aioesphomeapi()}:{entry_points(house.root / 'python')}\n")
        if service == "meter":
            (variables / "GPIOZERO_PIN_FACTORY").write_text("mock\n")
        (house.scan / service / "down").unlink()
    house.start()
    instances = [TestInstance(house, service) for service in services]
    for instance in instances:
        until(lambda instance=instance: instance.status not in ("", "starting", "not running"), what=f"{instance.name} to be up")  # type: ignore[misc]
    until(lambda: (house.root / "run/pimains/plug/status").read_text().startswith("connected"), what="the plug")
    for instance in instances:
        until(lambda instance=instance: is_asleep(instance.pid), what=f"{instance.name} to have nothing to do")  # type: ignore[misc]
    return instances


def show(checkout: Path, instances: list[TestInstance]) -> None:
    """The table."""
    print(f"{checkout}\nSERVICE       PSS  ALONE  STATUS")
    found = {instance.name: memory(instance.pid) for instance in instances}
    for instance in instances:
        taken = found[instance.name]
        print(f"{instance.name:10}  {taken.pss:5.1f}  {taken.alone:5.1f}  {instance.status[:80]}")
    print(f"{'together':10}  {sum(taken.pss for taken in found.values()):5.1f}  MB")


if __name__ == "__main__":
    for each in sys.argv[1:] or [str(TOP)]:
        measure(Path(each).resolve())

"""What tests/panel/bench/lines_machine.py has tried inside its machine, as root; says lines of JSON: what, and how much or how.

gpio-sim takes an open drain that is let go for a line that is driven, and does not let its other side pull it: that is tried at gpiochip.c.
"""

import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, "/srv/lib")

from pimains.panel.tm1638 import CLK, DIO  # only findable now
from pimains.shared.gpio import pin_line  # the same
from pimains.shared.gpio.pin import GpioError  # the same

SIM = Path("/sys/kernel/config/gpio-sim/header")
LINES = Path("/sys/devices/platform/gpio-sim.0/gpiochip0")
STB = 4
BARE = "import time\nwhile True: time.sleep(0.07)"
SECONDS = 20.0
SETTINGS = {"DIO": "19", "CLK": "13", "STBS": "26", "BRIGHTNESS": "2", "TEXT": "name", "KEYS": "", "RELAYS": "/etc/pimains/relays"}


def say(what: str, value: object) -> None:
    print(json.dumps([what, str(value)]), flush=True)


def level(number: int) -> str:
    return (LINES / f"sim_gpio{number}" / "value").read_text().strip()


def pull(number: int, how: str) -> None:
    (LINES / f"sim_gpio{number}" / "pull").write_text(how)


def lines() -> None:
    """Requested, set together and alone, in use."""
    subprocess.run(["modprobe", "gpio-sim"], check=True)
    (SIM / "bank").mkdir(parents=True)
    (SIM / "bank/num_lines").write_text("28")
    (SIM / "bank/label").write_text("pinctrl-bcm2835")
    (SIM / "live").write_text("1")
    chip = pin_line.header()
    assert chip is not None
    wires = pin_line.Lines(chip, [19, 13, 26], DIO, "pimains panel")
    look = wires.prepared([(0, 0)])
    say("all are high in the beginning, DIO by its pull-up", (level(13), level(26), look()) == ("1", "1", [True]))
    wires.prepared([(0, DIO | CLK)])()
    say("DIO and CLK are set low together, STB stays", (level(19), level(13), level(26)) == ("0", "0", "1"))
    pull(19, "pull-up")
    say("DIO that is low stays so, whoever pulls", look() == [False])
    wires.prepared([(CLK, CLK | STB)])()
    say("CLK and STB are set together, DIO stays", (level(19), level(13), level(26)) == ("0", "1", "0"))
    try:
        pin_line.Lines(chip, [19, 20], DIO, "another")
    except GpioError as error:
        say("a pin that is in use", error)
    wires.close()
    (SIM / "live").write_text("0")


def service() -> None:
    """What it takes of the processor while nothing happens."""
    here, boards = Path("/srv/panel"), Path("/srv/boards")
    (here / "variables").mkdir(parents=True)
    boards.write_bytes(bytes(4096))
    boards.chmod(0o666)
    for number in range(1, 9):
        relay = Path(SETTINGS["RELAYS"]) / str(number)
        relay.mkdir(parents=True)
        (relay / "NAME").write_text(f"relay {number}\n")
    for directory in ("/run/pimains/relays", "/var/lib/pimains/relays"):
        Path(directory).mkdir(parents=True)
    simulated = {"LD_PRELOAD": "/srv/gpiochip.so", "GPIOCHIP_BOARDS": str(boards), "GPIOCHIP_PINS": "19 13 26"}
    environment = {**os.environ, **SETTINGS, **simulated, "PYTHONPATH": "/srv/lib"}
    with subprocess.Popen(["/usr/bin/python3", "-Pu", "-m", "pimains.panel.service"], cwd=here, env=environment) as process:
        while not boards.read_bytes()[2]:
            time.sleep(0.1)
        say("processor time while nothing happens, one board", percent(process))
    with subprocess.Popen(["/usr/bin/python3", "-c", BARE]) as process:
        say("of a Python that only wakes up as often", percent(process))


def percent(process: "subprocess.Popen[bytes]") -> str:
    time.sleep(2)
    before = processor_seconds(process.pid)
    time.sleep(SECONDS)
    busy = processor_seconds(process.pid) - before
    process.terminate()
    return f"{100 * busy / SECONDS:.2f} %"


def processor_seconds(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def main() -> None:
    try:
        lines()
        service()
        say("done", "")
    except BaseException:
        traceback.print_exc()


if __name__ == "__main__":
    main()

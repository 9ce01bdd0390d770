"""What tests/meter/bench/gpio_machine.py has tried inside its machine, as root; says lines of JSON: what, and how much or how."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

PULSES = int(Path("/srv/pulses").read_text())
METER = Path("/etc/service/meter")
RUN = Path("/run/pimains/meter")
SIM = Path("/sys/kernel/config/gpio-sim/header")
PIN = Path("/sys/devices/platform/gpio-sim.0/gpiochip0/sim_gpio24")
LINES = Path("/sys/kernel/debug/gpio")
TOKEN = "a-token-of-this-machine"
COLLECTOR = "http://127.0.0.1:8460"
SECONDS = 240.0


def sh(command: str) -> str:
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def say(what: str, value: object) -> None:
    print(json.dumps([what, str(value)]), flush=True)


def until(condition: Callable[[], object], what: str) -> None:
    began = time.monotonic()
    while not condition():
        if time.monotonic() > began + SECONDS:
            raise AssertionError(f"not within {SECONDS:.0f} s: {what}; meter: {status()}")
        time.sleep(0.05)


def status(name: str = "meter") -> str:
    path = RUN.with_name(name) / "status"
    return path.read_text() if path.exists() else ""


def says(words: str, name: str = "meter") -> str:
    until(lambda: words in status(name), f"{name} to say {words!r}")
    return status(name)


def process() -> int:
    return int(sh(f"svstat {METER}").partition("pid ")[2].partition(")")[0] or 0)


def counted() -> int:
    """The live count."""
    return int.from_bytes((RUN / "count").read_bytes()[64:72], sys.byteorder) >> 1


def is_listening(consumer: str = "pimains") -> bool:
    return any("gpio-1020" in line and consumer in line for line in LINES.read_text().splitlines())


def ready(variables: dict[str, str]) -> None:
    """The service runs anew with these, and has the pin."""
    sh(f"svc -d {METER}")
    until(lambda: ": down" in sh(f"svstat {METER}"), "the meter to stop")
    for name, value in variables.items():
        (METER / "variables" / name).write_text(value + "\n")
    (RUN / "status").unlink(missing_ok=True)
    sh(f"svc -u {METER}")
    says("kWh")


class Contact:
    """The generator, and what ought to be counted."""

    def __init__(self) -> None:
        words = [sys.executable, "/srv/gpio_pulses.py", str(PIN)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.made = 0
        self._began = (0, 0)

    def begin(self, line: str) -> None:
        assert self._process.stdin
        print(line, file=self._process.stdin, flush=True)

    def end(self, at_least: float = 0.0) -> dict[str, Any]:
        """Closings that were shorter are none."""
        assert self._process.stdout
        done: dict[str, Any] = json.loads(self._process.stdout.readline())
        self.made += done["pulses"] - sum(each < at_least for each in done["lasted"])
        return done

    def do(self, line: str, at_least: float = 0.0) -> dict[str, Any]:
        self.begin(line)
        return self.end(at_least)

    def begin_part(self) -> None:
        self._began = (self.made, counted())

    def expected(self) -> int:
        return self._began[1] + self.made - self._began[0]

    def exactly(self) -> str:
        """How many of this part's were counted, when nothing more comes."""
        last = []
        while len(last) < 4 or (counted() != self.expected() and len(set(last[-8:])) > 1):
            last.append(counted())
            time.sleep(1)
        return f"{counted() - self._began[1]} of {self.made - self._began[0]}"


def counting() -> str:
    return sh("grep counting /var/log/pimains/meter/current | tail -n 1 | cut -d' ' -f 2-").strip()


def new(name: str, *more: str) -> str:
    said = sh(f"create_service --service_name=meter --instance={name} --impulses_per_kwh=1000 --interval=1 {' '.join(more)} --add-service")
    until(lambda: status(name), f"{name} to say something")
    return said


def set_up() -> None:
    Path("/run/cpuinfo").write_text("Revision\t: a02082\n")  # gpiozero wants to know which Pi this is
    sh("mount --bind /run/cpuinfo /proc/cpuinfo && modprobe gpio-sim")
    sh(f"mkdir /srv/tokens && echo {TOKEN} >/srv/tokens/house && chown pimains /srv/tokens/house && chmod 600 /srv/tokens/house")
    sh(f"create_service --service_name=collector --listen={COLLECTOR[7:]} --tokens=/srv/tokens --commit_seconds=0 --add-service")
    new("meter", "--pin=24", "--source=house", f"--collector={COLLECTOR}", f"--token={TOKEN}")
    say("no GPIO chip", says("GPIO"))
    (SIM / "bank").mkdir(parents=True)
    (SIM / "bank/num_lines").write_text("28")
    (SIM / "bank/label").write_text("pinctrl-bcm2835")
    (SIM / "live").write_text("1")
    chip = Path("/dev/gpiochip0")
    until(chip.exists, "the chip")
    sh("udevadm settle")
    say("its device", sh(f"stat -c '%A %U:%G' {chip}").strip())
    os.chown(chip, 0, 0)
    sh(f"svc -t {METER}")
    say("only root may use it", says("for root only"))
    sh("udevadm trigger --subsystem-match=gpio && udevadm settle")
    ready({})
    say("the package's rule", sh(f"stat -c '%A %U:%G' {chip}").strip())
    say("counting by", counting())


def try_contact(contact: Contact, consumer: str) -> None:
    """Pulses as S0 has them, with all that is bad."""
    ready({"BOUNCE_MS": "20"})
    time.sleep(30)
    used, began = seconds_used(), time.monotonic()
    time.sleep(60)
    say(f"{consumer}: processor time while nothing comes", f"{(seconds_used() - used) / (time.monotonic() - began):.1%}")
    contact.begin_part()
    done = contact.do("300 0.03 0.0325 0.002")
    say(f"{consumer}: 30 ms closed, 32.5 ms open, 2 ms of bounces at each edge: counted", contact.exactly())
    say("  pulses a second", f"{(done['pulses'] - 1) / done['apart']:.1f}")
    contact.begin("8 0.05 3.55")
    flows = []
    for _ in range(25):
        subprocess.run(["timeout", "1", "sh", "-c", "while :; do :; done"], check=False)
        if len(flows) or (RUN / "power_is").read_text() == "measured\n":
            flows.append(float((RUN / "power").read_text()))
    done = contact.end()
    say("  a pulse each 3.6 s while something else keeps the processor busy: watts shown", f"{min(flows[4:]):.1f} to {max(flows[4:]):.1f}")
    say("  what it was", f"{3600 * (done['pulses'] - 1) / done['apart']:.1f}")
    contact.begin_part()
    os.kill(process(), signal.SIGSTOP)
    contact.do("7 0.03 0.0325")
    time.sleep(3)
    os.kill(process(), signal.SIGCONT)
    say("  seven pulses while it was stopped for more than three seconds: counted", contact.exactly())
    contact.do("20 0.01 0.0325", at_least=0.02)
    say("  and after twenty of 10 ms, which are none with BOUNCE_MS 20", contact.exactly())


def seconds_used() -> float:
    words = Path(f"/proc/{process()}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def bulk(contact: Contact, pulses: int) -> None:
    """As many as there is time for, and kill -9 again and again: between two pulses, and within one."""
    ready({"BOUNCE_MS": "0"})
    luck = random.Random(4)
    contact.begin_part()
    end, kills, began = contact.made + pulses, 0, time.monotonic()
    while contact.made < end:
        contact.do(f"{min(luck.randrange(500, 1500), end - contact.made)} 0.0004 0.0004")
        until(lambda: counted() >= contact.expected(), f"{contact.expected()} to be counted, not {counted()}")
        if contact.made < end:
            within = luck.random() < 0.3
            if within:
                contact.do("close")
            os.kill(process(), signal.SIGKILL)
            until(lambda: not is_listening(), "the line to be free")
            kills += 1
            if within:
                time.sleep(luck.random())
            until(is_listening, "the meter to have the line again")
            if within:
                contact.do("open")
    what = f"pulses from the generator to the collector, kill -9 of the meter {kills} times, in {time.monotonic() - began:.0f} s: counted"
    say(what, contact.exactly())


def main() -> None:
    say("boot", f"{float(Path('/proc/uptime').read_text().split()[0]):.0f} s")
    set_up()
    contact = Contact()
    try_contact(contact, "kernel")
    bulk(contact, PULSES)
    new("second", "--pin=24")
    say("a second meter at the same pin", says("in use", "second"))
    sh("svc -d /etc/service/second")

    def collected() -> float:
        return float(requests.get(f"{COLLECTOR}/v1/sources", timeout=30).json()[0]["total"]) * 1000

    until(lambda: round(collected()) == contact.made, f"{contact.made} pulses at the collector, not {collected()}")
    say("all of them together, at the collector", f"{collected():.0f} of {contact.made}")
    ready({"GPIOZERO_PIN_FACTORY": "lgpio"})
    say("counting by", counting())
    try_contact(contact, "lgpio")
    (METER / "variables/GPIOZERO_PIN_FACTORY").unlink()
    ready({})
    (SIM / "live").write_text("0")
    say("the chip goes while it counts", says("gone"))
    say("done", f"{float(Path('/proc/uptime').read_text().split()[0]):.0f} s after the start")


try:
    main()
except BaseException:
    traceback.print_exc()
    subprocess.run(["sh", "-c", "tail -n 20 /var/log/pimains/*/current; dmesg | tail -n 30"], check=False)

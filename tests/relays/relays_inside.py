"""What tests/relays/bench/relays_machine.py has tried inside its machine, as root; says lines of JSON: what, and how much or how.

Lines are watched at the chip's other side, by edges that the kernel counts: gpio-sim tells each level in sysfs.
"""

import contextlib
import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

KILLS = int(Path("/srv/kills").read_text())
RELAYS = Path("/etc/service/relays")
SETTINGS = Path("/etc/pimains/relays")
RUN, LIB = Path("/run/pimains/relays"), Path("/var/lib/pimains/relays")
SIM = Path("/sys/kernel/config/gpio-sim/header")
LINES = Path("/sys/devices/platform/gpio-sim.0/gpiochip0")
LEDGER = Path("/var/lib/pimains/ledger/ledger.sqlite")
SECONDS = 240.0
COUNT = 8


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
            raise AssertionError(f"not within {SECONDS:.0f} s: {what}; relays: {told('status')}")
        time.sleep(0.02)


def told(name: str) -> str:
    path = RUN / name
    return path.read_text().strip() if path.exists() else ""


def process() -> int:
    return int(sh(f"svstat {RELAYS}").partition("pid ")[2].partition(")")[0] or 0)


def keeper() -> int:
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"keeper_process" in (each / "cmdline").read_bytes():
                return int(each.name)
    return 0


def pin(number: int) -> int:
    """Of relay `number`."""
    return 9 + number


def level(number: int) -> int:
    return int((LINES / f"sim_gpio{pin(number)}" / "value").read_text())


def driven() -> list[int]:
    """The levels of all relays' pins."""
    return [level(number) for number in range(1, COUNT + 1)]


def mode(number: int, text: str) -> None:
    (LIB / f"{number}.mode").write_text(f"{text}\n")


def wish(number: int, text: str) -> None:
    (RUN / f"{number}.wish").write_text(f"{text}\n")


class Watcher:
    """Looks at the pins all the time; what it saw of those that are not to move."""

    def __init__(self, numbers: list[int]) -> None:
        self.seen: dict[int, set[int]] = {number: set() for number in numbers}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        self.looks = 0

    def _look(self) -> None:
        while not self._stop.is_set():
            for number, levels in self.seen.items():
                levels.add(level(number))
            self.looks += 1
            time.sleep(0.0005)

    def end(self) -> str:
        self._stop.set()
        self._thread.join()
        moved = [number for number, levels in self.seen.items() if len(levels) > 1]
        return f"{len(moved)} of {len(self.seen)} moved, in {self.looks} looks"


def set_up() -> None:
    sh("modprobe gpio-sim")
    (SIM / "bank").mkdir(parents=True)
    (SIM / "bank/num_lines").write_text("28")
    (SIM / "bank/label").write_text("pinctrl-bcm2835")
    (SIM / "live").write_text("1")
    until(Path("/dev/gpiochip0").exists, "the chip")
    sh("udevadm settle; udevadm trigger --subsystem-match=gpio; udevadm settle")
    sh("create_service --service_name=relays --stagger_seconds=0 --add-service")
    for number in range(1, COUNT + 1):
        said = sh(f"pimains relay add {number} --pin={pin(number)}")
        for name in ("MIN_ON", "MIN_OFF"):
            (SETTINGS / f"{number}/{name}").write_text("0\n")
    say("the last one was told", said.splitlines()[-1])
    until(lambda: f"0 of {COUNT} relays on" in told("status"), "all relays")


def see(what: str, numbers: list[int], act: Callable[[], object]) -> None:
    """None of these moves meanwhile."""
    watcher = Watcher(numbers)
    try:
        act()
    finally:
        say(what, watcher.end())


def restarted(command: Callable[[], object]) -> None:
    before = process()
    command()
    until(lambda: process() not in (0, before) and "relays on" in told("status"), "it to be there again")
    time.sleep(1)


def edit_pin() -> None:
    (SETTINGS / "8/PIN").write_text("25\n")
    until(lambda: sh("grep -c 'relay.8' /sys/kernel/debug/gpio || true"), "the other pin")
    time.sleep(3)
    (SETTINGS / "8/PIN").write_text(f"{pin(8)}\n")
    until(lambda: told("8.state"), "it to be back")


def kill_often() -> None:
    """While rules and people say something all the time of two relays; the others are not to move."""
    luck = random.Random(4)
    words = {}
    for turn in range(KILLS):
        for number in (1, 2):
            words[number] = luck.choice(("on", "off"))
            (wish if number == 1 else mode)(number, f"{words[number]}{f' turn {turn}' if number == 1 else ''}")
        time.sleep(luck.random() * 0.08)
        pid = process()
        if pid:
            os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: process() not in (0, pid), "supervise to start it again")  # type: ignore[misc]
        if turn % 5 == 0:
            time.sleep(luck.random() * 1.5)
    until(lambda: all(told(f"{number}.state") == word for number, word in words.items()), "the last words to be done")
    right = [level(number) == (words[number] == "on") for number in (1, 2)]
    say("the last words were done", right)


def check_ledger() -> None:
    """Each row of a relay is another action than the one before: none twice; and the last one is what its pin does."""
    twice, wrong, rows = 0, 0, 0
    with sqlite3.connect(f"file:{LEDGER}?mode=ro", uri=True) as ledger:
        for number in range(1, COUNT + 1):
            found = ledger.execute("select action from entries where subject = ? order by id", (f"relay.{number}",))
            actions = [action for (action,) in found if action in ("on", "off")]
            rows += len(actions)
            twice += sum(one == two for one, two in itertools.pairwise(actions))
            wrong += bool(actions) and (actions[-1] == "on") != bool(level(number))
    say("rows of the ledger; twice the same; relays that are not as their last row says", f"{rows}; {twice}; {wrong}")


def stopped(act: Callable[[], object]) -> None:
    """Do it while the service is stopped, with ON_STOP keep."""
    sh(f"svc -d {RELAYS}")
    until(lambda: not process(), "it to stop")
    act()
    sh(f"svc -u {RELAYS}")
    until(lambda: process() and "relays on" in told("status"), "it to be there again")
    time.sleep(1)


def step(**environment: str) -> str:
    """halt.d/10-relays, as halt runs it."""
    words = " ".join(f"PIMAINS_{name}='{value}'" for name, value in environment.items())
    return sh(f"{words} /usr/lib/pimains/halt.d/10-relays").strip()


def halt_without_service() -> None:
    """A halt switches off what a stopped service has left on, and what is called off waits for the service."""

    def act() -> None:
        say("the service is stopped, a halt is rehearsed", step(REHEARSAL="1", REASON="battery low"))
        say("  levels", driven())
        say("the service is stopped, this machine halts", step(REASON="battery low"))
        say("  levels", driven())
        say("  why", sh("pimains why relay.5 --limit=1").strip())
        say("  it is called off", step(CALLED_OFF="power is back"))

    say("before that: levels", driven())
    stopped(act)
    until(lambda: level(5) and level(7), "people to have their relays back")
    say("  when the service runs again: levels, status", f"{driven()}, {told('status')}")


def edit_pin_without_service() -> None:
    """The contact that nobody has any more opens."""
    stopped(lambda: (SETTINGS / "7/PIN").write_text("26\n"))
    until(lambda: told("7.state") == "on", "it to be on at its new pin")
    new, line = (LINES / "sim_gpio26" / "value").read_text().strip(), sh("grep -c 'relay.7' /sys/kernel/debug/gpio").strip()
    say("PIN was edited while the service was stopped: old pin, new pin, lines that it has", f"{level(7)}, {new}, {line}")
    say("  why", sh("pimains why relay.7 --limit=3").strip().replace("\n", " | "))
    stopped(lambda: (SETTINGS / "7/PIN").write_text(f"{pin(7)}\n"))
    until(lambda: level(7), "it to be on at its old pin")


def lose_expander() -> None:
    """LABEL:LINE, and a chip that goes away and comes back."""
    expander = Path("/sys/kernel/config/gpio-sim/expander")
    (expander / "bank").mkdir(parents=True)
    (expander / "bank/num_lines").write_text("8")
    (expander / "bank/label").write_text("pcf8575")
    (expander / "live").write_text("1")
    sh("udevadm settle; udevadm trigger --subsystem-match=gpio; udevadm settle")
    say("LABEL:LINE", sh("pimains relay add 20 --pin=pcf8575:3").splitlines()[-1])
    until(lambda: told("20.state"), "the expander's relay")
    (SETTINGS / "20/MIN_OFF").write_text("0\n")
    mode(20, "on")
    until(lambda: told("20.state") == "on", "it to be on")
    value = next(Path("/sys/devices/platform").glob("gpio-sim.*/gpiochip1/sim_gpio3")) / "value"
    say("  its level", value.read_text().strip())
    (expander / "live").write_text("0")
    mode(20, "off")
    until(lambda: "gone" in told("20.reason") or "no GPIO chip" in told("20.reason"), "its loss to be said")
    say("  the chip is gone", told("20.reason"))
    say("  status", told("status"))
    (expander / "live").write_text("1")
    sh("udevadm settle; udevadm trigger --subsystem-match=gpio; udevadm settle")
    mode(20, "on")
    until(lambda: told("20.state") == "on", "it to be back")
    say("  it is back: status", told("status"))
    sh("pimains relay remove 20")


def meet_another() -> None:
    """A pin that another process has."""
    code = "from pathlib import Path; from pimains.shared.gpio.pin_line import LineOutput, header\n"
    code += "line = LineOutput.take(header(), 20, False, False, 'blinker'); print('has it', flush=True); input()"
    with subprocess.Popen(["/usr/bin/python3", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin
        assert other.stdout
        other.stdout.readline()
        sh("pimains relay add 21 --pin=20")
        until(lambda: "in use" in told("21.reason"), "it to be said")
        say("a pin of another process", told("21.reason"))
        other.stdin.write("\n")
    until(lambda: told("21.state"), "it to have the pin")
    say("  once that has ended", told("21.state"))
    sh("pimains relay remove 21")


def latency(times: int) -> str:
    found = []
    for turn in range(times):
        wanted = turn % 2 == 0
        began = time.monotonic()
        wish(3, "on sun" if wanted else "off sun")
        while level(3) != wanted:
            time.sleep(0.0002)
        found.append(time.monotonic() - began)
        time.sleep(0.1)
    found.sort()
    return f"half within {found[len(found) // 2] * 1000:.1f} ms, p99 {found[int(len(found) * 0.99)] * 1000:.1f} ms"


def pss(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def seconds_used() -> float:
    words = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in (process(), keeper())]
    return sum(int(each[11]) + int(each[12]) for each in words) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    say("boot", f"{float(Path('/proc/uptime').read_text().split()[0]):.0f} s")
    set_up()
    for number in range(3, COUNT + 1, 2):
        mode(number, "on")
        until(lambda number=number: level(number), "the contact to close")  # type: ignore[misc]
    say("levels", driven())
    still = list(range(3, COUNT + 1))
    say("memory of the service, of its keeper, kB", f"{pss(process())}, {pss(keeper())}")
    with contextlib.ExitStack() as others:
        words = ["/usr/bin/python3", "-c", "import ctypes, socket, sqlite3; print(flush=True); input()"]
        for _ in range(3):
            other = others.enter_context(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            assert other.stdout
            other.stdout.readline()
            others.callback(other.communicate, b"\n")
        say("  beside three other Pythons", f"{pss(process())}, {pss(keeper())}")
    used, began = seconds_used(), time.monotonic()
    time.sleep(60)
    say("processor time of both while nothing happens", f"{(seconds_used() - used) / (time.monotonic() - began):.2%}")
    see("svc -t", still, lambda: restarted(lambda: sh(f"svc -t {RELAYS}")))
    see("kill -9", still, lambda: restarted(lambda: os.kill(process(), signal.SIGKILL)))
    see("kill -9 of the keeper", still, lambda: (os.kill(keeper(), signal.SIGKILL), time.sleep(2)))
    say("  there is another one", bool(keeper()))
    see("svc -d, 5 s, svc -u", still, lambda: sh(f"svc -d {RELAYS}; sleep 5; svc -u {RELAYS}; sleep 3"))
    halt_without_service()
    edit_pin_without_service()
    lose_expander()
    meet_another()
    see("the package is installed again", still, lambda: sh("dpkg -i /srv/pimains_*.deb; sleep 5"))
    see("another relay's PIN is edited, and edited back", still[:-1], edit_pin)
    (SETTINGS / "4/MIN_ON").write_text("x\n")
    see("a wrong setting of one, and svc -t", still, lambda: restarted(lambda: sh(f"svc -t {RELAYS}")))
    say("  it says", told("4.reason") or told("status"))
    (SETTINGS / "4/MIN_ON").write_text("0\n")
    mode(3, "auto")
    wish(3, "off")
    until(lambda: not level(3), "it to be off")
    say("from a changed wish file to the pin, 200 times", latency(200))
    mode(3, "on")
    until(lambda: level(3), "it to be on")
    see(f"kill -9 {KILLS} times while two others are switched all the time", still, kill_often)
    check_ledger()
    sh("create_service --service_name=relays --del-service")
    until(lambda: not keeper(), "the keeper to end")
    say(
        "after the service was removed: levels, lines that somebody has",
        f"{driven()}, {sh('grep -c relay. /sys/kernel/debug/gpio || true').strip()}",
    )
    say("done", f"{float(Path('/proc/uptime').read_text().split()[0]):.0f} s after the start")


try:
    main()
except BaseException:
    traceback.print_exc()
    subprocess.run(["sh", "-c", "tail -n 40 /var/log/pimains/*/current; cat /sys/kernel/debug/gpio; dmesg | tail -n 30"], check=False)

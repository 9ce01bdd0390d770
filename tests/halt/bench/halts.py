#!/usr/bin/env python3
"""No plug cuts a Pi before it has halted: tests/halt/bench/halts.py [HALTS [SHUTDOWN_SECONDS_MAX [SPEED]]]

ESPHome's own firmware, some plugs of each kind side by side, and simulated Pis whose halts need 5 to 180 s. Each Pi sets the countdown as
the plug service does, by the same rule (pimains.plug.plan.countdown) from the halts it knows of: on a metering plug what the plug
measured, elsewhere what a journal would say. On the way down each draws hardly anything for some seconds, up to three times.

All times are the plug's own clock, which runs SPEED times as fast: `end` and `cut` are read from what the plug's meter and relay
say. What a busy machine adds to them is measured too: how long the plug stood still between end and cut. Where this program itself
came so late that a dip lasted as long as a halt, that Pi is not counted: another one takes its place, and the table says how many.
"""

import argparse
import itertools
import math
import random
import statistics
import sys
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from pimains.plug.plan.countdown import countdown_seconds
from tests.kit import TOP, until
from tests.plug.firmware import VERSIONS, Plug

HALTS = 200
SHUTDOWN_SECONDS_MAX = float((TOP / "services/plug/variables/SHUTDOWN_SECONDS_MAX").read_text().split()[0])
SPEED = 30
SIDE_BY_SIDE = 4
DIP_SECONDS_MAX = 5.0
NO_DIP_SECONDS = 8.0  # of so little power are a halt to the plug, which looks each second and a little sooner
RUNNING_WATTS, HALTED_WATTS, IDLE_WATTS = 4.0, 1.0, 2.0


class Halt(NamedTuple):
    """One halt, in seconds since the countdown began."""

    countdown: float
    end: float
    cut: float
    stalled: float  # between end and cut

    @property
    def after(self) -> float:
        """Seconds from the end of the halt to the cut: negative is a ruined SD card."""
        return self.cut - self.end


def wait_for(plug: Plug, device_s: float) -> bool:
    """Until then, or until the cut: whether there is still power."""
    until(lambda: plug.device_s() >= device_s or not plug.relay, 120)
    return plug.relay


def go_down(plug: Plug, start: float, end: float, luck: random.Random) -> None:
    """Draw watts as a Pi that halts: with dips of up to 5 s on the way, hardly any from `end` on."""
    at = start
    for _ in range(luck.randrange(4)):
        dip = at + luck.uniform(2, 30)
        at = dip + luck.uniform(2, DIP_SECONDS_MAX)
        if at + 2 > end:
            break
        for when, watts in ((dip, HALTED_WATTS), (at, RUNNING_WATTS)):
            if wait_for(plug, when):
                plug.watts(watts)
    if wait_for(plug, end):
        plug.watts(HALTED_WATTS)


def longest_dip(plug: Plug, start: float, end: float) -> float:
    """Seconds for which it drew hardly anything before its end, at most, by the plug's own clock."""
    drew = [*(said for said in plug.all("watts") if start <= said.device_s < end), plug.last("relay")]
    return max(
        (after.device_s - low.device_s for low, after in itertools.pairwise(drew) if low.value == f"{HALTED_WATTS:.1f}"), default=0.0
    )


def one(plug: Plug, metering: bool, known: list[float], unmeasured: float, luck: random.Random) -> Halt | None:
    """A Pi that runs goes down, is cut and comes up again; None when this program came too late for it."""
    countdown = countdown_seconds(known, unmeasured)
    plug.number("Countdown", countdown)
    plug.until_state("Countdown", countdown)
    before = len(plug.all("relay"))
    plug.switch("Real Delay Switch", False)
    plug.until_state("Real Delay Switch", False)
    start = plug.last("real delay")
    end = start.device_s + luck.uniform(5, 180)
    if metering:
        go_down(plug, start.device_s, end, luck)
    until(lambda: len(plug.all("relay")) > before, 120, "the cut")
    cut = plug.all("relay")[before]
    is_late = False
    if metering:
        is_late = cut.device_s < end and longest_dip(plug, start.device_s, end) >= NO_DIP_SECONDS
        fell = plug.last("watts")
        if fell.value == f"{HALTED_WATTS:.1f}" and fell.device_s >= end:
            end = fell.device_s
        measured = plug.state("Last Halt")
        if math.isfinite(measured) and not is_late:
            known.append(measured)
        plug.watts(RUNNING_WATTS)
        plug.until_state("Power", RUNNING_WATTS)
    else:
        known.append(end - start.device_s)
    plug.switch("Delay Switch", True)
    plug.until_state("Real Delay Switch", True)
    return None if is_late else Halt(countdown, end - start.device_s, cut.device_s - start.device_s, plug.stalled(end, cut.device_s))


def measure(directory: Path, metering: bool, halts: int, unmeasured: float, speed: int) -> tuple[list[Halt], int]:
    """So many halts, divided among some plugs of both versions; and how many more this program came too late for."""
    found: list[Halt] = []
    late: list[int] = []
    failed: list[BaseException] = []
    share = [len(range(number, halts, SIDE_BY_SIDE)) for number in range(SIDE_BY_SIDE)]

    def run(number: int) -> None:
        luck = random.Random(f"{metering} {number}")
        kind = "metering" if metering else "plain"
        plug = Plug(directory / f"{kind}{number}", version=VERSIONS[number % 2], metering=metering, time_scale=speed)
        known: list[float] = []
        try:
            if metering:
                plug.number("Idle Watts", IDLE_WATTS)
                plug.watts(RUNNING_WATTS)
                plug.until_state("Power", RUNNING_WATTS)
            left = share[number]
            while left:
                halt = one(plug, metering, known, unmeasured, luck)
                if halt is None:
                    late.append(number)
                    continue
                found.append(halt)
                left -= 1
                if sys.stderr.isatty():
                    print(f"{kind}: {len(found)} of {halts} halts", end="\r", file=sys.stderr)
        except BaseException as error:
            failed.append(error)
        finally:
            plug.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(SIDE_BY_SIDE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return found, len(late)


def row(kind: str, found: list[Halt], late: int) -> str:
    """A line of the table."""
    after, countdowns = [halt.after for halt in found], [halt.countdown for halt in found]
    own = max(halt.after - halt.stalled for halt in found)
    early = sum(each < 0 for each in after)
    countdown = f"{min(countdowns):.0f}-{max(countdowns):.0f}"
    seconds = "".join(f"{each:9.1f}" for each in (min(after), statistics.median(after), max(after), own))
    return f"{kind:9}{len(found):6}{late:10}{countdown:>13}{early:7}{seconds}"


def main() -> None:
    """Both kinds of plugs, as a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("halts", nargs="?", type=int, default=HALTS)
    parser.add_argument("unmeasured", nargs="?", type=float, default=SHUTDOWN_SECONDS_MAX)
    parser.add_argument("speed", nargs="?", type=int, default=SPEED)
    options = parser.parse_args()
    early = 0
    print(f"{'':45}seconds from the end of the halt to the cut")
    columns = f"{'plug':9}{'halts':>6}{'not these':>10}{'countdown s':>13}{'early':>7}{'least':>9}{'median':>9}{'most':>9}"
    print(f"{columns}   (most, without the machine's part)")
    with tempfile.TemporaryDirectory(prefix="pimains-halts-") as directory:
        for metering in (True, False):
            found, late = measure(Path(directory), metering, options.halts, options.unmeasured, options.speed)
            early += sum(halt.after < 0 for halt in found)
            print(row("metering" if metering else "plain", found, late))
    sys.exit(early > 0)


if __name__ == "__main__":
    main()

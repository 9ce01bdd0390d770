#!/usr/bin/env python3
"""What ups costs while nothing changes: memory, processor time at POLL_SECONDS 1 with 60 variables, bytes written. Root; two minutes.

    tests/ups/bench/ups_costs.py [SECONDS]

PSS beside three other Pythons, as on a machine with other services, and as if it were the only Python (tests/core/bench/footprint.py);
without TLS, and with it to a real upsd. SECONDS (60) is how long the processor time is counted.
"""

import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lib"))

from tests.core.bench.footprint import compile_all, memory  # only findable now
from tests.kit import new_house, until  # only findable now
from tests.notify.mail_server import certificate  # only findable now
from tests.ups.nut2_library import NUT2  # only findable now
from tests.ups.upsd import PASSWORD, Upsd  # only findable now

MORE = {f"outlet.{number}.voltage": "230" for number in range(50)}
PROCESSOR_PERCENT_MAX = 0.1
MEGABYTES_MAX = {"off": 12.0, "require": 15.5}  # beside others, as every service is measured


def main(seconds: float = 60.0) -> None:
    """Measure and print; with what each may be."""
    compile_all()
    for tls, most in MEGABYTES_MAX.items():
        measure(tls, most, seconds)


def measure(tls: str, most: float, seconds: float) -> None:
    """Of one service that looks at one UPS."""
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as top, ExitStack() as stack:
        here = Path(top)
        here.chmod(0o755)
        pair = certificate(here / "certificate") if tls != "off" else None
        upsd = stack.enter_context(Upsd(here, override=MORE, certificate=pair))
        directory = here / "house"
        directory.mkdir()
        house = stack.enter_context(contextmanager(new_house)(directory))
        given = {"UPS": f"eaton@localhost:{upsd.port}", "USERNAME": "anna", "PASSWORD": PASSWORD, "TLS": tls}
        if pair:
            given["CA"] = str(pair[0])
        ups = house.add("ups", pythonpath=str(NUT2), **given)
        until(lambda: ups.status == "on line, 100 %", what=ups.story)
        process = Path("/proc", str(ups.pid))
        time.sleep(5)  # its start is not what is measured
        before, written = cpu_seconds(process), write_bytes(process)
        time.sleep(seconds)
        percent, written = 100 * (cpu_seconds(process) - before) / seconds, write_bytes(process) - written
        others = [subprocess.Popen(["/usr/bin/python3", "-c", "import re, threading; threading.Event().wait()"]) for _ in range(3)]
        try:
            time.sleep(1)
            beside = memory(ups.pid)
        finally:
            for other in others:
                other.kill()
                other.wait()
        print(f"TLS {tls}")
        print(f"  PSS beside three Pythons {beside.pss:.1f} MB (at most {most:g}), as the only Python {memory(ups.pid).alone:.1f} MB")
        print(f"  processor {percent:.3f} % (at most {PROCESSOR_PERCENT_MAX:g}), {1000 * percent / 100:.2f} ms a look")
        print(f"  written {written} bytes in {seconds:g} s: to upsd in TLS, and one a look from thread to thread", flush=True)


def cpu_seconds(process: Path) -> float:
    """User and system, of all its threads, in seconds (proc(5), schedstat counts nanoseconds)."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in (process / "task").iterdir()) / 1e9


def write_bytes(process: Path) -> int:
    """What it handed to write(2), also for memory (proc(5), io)."""
    return int(dict(line.split(": ") for line in (process / "io").read_text().splitlines())["wchar"])


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))

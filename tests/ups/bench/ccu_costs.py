#!/usr/bin/env python3
"""What a CCU costs an ups: PSS of both processes, processor time of the one for the CCU at CCU_SECONDS 60, a round's requests. Root.

python tests/ups/bench/ccu_costs.py    # takes three minutes
"""

import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lib"))

from pimains.house.ccu import Ccu, Variable  # only findable now
from tests.kit import new_house, until  # only findable now
from tests.ups.bench.ups_costs import cpu_seconds, pss_megabytes, write_bytes  # only findable now
from tests.ups.nut2_library import NUT2  # only findable now
from tests.ups.upsd import PASSWORD, Upsd  # only findable now

SECONDS = 120.0
NUMBERS = ("battery.charge", "battery.runtime", "input.voltage", "output.voltage", "ups.load")
TEXTS = ("battery.runtime_s", "device.model", "ups.status", "ccu.time")


def main() -> None:
    variables = {f"sv_USV_{name}": Variable(kind) for names, kind in ((NUMBERS, "NUMBER"), (TEXTS, "STRING")) for name in names}
    variables |= {"eaton@127.0.0.1-Alarm": Variable("ALARM"), "sv_USV-Monitor": Variable("STRING")}
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as top, Upsd(Path(top)) as upsd, Ccu(variables) as ccu:
        directory = Path(top) / "house"
        directory.mkdir()
        Path(top).chmod(0o755)
        with contextmanager(new_house)(directory) as house:
            login = {"CCU": ccu.url, "CCU_USER": "pi", "CCU_PASSWORD": "secret"}
            ups = house.add("ups", pythonpath=str(NUT2), UPS=f"eaton@127.0.0.1:{upsd.port}", USERNAME="anna", PASSWORD=PASSWORD, **login)
            until(lambda: ccu.calls and ccu.calls[-1] == "Session.logout", what=ups.story)
            service = Path("/proc", str(ups.pid))
            children = " ".join((task / "children").read_text() for task in (service / "task").iterdir()).split()
            child = Path("/proc", children[0])
            print(f"requests of a round that writes all: {len(ccu.calls)}")
            print(f"PSS {pss_megabytes(service):.1f} MB of the service, {pss_megabytes(child):.1f} MB of the process for the CCU")
            before, written, rounds = cpu_seconds(child), write_bytes(child), ccu.calls.count("Session.login")
            time.sleep(SECONDS)
            print(f"CPU {100 * (cpu_seconds(child) - before) / SECONDS:.3f} %, {ccu.calls.count('Session.login') - rounds} rounds")
            print(f"written {write_bytes(child) - written} bytes in {SECONDS:g} s, most of it to the CCU")


if __name__ == "__main__":
    main()

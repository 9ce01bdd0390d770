#!/usr/bin/env python3
"""How soon a share is gone and there again, on two hosts with a cable and a share by sshfs.

    tests/fserver/bench/fileserver_times.py [RUNS]

Allowed: 1 s from the order to leave until it is unmounted, 5 s from the cut until it is unmounted, 5 s from the cable that is
mended, or the server that is up again, until the share is mounted and its units run.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from tests.fserver.two_hosts import TwoHosts, two_hosts  # noqa: E402  # only findable now
from tests.kit import TestInstance, until  # noqa: E402  # only findable now

ALLOWED_SECONDS = {
    "server told to stop -> unmounted": 1.0,
    "server up again -> mounted, units running": 5.0,
    "cable cut -> unmounted": 5.0,
    "cable mended -> mounted, units running": 5.0,
}


def measure(hosts: TwoHosts, runs: int) -> dict[str, list[float]]:
    """Stop and start the server, cut and mend the cable, `runs` times over."""
    fserver, fclient = hosts.add_fserver(), hosts.add_fclient()
    until(lambda: is_up(hosts, fclient), 20)
    rows: dict[str, list[float]] = {name: [] for name in ALLOWED_SECONDS}
    for _ in range(runs):
        for (_, seconds), change, is_done in zip(
            rows.items(),
            (lambda: fserver.svc("-d"), lambda: fserver.svc("-u"), hosts.cut, hosts.mend),
            (lambda: not hosts.is_mounted(fclient), lambda: is_up(hosts, fclient)) * 2,
            strict=True,
        ):
            began = time.monotonic()
            change()
            until(is_done, 40)
            seconds.append(time.monotonic() - began)
            # the rest of the leaving: its units are stopped, the server is away
            until(lambda: is_up(hosts, fclient) or fclient.status.startswith("waiting for 10"), 20)
            until(lambda: is_up(hosts, fclient) or hosts.is_cut or fserver.pid == 0, 20)
    return rows


def is_up(hosts: TwoHosts, fclient: TestInstance) -> bool:
    """Mounted, and its units run."""
    return "is mounted; started: mpd" in fclient.status and hosts.is_mounted(fclient)


def main() -> None:
    """Print the table."""
    runs = int((*sys.argv[1:], 10)[0])
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as top, two_hosts(Path(top)) as hosts:
        rows = measure(hosts, runs)
    print(f"{runs} runs                                       median      max   allowed")
    for name, seconds in rows.items():
        print(f"{name:44} {median(seconds):6.2f} s {max(seconds):6.2f} s  {ALLOWED_SECONDS[name]:4.1f} s")


if __name__ == "__main__":
    main()

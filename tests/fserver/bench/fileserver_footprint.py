#!/usr/bin/env python3
"""What fserver with 50 clients and an idle fclient cost: memory, processor time and wake-ups.

    tests/fserver/bench/fileserver_footprint.py [SECONDS [CLIENTS]]

Allowed are 13 MB (fserver), 10 MB (fclient) and 0.2 % of a processor. The clients speak the real protocol from one process.
How memory is counted: see footprint.py.
"""

import select
import sys
import tempfile
import time
from functools import partial
from multiprocessing import Process
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from pimains.core.clock import SystemClock  # noqa: E402  # only findable now
from pimains.fclient.link import Link  # noqa: E402  # only findable now
from pimains.shared.fileserver.beats import ClientEnd, Secret, client_id  # noqa: E402  # only findable now
from tests.core.bench.footprint import Footprint, compile_all, memory, processor_seconds, wake_ups  # noqa: E402  # only findable now
from tests.fclient.one_client import SECRET, OneHouse, one_house  # noqa: E402  # only findable now
from tests.kit import TestInstance, until  # noqa: E402  # only findable now


def be_clients(port: int, count: int) -> None:
    """Keep `count` links to the server alive, for ever."""
    clock, poller = SystemClock(), select.poll()
    links = []
    for number in range(count):
        end = partial(ClientEnd, Secret(SECRET), f"client{number:03}", client_id())
        links.append(Link(lambda: [("127.0.0.1", port)], end, clock, 2, say=lambda _: None))
        poller.register(links[-1], select.POLLIN)
    while True:
        for link in links:
            list(link.step())
        poller.poll(max(1, min(link.wait_seconds() for link in links) * 1000))


def look_at(pid: int, seconds: float) -> Footprint:
    """What a process costs as it is."""
    now = memory(pid)
    started, busy, woken = time.monotonic(), processor_seconds(pid), wake_ups(pid)
    time.sleep(seconds)
    took = time.monotonic() - started
    return Footprint(now, memory(pid), (processor_seconds(pid) - busy) / took * 100, (wake_ups(pid) - woken) / took * 60)


def child_of(instance: TestInstance) -> int:
    """The only one that it has when nothing else is under way."""
    children = Path(f"/proc/{instance.pid}/task/{instance.pid}/children")
    until(lambda: len(children.read_text().split()) == 1)
    return int(children.read_text())


def measure(house: OneHouse, seconds: float, clients: int) -> dict[str, Footprint]:
    """fserver alone, fclient with its share, fserver with many clients."""
    compile_all()
    fclient = house.add_fclient(svscan=False)
    fserver = house.add_fserver(MAX_CLIENTS=str(clients + 1))
    until(lambda: "is mounted" in fclient.status)
    rows = {"fclient, mounted": look_at(fclient.pid, seconds), "  its child that looks": look_at(child_of(fclient), seconds)}
    rows["fserver, 1 client"] = look_at(fserver.pid, seconds)
    crowd = Process(target=be_clients, args=(house.port, clients - 1), daemon=True)
    crowd.start()
    until(lambda: fserver.status.startswith(f"{clients} clients"))
    rows[f"fserver, {clients} clients"] = look_at(fserver.pid, seconds)
    crowd.terminate()
    crowd.join()
    return rows


def main() -> None:
    """Print the table."""
    seconds, clients = float((*sys.argv[1:], "60")[0]), int((*sys.argv[2:], "50")[0])
    with tempfile.TemporaryDirectory(prefix="pimains-bench-"), one_house() as house:
        rows = measure(house, seconds, clients)
    print(f"{seconds:g} s each              PSS now   only Python   its own data   processor   wake-ups a minute")
    for name, found in rows.items():
        now = found.now
        memory_words = f"{now.pss:5.1f} MB   {now.alone:8.1f} MB   {now.anonymous:9.1f} MB"
        print(f"{name:24} {memory_words}   {found.processor_percent:7.3f} %   {found.wake_ups_per_minute:9.1f}")


if __name__ == "__main__":
    main()

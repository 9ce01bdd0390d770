#!/usr/bin/env python3
"""Beats over a cable that loses every twentieth packet, in both directions: does any client leave a server that is there?

    tests/fserver/bench/fileserver_beats.py [SECONDS [CLIENTS [PERCENT]]]

The default, 300 clients for 5 minutes with 5 % lost, is 25 hours of beats; nft drops packets at random. 0 departures are allowed.
"""

import json
import select
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

from pimains.core.clock import SystemClock  # noqa: E402  # only findable now
from pimains.fclient.link import Link  # noqa: E402  # only findable now
from pimains.shared.fileserver.beats import ClientEnd, Secret, client_id  # noqa: E402  # only findable now
from tests.fserver.two_hosts import SECRET, SERVER, TwoHosts, two_hosts  # noqa: E402  # only findable now
from tests.kit import until  # noqa: E402  # only findable now

_PORT = 5555


class Result(NamedTuple):
    """Of all clients together."""

    joined: int
    departures: int
    reconnections: int
    longest_silence: float
    hours: float
    gone_by_server: int = 0


def be_clients(count: int, seconds: float) -> Result:
    """Keep `count` links alive for `seconds`, and count what happens."""
    clock, poller, lost = SystemClock(), select.poll(), []
    links = []
    for number in range(count):
        end = partial(ClientEnd, Secret(SECRET), f"client{number:03}", client_id())
        links.append(Link(lambda: [(SERVER, _PORT)], end, clock, 2, say=lost.append))
        poller.register(links[-1], select.POLLIN)
    joined, departures, longest = set(), 0, 0.0
    ends = None
    while ends is None or clock.monotonic() < ends:
        for link in links:
            before = link.last_heard
            for event in link.step():
                joined.add(link)
                departures += event.word == "gone"
            if ends:
                longest = max(longest, link.last_heard - before)
        if ends is None and len(joined) == count:
            print("all have joined", flush=True)
            lost.clear()
            ends = clock.monotonic() + seconds
        poller.poll(max(1, min(link.wait_seconds() for link in links) * 1000))
    return Result(len(joined), departures, len(lost), longest, count * seconds / 3600)


def measure(hosts: TwoHosts, seconds: float, clients: int, percent: float) -> Result:
    """The clients run on the other host; packets are lost once all have joined."""
    fserver = hosts.add_fserver(MAX_CLIENTS=str(clients))
    until(lambda: fserver.status == "no clients")
    words = [sys.executable, __file__, "--clients", str(clients), str(seconds)]
    with subprocess.Popen(["ip", "netns", "exec", hosts.names[1], *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        hosts.lose(f"numgen random mod 1000 < {round(percent * 10)} drop")
        result = Result(*json.loads(process.stdout.readline()))
    return result._replace(gone_by_server=fserver.log.count("nothing heard for"))


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["--clients"]:
        print(json.dumps(be_clients(int(sys.argv[2]), float(sys.argv[3]))), flush=True)
        return
    seconds, clients, percent = float((*sys.argv[1:], 300)[0]), int((*sys.argv[2:], 300)[0]), float((*sys.argv[3:], 5)[0])
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as top, two_hosts(Path(top)) as hosts:
        result = measure(hosts, seconds, clients, percent)
    print(f"{clients} clients, {seconds:g} s, {percent:g} % of the packets lost in each direction ({time.monotonic() - began:.0f} s)")
    print(f"  hours of beats               {result.hours:8.1f}")
    print(f"  clients that left            {result.departures:8}   (0 allowed)")
    print(f"  clients the server gave up   {result.gone_by_server:8}   (0 allowed)")
    print(f"  longest silence              {result.longest_silence:8.2f} s")
    print(f"  connections made anew        {result.reconnections:8}")


if __name__ == "__main__":
    main()

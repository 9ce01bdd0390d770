#!/usr/bin/env python3
"""What a collector does in a second, how soon a graph is there, and what it costs.

    tests/collector/bench/collector.py [READINGS [SOURCES]]

READINGS (200 000) at 5 s each are sent by HTTP to a real collector and put into its database; 6 307 200 are a year, 31 536 000
five. With SOURCES (1) it has others beside that one, each with 100 000 readings or as many as that one.
Beside it, on the same machine, `rrdtool update` for each of 200 readings. COMMIT_SECONDS=20 makes five
of a meter's readings at 5 s one request.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[3] / "lib")]

import requests  # noqa: E402  # only findable now

from pimains.shared.plan import delivery  # noqa: E402  # only findable now
from tests.collector.collecting import TOKEN, Collector, batch  # noqa: E402  # only findable now
from tests.core.bench.footprint import memory, processor_seconds  # noqa: E402  # only findable now
from tests.kit import new_house  # noqa: E402  # only findable now

UPDATES = 200
REQUESTS = 200
OTHERS = 100_000
IDLE_SECONDS = 20


def one_by_one(directory: Path) -> float:
    """Readings a second by `rrdtool update`."""
    file = directory / "one.rrd"
    subprocess.run(
        ["rrdtool", "create", file, "--start=1000000000", "--step=5", "DS:x:GAUGE:10:0:U", "RRA:AVERAGE:0.5:1:6307200"], check=True
    )
    began = time.monotonic()
    for number in range(1, UPDATES + 1):
        subprocess.run(["rrdtool", "update", file, f"{1_000_000_000 + number * 5}:1"], check=True)
    return UPDATES / (time.monotonic() - began)


def written_bytes(pid: int) -> int:
    """What this process had written to disks (proc(5), io)."""
    lines = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(lines["write_bytes"])


def asked(collector: Collector, path: str, tag: str, keeps: bool) -> tuple[float, float]:
    """Milliseconds until all of an answer is there, the median and what 95 of 100 stay below: with the connection kept, or made anew."""
    host = collector.url.removeprefix("http://")
    took = []
    connection = HTTPConnection(host)
    for _ in range(REQUESTS):
        began = time.monotonic()
        connection.request("GET", path, headers={"If-None-Match": tag} if tag else {})
        answer = connection.getresponse()
        answer.read()
        took.append((time.monotonic() - began) * 1000)
        assert answer.status == (304 if tag else 200)
        if not keeps:
            connection.close()
    connection.close()
    took.sort()
    return took[len(took) // 2], took[len(took) * 95 // 100]


def timed(session: requests.Session, url: str) -> float:
    """Milliseconds until it was there."""
    began = time.monotonic()
    answer = session.get(url, timeout=600)
    assert answer.ok, answer.text
    return (time.monotonic() - began) * 1000


def send_all(session: requests.Session, collector: Collector, count: int, now: float, source: str = "house") -> float:
    """Seconds for so many readings."""
    rows = ((number, number * 5.0, number // 2) for number in range(1, count + 1))
    seconds = 0.0
    while some := list(islice(rows, delivery.ROWS_MAX)):
        body = delivery.written(batch(*some, offset=now - count * 5, source=source))
        began = time.monotonic()
        assert session.post(collector.url + delivery.PATH, body, timeout=60).ok
        seconds += time.monotonic() - began
    return seconds


def bytes_a_commit(session: requests.Session, collector: Collector, rows: int, offset: float, part: int) -> float:
    """What is written to the disk for a request of so many rows; the boots of all parts come one after the other."""
    before = written_bytes(collector.instance.pid)
    for start in range(1, REQUESTS * rows, rows):
        some = [(number, number * 5.0, part * 10**9 + number) for number in range(start, start + rows)]
        body = delivery.written(batch(*some, offset=offset + part * 10**6, boot=f"by-{rows}"))
        assert session.post(collector.url + delivery.PATH, body, timeout=60).ok
    return (written_bytes(collector.instance.pid) - before) / REQUESTS


def send_others(collector: Collector, sources: int, count: int, now: float) -> float:
    """Seconds for the readings of as many sources but one."""
    seconds = 0.0
    for number in range(1, sources):
        source, token = f"meter-{number}", f"a-token-of-meter-{number}-alone"
        collector.token(source, token)
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {token}"
            seconds += send_all(session, collector, count, now, source)
    return seconds


def measure(count: int, root: Path, data: Path, idle_seconds: float = IDLE_SECONDS, sources: int = 1) -> list[tuple[str, str]]:
    """The rows of the table."""
    for house in new_house(root):
        collector = Collector(house, DATA_DIR=str(data), PRICE="0.32")
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {TOKEN}"
            now = time.time()
            stored = send_all(session, collector, count, now)
            built = timed(session, f"{collector.url}/graphs/house/day.svg") / 1000
            each = min(count, OTHERS)
            others = send_others(collector, sources, each, now)
            table = [
                ("readings sent and stored", f"{count} in {stored:.1f} s: {count / stored:.0f}/s"),
                *((f"{sources - 1} other sources", f"{each} each: {each * (sources - 1) / others:.0f}/s") for _ in range(sources > 1)),
                ("their database made, and one graph", f"{built:.1f} s: both together {count / (stored + built):.0f} readings/s"),
                ("rrdtool update for each reading", f"{one_by_one(root):.0f} readings/s"),
            ]
            for name in ("day.png", "year.svg", "year.png", "days.svg", "months.svg", "cost-years.png"):
                table.append((f"graph {name}", f"drawn in {timed(session, f'{collector.url}/graphs/house/{name}'):.0f} ms"))
            for what, path, tag in (
                ("graph", "/graphs/house/year.svg", ""),
                ("graph, known", "/graphs/house/year.svg", "*"),
                ("page", "/", ""),
            ):
                for keeps in (True, False):
                    middle, slow = asked(collector, path, tag, keeps)
                    table.append((f"{what} again, {'one connection' if keeps else 'new ones'}", f"{middle:.1f} ms, p95 {slow:.1f} ms"))
            bytes_a_commit(session, collector, 2, now, 1)  # what came before is written to its place by these
            for part, rows in enumerate((1, 5), 2):
                each = bytes_a_commit(session, collector, rows, now, part)
                table.append((f"written, {rows} in each request", f"{each:.0f} bytes, {each * 17_280 / rows / 1e6:.1f} MB a day at 5 s"))
            now_, alone, _ = memory(collector.instance.pid)
            table.append(("memory (PSS)", f"{now_:.1f} MB, {alone:.1f} MB as the only Python"))
            began, busy = time.monotonic(), processor_seconds(collector.instance.pid)
            time.sleep(idle_seconds)
            share = (processor_seconds(collector.instance.pid) - busy) / (time.monotonic() - began) * 100
            table.append(("processor, nobody there", f"{share:.3f} % over {idle_seconds:.0f} s"))
        return table
    return []


@contextmanager
def directories() -> Iterator[tuple[Path, Path]]:
    """The house's on a tmpfs, as /run is; the journal's on a disk."""
    with (
        tempfile.TemporaryDirectory(prefix="pimains-house-", dir="/dev/shm") as root,
        tempfile.TemporaryDirectory(prefix="pimains-data-") as data,
    ):
        Path(data).chmod(0o755)
        shutil.chown(data, "pimains")
        yield Path(root), Path(data)


def main() -> None:
    """Print the table."""
    with directories() as (root, data):
        count, sources = (*map(int, sys.argv[1:3]), *(200_000, 1)[len(sys.argv[1:3]) :])
        for what, value in measure(count, root, data, sources=sources):
            print(f"{what:40} {value}")


if __name__ == "__main__":
    main()

"""What benchmarks of latencies share: a house whose /run is in memory, as on any machine, and three numbers of what was found."""

import contextlib
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.kit import House, new_house


@contextlib.contextmanager
def house_with_run_in_memory() -> Iterator[House]:
    """The rest of it is on the disk of /tmp."""
    memory_disk = {"prefix": "pimains-bench-", "dir": "/dev/shm"}
    with tempfile.TemporaryDirectory(prefix="pimains-bench-") as top, tempfile.TemporaryDirectory(**memory_disk) as run:
        for each in (top, run):
            Path(each).chmod(0o755)
        (Path(top) / "run").symlink_to(run)
        with contextlib.contextmanager(new_house)(Path(top)) as house:
            yield house


def tell(what: str, found: list[float]) -> None:
    """Print half, p99 and the most of these seconds."""
    ordered = sorted(found)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{what}: half within {statistics.median(ordered) * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, at most {ordered[-1] * 1000:.1f} ms")

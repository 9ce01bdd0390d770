"""What tests of a collector are made of: a collector in a house, tokens, and batches as a meter sends them."""

import shutil
import time
from pathlib import Path
from typing import Any

import requests

from pimains.shared.plan import delivery
from pimains.shared.plan.delivery import Batch, Boot, Reading
from tests.kit import House, TestInstance, free_port, until

TOKEN = "a-token-that-nobody-guesses"


class Collector:
    """One in a house, with a token for the source `house`."""

    def __init__(self, house: House, **variables: str) -> None:
        # what is told of a day that turns meanwhile is neither this nor that
        until(lambda: 90 <= _second_of_the_day() < 86_400 - 60, 200, "the day to have turned")
        self.tokens = house.root / "tokens"
        self.tokens.mkdir(exist_ok=True)
        self.token("house", TOKEN)
        settings = {"LISTEN": "127.0.0.1:0", "TOKENS": str(self.tokens), "COMMIT_SECONDS": "0", **variables}
        self.instance = self._add(house, settings)

    def _add(self, house: House, settings: dict[str, str]) -> TestInstance:
        if settings["LISTEN"].endswith(":0"):
            settings["LISTEN"] = f"{settings['LISTEN'][:-1]}{free_port()}"
        instance = house.add("collector", **settings)
        house.until(lambda: instance.status not in ("", "starting"), what="the collector to be ready")
        return instance

    @property
    def url(self) -> str:
        until(self._listens, what=self.instance.story)  # it may begin with a journal that is to be mended
        return self.instance.read("url")

    def _listens(self) -> bool:
        """A test may have damaged what tells where."""
        return (self.instance.run / "url").is_file() and self.instance.read("url").startswith("http")

    def token(self, source: str, token: str) -> Path:
        path = self.tokens / source
        path.write_text(token + "\n")
        path.chmod(0o600)
        shutil.chown(path, "pimains")
        return path

    def send(self, batch: Batch, token: str = TOKEN) -> requests.Response:
        return requests.post(self.url + delivery.PATH, delivery.written(batch), headers={"Authorization": f"Bearer {token}"}, timeout=120)

    def get(self, path: str, **more: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=60, **more)


def _second_of_the_day() -> int:
    now = time.localtime()
    return now.tm_hour * 3600 + now.tm_min * 60 + now.tm_sec


def memory_mb(pid: int, kind: str = "Pss") -> float:
    """What a process has of the memory (proc(5), smaps_rollup)."""
    line = next(line for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() if line.startswith(f"{kind}:"))
    return int(line.split()[1]) / 1024


def own_mb(pid: int) -> float:
    """What it has for itself: unlike its share of what it has with others (PSS), no more when these end."""
    return memory_mb(pid, "Anonymous")


def batch(*readings: tuple[int, float, int], offset: float | None = None, source: str = "house", boot: str = "b", **more: Any) -> Batch:
    """Readings (sequence, uptime, count) of one boot, whose uptime 0 was at `offset`."""
    rows = [Reading(boot, sequence, None, uptime, pulses) for sequence, uptime, pulses in readings]
    return Batch(source, "kWh", 1000, None, {boot: Boot(offset, True)}, rows)._replace(**more)


def steady(count: int, now: float | None = None, pulses_each: int = 1, seconds_each: float = 5.0) -> Batch:
    """`count` readings until now."""
    now = time.time() if now is None else now
    rows = [(number, number * seconds_each, number * pulses_each) for number in range(1, count + 1)]
    return batch(*rows, offset=now - count * seconds_each)

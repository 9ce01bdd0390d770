"""The demo's meter and collector: thirteen months of readings from before it began, pulses while it goes on, and a page that shows them."""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from pimains.house import demo_pins, ports

PACKAGES = ("python3-aiohttp", "python3-gpiozero", "python3-requests", "rrdtool")
_PIN = 24
_WATTS = 1200
_TOTAL = 15_234.5
_LISTENS_SECONDS_MAX = 30.0
_RECENT_SECONDS = 300.0


def missing() -> str:
    """What they need and this machine has not, as words for apt; "" if it has all."""
    modules = subprocess.run(["/usr/bin/python3", "-c", "import aiohttp, gpiozero, requests"], capture_output=True, check=False)
    return "" if modules.returncode == 0 and shutil.which("rrdtool") else " ".join(PACKAGES)


@contextlib.contextmanager
def metered(root: Path, create: tuple[str, ...], command: Callable[..., None], environment: dict[str, str]) -> Iterator[str]:
    """Both of them, made by `command`; yields the page's address."""
    token = secrets.token_urlsafe(24)
    for name, path in (("token.txt", root), ("house", root / "tokens")):
        path.mkdir(exist_ok=True)
        (path / name).touch(0o600)
        (path / name).write_text(f"{token}\n", encoding="ascii")
    journal = root / "var/lib/pimains/meter/journal.sqlite"
    journal.parent.mkdir(parents=True)
    subprocess.run(_python("history", "--journal", str(journal)), env=environment, check=True)
    if os.geteuid() == 0:
        for mine in (journal.parent, *journal.parent.iterdir(), root / "tokens/house"):
            shutil.chown(mine, "pimains", "pimains")
    with subprocess.Popen(
        _python("meter", "--pins", str(demo_pins.fifo(root, "meter")), "--pin", str(_PIN), "--watts", str(_WATTS)),
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as house_meter:
        try:
            port = ports.free_port()
            where = f"127.0.0.1:{port}"
            command("create_service", "--service_name=collector", f"--listen={where}", f"--tokens={root}/tokens", "--price=0.32", *create)
            _wait_until_it_listens(port)  # a meter that finds nobody there says so
            words = (f"--pin={_PIN}", "--impulses_per_kwh=1000", f"--start_total={_TOTAL}", "--source=house")
            command("create_service", "--service_name=meter", *words, f"--collector=http://{where}", f"--token=@{root}/token.txt", *create)
            yield f"http://{where}/"
        finally:
            house_meter.terminate()


def is_told(page: str) -> bool:
    """Whether the collector has what was read before."""
    with contextlib.suppress(OSError, ValueError), urllib.request.urlopen(f"{page}v1/sources", timeout=5) as answer:  # noqa: S310  # ours
        return any(each["last_reading"] > time.time() - _RECENT_SECONDS for each in json.load(answer))
    return False


def _wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + _LISTENS_SECONDS_MAX
    while time.monotonic() < deadline and not ports.listens(port):
        time.sleep(0.05)


def _python(module: str, *words: str) -> list[str]:
    return ["/usr/bin/python3", "-Pu", "-m", f"pimains.house.{module}", *words]

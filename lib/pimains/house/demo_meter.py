"""The demo's meter and collector: thirteen months of readings from before it began, pulses while it goes on, and a page that shows them."""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from typing import IO, NamedTuple

from pimains.house import demo_pins, ports, solar_year
from pimains.house.demo_failed import DemoFailed
from pimains.house.demo_site import Site

PACKAGES = ("python3-aiohttp", "python3-gpiozero", "python3-requests", "rrdtool")
_PIN = 24
WATTS = 1200
_TOTAL = 15_234.5
_LISTENS_SECONDS_MAX = 30.0
_RECENT_SECONDS = 300.0


def missing() -> str:
    """What they need and this machine has not, as words for apt; "" if it has all."""
    modules = subprocess.run(["/usr/bin/python3", "-c", "import aiohttp, gpiozero, requests"], capture_output=True, check=False)
    return "" if modules.returncode == 0 and shutil.which("rrdtool") else " ".join(PACKAGES)


class Metered(NamedTuple):
    """Where the collector's page is, and what tells the meter its watts (meter.py)."""

    page: str
    meter: IO[str]


@contextlib.contextmanager
def metered(site: Site, *, has_year: bool) -> Iterator[Metered]:
    """Both of them; `has_year`: the collector has recorded sun, battery and relays for as long as the meter, and goes on."""
    token, root = secrets.token_urlsafe(24), site.root
    for name, path in (("token.txt", root), ("house", root / "tokens")):
        path.mkdir(exist_ok=True)
        (path / name).touch(0o600)
        (path / name).write_text(f"{token}\n", encoding="ascii")
    made = {"meter": "history"}
    settings = []
    if has_year:
        made["collector"] = "solar_year"
        recorded = " ".join(f"{name}={unit}" if unit else name for name, unit in solar_year.RECORDED.items())
        settings += [f"--record={recorded}", "--record_seconds=2", "--commit_seconds=5"]
    _make_journals(site, made)
    if os.geteuid() == 0:
        shutil.chown(root / "tokens/house", "pimains", "pimains")
    moved = ("--pins", str(demo_pins.fifo(root, "meter")), "--pin", str(_PIN), "--watts", str(WATTS))
    with site.program("meter", *moved) as (meter, _):
        port = ports.free_port()
        where = f"127.0.0.1:{port}"
        words = (f"--listen={where}", f"--tokens={root}/tokens", "--price=0.32", *settings)
        site.command("create_service", "--service_name=collector", *words, *site.create)
        _wait_until_it_listens(port)  # a meter that finds nobody there says so
        words = (f"--pin={_PIN}", "--impulses_per_kwh=1000", f"--start_total={_TOTAL}", "--source=house")
        delivered = (f"--collector=http://{where}", f"--token=@{root}/token.txt")
        site.command("create_service", "--service_name=meter", *words, *delivered, *site.create)
        yield Metered(f"http://{where}/", meter)


def _make_journals(site: Site, made: dict[str, str]) -> None:
    """Those of thirteen months, of these services by these programs of the simulated house, at the same time. Raises DemoFailed."""
    journals = {module: site.root / "var/lib/pimains" / service / "journal.sqlite" for service, module in made.items()}
    making = []
    for module, journal in journals.items():
        journal.parent.mkdir(parents=True)
        words = ["/usr/bin/python3", "-Pu", "-m", f"pimains.house.{module}", "--journal", str(journal)]
        making.append(subprocess.Popen(words, env=site.environment))
    if sum(each.wait() for each in making):  # none is left behind
        raise DemoFailed("what was recorded before could not be made")
    if os.geteuid() == 0:
        for journal in journals.values():
            for mine in (journal.parent, *journal.parent.iterdir()):
                shutil.chown(mine, "pimains", "pimains")


def is_told(page: str) -> bool:
    """Whether the collector has what was read before."""
    with contextlib.suppress(OSError, ValueError), urllib.request.urlopen(f"{page}v1/sources", timeout=5) as answer:  # noqa: S310  # ours
        return any(each["last_reading"] > time.time() - _RECENT_SECONDS for each in json.load(answer))
    return False


def _wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + _LISTENS_SECONDS_MAX
    while time.monotonic() < deadline and not ports.listens(port):
        time.sleep(0.05)

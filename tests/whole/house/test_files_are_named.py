"""Each file that the services of a house keep is named by the table of tests/README.md, which says what its damage comes to."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import requests

from tests import damage
from tests.collector.collecting import TOKEN, Collector
from tests.fclient.one_client import OneHouse
from tests.kit import TOP, TestInstance, new_house, until
from tests.meter.meters import Meter
from tests.plug.plugs import OLDEST, aioesphomeapi, house_plug

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="halt and fclient are root's: needs root")
NAMES = re.compile(r"`([^`]+)`")
PLACES = ("var/lib/pimains", "run/pimains", "run/pimains-halt", "etc/service", "etc/pimains")
OF_DAEMONTOOLS = ("*/supervise/*", "etc/service/*/run", "etc/service/*/log/run", "etc/service/*/down")
A_PART = re.compile(r"-(journal|wal|shm)$")  # of a database: https://www.sqlite.org/tempfiles.html


def named() -> list[str]:
    """Patterns of the paths in its first column: `METER/count` is below /var/lib/pimains; without a directory it is the last one's."""
    text = (TOP / "tests/README.md").read_text()
    rows = text.partition("| File | Lost |")[2].partition("\n\n")[0].splitlines()[2:]
    found = []
    for row in rows:
        directory = ""
        for name in NAMES.findall(row.split("|")[1]):
            if name.startswith("/run/"):
                path = f"run/pimains{name.removeprefix('/run')}"
            elif name.startswith("/"):
                path = name[1:]
            elif "/" in name:
                path = f"var/lib/pimains/{name}"
            else:
                path = f"{directory}/{name}" if directory else f"var/lib/pimains/{name}"
            directory = path.rpartition("/")[0]
            found.append(re.sub(r"\b[A-Z]+\b", "*", path))
    return found


def kept(root: Path) -> list[str]:
    """All files, sockets and FIFOs that lie where the product keeps something."""
    paths = [path for place in PLACES for path in (root / place).rglob("*") if path.is_symlink() or not path.is_dir()]
    found = sorted({A_PART.sub("", str(path.relative_to(root))) for path in paths})
    return [path for path in found if not any(fnmatchcase(path, pattern) for pattern in OF_DAEMONTOOLS)]


@contextmanager
def full_house() -> Iterator[OneHouse]:
    """Each service but rsync, which becomes tcpserver, connected with each other."""
    with tempfile.TemporaryDirectory(prefix="pimains-house-", ignore_cleanup_errors=True) as root, house_plug() as device:
        for house in new_house(Path(root), ("unshare", "--mount", "--propagation", "private"), OneHouse):
            house.prepare()
            house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
            house.add("notify", svscan=False, MAIL_TO="anna@example.org", MAIL_HOST="127.0.0.1", MAIL_PORT="9", APPRISE_FILE="")
            house.add("plug", svscan=False, pythonpath=aioesphomeapi(OLDEST), HOST="127.0.0.1", PORT=device.port)
            house.add("update", svscan=False, UPGRADE="no-such-package")
            house.add("ups", svscan=False, UPS="ups@127.0.0.1:9")
            house.add_fserver(svscan=False)
            house.add_fclient(svscan=False)
            yield house


def create_service(house: OneHouse, *words: str) -> None:
    where = [f"--servicedir={house.scan}"]
    subprocess.run([TOP / "create_service", *where, *words], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def house() -> Iterator[OneHouse]:
    with full_house() as house:
        yield house


@pytest.fixture(scope="module")
def at_work(house: OneHouse) -> tuple[Collector, Meter]:
    """With all others."""
    collector = Collector(house, PRICE="0.30")
    meter = Meter(house, SOURCE="house", COLLECTOR=collector.url, TOKEN=TOKEN, START_TOTAL="100")
    create_service(house, "--service_name=rsync", f"--root={house.root}", "--down", "--add-service")
    create_service(house, "--del-service", "--instance=rsync")
    work(house, meter, collector.url)
    return collector, meter


def instances(house: OneHouse) -> list[TestInstance]:
    return [TestInstance(house, each.name) for each in sorted(house.scan.iterdir()) if not each.name.startswith(".")]


def work(house: OneHouse, meter: Meter, url: str) -> None:
    """Everybody does something that leaves a file."""
    until(lambda: counted(url) is not None, what="the collector to listen")
    before, pulses = counted(url) or 0.0, meter.pulses
    meter.pins("24 pulses 20")
    until(lambda: meter.pulses == pulses + 20, what=meter.instance.story)
    until(lambda: (counted(url) or 0.0) > before, what=meter.instance.story)
    assert requests.get(f"{url}/graphs/house/day.svg", timeout=60).ok
    until(house.is_mounted, what=house.units)


def counted(url: str) -> float | None:
    """What the collector knows of all sources; None while it does not answer."""
    with contextlib.suppress(requests.ConnectionError):
        return sum(each["counted"] for each in requests.get(f"{url}/v1/sources", timeout=60).json())
    return None


def test_the_table_names_each_file_of_a_house_with_all_services(house: OneHouse, at_work: tuple[Collector, Meter]) -> None:
    patterns = named()
    assert at_work
    assert [path for path in kept(house.root) if not any(fnmatchcase(path, pattern) for pattern in patterns)] == []


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_with_every_file_damaged_at_once_each_service_goes_on(house: OneHouse, at_work: tuple[Collector, Meter], name: str) -> None:
    everybody = instances(house)
    url = at_work[0].url
    damage.down(*everybody)
    for path in (house.root / "var/lib/pimains").rglob("*.corrupt-*"):  # no more than three are kept
        path.unlink() if path.is_file() else shutil.rmtree(path)
    paths = [house.root / path for path in kept(house.root) if not path.startswith("etc/")]
    damage.do(name, *(path for path in paths if path.is_file()))
    damage.up(*everybody)
    work(house, at_work[1], url)
    damage.settled(*everybody)
    for each in everybody:
        assert "the ledger cannot" not in each.log, each.log[-3000:]

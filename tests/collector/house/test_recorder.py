"""RECORD: state files of this machine's services become sources that are drawn."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from pimains.core import state
from tests.collector.collecting import Collector
from tests.kit import TOP, House

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


class Ups:
    """A service's state files, as a service writes them."""

    def __init__(self, house: House, name: str = "ups") -> None:
        self.run = house.root / "run/pimains" / name
        self.run.mkdir(parents=True, exist_ok=True)
        for each in (self.run, self.run.parent):
            shutil.chown(each, "pimains")

    def says(self, value: str, name: str = "battery.charge") -> Path:
        state.write(self.run / name, value)
        return self.run / name


@pytest.fixture
def ups(house: House) -> Ups:
    return Ups(house)


def record(house: House, **more: str) -> Collector:
    return Collector(house, **{"RECORD": "ups/battery.charge=% solar/P=W", "RECORD_SECONDS": "1", **more})


def energy(house: House, *words: str) -> str:
    """What `pimains energy` says."""
    told = ["/usr/bin/python3", "-P", "-m", "pimains.cli", "energy", *words, f"--servicedir={house.scan}"]
    env = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(house.root)}
    return subprocess.run(told, env=env, capture_output=True, text=True, check=True).stdout


def rows(collector: Collector, source: str = "ups/battery.charge") -> list[float]:
    answer = collector.get("/v1/export", params={"source": source, "format": "json"}).json()
    return [row[2] for row in answer.get("rows", [])]


def test_what_a_service_says_is_recorded_shown_and_drawn(house: House, ups: Ups) -> None:
    ups.says("100")
    collector = record(house)
    house.until(lambda: rows(collector) == [100])
    ups.says("97.5")
    house.until(lambda: rows(collector) == [100, 97.5])
    solar = Ups(house, "solar")
    solar.says("-12", "P")
    house.until(lambda: rows(collector, "solar/P") == [-12])
    found = {each["source"]: each for each in collector.get("/v1/sources").json()}
    assert found["ups/battery.charge"]["flow"] == {"value": 97.5, "unit": "%", "is_upper_bound": False}
    assert found["ups/battery.charge"]["total"] is None
    assert found["solar/P"]["flow"]["value"] == -12
    page = collector.get("/").text
    assert "97.5 %" in page
    assert "-12 W" in page
    assert 'pimains_value{source="solar/P"} -12' in collector.get("/metrics").text
    for name in ("day", "week", "year"):
        assert collector.get(f"/graphs/ups%2Fbattery.charge/{name}.svg").ok
    assert collector.get("/graphs/ups%2Fbattery.charge/days.svg").status_code == 503
    assert collector.get("/v1/export?source=solar%2FP&every=90000").json() == {
        "error": "every: solar/P is a value; of those, averages of a day at most"
    }
    assert collector.get("/v1/export?source=solar%2FP").text.startswith("time,unixtime,value\n")
    house.until(lambda: "2 sources, last reading" in collector.instance.status)


def test_a_value_that_has_just_begun_says_so_instead_of_an_empty_picture(house: House, ups: Ups) -> None:
    ups.says("97.5")
    collector = record(house)
    house.until(lambda: rows(collector) == [97.5])
    page = collector.get("/").text
    assert "Just begun, at " in page
    assert "<img" not in page


def test_a_file_that_is_old_or_gone_or_garbage_is_a_gap_and_not_a_value(house: House, ups: Ups) -> None:
    path = ups.says("50")
    collector = record(house, RECORD_AGE_SECONDS="5")
    house.until(lambda: rows(collector)[:1] == [50])
    ups.says("full")
    house.until(lambda: f"RECORD: {path}: 'full' is no number" in collector.instance.log)
    path.unlink()
    os.mkfifo(path)
    assert collector.get("/").ok  # nobody waits for what is in it
    path.unlink()
    ups.says("-20.25")
    house.until(lambda: -20.25 in rows(collector))
    house.until(lambda: rows(collector).count(-20.25) == 2, what="the file to be too old")
    ups.says("7")
    house.until(lambda: rows(collector)[-1] == 7)
    found = rows(collector)
    assert found[found.index(-20.25) :][:3] == [-20.25, -20.25, 7]  # until when it was known, and since when again


def test_an_old_file_is_not_known_from_the_start(house: House, ups: Ups) -> None:
    path = ups.says("50")
    os.utime(path, (time.time() - 500, time.time() - 500))
    collector = record(house)
    ups.says("1", "other")
    house.until(lambda: "no readings yet" in collector.instance.status)
    ups.says("51")
    house.until(lambda: rows(collector) == [51])


def test_what_a_relay_is_holds_until_it_is_switched_and_on_and_off_are_1_and_0(house: House) -> None:
    relays = Ups(house, "relays")
    for name, value in (("3.state", "on"), ("3.watts", "2000")):
        os.utime(relays.says(value, name), (time.time() - 500_000, time.time() - 500_000))
    collector = record(house, RECORD="relays/3.state relays/3.watts=W")
    house.until(lambda: rows(collector, "relays/3.state") == [1] and rows(collector, "relays/3.watts") == [2000])
    relays.says("off", "3.state")
    house.until(lambda: rows(collector, "relays/3.state") == [1, 0])
    assert "is no number" not in collector.instance.log


def test_it_goes_on_after_restart_and_kill_9_and_a_stop_stores_what_waits(house: House, ups: Ups) -> None:
    ups.says("50")
    collector = record(house, COMMIT_SECONDS="60")
    house.until(lambda: collector.get("/").ok and rows(collector) == [50])
    ups.says("49")
    house.until(lambda: collector.get("/").ok and rows(collector)[-1] == 49)
    collector.instance.kill()
    house.until(lambda: is_up(collector))
    ups.says("48")
    pid = collector.instance.pid
    house.until(lambda: collector.get("/").ok and rows(collector)[-1] == 48)
    collector.instance.svc("-t")
    house.until(lambda: collector.instance.pid not in (0, pid) and is_up(collector))
    found = rows(collector)
    assert sorted(set(found), reverse=True) == [50, 49, 48]
    assert found == sorted(found, reverse=True)


def is_up(collector: Collector) -> bool:
    try:
        return collector.get("/").ok
    except OSError:
        return False

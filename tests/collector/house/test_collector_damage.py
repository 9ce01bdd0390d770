"""Whatever becomes of a collector's files, it serves what can be read, takes what comes, and says what was lost."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import requests

from tests import damage
from tests.collector.collecting import Collector, steady
from tests.kit import House

READINGS = 4000


@pytest.fixture
def collector(house: House) -> Collector:
    house.add("notify", svscan=False, MAIL_TO="", APPRISE_FILE="")
    collector = Collector(house)
    house.until(lambda: (house.root / "var/lib/pimains/notify/queue").is_dir())
    collector.token("attic", "another-token-of-a-test")
    assert collector.send(steady(READINGS)).ok
    attic = steady(10)
    assert collector.send(attic._replace(source="attic"), "another-token-of-a-test").ok
    return collector


def sources(collector: Collector) -> dict[str, float]:
    return {each["source"]: each["total"] for each in collector.get("/v1/sources").json()}


def told(house: House) -> str:
    return "".join(path.read_text() for path in (house.root / "var/lib/pimains/notify/queue").iterdir())


def checkpointed(path: Path) -> None:
    with closing(sqlite3.connect(path)) as journal:
        journal.execute("pragma wal_checkpoint(truncate)")


def test_a_journal_ruined_behind_its_first_page_while_it_serves_costs_only_what_stood_there(house: House, collector: Collector) -> None:
    journal, pid = collector.instance.lib / "journal.sqlite", collector.instance.pid
    checkpointed(journal)
    damage.behind_page_1(journal)

    def is_mended() -> bool:
        with contextlib.suppress(requests.RequestException):
            collector.get("/v1/export?source=house&from=2000-01-01&every=0")
        return "put aside as journal.sqlite.corrupt-1, a new one is begun with" in collector.instance.log

    house.until(is_mended, 20, collector.instance.log)
    house.until(lambda: "2 sources" in collector.instance.status, what=collector.instance.story)
    assert sources(collector) == {"attic": 0.01, "house": READINGS / 1000}
    lines = collector.get("/v1/export?source=house&from=2000-01-01").text.splitlines()
    assert READINGS / 3 < len(lines) < READINGS
    assert collector.send(steady(20)).ok
    assert collector.instance.pid == pid
    assert "its journal of readings was broken" in told(house)


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_a_damaged_journal_is_kept_beside_a_new_one_that_takes_what_meters_send(house: House, collector: Collector, name: str) -> None:
    lib = collector.instance.lib
    assert collector.get("/graphs/house/day.svg").ok
    damage.met_by(collector.instance, name, lib / "journal.sqlite", collector.instance.run / "url")
    damage.settled(collector.instance)
    assert collector.send(steady(20)).ok
    assert "house" in sources(collector)
    if name == "of another owner":
        assert sources(collector)["house"] == READINGS / 1000
    elif name in ("lost", "empty"):
        collector.instance.until_logged("journal.sqlite: was lost, a new one is begun")
        assert "its journal of readings was lost" in told(house)
    else:
        collector.instance.until_logged("journal.sqlite.corrupt-1, a new one is begun")
        assert "its journal of readings was broken" in told(house)


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_a_damaged_database_of_graphs_is_made_anew_from_the_journal_at_once(house: House, collector: Collector, name: str) -> None:
    assert collector.get("/graphs/house/day.svg").ok
    rrd = collector.instance.lib / "rrd"
    damage.met_by(collector.instance, name, rrd / "s-house.rrd")
    assert collector.get("/graphs/house/day.svg?theme=dark").ok
    damage.do(name, rrd / "s-house.json")
    assert collector.get("/graphs/house/week.svg").ok
    damage.settled(collector.instance)


def put_another(path: Path) -> None:
    """An old copy, by mv(1), with what SQLite has beside it."""
    other = path.with_name("old copy")
    with closing(sqlite3.connect(other)) as copy, copy:
        copy.execute("create table of_another (number)")
    os.chown(other, path.stat().st_uid, -1)
    other.rename(path)


@pytest.mark.parametrize("take", [damage.lost, put_another])
def test_a_journal_that_is_taken_from_under_the_service_is_written_anew_and_what_was_acknowledged_is_there(
    house: House, collector: Collector, take: Callable[[Path], None]
) -> None:
    journal, pid = collector.instance.lib / "journal.sqlite", collector.instance.pid
    take(journal)
    assert collector.send(steady(READINGS + 20)).ok  # before it has looked
    assert sources(collector) == {"attic": 0.01, "house": (READINGS + 20) / 1000}
    collector.instance.until_logged("writes its journal of readings anew", "while it was in use")
    take(journal)
    house.until(lambda: collector.instance.log.count("writes its journal of readings anew") == 2, what=collector.instance.story)
    assert collector.get("/graphs/house/day.svg").ok
    assert sources(collector) == {"attic": 0.01, "house": (READINGS + 20) / 1000}
    assert "writes its journal of readings anew" in told(house)
    assert collector.instance.pid == pid
    (collector.instance.run / "status").unlink()
    collector.instance.kill()
    house.until(lambda: "2 sources" in collector.instance.status, what=collector.instance.story)
    assert sources(collector) == {"attic": 0.01, "house": (READINGS + 20) / 1000}
    assert journal.with_name("journal.sqlite.corrupt-2").exists() == (take is put_another)


def test_with_its_directory_gone_nothing_is_acknowledged_until_that_is_back_with_every_reading(house: House, collector: Collector) -> None:
    lib = collector.instance.lib
    owner = lib.stat().st_uid
    shutil.rmtree(lib)
    house.until(lambda: f"{lib} is gone; sudo install -d -o pimains {lib} brings all readings back" in collector.instance.status)
    assert collector.send(steady(READINGS + 20)).status_code == 503
    lib.mkdir()
    os.chown(lib, owner, -1)
    house.until(lambda: collector.send(steady(READINGS + 20)).ok, what=collector.instance.story)
    assert sources(collector) == {"attic": 0.01, "house": (READINGS + 20) / 1000}
    house.until(lambda: "2 sources" in collector.instance.status, what=collector.instance.story)
    assert collector.get("/graphs/house/day.svg").ok
    damage.settled(collector.instance)

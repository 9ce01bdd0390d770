"""A meter whose impulses or unit change, or that is replaced: each holds from then on, at the meter and at its collector."""

import contextlib
import sqlite3

import pytest

from tests.collector.collecting import TOKEN, Collector
from tests.kit import House
from tests.meter.house.test_meter import command, command_why
from tests.meter.meters import Meter


@pytest.fixture
def collector(house: House) -> Collector:
    collector = Collector(house)
    collector.token("gas", TOKEN)
    return collector


def metering(house: House, collector: Collector, **variables: str) -> Meter:
    given = {"SOURCE": "house", "IMPULSES_PER_KWH": "1000", "COLLECTOR": collector.url, "TOKEN": TOKEN, **variables}
    return Meter(house, **given)


def again(meter: Meter, **variables: str) -> None:
    """With other settings."""
    for name, value in variables.items():
        meter.instance.set(name, value)
    before = meter.instance.pid
    meter.instance.svc("-t")
    meter.instance.house.until(lambda: meter.instance.pid not in (0, before) and "starting" not in meter.instance.status)


def told(collector: Collector, source: str = "house") -> tuple[float, float]:
    """What it counted today, and what its face shows, as its collector has it."""
    found = {each["source"]: each for each in collector.get("/v1/sources").json()}
    return (found[source]["amounts"]["today"], found[source]["total"]) if source in found else (-1, -1)


def pulses(meter: Meter, count: int) -> None:
    before = meter.pulses
    meter.pins(f"24 pulses {count}")
    meter.instance.house.until(lambda: meter.pulses == before + count)


def test_other_impulses_count_from_now_on_and_change_nothing_of_before(house: House, collector: Collector) -> None:
    meter = metering(house, collector, START_TOTAL="100")
    pulses(meter, 3000)
    house.until(lambda: told(collector) == (3, 103))
    again(meter, IMPULSES_PER_KWH="2000")
    house.until(lambda: "103.000 kWh" in meter.instance.status)
    assert "set its total to 103.000 kWh" in command_why(house)
    assert "it counts 2000 pulses per kWh from now on, and counted 1000 pulses per kWh until then" in command_why(house)
    pulses(meter, 1000)
    house.until(lambda: meter.instance.read("total") == "103.500")
    house.until(lambda: told(collector) == (3.5, 103.5))
    again(meter)
    pulses(meter, 1000)
    house.until(lambda: told(collector) == (4, 104) and meter.instance.read("total") == "104.000")
    assert command_why(house).count("from now on") == 1


def test_a_meter_that_is_replaced_counts_on_with_its_own_impulses_and_shows_its_own_face(house: House, collector: Collector) -> None:
    meter = metering(house, collector, START_TOTAL="100")
    pulses(meter, 3000)
    house.until(lambda: meter.instance.read("total") == "103.000")
    done = command(house, "meter", "replace", "--impulses=500", "7.5")
    words = "root has replaced the meter; the new one counts 500 pulses per kWh"
    assert done.stdout == f"house: total is 7.500 kWh now, was 103.000 kWh; {words}\n", done.stderr
    variable = meter.instance.directory / "variables/IMPULSES_PER_KWH"
    assert variable.read_text().splitlines()[0] == "500"
    assert len(variable.read_text().splitlines()) > 1
    pulses(meter, 1000)
    house.until(lambda: told(collector) == (5, 9.5) and meter.instance.read("total") == "9.500")
    again(meter)
    assert command(house, "meter", "replace", "0").stdout.endswith(f"total is 0.000 kWh now, was 9.500 kWh; {words}\n")
    pulses(meter, 500)
    house.until(lambda: told(collector) == (6, 1) and meter.instance.read("total") == "1.000")
    assert command_why(house).count(words) == 2
    rows = collector.get("/v1/export?source=house&format=json").json()["rows"]
    assert max(row[3] for row in rows) == 103
    assert sum(row[4] for row in rows) == 6
    for wrong in (["replace"], ["replace", "--impulses=0", "5"], ["set", "--impulses=5", "5"], ["replace", "x"]):
        refused = command(house, "meter", *wrong)
        assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1), refused.stderr


REFUSED = "variables/UNIT: house has counted kWh until now: m3 needs another SOURCE. Its readings are kept until then"


def refused_unit(house: House, collector: Collector) -> Meter:
    meter = metering(house, collector)
    pulses(meter, 3000)
    house.until(lambda: told(collector) == (3, 3))
    meter.instance.set("IMPULSES_PER_M3", "100")
    meter.instance.set("UNIT", "m3")
    meter.instance.svc("-t")
    house.until(lambda: REFUSED in meter.instance.status)
    assert meter.instance.read("unwell")
    pulses(meter, 500)
    assert REFUSED.partition(": ")[2] in command(house, "meter", "set", "5").stderr
    assert told(collector) == (3, 3)
    return meter


def test_a_unit_that_changed_is_refused_and_what_was_counted_meanwhile_is_another_sources_then(house: House, collector: Collector) -> None:
    meter = refused_unit(house, collector)
    again(meter, SOURCE="gas")
    pulses(meter, 100)
    house.until(lambda: told(collector, "gas") == (6, 6) and meter.instance.read("total") == "6.000")
    assert told(collector) == (3, 3)


def test_a_unit_that_is_what_it_was_again_counts_what_was_counted_meanwhile(house: House, collector: Collector) -> None:
    meter = refused_unit(house, collector)
    again(meter, UNIT="kwh")
    pulses(meter, 500)
    house.until(lambda: told(collector) == (4, 4) and meter.instance.read("total") == "4.000")
    house.until(lambda: meter.instance.status.endswith("delivered"))


def test_a_journal_from_before_impulses_were_noted_means_those_of_its_settings(house: House, collector: Collector) -> None:
    meter = metering(house, collector, COLLECTOR="http://127.0.0.1:9", INTERVAL="3600")
    pulses(meter, 3000)
    meter.instance.svc("-d")
    house.until(lambda: meter.instance.status == "stopped")
    with contextlib.closing(sqlite3.connect(meter.instance.lib / "journal.sqlite")) as journal:
        journal.executescript("alter table boots drop column impulses; alter table boots drop column unit")
    meter.instance.set("COLLECTOR", collector.url)
    meter.instance.svc("-u")
    house.until(lambda: told(collector)[0] == 3)
    again(meter, IMPULSES_PER_KWH="2000")
    pulses(meter, 1000)
    again(meter)
    house.until(lambda: told(collector) == (3.5, 3.5))

"""Sources that are sums and differences of others, wherever a collector shows something."""

import json
import os
import time

import pytest

from tests.collector.collecting import TOKEN, Collector, batch, steady
from tests.collector.house.test_collector_graphs import draw
from tests.collector.house.test_energy_command import command, energy
from tests.kit import House

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


def test_a_difference_is_on_the_page_in_json_in_metrics_drawn_and_told(house: House) -> None:
    collector = Collector(house, DERIVED="grid = house - pv; both = house + pv", PRICE="0.5", CURRENCY="EUR")
    collector.token("pv", TOKEN)
    now = time.time()
    assert collector.send(steady(1000, now)).ok
    house.until(lambda: "DERIVED: grid: there is no source pv; there is house" in collector.instance.status)
    assert [each["source"] for each in collector.get("/v1/sources").json()] == ["house"]
    assert collector.send(steady(1000, now, pulses_each=3)._replace(source="pv")).ok
    told = {each["source"]: each for each in collector.get("/v1/sources").json()}
    assert list(told) == ["house", "pv", "grid", "both"]
    assert told["grid"]["parts"] == [{"source": "house", "sign": 1}, {"source": "pv", "sign": -1}]
    assert told["grid"]["flow"]["value"] == pytest.approx(720 - 3 * 720, rel=0.01)
    assert told["both"]["amounts"]["this_year"] == pytest.approx(told["house"]["amounts"]["this_year"] * 4, rel=0.001)
    assert told["grid"]["total"] is None
    assert "<dt>made of</dt><dd>house - pv</dd>" in collector.get("/").text
    metrics = collector.get("/metrics").text
    assert 'pimains_power_watts{source="grid"} -14' in metrics
    assert 'pimains_energy_kwh_total{source="grid"}' not in metrics
    rows = collector.get("/v1/export?source=grid&format=json").json()["rows"]
    assert sum(row[4] for row in rows) == pytest.approx(-2 * 0.999)
    assert len(rows) == 1000
    tables = json.loads(energy(house, "--year", "--json"))
    assert tables["grid"]["sum"] == pytest.approx(-2, abs=0.01)
    assert tables["grid"]["sum_cost"] == pytest.approx(-1, abs=0.01)
    for name in ("day", "week", "days", "months", "cost-years"):
        assert draw(collector, f"grid/{name}.svg") != draw(collector, f"both/{name}.svg") != draw(collector, f"house/{name}.svg")
    assert "average -1,440 W, least -1,440 W, most -1,440 W" in collector.get("/").text
    house.until(lambda: "4 sources" in collector.instance.status)


def test_late_readings_of_a_part_change_what_is_derived(house: House) -> None:
    collector = Collector(house, DERIVED="twice = house + house")
    now = time.time()
    assert collector.send(steady(100, now)).ok
    before = draw(collector, "twice/months.svg")
    assert collector.send(batch(*[(n, n * 60.0, n * 100) for n in range(1, 200)], offset=now - 40 * 86_400, boot="a")).ok
    assert draw(collector, "twice/months.svg") != before


def test_what_other_programs_recorded_is_not_imported_into_what_is_derived(house: House) -> None:
    collector = Collector(house, DERIVED="twice = house + house")
    assert collector.send(steady(2)).ok
    table = house.root / "history.csv"
    table.write_text("date;amount_kWh\n2025-01-01;8,1\n2025-01-02;8,4\n")
    refused = command(house, "import", str(table), "--source", "twice")
    assert refused.returncode == 1
    assert refused.stderr == "pimains: twice is made of other sources (DERIVED) and has no readings of its own: import into one of these\n"
    assert [each["source"] for each in collector.get("/v1/sources").json()] == ["house", "twice"]

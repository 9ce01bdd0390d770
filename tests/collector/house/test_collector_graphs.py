"""The collector's graphs: drawn by rrdtool of what the journal says, also when that changed before what was drawn."""

import math
import os
import shutil
import subprocess
import time
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
import requests

from tests.collector.collecting import TOKEN, Collector, batch, steady
from tests.kit import House
from tests.meter.meters import Meter

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


@pytest.fixture
def collector(house: House) -> Collector:
    return Collector(house)


def kilowatt_hours(collector: Collector, start: float, end: float, source: str = "house") -> float:
    """What the database has between two times, as rrdtool itself tells it."""
    return sum(value or 0.0 for value in flows(collector, start, end, source)) * 5 / 3_600_000


def flows(collector: Collector, start: float, end: float, source: str = "house") -> list[float | None]:
    """The same, each value; None where it is not known."""
    file = collector.instance.lib / "rrd" / f"s-{source}.rrd"
    words = ["rrdtool", "fetch", file, "AVERAGE", "--resolution=5", f"--start={int(start / 5) * 5}", f"--end={int(end / 5) * 5}"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    values = [float(line.split()[1]) for line in said.splitlines() if ": " in line]
    return [None if math.isnan(value) else value for value in values]


def draw(collector: Collector, path: str = "house/day.svg") -> bytes:
    answer = collector.get(f"/graphs/{path}")
    assert answer.status_code == 200, answer.text
    return answer.content


def test_day_week_month_and_year_are_drawn_light_and_dark_and_not_twice(collector: Collector) -> None:
    assert collector.send(steady(2000)).ok
    for name in ("day", "week", "month", "year", "decade"):
        light, dark = (draw(collector, f"house/{name}.svg?theme={theme}") for theme in ("light", "dark"))
        assert ElementTree.fromstring(light).tag == "{http://www.w3.org/2000/svg}svg"
        assert light != dark
    assert draw(collector, "house/year.png").startswith(b"\x89PNG")
    drawn = {path.name: path.stat().st_ino for path in (collector.instance.run / "graphs").iterdir()}
    again = [draw(collector, "house/year.svg") for _ in range(20)]
    assert len(set(again)) == 1
    assert {path.name: path.stat().st_ino for path in (collector.instance.run / "graphs").iterdir()} == drawn
    for wrong in ("house/hour.svg", "house/day.gif", "attic/day.svg", "house/day.svg?theme=pink", "..%2fhouse/day.svg"):
        assert collector.get(f"/graphs/{wrong}").status_code == 404


def test_late_readings_are_drawn_where_they_belong(collector: Collector) -> None:
    now = float(int(time.time() / 5) * 5)
    day = [(n, n * 5.0, 5000 + n) for n in range(1, 201)]
    assert collector.send(batch(*day, offset=now - 1000)).ok
    draw(collector)
    assert kilowatt_hours(collector, now - 1000, now) == pytest.approx(0.199, abs=0.002)
    earlier = [(n, n * 5.0, n) for n in range(1, 1001)]
    assert collector.send(batch(*earlier, offset=now - 20_000, boot="a")).ok
    draw(collector)
    assert kilowatt_hours(collector, now - 20_000, now - 14_000) == pytest.approx(0.999, abs=0.002)
    assert kilowatt_hours(collector, now - 1000, now) == pytest.approx(0.199, abs=0.002)
    assert kilowatt_hours(collector, now - 14_000, now - 1_100) == 0.0


@pytest.mark.parametrize("fraction", [0.0, 0.35, 2.5, 4.9])
def test_where_nothing_was_heard_there_is_a_gap_and_no_line(collector: Collector, fraction: float) -> None:
    now = float(int(time.time() / 5) * 5) + fraction
    assert collector.send(batch(*[(n, n * 5.0, 2 * n) for n in range(1, 201)], offset=now - 6000, boot="a")).ok
    assert collector.send(batch(*[(n, n * 5.0, 400 + n) for n in range(1, 201)], offset=now - 1000, boot="b")).ok
    draw(collector)
    assert set(flows(collector, now - 4900, now - 1100)) == {None}
    assert None not in flows(collector, now - 5900, now - 5100) + flows(collector, now - 900, now - 100)


def test_a_clock_that_was_an_hour_wrong_or_in_1970_spoils_nothing(collector: Collector) -> None:
    now = float(int(time.time() / 5) * 5)
    assert collector.send(batch(*[(n, n * 5.0, n) for n in range(1, 101)], offset=50.0, boot="1970")).ok
    assert collector.get("/graphs/house/day.svg").status_code == 503
    assert collector.send(batch(*[(n, n * 5.0, 100 + n) for n in range(1, 101)], offset=now + 3600 - 500)).ok
    draw(collector)
    assert collector.send(batch(offset=now - 5000, boot="1970")).ok
    assert collector.send(batch((101, 505.0, 201), offset=now - 500)).ok
    draw(collector)
    assert kilowatt_hours(collector, now - 5000, now - 4000) == pytest.approx(0.099, abs=0.002)
    assert kilowatt_hours(collector, now - 600, now + 4000) == pytest.approx(0.101, abs=0.002)


def test_what_comes_in_order_is_added_and_nothing_is_built_again(collector: Collector) -> None:
    now = float(int(time.time() / 5) * 5)
    file = collector.instance.lib / "rrd/s-house.rrd"
    inodes = set()
    for start in range(0, 1000, 200):
        sent = batch(*[(n, n * 5.0, n) for n in range(max(1, start - 50), start + 201)], offset=now - 5000)  # some of it again
        assert collector.send(sent).ok
        draw(collector)
        inodes.add(file.stat().st_ino)
    assert len(inodes) == 1
    assert kilowatt_hours(collector, now - 5000, now) == pytest.approx(0.999, abs=0.003)


def test_a_database_that_is_gone_or_garbage_is_made_again(collector: Collector) -> None:
    sent = steady(200)
    assert collector.send(sent._replace(readings=sent.readings[:150])).ok
    draw(collector)
    file = collector.instance.lib / "rrd/s-house.rrd"
    file.write_bytes(b"no database")
    assert collector.send(sent).ok
    draw(collector, "house/week.svg")
    assert kilowatt_hours(collector, time.time() - 2000, time.time()) == pytest.approx(0.199, abs=0.002)
    file.unlink()
    draw(collector, "house/month.svg")
    assert file.exists()


def test_names_of_sources_are_no_paths_and_no_words_of_rrdtool(collector: Collector) -> None:
    for name in ("a b:c", "-", "%2e", "häuschen"):
        collector.token(name, TOKEN)
        assert collector.send(steady(50)._replace(source=name)).ok
        assert b"<svg" in draw(collector, f"{quote(name, safe='')}/day.svg")
    names = sorted(path.name for path in (collector.instance.lib / "rrd").glob("*.rrd"))
    assert names == ["s-%252e.rrd", "s--.rrd", "s-a%20b%3Ac.rrd", "s-h%C3%A4uschen.rrd"]


def test_graphs_are_behind_the_password_and_on_the_page(house: House) -> None:
    collector = Collector(house, PASSWORD="open sesame")
    assert collector.send(steady(50)).ok
    assert collector.get("/graphs/house/day.svg").status_code == 401
    assert collector.get("/graphs/house/day.svg", auth=("pi", "open sesame")).status_code == 200
    assert 'src="graphs/house/day.svg"' in collector.get("/", auth=("pi", "open sesame")).text


def test_without_rrdtool_the_numbers_are_there_and_the_graph_says_what_to_install(collector: Collector) -> None:
    (collector.instance.directory / "variables/PATH").write_text("/nowhere\n")
    before = collector.instance.pid
    collector.instance.svc("-t")
    collector.instance.house.until(lambda: collector.instance.pid not in (0, before) and "no readings" in collector.instance.status)
    assert collector.send(steady(50)).ok
    assert collector.get("/graphs/house/day.svg").json() == {"error": "rrdtool is missing: apt install rrdtool"}
    assert "720 W" in collector.get("/").text


def test_a_real_meter_s_pulses_arrive_and_are_drawn(collector: Collector) -> None:
    house = collector.instance.house
    meter = Meter(house, SOURCE="house", COLLECTOR=collector.url, TOKEN=TOKEN, START_TOTAL="12345.6")

    def arrived() -> list[float]:
        return [each["total"] for each in collector.get("/v1/sources").json()]

    meter.pins("24 pulses 100")
    house.until(lambda: meter.pulses == 100)
    house.until(lambda: arrived() == [pytest.approx(12345.7)])
    collector.instance.kill()
    meter.pins("24 pulses 50")
    house.until(lambda: meter.pulses == 150)
    house.until(lambda: is_back(collector) and arrived() == [pytest.approx(12345.75)])
    assert b"<svg" in draw(collector)


def is_back(collector: Collector) -> bool:
    try:
        return collector.get("/v1/sources").ok
    except requests.RequestException:
        return False


def test_what_was_drawn_lies_where_another_web_server_shows_it_and_the_readings_do_not(house: House) -> None:
    www = house.root / "www"
    www.mkdir()
    shutil.chown(www, "pimains")
    collector = Collector(house, WWW_DIR=str(www))
    assert collector.send(steady(200)).ok
    drawn = collector.get("/graphs/house/day.svg").content
    assert (www / "s-house-day-light-wide.svg").read_bytes() == drawn
    assert {path.suffix for path in www.iterdir()} == {".svg", ".of"}
    assert not (house.root / "run/pimains/collector/graphs").exists()


def test_the_longest_names_of_sources_are_drawn_each_as_its_own(collector: Collector) -> None:
    names = ["ÜberdachungGästehaus" * 3 + end for end in ("1", "2")] + ["🏠" * 20]
    for number, name in enumerate(names, 1):
        collector.token(name, TOKEN)
        assert collector.send(steady(200, pulses_each=number)._replace(source=name)).ok
    pictures = [draw(collector, f"{quote(name)}/day.svg") for name in names]
    assert len(set(pictures)) == len(names)

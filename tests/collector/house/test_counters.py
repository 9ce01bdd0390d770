"""A collector whose sources get new counters, or two senders: nothing is lost, nothing falls, and people are told once."""

import csv
import io
import os
import re
import subprocess
import time

import pytest

from pimains.shared.plan import delivery
from pimains.shared.plan.delivery import Batch, Boot, Reading, RegisterReading, Run
from tests.collector.collecting import TOKEN, Collector
from tests.kit import TOP, House, until
from tests.meter.meters import Meter

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


@pytest.fixture
def collector(house: House) -> Collector:
    (house.root / "var/lib/pimains/notify/queue").mkdir(parents=True)
    (house.root / "var/lib/pimains/notify/queue").chmod(0o777)
    return Collector(house)


def run(name: str, began: float, *counts: int, register: RegisterReading | None = None, first: int = 1) -> Batch:
    """What a meter sends that began to count at `began`, in a boot of its own: a reading each five seconds."""
    rows = [Reading(name, first + number, None, 5.0 * (first + number), pulses) for number, pulses in enumerate(counts)]
    return Batch("house", "kWh", 1000, register, {name: Boot(began, synchronised=True)}, rows, {name: Run(f"boot-{name}")}, name, "pi")


def why(collector: Collector) -> str:
    house = collector.instance.house
    env = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(house.root)}
    told = ["/usr/bin/python3", "-P", "-m", "pimains.cli", "why", "collector"]
    return subprocess.run(told, env=env, capture_output=True, text=True, check=True).stdout


def posted(collector: Collector) -> list[list[str]]:
    queue = collector.instance.house.root / "var/lib/pimains/notify/queue"
    return [path.read_text().splitlines() for path in sorted(queue.iterdir()) if not path.name.startswith(".")]


def numbers(collector: Collector) -> tuple[float, dict[str, float]]:
    """The total, and the amounts that are known."""
    (found,) = collector.get("/v1/sources").json()
    return found["total"], {name: amount for name, amount in found["amounts"].items() if amount is not None}


def test_a_new_sd_card_takes_no_energy_away_anywhere_and_is_told_once(collector: Collector) -> None:
    now = time.time()
    assert collector.send(run("old", now - 80, 0, 60_000, 68_000, register=RegisterReading(0, 7000))).ok
    total, before = numbers(collector)
    assert total == 7068.0
    assert collector.get("/graphs/house/day.svg").ok
    for first in (1, 4):
        assert collector.send(run("new", now - 40, *((0, 3, 7) if first == 1 else (9, 10)), first=first)).ok
    total, after = numbers(collector)
    assert total == 7068.01
    assert all(after[name] >= amount for name, amount in before.items())
    assert after["today"] == pytest.approx(68.01)
    metrics = dict(line.rsplit(" ", 1) for line in collector.get("/metrics").text.splitlines() if not line.startswith("#"))
    assert float(metrics['pimains_face_kwh{source="house"}']) == 7068.01
    assert float(metrics['pimains_energy_kwh_total{source="house"}']) == pytest.approx(68.01)
    assert float(metrics['pimains_power_watts{source="house"}']) > 0
    rows = list(csv.DictReader(io.StringIO(collector.get("/v1/export?source=house").text)))
    assert [float(row["total_kWh"]) for row in rows] == [7000, 7060, 7068, 7068, 7068.003, 7068.007, 7068.009, 7068.01]
    assert min(float(row["amount_kWh"]) for row in rows) == 0
    rows = list(csv.DictReader(io.StringIO(collector.get(f"/v1/export?source=house&from={now - 100}&every=5").text)))
    assert min(float(row["amount_kWh"]) for row in rows) == 0
    assert collector.get("/graphs/house/day.svg").ok
    assert not re.search(r"[-\u2212][0-9.,]+ (kWh|W)\b", collector.get("/").text)
    assert "Counts anew since " in collector.get("/").text
    dump = subprocess.run(
        ["rrdtool", "dump", collector.instance.lib / "rrd/s-house.rrd"], check=True, capture_output=True, text=True
    ).stdout
    assert max(map(float, re.findall(r"<v>([-+.e0-9]+)</v>", dump))) > 0
    assert min(map(float, re.findall(r"<v>([-+.e0-9]+)</v>", dump))) >= 0
    line = "house counts anew from 0; its face was 7068"
    assert posted(collector) == [
        ["counts-anew", line, "its count has fallen", "pimains meter set TOTAL, where it is counted, puts the face right"]
    ]
    assert why(collector).count(line) == 1


def test_a_face_that_is_set_after_a_new_card_holds_from_then_on(collector: Collector) -> None:
    now = time.time()
    assert collector.send(run("old", now - 80, 0, 68_000, register=RegisterReading(0, 7000))).ok
    assert collector.send(run("new", now - 40, 0, 3)).ok
    assert collector.send(run("new", now - 40, 5, register=RegisterReading(3, 7100.5), first=3)).ok
    total, amounts = numbers(collector)
    assert total == 7100.502
    assert amounts["today"] == pytest.approx(68.005)


def test_a_face_that_is_set_to_less_is_no_fall_of_what_was_counted_nor_a_new_truth_for_the_past(collector: Collector) -> None:
    now = time.time()
    assert collector.send(run("a", now - 80, 0, 24_000, 27_200, register=RegisterReading(0, 100))).ok
    assert collector.send(run("a", now - 80, 27_300, register=RegisterReading(27_200, 3.2), first=4)).ok
    metrics = dict(line.rsplit(" ", 1) for line in collector.get("/metrics").text.splitlines() if not line.startswith("#"))
    assert float(metrics['pimains_energy_kwh_total{source="house"}']) == 27.3
    assert float(metrics['pimains_face_kwh{source="house"}']) == pytest.approx(3.3)
    assert "# TYPE pimains_face_kwh gauge" in collector.get("/metrics").text
    rows = list(csv.DictReader(io.StringIO(collector.get("/v1/export?source=house").text)))
    assert [float(row["total_kWh"]) for row in rows] == pytest.approx([100, 124, 3.2, 3.3])
    assert [float(row["amount_kWh"]) for row in rows] == pytest.approx([0, 24, 3.2, 0.1])


def test_other_impulses_change_nothing_of_what_was_before(collector: Collector) -> None:
    now = time.time()

    def of(impulses: int, *batch_of: object, **more: object) -> Batch:
        batch = run(*batch_of, **more)  # type: ignore[arg-type]  # as run takes them
        return batch._replace(impulses_per_unit=impulses, runs={batch.run: Run(f"boot-{batch.run}", None, impulses)})

    assert collector.send(of(1000, "old", now - 80, 0, 60_000, 68_000, register=RegisterReading(0, 7000))).ok
    assert collector.get("/graphs/house/day.svg").ok
    assert collector.send(of(500, "new", now - 40, 68_000, 68_500, 69_000, register=RegisterReading(68_000, 7068))).ok
    total, amounts = numbers(collector)
    assert (total, amounts["today"]) == (7070, 70)
    rows = list(csv.DictReader(io.StringIO(collector.get("/v1/export?source=house").text)))
    assert [float(row["total_kWh"]) for row in rows] == [7000, 7060, 7068, 7068, 7069, 7070]
    assert [float(row["amount_kWh"]) for row in rows] == [0, 60, 8, 0, 1, 1]
    assert collector.get("/graphs/house/day.svg").ok
    assert posted(collector) == []


def test_a_source_that_has_readings_is_refused_another_unit_and_goes_on_in_its_own(collector: Collector) -> None:
    now = time.time()
    assert collector.send(run("a", now - 80, 0, 60)._replace(unit="m3", impulses_per_unit=100)).ok
    words = "house has counted m3 until now: kWh needs another SOURCE"
    for _ in range(2):
        answer = collector.send(run("a", now - 80, 70, first=3))
        assert (answer.status_code, delivery.read_refusal(answer.content)) == (409, words)
    assert collector.send(run("a", now - 80, 80, first=3)._replace(unit="m3", impulses_per_unit=100)).ok
    assert numbers(collector)[1]["today"] == 0.8
    assert posted(collector) == [["other-unit", "refuses the readings of house", words, "Its meter keeps them until then."]]
    assert why(collector).count(words) == 1


def test_a_cloned_card_is_refused_with_its_first_and_both_are_named_until_one_is_another_source(collector: Collector) -> None:
    collector.token("attic", TOKEN)
    now = time.time()
    first = run("first", now - 3000, *range(100, 400))
    assert collector.send(first).ok
    clone = run("clone", now - 1400, *range(400, 460))
    assert collector.send(clone).ok
    going_on = run("first", now - 3000, *range(400, 500), first=301)
    words = "two meters send as house: pi (boot boot-clo) and pi (boot boot-fir); give one of them another SOURCE"
    for each in (going_on, run("clone", now - 1400, 460, first=61), going_on):
        answer = collector.send(each)
        assert (answer.status_code, delivery.read_refusal(answer.content)) == (409, words)
    collector.instance.house.until(lambda: collector.instance.status == words)
    assert f'<p class="offline" role="status">{words}</p>' in collector.get("/").text
    assert collector.send(run("before", now - 9000, 1, 2)).ok  # late ones of a run that ended before are welcome
    assert posted(collector) == [["two-senders", "refuses the readings of house", words, "Both keep what they have until then."]]
    assert why(collector).count("two meters send as house") == 1
    assert collector.send(run("clone", now - 1400, 460, first=61)._replace(source="attic")).ok
    counted = [row[2] for row in collector.get(f"/v1/export?source=house&from={now - 3001}&format=json").json()["rows"]]
    assert counted[:300] == list(range(100, 400))


def test_two_meters_with_one_source_say_so_and_each_goes_on_when_one_has_another(house: House) -> None:
    """A machine's second meter that was given the name of its first, at a hundred times the speed."""
    collector = Collector(house, PIMAINS_SPEED="100")
    collector.token("attic", TOKEN)
    wanted = {"SOURCE": "house", "COLLECTOR": collector.url, "TOKEN": TOKEN, "INTERVAL": "5", "PIMAINS_SPEED": "100"}
    first, second = Meter(house, "first", **wanted), Meter(house, "second", **wanted)
    for meter in (first, second):
        house.until(lambda meter=meter: "variables/SOURCE: two meters send as house" in meter.instance.status)
        meter.pins("24 pulses 7")
    house.until(lambda: collector.instance.status.startswith("two meters send as house"))
    second.instance.set("SOURCE", "attic")
    second.instance.svc("-t")
    for meter in (first, second):
        house.until(lambda meter=meter: meter.pulses == 7 and meter.instance.status.endswith("delivered"))
    totals = {each["source"]: each["total"] for each in collector.get("/v1/sources").json()}
    assert totals == {"attic": 0.007, "house": 0.007}


def test_what_is_said_of_readings_is_never_older_than_two_seconds(house: House) -> None:
    """The first reading of a source, the age of the last one, and what a meter says of its delivery."""
    collector = Collector(house)
    house.until(lambda: collector.instance.status.endswith("no readings yet"))
    for second in (0, 4):  # the collector has looked a moment ago, and some seconds ago
        time.sleep(second)
        began = time.time()
        collector.token(f"house{second}", TOKEN)
        until(lambda second=second, began=began: collector.send(run("a", began - 5, 0)._replace(source=f"house{second}")).ok, 10)
        stored = time.monotonic()
        until(lambda second=second: f", {1 + (second > 0)} source" in collector.instance.status, 10)
        assert time.monotonic() - stored < 2 + _BUSY_SECONDS
    path = collector.instance.run / "status"
    written = set()
    ends = time.monotonic() + 6
    while time.monotonic() < ends:
        written.add(path.stat().st_mtime)
        assert time.time() - max(written) < 2 + _BUSY_SECONDS
        time.sleep(0.1)


_BUSY_SECONDS = 1.0  # others work on this machine, too

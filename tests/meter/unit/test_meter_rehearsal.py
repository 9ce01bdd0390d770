"""Days of the meter service in moments: the clock is set and jumps, the collector is away, the load stops."""

import itertools
import json
import re
import shutil
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from pimains.core.ledger import Ledger
from pimains.house.collector import Store, handler
from pimains.house.rehearsal import Rehearsal
from pimains.meter.own_readings import OwnReadings
from pimains.meter.service import count
from pimains.meter.settings import MeterSettings
from tests.kit import until

DAY = 86400.0


@pytest.fixture
def pin() -> Iterator[MockFactory]:
    """What GPIO 24 is at."""
    factory = MockFactory()
    gpiozero.Device.pin_factory = factory
    yield factory
    gpiozero.Device.pin_factory = None


@pytest.fixture
def collector() -> Iterator[tuple[Store, str]]:
    store = Store("secret")
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(store))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    there = set(threading.enumerate())
    yield store, f"http://127.0.0.1:{server.server_address[1]}"
    # a delivery that a test leaves behind tries for ever, with the random numbers of all tests after it
    until(
        lambda: all("process_request" in each.name for each in threading.enumerate() if each not in there), what="deliveries to have ended"
    )
    server.shutdown()
    server.server_close()


def rehearse(tmp_path: Path, **variables: str) -> Rehearsal:
    return Rehearsal(count, MeterSettings, "meter", tmp_path, SOURCE="house", BOUNCE_MS="0", **variables)


def pulse(factory: MockFactory, times: int = 1) -> None:
    pin = factory.pin(24)
    for _ in range(times):
        pin.drive_low()
        pin.drive_high()
    pin.clear_states()


def shown(meter: Rehearsal, name: str) -> str:
    path = meter.me.run / name
    return path.read_text().strip() if path.exists() else ""


def test_the_load_stops_and_the_power_shown_falls(tmp_path: Path, pin: MockFactory) -> None:
    with rehearse(tmp_path) as meter:
        for _ in range(20):
            pulse(pin)
            meter.advance(3.6)
        assert float(shown(meter, "power")) == pytest.approx(1000, rel=0.5)
        for seconds, watts in ((100, 36), (500, 6)):
            meter.advance(seconds + 5)  # the last reading is up to INTERVAL old
            assert float(shown(meter, "power")) <= watts
            assert shown(meter, "power_is") == "at most"
        assert shown(meter, "total") == "0.020"


def test_readings_from_before_the_clock_was_set_are_dated_then(tmp_path: Path, pin: MockFactory, collector: tuple[Store, str]) -> None:
    store, url = collector
    with rehearse(tmp_path, COLLECTOR=url, TOKEN="secret") as meter:
        right = meter.clock.wall()
        began = meter.clock.monotonic()
        meter.clock.jump(-right)  # 1970
        for _ in range(100):
            pulse(pin, 3)
            meter.advance(5)
        meter.clock.jump(right)
        meter.clock.synchronised = True
        for hour in (3600, -3600, 0):  # somebody types, and a time server puts it right
            meter.clock.synchronised = hour == 0
            meter.clock.jump(hour)
            meter.advance(500)
        meter.stop()
        until(lambda: [each.offset for each in list(store.boots.values())] == [pytest.approx(right - began, abs=0.6)])
        until(lambda: any(row.pulses == 300 for row in list(store.rows.values())))
        rows = sorted(store.rows.values(), key=lambda row: row.sequence)
        assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
        assert [row.pulses for row in rows] == sorted(row.pulses for row in rows)
        assert rows[-1].pulses == 300
        (boot,) = store.boots.values()
        assert boot.synchronised


@pytest.mark.long
def test_three_days_offline_are_delivered_to_the_last_pulse(tmp_path: Path, pin: MockFactory, collector: tuple[Store, str]) -> None:
    store, url = collector
    store.behaviour = "503"
    generated = 0
    with rehearse(tmp_path, COLLECTOR=url, TOKEN="secret", INTERVAL="60") as meter:
        for hour in range(72):
            pulse(pin, hour)
            generated += hour
            meter.advance(3600)
        assert re.search(r"[0-9]{4} readings wait", meter.status)
        store.behaviour = "200"
        until(lambda: any(row.pulses == generated for row in list(store.rows.values())))
        until(lambda: len(store.rows) >= 72 * 60)
        meter.advance(120)
        meter.stop()
    assert max(row.pulses for row in store.rows.values()) == generated


@pytest.mark.long
def test_a_full_journal_is_thinned_and_people_are_told_and_no_total_changes(tmp_path: Path, pin: MockFactory) -> None:
    queue = tmp_path / "var/lib/pimains/notify/queue"
    queue.mkdir(parents=True)
    with rehearse(tmp_path, MAX_JOURNAL_MB="0.1") as meter:
        for _ in range(8):
            pulse(pin, 10)
            meter.advance(DAY / 20)
        meter.stop()
        assert "MAX_JOURNAL_MB is reached" in "".join(path.read_text() for path in queue.iterdir())
    journal = OwnReadings(tmp_path / "var/lib/pimains/meter/journal.sqlite", tmp_path / "recent")
    assert journal.pulses() == 80
    kept = journal.unsent(10**6).readings
    assert journal.bytes() <= 100_000
    assert kept[0].sequence == 1
    assert [row.pulses for row in kept] == sorted(row.pulses for row in kept)
    recent = [row for row in kept if row.uptime > kept[-1].uptime - DAY / 40]
    assert {b.sequence - a.sequence for a, b in itertools.pairwise(recent)} == {1}


def test_a_broken_journal_is_put_aside_and_the_count_goes_on(tmp_path: Path, pin: MockFactory, collector: tuple[Store, str]) -> None:
    store, url = collector
    with rehearse(tmp_path, COLLECTOR=url, TOKEN="secret") as meter:
        pulse(pin, 70)
        meter.advance(60)
        until(lambda: any(row.pulses == 70 for row in store.rows.values()), 60)
        meter.stop()
    before = dict(store.rows)
    (tmp_path / "var/lib/pimains/meter/journal.sqlite").write_bytes(b"no database" * 1000)
    (tmp_path / "var/lib/pimains/meter/journal.sqlite-wal").unlink(missing_ok=True)
    with rehearse(tmp_path, COLLECTOR=url, TOKEN="secret") as meter:
        pulse(pin, 7)
        meter.advance(60)
        assert shown(meter, "total") == "0.077"
        until(lambda: any(row.pulses == 77 for row in store.rows.values()), 60)
        assert {key: row for key, row in store.rows.items() if key in before} == before
        assert {row.pulses for key, row in store.rows.items() if key not in before} >= {70, 77}  # none was taken for sent twice
        assert (meter.me.lib / "journal.sqlite.corrupt-1").exists()
        assert "put aside" in shown(meter, "error")
        meter.stop()


def test_start_total_counts_when_it_is_edited_and_only_then(tmp_path: Path, pin: MockFactory) -> None:
    for start, total in (("100", "100.010"), ("100", "100.020"), ("", "100.030"), ("200.5", "200.510")):
        with rehearse(tmp_path, START_TOTAL=start) as meter:
            pulse(pin, 10)
            meter.advance(10)
            assert shown(meter, "total") == total
            meter.stop()
    assert json.loads((tmp_path / "var/lib/pimains/meter/face").read_text()) == [30, 200.5, 200.5]


def test_gas_is_cubic_metres(tmp_path: Path, pin: MockFactory) -> None:
    with rehearse(tmp_path, UNIT="m3", IMPULSES_PER_M3="100") as meter:
        for _ in range(10):
            pulse(pin)
            meter.advance(36)
        assert float(shown(meter, "flow")) == pytest.approx(1, rel=0.5)
        assert shown(meter, "total") == "0.100"
        assert "m3/h" in meter.status
        assert shown(meter, "power") == ""


def ledger(tmp_path: Path) -> list[tuple[str, str]]:
    """What was done, and why, oldest first."""
    path = tmp_path / "var/lib/pimains/ledger.sqlite"
    return [(each.action, each.cause) for each in reversed(Ledger(path).entries("meter", 100))]


def counts(store: Store, source: str) -> list[float]:
    return sorted(row.pulses for (of, _, _), row in list(store.rows.items()) if of == source)


def test_what_was_counted_under_the_first_name_becomes_the_history_of_the_second(
    tmp_path: Path, pin: MockFactory, collector: tuple[Store, str]
) -> None:
    store, url = collector
    with rehearse(tmp_path) as meter:
        pulse(pin, 70)
        meter.advance(60)
        meter.stop()
    journal = OwnReadings(tmp_path / "var/lib/pimains/meter/journal.sqlite", tmp_path / "none")
    kept = journal.waiting()
    journal.close()
    for source, total in (("attic", 77), ("house", 84)):
        with Rehearsal(count, MeterSettings, "meter", tmp_path, SOURCE=source, BOUNCE_MS="0", COLLECTOR=url, TOKEN="secret") as meter:
            pulse(pin, 7)
            meter.advance(60)
            until(lambda source=source, total=total: total in counts(store, source), 60)
            until(lambda: "delivered" in meter.status)
            meter.stop()
    assert counts(store, "attic")[:kept] == [0, 0, *[70] * (kept - 2)]
    assert min(counts(store, "house")) >= 77
    told = [each for each in ledger(tmp_path) if "counts as" in each[0]]
    assert [action for action, _ in told] == ["counts as attic now", "counts as house now"]
    assert [cause.partition(";")[0] for _, cause in told] == ["SOURCE was house", "SOURCE was attic"]
    assert told[0][1] == f"SOURCE was house; {kept} readings that were not delivered go with it"


def test_a_collector_that_lost_its_journal_gets_it_back_and_people_are_told_once(
    tmp_path: Path, pin: MockFactory, collector: tuple[Store, str]
) -> None:
    store, url = collector
    queue = tmp_path / "var/lib/pimains/notify/queue"
    queue.mkdir(parents=True)
    for total in (70, 140):
        with rehearse(tmp_path, COLLECTOR=url, TOKEN="secret") as meter:
            pulse(pin, 70)
            meter.advance(60)
            until(lambda total=total: total in counts(store, "house"), 60)
            meter.stop()
    with rehearse(tmp_path, COLLECTOR=url, TOKEN="secret") as meter:
        meter.advance(60)
        until(lambda: meter.advance(1.5) or "delivered" in meter.status)
        had = dict(store.rows)
        store.lose()
        pulse(pin, 7)
        meter.advance(60)
        until(lambda: had.items() <= store.rows.items(), 60, "all of it to be there again")
        until(lambda: meter.advance(1.5) or "delivered" in meter.status)
        meter.stop()
    (action,) = [action for action, cause in ledger(tmp_path) if cause == "its collector had lost them"]
    assert action == f"sent {len(had)} readings again"
    (told,) = [path.read_text().splitlines() for path in queue.iterdir()]
    assert told == ["readings-lost", "house: its collector had lost them", f"house: {action}: its collector had lost them"]


def test_an_old_copy_of_the_journal_gives_no_reading_the_identity_of_another(
    tmp_path: Path, pin: MockFactory, collector: tuple[Store, str]
) -> None:
    store, url = collector
    lib = tmp_path / "var/lib/pimains/meter"
    for total in (70, 140, 210):
        with rehearse(tmp_path, COLLECTOR=url, TOKEN="secret") as meter:
            pulse(pin, 70)
            meter.advance(60)
            until(lambda total=total: total in counts(store, "house"), 60)
            assert shown(meter, "total") == f"{total / 1000:.3f}"
            meter.stop()
        if total == 70:
            shutil.copytree(lib, tmp_path / "copy")
            copied = {run for _, run, _ in store.rows}
        if total == 140:
            shutil.rmtree(lib)
            shutil.copytree(tmp_path / "copy", lib)
            before = dict(store.rows)
    assert before.items() <= store.rows.items()
    action = f"goes on without {sum(run not in copied for _, run, _ in before)} readings that only its collector has"
    assert (action, "its own journal lost them") in ledger(tmp_path)


def test_a_delivery_that_goes_well_is_said_to_be_on_its_way_and_then_delivered(
    tmp_path: Path, pin: MockFactory, collector: tuple[Store, str]
) -> None:
    store, url = collector
    store.hold_seconds = 2.0
    with rehearse(tmp_path, COLLECTOR=url, TOKEN="secret") as meter:
        pulse(pin, 5)
        meter.advance(30)
        assert re.search(r"kWh, [0-9]+ readings on their way$", meter.status), meter.status
        store.hold_seconds = 0.0
        until(lambda: meter.advance(5) or meter.status.endswith("kWh, delivered"))
        store.behaviour = "503"
        until(lambda: meter.advance(5) or re.search(r", [0-9]+ readings wait; .*503", meter.status))
        waits = int(re.search(r"([0-9]+) readings wait", meter.status)[1])  # type: ignore[index]
        meter.advance(50)
        assert int(re.search(r"([0-9]+) readings wait", meter.status)[1]) == waits + 10  # type: ignore[index]
        meter.stop()


def test_what_is_said_of_a_delivery_is_put_right_before_the_next_reading(
    tmp_path: Path, pin: MockFactory, collector: tuple[Store, str]
) -> None:
    store, url = collector
    store.behaviour = "503"
    with rehearse(tmp_path, COLLECTOR=url, TOKEN="secret", INTERVAL="3600") as meter:
        meter.advance(2)
        until(lambda: meter.advance(1.5) or re.search(r", [0-9]+ readings wait; .*503", meter.status))
        store.behaviour = "200"
        until(lambda: meter.advance(1.5) or meter.status.endswith("kWh, delivered"))
        assert meter.clock.monotonic() < 3600  # and no reading came meanwhile
        assert len(store.rows) == 2
        meter.stop()

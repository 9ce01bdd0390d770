"""Days of the meter service in moments: the clock is set and jumps, the collector is away, the load stops."""

import itertools
import json
import re
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from pimains.core import clock as clocks
from pimains.house.collector import Store, handler
from pimains.house.rehearsal import Rehearsal
from pimains.meter.service import count
from pimains.meter.settings import MeterSettings
from pimains.shared.readings.journal import Journal
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
        until(lambda: store.boots and store.boots["house", clocks.boot_id()].offset == pytest.approx(right - began, abs=0.6))
        until(lambda: any(row.pulses == 300 for row in list(store.rows.values())))
        rows = sorted(store.rows.values(), key=lambda row: row.sequence)
        assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
        assert [row.pulses for row in rows] == sorted(row.pulses for row in rows)
        assert rows[-1].pulses == 300
        boot = store.boots["house", clocks.boot_id()]
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
    journal = Journal(tmp_path / "var/lib/pimains/meter/journal.sqlite", tmp_path / "recent")
    assert journal.pulses() == 80
    kept = journal.unsent(10**6)[1]
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
    before = max(row.sequence for row in store.rows.values())
    (tmp_path / "var/lib/pimains/meter/journal.sqlite").write_bytes(b"no database" * 1000)
    (tmp_path / "var/lib/pimains/meter/journal.sqlite-wal").unlink(missing_ok=True)
    with rehearse(tmp_path, COLLECTOR=url, TOKEN="secret") as meter:
        pulse(pin, 7)
        meter.advance(60)
        assert shown(meter, "total") == "0.077"
        until(lambda: any(row.pulses == 77 for row in store.rows.values()), 60)
        assert min(row.sequence for row in store.rows.values() if row.pulses > 70) > before  # or it would be taken for sent twice
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

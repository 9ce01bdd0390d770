"""Journals and requests of release 0.1.0, as its own code made them (tests/shared/release_0_1_0/make.py)."""

import shutil
from pathlib import Path

import pytest

from pimains.meter.own_readings import OwnReadings
from pimains.shared.plan import delivery
from pimains.shared.plan.delivery import Answer, Batch, Boot, Run
from pimains.shared.readings.journal import Journal

MADE = Path(__file__).parents[1] / "release_0_1_0"
BOOTS = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def meter(tmp_path: Path) -> OwnReadings:
    for name in ("meter", "recent"):
        shutil.copy(MADE / f"{name}.sqlite", tmp_path)
    return OwnReadings(tmp_path / "meter.sqlite", tmp_path / "recent.sqlite")


@pytest.fixture
def collector(tmp_path: Path) -> Journal:
    return Journal(shutil.copy(MADE / "collector.sqlite", tmp_path))


def test_a_meters_journal_is_taken_over_with_what_is_recent_and_what_was_accepted(meter: OwnReadings) -> None:
    assert meter.belongs_to("house") is None
    assert (meter.pulses(), meter.waiting()) == (150, 7)
    asked = meter.unsent(100)
    assert [(reading.boot, reading.sequence) for reading in asked.readings] == [
        *((BOOTS[0], number) for number in (4, 5)),
        *((BOOTS[1], number) for number in range(1, 6)),
    ]
    assert asked.boots == {BOOTS[0]: Boot(1_790_000_000.0, True), BOOTS[1]: Boot(1_790_001_000.0, True)}
    assert asked.runs == {BOOTS[0]: Run(BOOTS[0], 3), BOOTS[1]: Run(BOOTS[1], 0)}


def test_the_boot_of_the_update_is_one_run_of_the_last_release_and_one_of_this(meter: OwnReadings) -> None:
    meter.enter_run("house", "r", BOOTS[1], Boot(1_790_005_000.0, synchronised=True))
    boots = meter.unsent(100).boots
    assert (boots[BOOTS[1]], boots["r"]) == (Boot(1_790_005_000.0, True), Boot(1_790_005_000.0, True))
    assert boots[BOOTS[0]] == Boot(1_790_000_000.0, True)


def test_a_request_of_a_meter_of_that_release_is_stored_and_answered_as_before(tmp_path: Path, collector: Journal) -> None:
    batch = delivery.read((MADE / "request.json").read_bytes())
    assert collector.store_sent(batch) == ({}, 0)  # it has them
    other = Journal(tmp_path / "other.sqlite")
    assert other.store_sent(batch) == ({}, 7)
    assert delivery.read_answer(delivery.acknowledged(batch)).accepted == {BOOTS[0]: 5, BOOTS[1]: 5}


def test_a_collector_of_that_release_answers_a_request_of_this_one_as_its_own_meter(meter: OwnReadings) -> None:
    asked = meter.unsent(100)
    answer = delivery.read_answer((MADE / "answer.json").read_bytes())
    assert answer == Answer({BOOTS[0]: 5, BOOTS[1]: 5}, {})
    assert meter.acknowledge(asked, answer) == (0, frozenset(), 0)
    assert meter.waiting() == 0


def test_a_meter_after_its_update_sends_nothing_again_to_a_collector_after_its(meter: OwnReadings, collector: Journal) -> None:
    meter.belongs_to("house")
    meter.ask_again()
    asked = meter.unsent(100)
    known, new = collector.store_sent(Batch("house", "kWh", 1000, None, asked.boots, asked.readings, asked.runs))
    assert (known, new) == ({BOOTS[0]: 5, BOOTS[1]: 5}, 0)

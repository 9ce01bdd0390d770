"""What a demo's collector is said to have recorded before: it could have been so."""

import time
from pathlib import Path

import pytest

from pimains.house import solar_year
from pimains.shared.plan.known_seconds import UNKNOWN_SECONDS
from pimains.shared.readings.journal import Journal

DAYS = 40


def test_its_values_are_those_of_a_house_and_all_of_its_time_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solar_year, "DAYS", DAYS)
    now = time.time()
    batches = {each.source: each for each in solar_year.batches(now, 5500, 500)}
    assert list(batches) == list(solar_year.RECORDED)
    for batch in batches.values():
        (boot,) = batch.boots.values()
        assert boot.offset == pytest.approx(now - DAYS * 86_400)
        assert now - (boot.offset or 0) - batch.readings[-1].uptime <= 300
        for before, after in zip(batch.readings, batch.readings[1:], strict=False):
            assert 0 < after.uptime - before.uptime <= UNKNOWN_SECONDS * (after.sequence - before.sequence)
    values = {name: [each.pulses for each in batch.readings] for name, batch in batches.items()}
    assert 0 == min(values["vedirect.mppt/PPV"]) < max(values["vedirect.mppt/PPV"]) <= 5500
    assert 0 <= min(values["vedirect.bmv/SOC"]) < max(values["vedirect.bmv/SOC"]) <= 100
    assert min(values["vedirect.bmv/P"]) < 0 < max(values["vedirect.bmv/P"])
    for relay in (1, 2, 3):
        assert set(values[f"relays/{relay}.state"]) == {0.0, 1.0}
    journal = Journal(tmp_path / "journal.sqlite")
    journal.store_all(batches.values())
    assert journal.lacks("vedirect.bmv/P", batches["vedirect.bmv/P"].readings) == 0
    journal.close()

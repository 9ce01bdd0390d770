"""The count that survives kill -9 and power cuts: meter/pulse_count.py."""

from pathlib import Path

import pytest

from pimains.meter.pulse_count import PulseCount

BOOT, NEXT_BOOT = "0" * 36, "1" * 36


def pulse_count(tmp_path: Path, boot: str = BOOT, at_least: int = 0) -> PulseCount:
    return PulseCount(tmp_path / "live", tmp_path / "saved", boot, at_least)


def count(counted: PulseCount, times: int) -> None:
    for number in range(times):
        counted.contact(True, True, float(number))
        counted.contact(False, False)


def test_a_count_goes_on_after_a_kill_without_any_commit(tmp_path: Path) -> None:
    before = pulse_count(tmp_path)
    count(before, 5)
    before.per_hour = 1.5
    after = pulse_count(tmp_path)  # the other one was never closed
    assert (after.pulses, after.pulse_at, after.per_hour, after.had_closed) == (5, 4.0, 1.5, False)


def test_after_a_power_cut_it_is_what_was_committed_last(tmp_path: Path) -> None:
    before = pulse_count(tmp_path)
    for _ in range(3):
        count(before, 5)
        before.commit()
    count(before, 3)
    (tmp_path / "live").unlink()
    after = pulse_count(tmp_path, NEXT_BOOT)
    assert (after.pulses, after.pulse_at, after.per_hour) == (15, None, None)


def test_what_another_boot_left_in_its_memory_does_not_count(tmp_path: Path) -> None:
    before = pulse_count(tmp_path)
    count(before, 5)
    before.commit()
    count(before, 3)
    assert pulse_count(tmp_path, NEXT_BOOT).pulses == 5


@pytest.mark.parametrize("sector", [0, 1])
def test_a_sector_that_a_power_cut_tore_leaves_the_other(tmp_path: Path, sector: int) -> None:
    before = pulse_count(tmp_path)
    count(before, 5)
    before.commit()
    count(before, 5)
    before.commit()
    with (tmp_path / "saved").open("r+b") as file:
        file.seek(sector * 512 + 20)
        file.write(b"\xff" * 100)
    (tmp_path / "live").unlink()
    # the serial of the last commit is 2: it is in sector 0
    assert pulse_count(tmp_path, NEXT_BOOT).pulses == (5 if sector == 0 else 10)


def test_a_count_that_is_lost_begins_where_the_journal_ends(tmp_path: Path) -> None:
    assert pulse_count(tmp_path, at_least=17).pulses == 17
    assert pulse_count(tmp_path, at_least=3).pulses == 17


def test_a_commit_of_what_is_committed_writes_nothing(tmp_path: Path) -> None:
    counted = pulse_count(tmp_path)
    count(counted, 2)
    counted.commit()
    before = (tmp_path / "saved").read_bytes()
    counted.commit()
    assert (tmp_path / "saved").read_bytes() == before
    assert len(before) == 1024

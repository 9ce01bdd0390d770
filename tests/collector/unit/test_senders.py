"""Two meters that send as one source: collector/plan/senders.py."""

import pytest

from pimains.collector.plan.senders import SILENT_SECONDS, Senders
from pimains.shared.plan.delivery import Batch, Boot, Reading, Run
from pimains.shared.readings.plan.heard_run import HeardRun

FIRST, CLONE = "11111111-first", "22222222-clone"
SURE = Boot(1000.0, synchronised=True)


def heard(run: str, first: float, last: float, boot: Boot = SURE, kernel_boot: str = "") -> HeardRun:
    return HeardRun(run, kernel_boot or run, "pi", boot, first, last)


def sent(run: str, first: float, last: float, boot: Boot = SURE, kernel_boot: str = "") -> Batch:
    rows = [Reading(run, int(at), None, at, 7) for at in (first, last)]
    return Batch("house", "kWh", 1000, None, {run: boot}, rows, {run: Run(kernel_boot or run, 0)}, run, "pi")


@pytest.mark.parametrize("kernel_boot", ["", "one"], ids=["two machines", "two services of one machine"])
def test_both_are_refused_until_one_of_them_sends_no_more(kernel_boot: str) -> None:
    def first(last: float) -> Batch:
        return sent(FIRST, 5005, last, kernel_boot=kernel_boot)

    senders = Senders()
    stored = [heard(FIRST, 0, 5000, kernel_boot=kernel_boot), heard(CLONE, 5010, 5020, kernel_boot=kernel_boot)]
    assert senders.refusal(first(5100), stored, now=0) == ""  # ten seconds are a clock that was put right
    stored[1] = heard(CLONE, 5010, 5200, kernel_boot=kernel_boot)
    words = senders.refusal(first(5300), stored, now=0)
    of = [f"pi (boot {(kernel_boot or run)[:8]})" for run in (CLONE, FIRST)]
    assert words == f"two meters send as house: {of[0]} and {of[1]}; give one of them another SOURCE"
    assert senders.refusal(sent(CLONE, 5205, 5210, kernel_boot=kernel_boot), stored, now=30) == words
    assert senders.trouble(30) == words
    assert senders.refusal(first(5700), stored, now=29 + SILENT_SECONDS) == words
    assert senders.refusal(first(5700), stored, now=31 + SILENT_SECONDS) == ""
    assert (senders.trouble(31 + SILENT_SECONDS), senders.are_two("house")) == ("", False)


def test_late_readings_of_a_run_that_ended_before_another_began_are_welcome() -> None:
    senders = Senders()
    stored = [heard(FIRST, 0, 5000), heard(CLONE, 6000, 9000)]
    assert senders.refusal(sent(FIRST, 5005, 5990), stored, now=0) == ""
    assert senders.refusal(sent("before", 0, 90, Boot(0.0, synchronised=True)), stored, now=0) == ""


def test_a_clock_that_is_not_sure_accuses_nobody() -> None:
    senders = Senders()
    stored = [heard(FIRST, 0, 5000)]
    assert senders.refusal(sent(CLONE, 0, 4000, Boot(1500.0)), stored, now=0) == ""
    assert senders.refusal(sent(CLONE, 0, 4000, Boot(None)), stored, now=0) == ""


def test_a_source_that_was_two_once_and_is_one_now_goes_on() -> None:
    senders = Senders()
    stored = [heard(FIRST, 0, 50_000), heard(CLONE, 5010, 5200)]
    assert senders.refusal(sent(FIRST, 50_005, 50_010), stored, now=0) == ""

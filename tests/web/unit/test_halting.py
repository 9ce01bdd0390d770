"""How far a shutdown has come, by the lines of its progress."""

import pytest

from pimains.web.plan import halting
from pimains.web.plan.halting import Stage, Step
from pimains.web.plan.intents import SECONDS, Intent, Intents
from pimains.web.plan.outages import Row, last


@pytest.mark.parametrize(
    ("progress", "stage", "can"),
    [
        ([], Stage.ACCEPTED, True),
        (["05-update started"], Stage.STEPS, True),
        (["05-update done in 0.1 s", "80-plug started"], Stage.NO_RETURN, False),
        (["80-plug started", "80-plug done in 0.1 s", "HALT_COMMAND done in 0.1 s"], Stage.DOWN, False),
        (["80-plug started", "HALT_COMMAND failed (exit 1): no", "called off: HALT_COMMAND failed"], Stage.CALLED_OFF, True),
        (["05-update started", "cancelled by anna"], Stage.CANCELLED, False),
        (["05-update started", "over: the request was removed"], Stage.CANCELLED, False),
        (["also asked for\tthe UPS is low\tups\tfinal"], Stage.ACCEPTED, False),
    ],
)
def test_each_progress_has_its_stage(progress: list[str], stage: Stage, can: bool) -> None:
    found = halting.of(progress, is_accepted=True, is_waiting=True)
    assert (found.stage, found.can_be_cancelled) == (stage, can)


def test_a_request_that_waits_is_asked_and_can_be_taken_back() -> None:
    assert halting.of([], is_accepted=False, is_waiting=True)[:3] == (Stage.ASKED, [], True)
    assert halting.of([], is_accepted=False, is_waiting=False)[:3] == (Stage.NONE, [], False)


def test_a_final_request_cannot_be_cancelled_and_a_rehearsal_cuts_nobody() -> None:
    assert not halting.of([], is_accepted=True, is_waiting=True, is_final=True).can_be_cancelled
    assert halting.of(["80-plug started"], is_accepted=True, is_waiting=True, is_rehearsal=True).stage is Stage.STEPS


def test_steps_stand_in_their_order_as_they_are_now() -> None:
    progress = [
        "also asked for\tfire\tanna",
        "05-update started",
        "05-update done in 0.1 s",
        "20-shares started",
        "20-shares failed (exit 1): no",
    ]
    progress += ["50-drives started", "85-ups left out of a rehearsal"]
    assert halting.steps(progress) == [
        Step("05-update", "done", "done in 0.1 s"),
        Step("20-shares", "failed", "failed (exit 1): no"),
        Step("50-drives", "runs", ""),
        Step("85-ups", "left out", "left out of a rehearsal"),
    ]


def test_an_intent_is_carried_out_once_in_time_and_by_its_session() -> None:
    intents, intent = Intents(), Intent("halt", "", "bedtime", "session")
    intents.begin("token", intent, 0.0)
    assert intents.of("token", "another", 1.0) is None
    assert intents.of("token", "session", SECONDS) is None
    assert intents.of("token", "session", SECONDS - 1) == intent
    intents.end("token")
    assert intents.of("token", "session", 1.0) is None


def test_there_are_never_many_intents() -> None:
    intents = Intents()
    for number in range(100):
        intents.begin(str(number), Intent("halt", "", "", "session"), 0.0)
    assert [intents.of(str(number), "session", 0.0) is not None for number in (0, 67, 68, 99)] == [False, False, True, True]


def test_the_last_outage_is_the_newest_rows_without_a_night_between_them() -> None:
    rows = [Row(at, "ups ups", "asked", "") for at in (50_000.0, 0.0, 51_000.0, 100.0)]
    assert [row.wall for row in last(rows)] == [50_000.0, 51_000.0]
    assert last([]) == []

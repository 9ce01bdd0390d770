"""Whose requests there are beside the one that is carried out, and what a cancel leaves of them."""

from pimains.halt.plan.askers import FINAL, REHEARSAL, Asked, Left, goes_on_under, left, others, under, was_heard, withdrawn
from pimains.shared.plan import step_progress

UPS, PLUG = Asked("battery low", "ups"), Asked("switched off", "plug", FINAL)
PROGRESS = ["20-clients started", UPS.line, "20-clients done in 1.0 s", PLUG.line]


def test_who_asked_as_well_is_read_from_the_progress_until_he_asks_no_longer() -> None:
    assert others(PROGRESS) == [UPS, PLUG]
    assert [each.is_final for each in others(PROGRESS)] == [False, True]
    assert others([*PROGRESS, withdrawn("ups", "5")]) == [PLUG]
    assert others([*PROGRESS, withdrawn("ups", "5"), UPS.line]) == [PLUG, UPS]
    assert others(["also asked for"]) == [Asked("", "")]
    assert step_progress.what_ran([*PROGRESS, withdrawn("ups", "5"), goes_on_under(PLUG)]) == ["20-clients"]


def test_under_whose_request_it_goes_on_is_known_after_a_kill_and_so_is_a_cancel_that_was_heard() -> None:
    goes_on = [*PROGRESS, withdrawn("anna", "5"), goes_on_under(UPS)]
    assert (under(PROGRESS), under(goes_on)) == (None, UPS)
    assert others(goes_on) == [PLUG]
    assert (was_heard(goes_on, "5"), was_heard(goes_on, "6"), was_heard(PROGRESS, "")) == (True, False, False)
    assert under([*goes_on, goes_on_under(PLUG)]) == PLUG


def test_a_cancel_leaves_what_others_asked_for() -> None:
    assert left("anna", "anna", [], only_own=False) == Left(stays_up=True)
    assert left("anna", "ups", [], only_own=False) == Left(stays_up=True)
    assert left("anna", "ups", [Asked("as well", "ups")], only_own=False) == Left(stays_up=True)
    assert left("anna", "anna", [UPS], only_own=False) == Left(stays_up=False, under=UPS)
    assert left("anna", "anna", [Asked("as well", "anna"), UPS], only_own=False) == Left(stays_up=False, under=UPS)
    assert left("anna", "anna", [Asked("to try", "ben", REHEARSAL)], only_own=False) == Left(stays_up=True)


def test_who_takes_back_only_his_own_leaves_the_request_under_way() -> None:
    assert left("ups", "plug", [UPS], only_own=True) == Left(stays_up=False)
    assert left("ups", "ups", [], only_own=True) == Left(stays_up=True)
    assert left("ups", "ups", [PLUG], only_own=True) == Left(stays_up=False, under=PLUG)

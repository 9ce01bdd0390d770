"""What a shutdown's progress tells: which steps were run, whether the power will be cut, what is told after a cancel."""

from pathlib import Path

import pytest

from pimains.shared import halt_request
from pimains.shared.plan import step_progress

TOLD = ["20-clients started", "20-clients done in 0.1 s", "80-plug started", "80-plug done in 0.2 s"]
CALLED_OFF = [*TOLD, "HALT_COMMAND started", "HALT_COMMAND failed (exit 1): no", "called off: HALT_COMMAND failed"]


def test_a_step_that_was_only_started_has_not_ended() -> None:
    assert not step_progress.has_ended(["20-clients started"], "20-clients")
    assert step_progress.has_ended(["20-clients started", "20-clients failed (exit 1): no"], "20-clients")
    assert not step_progress.has_ended(["20-clients-too done in 0.1 s"], "20-clients")


def test_the_power_will_be_cut_from_the_start_of_a_step_numbered_80_or_above() -> None:
    assert not step_progress.will_be_cut(["79-last started", "79-last done in 0.1 s"])
    assert step_progress.will_be_cut(["80-plug started"])
    assert step_progress.will_be_cut(["95-ups started"])


def test_after_a_call_off_only_the_steps_that_others_act_upon_are_to_be_run_again() -> None:
    assert not step_progress.will_be_cut(CALLED_OFF)
    assert not step_progress.has_ended(CALLED_OFF, "80-plug")
    assert step_progress.has_ended(CALLED_OFF, "20-clients")
    assert step_progress.will_be_cut([*CALLED_OFF, "80-plug started"])
    assert step_progress.has_ended([*CALLED_OFF, "80-plug started", "80-plug done in 0.2 s"], "80-plug")


def test_of_several_call_offs_the_last_counts() -> None:
    assert not step_progress.will_be_cut([*CALLED_OFF, *CALLED_OFF])


def test_only_what_did_well_has_succeeded() -> None:
    assert not step_progress.has_succeeded(CALLED_OFF, "HALT_COMMAND")
    done = [*CALLED_OFF, "HALT_COMMAND done in 0.1 s"]
    assert step_progress.has_succeeded(done, "HALT_COMMAND")
    assert not step_progress.has_succeeded([*done, "called off: it is still up 300 s after HALT_COMMAND"], "HALT_COMMAND")


def test_what_ran_names_each_program_once_and_nothing_else() -> None:
    assert step_progress.what_ran([*CALLED_OFF, "cancel refused to ann"]) == ["20-clients", "80-plug", "HALT_COMMAND"]


def test_what_was_started_below_80_is_to_be_undone_when_somebody_cancels() -> None:
    progress = ["50-drives started", "50-drives done in 1.0 s", "60-usb started", "80-plug done in 0.1 s", "cancelled by anna"]
    undone = [name for name in ("45-none", "50-drives", "60-usb", "80-plug") if step_progress.is_to_be_undone(progress, name)]
    assert undone == ["50-drives", "60-usb"]
    assert step_progress.who_cancelled(progress) == "anna"
    assert step_progress.who_cancelled(progress[:-1]) == ""
    assert "cancelled" not in step_progress.what_ran(progress)


def test_nobody_is_to_cut_while_a_shutdown_is_called_off_until_they_are_told_once_more() -> None:
    assert not step_progress.is_called_off([])
    assert not step_progress.is_called_off(TOLD)
    assert step_progress.is_called_off(CALLED_OFF)
    assert not step_progress.is_called_off([*CALLED_OFF, "80-plug started"])
    assert step_progress.is_called_off(["80-plug started", "cancelled by anna"])
    assert step_progress.is_called_off(["80-plug started", "over: the request was removed"])


@pytest.mark.parametrize(("lines", "is_going_down"), [(TOLD, True), (CALLED_OFF, False), ([*TOLD, "cancelled by anna"], False)])
def test_a_plug_is_told_again_only_of_a_shutdown_that_is_not_called_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], is_going_down: bool
) -> None:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    assert halt_request.is_going_down() is None
    (tmp_path / "run/pimains/halt").mkdir(parents=True)
    halt_request.keep_files()
    halt_request.ask("bedtime", "ben")
    assert halt_request.take()
    halt_request.note_progress(lines)
    assert halt_request.is_going_down() is is_going_down

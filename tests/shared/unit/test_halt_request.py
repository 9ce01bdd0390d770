"""Requests and cancels as people write them, with echo."""

import time
from pathlib import Path

import pytest

from pimains.shared import halt_request


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    halt_request.directory().mkdir(parents=True)
    return halt_request.directory()


def is_filled_meanwhile(file: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What echo does: the file is there first, and what stands in it comes while the service looks."""
    echo = file.open("w")

    def pause(_: float) -> None:
        echo.write(text)
        echo.close()

    monkeypatch.setattr(time, "sleep", pause)


def test_a_request_that_echo_has_not_filled_yet_is_taken_with_its_reason(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    is_filled_meanwhile(run / "request", "UPS battery low\nups\n", monkeypatch)
    assert halt_request.take() == halt_request.HaltRequest("UPS battery low", "ups")


def test_who_cancels_with_echo_is_named(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    is_filled_meanwhile(run / "cancel", "anna\n", monkeypatch)
    assert halt_request.who_cancels() == "anna"


def test_an_empty_request_is_one_too_and_needs_no_patience(run: Path) -> None:
    (run / "request").touch()
    began = time.monotonic()
    assert halt_request.take() == halt_request.HaltRequest("no reason given", "somebody")
    assert time.monotonic() - began < 30

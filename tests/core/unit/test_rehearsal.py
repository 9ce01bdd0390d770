"""The rehearsal: services stepped under a clock that moves only when told."""

import os
import time
from pathlib import Path

import pytest

from pimains.core.service import Instance, Naps, Stop, seconds, within
from pimains.core.settings import Settings, command, number
from pimains.house.rehearsal import Rehearsal


class ExampleSettings(Settings):
    HALT_COMMAND = command()
    STEP_SECONDS_MAX = number(1, 3600)


class Counter:
    """A service that notes when it is woken."""

    def __init__(self) -> None:
        self.woken: list[float] = []
        self.out, self.inward = os.pipe()

    def fileno(self) -> int:
        return self.out

    def main(self, me: Instance, settings: ExampleSettings) -> Naps:
        me.status("ready")
        start = me.clock.monotonic()
        try:
            while True:
                ready = yield within(settings.STEP_SECONDS_MAX, self)
                self.woken.append(me.clock.monotonic() - start)
                for file in ready:
                    os.read(file.fileno(), 1)
                if len(self.woken) == 1:
                    me.status("woken")
        except Stop:
            yield seconds(5)
            me.status("said goodbye")

    def rehearsal(self, root: Path, **variables: str) -> Rehearsal:
        return Rehearsal(self.main, ExampleSettings, "halt", root, **variables)


def test_a_day_passes_in_moments(tmp_path: Path) -> None:
    counter = Counter()
    started = time.monotonic()
    with counter.rehearsal(tmp_path, STEP_SECONDS_MAX="30") as service:
        service.advance(86400)
    assert len(counter.woken) == 86400 / 30
    assert counter.woken[:3] == [30, 60, 90]
    assert time.monotonic() - started < 100


def test_time_passes_as_far_as_it_is_told_and_naps_go_on(tmp_path: Path) -> None:
    counter = Counter()
    with counter.rehearsal(tmp_path, STEP_SECONDS_MAX="30") as service:
        service.advance(29)
        assert counter.woken == []
        assert service.clock.monotonic() == 129
        service.advance(1)
        assert counter.woken == [30]


def test_the_defaults_are_those_of_the_services_variables(tmp_path: Path) -> None:
    counter = Counter()
    with counter.rehearsal(tmp_path) as service:
        service.advance(119)
        assert counter.woken == []
        service.advance(1)
        assert service.status == "woken"


def test_what_is_readable_is_handed_over_at_once(tmp_path: Path) -> None:
    counter = Counter()
    with counter.rehearsal(tmp_path, STEP_SECONDS_MAX="30") as service:
        os.write(counter.inward, b"xx")
        service.advance(0)
        assert counter.woken == [0, 0]
        service.advance(30)
        assert counter.woken == [0, 0, 30]


def test_a_goodbye_may_take_its_time(tmp_path: Path) -> None:
    with Counter().rehearsal(tmp_path) as service:
        service.stop(4)
        assert not service.ended
        service.advance(1)
        assert service.ended
        assert service.status == "said goodbye"


def test_a_service_that_never_lets_time_pass_is_found_out(tmp_path: Path) -> None:
    def busy(me: Instance, settings: ExampleSettings) -> Naps:
        while True:
            yield seconds(0)

    with pytest.raises(RuntimeError, match="round and round"):
        Rehearsal(busy, ExampleSettings, "halt", tmp_path).__enter__()


def test_the_root_is_as_before_when_it_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIMAINS_ROOT", raising=False)
    with Counter().rehearsal(tmp_path):
        assert os.environ["PIMAINS_ROOT"] == str(tmp_path)
    assert "PIMAINS_ROOT" not in os.environ

"""What a plug service knows of earlier halts."""

import shutil
from pathlib import Path

import pytest

from pimains.core import paths
from pimains.core.instance import Instance
from pimains.core.plan.budget import budget
from pimains.halt import step_files
from pimains.plug.halt_times import HaltTimes


def said(line: str) -> None:
    raise AssertionError(line)


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    me = Instance("plug", tmp_path / "etc/service/plug")
    me.run.mkdir(parents=True)
    return me


def test_a_halt_takes_what_its_steps_took_and_the_countdown(me: Instance) -> None:
    steps = step_files.steps()
    assert steps
    for step in steps:
        me.ledger.took(step.subject, 2.0)
        me.ledger.took(step.subject, 7.0)
    me.ledger.took("plug: halt", 100.0)
    me.ledger.took("another: halt", 300.0)
    times = HaltTimes(me, 240, said)
    me.with_ledger(times.remember)
    assert times.countdown_seconds() == 280
    assert times.measured_seconds() == 280 + (7 + 3) * len(steps)
    granted = budget([2.0, 7.0], 120) + 3  # seconds until it has obeyed TERM or KILL
    assert times.longest_seconds() == pytest.approx(280 + granted * (len(steps) - 1))  # without the one that waits for an upgrade


def test_without_a_ledger_a_halt_takes_as_long_as_it_may(me: Instance) -> None:
    times = HaltTimes(me, 240, said)
    me.ledger.path.mkdir(parents=True)
    assert me.with_ledger(times.remember) is None
    steps = len(step_files.steps())
    assert times.measured_seconds() == 240 + 4 * steps
    assert times.longest_seconds() == 240 + 123 * (steps - 1)


def test_how_long_a_halt_takes_at_most_is_said_by_the_settings_of_this_machines_halt_service(me: Instance) -> None:
    halt = me.directory.parent / "halt"
    shutil.copytree(paths.service_templates() / "halt/variables", halt / "variables")
    (halt / "run").symlink_to(paths.service_templates() / "halt/run")
    (halt / "variables/STEP_SECONDS_MAX").write_text("10\n")
    (halt / "variables/HALT_GRACE_SECONDS").write_text("30\n")
    steps = len(step_files.steps())
    assert HaltTimes(me, 240, said).longest_seconds() == 240 + 30 + 13 * (steps - 1)
    (halt / "variables/STEP_SECONDS_MAX").write_text("soon\n")
    assert HaltTimes(me, 240, said).longest_seconds() == 240 + 123 * (steps - 1)

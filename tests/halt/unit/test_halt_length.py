"""How long a halt takes, as the halt service leaves it and others read it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.core import paths
from pimains.core.instance import Instance
from pimains.core.plan.budget import budget
from pimains.halt import length, step_files
from pimains.halt.settings import HaltSettings
from pimains.shared import halt_length
from pimains.shared.halt_length import UNKNOWN, HaltLength
from tests.kit import until


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    me = Instance("halt", tmp_path / "etc/service/halt")
    for directory in (me.run, me.lib):
        directory.mkdir(parents=True)
    return me


def settings(**given: str) -> HaltSettings:
    defaults = {path.name: path.read_text().partition("\n")[0] for path in (paths.service_templates() / "halt/variables").iterdir()}
    return HaltSettings({**defaults, **given})


def left(me: Instance, **given: str) -> HaltLength:
    """What the halt service leaves with the steps there are."""
    (me.lib / "length").unlink(missing_ok=True)
    length.leave(me, settings(**given), step_files.steps())
    until(lambda: halt_length.read() != UNKNOWN)
    return halt_length.read()


def test_a_halt_takes_what_its_steps_took(me: Instance) -> None:
    steps = step_files.steps()
    assert steps
    for step in steps:
        me.ledger.took(step.subject, 2.0)
        me.ledger.took(step.subject, 7.0)
    granted = budget([2.0, 7.0], 120) + 3  # seconds until it has obeyed TERM or KILL
    found = left(me)
    assert found.measured == (7 + 3) * len(steps)
    assert found.longest == pytest.approx(granted * (len(steps) - 1), rel=1e-4)  # without the one that waits for an upgrade
    assert found.upgrade == 600


def test_without_a_ledger_a_halt_takes_as_long_as_it_may(me: Instance, capfd: pytest.CaptureFixture[str]) -> None:
    me.ledger.path.mkdir(parents=True)
    steps = len(step_files.steps())
    with capfd.disabled():  # what is captured goes to a file that a child of its own kind has closed
        assert left(me) == HaltLength(measured=4 * steps, longest=123 * (steps - 1), upgrade=600)


def test_how_long_a_halt_takes_at_most_is_said_by_the_settings(me: Instance) -> None:
    steps = len(step_files.steps())
    assert left(me, STEP_SECONDS_MAX="10", HALT_GRACE_SECONDS="30", UPGRADE_SECONDS_MAX="50")[1:] == (30 + 13 * (steps - 1), 50)


@given(st.text(alphabet="0123456789. -einfa\n", max_size=30))
def test_what_cannot_be_true_is_not_believed(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("root")
        patch.setenv("PIMAINS_ROOT", str(root))
        assert halt_length.read() == UNKNOWN
        (root / "var/lib/pimains/halt").mkdir(parents=True)
        (root / "var/lib/pimains/halt/length").write_text(text)
        found = halt_length.read()
        assert all(0 <= seconds < float("inf") for seconds in found)
        assert found == UNKNOWN or len(text.split()) == 3


def test_a_length_that_stays_the_same_is_not_written_again(me: Instance) -> None:
    first = left(me)
    written = (me.lib / "length").stat().st_ino
    halt_length.leave(first)
    assert (me.lib / "length").stat().st_ino == written

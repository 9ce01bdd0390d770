"""Whatever becomes of a file in variables/, the service waits and says which, or goes on with what stands there; it is never in a loop."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import damage
from tests.kit import House, TestInstance, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")
SAYS = {"torn": "ready", "of another owner": "ready"}


@pytest.fixture(scope="module")
def halt(house_of_module: House) -> TestInstance:
    halt = house_of_module.add("halt", HALT_COMMAND=house_of_module.recorder, STEP_SECONDS_MAX="60")
    until(lambda: halt.status == "ready")
    return halt


@pytest.fixture
def setting(halt: TestInstance) -> Iterator[Path]:
    """It is right again afterwards."""
    setting = halt.directory / "variables/STEP_SECONDS_MAX"
    right = setting.read_text()
    yield setting
    shutil.rmtree(setting) if setting.is_dir() else setting.unlink(missing_ok=True)
    setting.write_text(right)


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_a_damaged_setting_is_named(halt: TestInstance, setting: Path, name: str) -> None:
    damage.down(halt)
    (halt.run / "status").unlink()
    said = len(halt.log)
    damage.do(name, setting)
    halt.svc("-u")
    if name == "a directory":  # envdir itself cannot read it: its words are in the log, and `pimains status` names the file
        until(lambda: "STEP_SECONDS_MAX" in halt.log[said:], what=halt.story)
        return
    until(lambda: halt.status.startswith("ready") or "STEP_SECONDS_MAX" in halt.status, what=halt.log)
    damage.settled(halt)
    names = f"{halt.directory}/variables/STEP_SECONDS_MAX: " + ("" if name == "zeroed" else "is empty")
    assert halt.status.startswith(SAYS.get(name, names))

"""Whatever becomes of a file in variables/, the service waits and says which, or goes on with what stands there; it is never in a loop."""

import os

import pytest

from tests import damage
from tests.kit import House

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")
SAYS = {"torn": "ready", "of another owner": "ready"}


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_a_damaged_setting_is_named(house: House, name: str) -> None:
    halt = house.add("halt", HALT_COMMAND=house.recorder, STEP_SECONDS_MAX="60")
    house.until(lambda: halt.status == "ready")
    damage.down(halt)
    damage.do(name, halt.directory / "variables/STEP_SECONDS_MAX")
    halt.svc("-u")
    if name == "a directory":  # envdir itself cannot read it: its words are in the log, and `pimains status` names the file
        halt.until_logged("STEP_SECONDS_MAX")
        return
    house.until(lambda: halt.status.startswith("ready") or "STEP_SECONDS_MAX" in halt.status, what=halt.log)
    damage.settled(halt)
    names = f"{halt.directory}/variables/STEP_SECONDS_MAX: " + ("" if name == "zeroed" else "is empty")
    assert halt.status.startswith(SAYS.get(name, names))

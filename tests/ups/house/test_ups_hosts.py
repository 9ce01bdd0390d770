"""An outage takes another machine down and wakes it: a real upsd, a real sshd in a namespace, magic packets received by a real listener."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ups.neighbour import MAC, Neighbour
from tests.ups.street import Street, street

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
PACKET = "ff" * 6 + MAC.replace(":", "") * 16
OB = {"status": "OB DISCHRG", "charge": "90", "runtime": "3600"}
OL = {"status": "OL"}


@pytest.fixture
def there(nas: Neighbour) -> Iterator[Street]:
    with tempfile.TemporaryDirectory(prefix="pimains-street-", ignore_cleanup_errors=True) as top, street(Path(top), nas) as found:
        yield found


def test_a_host_goes_down_at_its_shed_at_and_is_woken_when_the_mains_are_back(there: Street) -> None:
    ups = there.begin(host={"SHED_AT": "after 2s"})
    there.upsd.say("eaton", **OB)
    there.until_step("told")
    assert there.nas.recorded() == ["off"]
    there.house.until(lambda: "shutting down nas" in ups.status, what=there.story)
    there.nas.is_off()
    there.until_step("down")
    there.house.until(lambda: "down: nas" in ups.status, what=there.story)
    with there.nas.listening() as heard:
        there.upsd.say("eaton", **OL)
        there.house.until(lambda: "the mains are back; nas will be woken in " in ups.status, what=there.story)
        there.until_step("woken")
        there.house.until(lambda: "waking nas" in ups.status, what=there.story)
        there.house.until(lambda: len(heard) >= 3, what=there.story)
        there.nas.is_on()
        there.house.until(lambda: not (ups.lib / "outage").exists(), what=there.story)
    assert set(heard) == {PACKET}
    there.house.until(lambda: ups.status == "on line, 90 %", what=there.story)
    assert there.nas.recorded() == ["off"]

"""What is rehearsed is what happens: a real outage with upsd, halt, sshd and magic packets, and the same acts in the same order."""

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.halt.halting import new_halt
from tests.ups.neighbour import MAC, Neighbour
from tests.ups.rehearsals import rehearse
from tests.ups.street import Street, street
from tests.ups.upsd import PASSWORD

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
PACKET = "ff" * 6 + MAC.replace(":", "") * 16
OB = {"status": "OB DISCHRG", "charge": "90", "runtime": "3600"}
LB = {"status": "OB DISCHRG LB", "charge": "19", "runtime": "760"}
PRIMARY = {"ROLE": "primary", "USERNAME": "anna", "PASSWORD": PASSWORD, "POWER": "1"}
_STEP = re.compile(r"host (\w+): [a-z ]+ -> (\w+)")
_PHASE = re.compile(r"[a-z ]+ -> (forced|delayed|asked|cutting|returning|waking): ")
_OF_BOTH = {"forced", "delayed", "asked", "cutting", "returning", "waking"}


@pytest.fixture
def there(nas: Neighbour) -> Iterator[Street]:
    with tempfile.TemporaryDirectory(prefix="pimains-street-", ignore_cleanup_errors=True) as top, street(Path(top), nas) as found:
        yield found


def happened(log: str) -> list[tuple[str, str]]:
    """Who came to what, by the log of the service."""
    found = []
    for line in log.splitlines():
        text = line.partition(" ")[2]
        if step := _STEP.fullmatch(text):
            found.append((step[1], step[2]))
        elif phase := _PHASE.match(text):
            found.append(("this machine", phase[1]))
    return found


def rehearsed(there: Street, *words: str) -> list[tuple[str, str]]:
    """Who comes to what, by a rehearsal of the same instance while its service runs; that an order was taken is in no log."""
    said = rehearse(there.house.root, there.house.scan, "--json", *words)
    assert (said.code, said.touched, said.errors) == (0, [], []), said.text
    return [(who, act) for who, act in said.acts() if (who == "nas" and act != "told") or act in _OF_BOTH]


def test_a_host_that_is_shed_and_woken(there: Street) -> None:
    ups = there.begin(host={"SHED_AT": "after 2s"})
    expected = rehearsed(there, "--lasting=1m")
    there.upsd.say("eaton", **OB)
    there.until_step("told")
    there.nas.is_off()
    there.until_step("down")
    with there.nas.listening() as heard:
        there.upsd.say("eaton", status="OL")
        there.house.until(lambda: len(heard) >= 3, what=there.story)
        there.nas.is_on()
        there.house.until(lambda: not (ups.lib / "outage").exists(), what=there.story)
    assert happened(ups.log) == expected
    assert expected == [
        ("nas", "ordered"),
        ("nas", "down"),
        ("this machine", "returning"),
        ("this machine", "waking"),
        ("nas", "woken"),
        ("nas", "up"),
    ]


def test_a_shutdown_of_all_with_the_cut_and_the_boot_after_it(there: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIMAINS_ROOT", str(there.house.root))
    ups = there.begin(power="1", **{name: value for name, value in PRIMARY.items() if name != "POWER"})
    new_halt(there.house)
    there.upsd.say("eaton", charge="100", runtime="600")
    there.house.until(lambda: ups.read("battery.runtime") == "600", what=there.story)
    expected = rehearsed(there, "--lasting=10m")
    there.upsd.say("eaton", **LB)
    there.until_step("told")
    there.nas.is_off()
    there.house.until(there.house.halts, what=there.story)
    assert there.nas.recorded() == ["off"]
    there.house.until(lambda: "-> cutting" in ups.log, what=there.story)
    there.lose_power()
    there.upsd.reboot("OL")
    with there.nas.listening() as heard:
        there.boot()
        there.house.until(lambda: len(heard) >= 3, what=there.story)
        there.nas.is_on()
        there.house.until(lambda: not (ups.lib / "outage").exists(), what=there.story)
    assert happened(ups.log) == expected

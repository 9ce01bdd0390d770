"""An outage takes another machine down and wakes it: a real upsd, a real sshd in a namespace, magic packets received by a real listener."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.halt.halting import new_halt
from tests.ups.commanded import Commanded
from tests.ups.messages import Queue
from tests.ups.neighbour import MAC, Neighbour
from tests.ups.street import Street, street
from tests.ups.upsd import PASSWORD

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
PACKET = "ff" * 6 + MAC.replace(":", "") * 16
OB = {"status": "OB DISCHRG", "charge": "90", "runtime": "3600"}
OL = {"status": "OL"}


def steps(there: Street) -> dict[str, object]:
    return {name: each["step"] for name, each in there.outage().items()}


@pytest.fixture
def there(nas: Neighbour) -> Iterator[Street]:
    with tempfile.TemporaryDirectory(prefix="pimains-street-", ignore_cleanup_errors=True) as top, street(Path(top), nas) as found:
        yield found


def test_a_host_goes_down_at_its_shed_at_and_is_woken_when_the_mains_are_back(there: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Queue(there.house, monkeypatch)
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
    assert [event for event in queue.events() if event not in ("ups-onbatt", "ups-online")] == ["ups-shed", "ups-waking", "ups-back"]


def test_forgotten_hosts(there: Street) -> None:
    """Scenario 12."""
    ups = there.begin(host={"SHED_AT": "after 2s"})
    there.upsd.say("eaton", **OB)
    there.until_step("told")
    there.nas.is_off()
    there.until_step("down")
    there.lose_power()
    with there.nas.listening() as heard:
        there.boot()
        there.house.until(lambda: "down: nas" in ups.status, what=there.story)
        there.upsd.say("eaton", **OL)
        there.house.until(lambda: heard == [PACKET] * 3, what=there.story)
        there.nas.is_on()
        there.house.until(lambda: not (ups.lib / "outage").exists(), what=there.story)
    assert there.nas.recorded() == ["off"]


def test_magic_packet_missed(there: Street) -> None:
    """Scenario 13: the first three are lost on the way, and the host comes with the next."""
    ups = there.begin(host={"SHED_AT": "after 2s"})
    there.upsd.say("eaton", **OB)
    there.until_step("told")
    there.nas.is_off()
    there.until_step("down")
    with there.nas.listening() as heard:
        there.upsd.say("eaton", **OL)
        there.house.until(lambda: len(heard) > 3, what=there.story)
        assert there.outage()["nas"]["step"] == "woken"
        there.nas.is_on()
        there.house.until(lambda: not (ups.lib / "outage").exists(), what=there.story)
    ups.until_logged("waking -> well: the other machines: nas ")


def test_a_host_that_does_not_come_is_told_by_name(there: Street) -> None:
    ups = there.begin(host={"SHED_AT": "after 2s"}, WAKE_GIVE_UP_SECONDS="10")
    there.upsd.say("eaton", **OB)
    there.until_step("told")
    there.nas.is_off()
    there.until_step("down")
    there.upsd.say("eaton", **OL)
    there.house.until(lambda: not (ups.lib / "outage").exists(), what=there.story)
    ups.until_logged("waking -> well: the other machines: nas (nas ")
    there.nas.is_on()


def test_a_host_that_refuses_the_key_is_told_and_holds_up_nobody(there: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Queue(there.house, monkeypatch)
    ups = there.begin(host={"SHED_AT": "after 2s"})
    (there.nas.top / "authorized_keys").write_text("")
    there.upsd.say("eaton", **OB)
    there.until_step("untold")
    ups.until_logged("host nas: root@10.92.0.2: does not take our key: the line that")
    there.house.until(lambda: "ups-untold" in queue.events(), what=there.story)
    [post] = [post for post in queue.posts() if post.event == "ups-untold"]
    assert "a machine that was to shut down does not do it: nas: root@10.92.0.2: does not take our key" in post.subject
    there.upsd.say("eaton", **OL)
    there.house.until(lambda: not (ups.lib / "outage").exists(), what=there.story)
    assert there.nas.recorded() == []


def test_a_primary_waits_for_its_host_before_it_asks_for_halt(there: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIMAINS_ROOT", str(there.house.root))
    halt = new_halt(there.house)
    ups = there.begin(power="1", ROLE="primary", USERNAME="anna", PASSWORD=PASSWORD)
    there.upsd.say("eaton", status="OB LB", charge="60", runtime="3600")
    there.until_step("told")
    there.house.until(lambda: "shutting down nas" in ups.status, what=there.story)
    assert "-> asked" not in ups.log
    there.nas.is_off()
    there.house.until(there.house.halts, what=lambda: there.story() + halt.story())
    assert ups.log.index("host nas: told -> down") < ups.log.index("delayed -> asked")
    assert there.nas.recorded() == ["off"]
    there.nas.is_on()


def test_a_person_ends_an_outage_and_nobody_is_woken(there: Street) -> None:
    ups = there.begin(host={"SHED_AT": "after 2s"}, WAKE_AFTER_SECONDS="600")
    there.upsd.say("eaton", **OB)
    there.until_step("told")
    there.nas.is_off()
    there.until_step("down")
    there.upsd.say("eaton", **OL)
    there.house.until(lambda: "nas will be woken in " in ups.status, what=there.story)
    assert there.nas.pimains(there.house, "ups").stdout == "ups: eaton: on line, 90 %\nups: hosts: nas is down\n"
    with there.nas.listening() as heard:
        said = there.nas.pimains(there.house, "ups", "cancel")
        assert said.stdout == "ups: the outage is over, and nobody is woken\n"
        there.house.until(lambda: ups.status == "on line, 90 %", what=there.story)
    assert heard == []
    there.nas.is_on()


def test_a_host_goes_by_the_ups_that_feeds_it(nas: Neighbour) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="pimains-street-", ignore_cleanup_errors=True) as top,
        street(Path(top), nas, "eaton", "cellar") as there,
    ):
        upses = f"eaton@127.0.0.1:{there.upsd.port} cellar@127.0.0.1:{there.upsd.port}"
        tv = {"CLIENT": "10.92.0.2", "WAKE": "no"}
        there.begin(host={"SHED_AT": "after 1s", "UPS": "cellar"}, others={"tv": tv}, UPS=upses)
        there.upsd.say("eaton", status="OB LB", charge="12", runtime="120")
        there.house.until(lambda: there.outage().get("tv", {}).get("step") == "told", what=there.story)
        assert "nas" not in there.outage()
        found = json.loads(there.nas.pimains(there.house, "ups", "--json").stdout)["ups"]
        assert (found["eaton"]["hosts"].keys(), found["cellar"]["hosts"].keys()) == ({"tv"}, {"nas", "tv"})
        assert found["eaton"]["hosts"]["tv"]["words"] == "is going down"
        assert found["cellar"]["hosts"]["nas"]["step"] is None
        there.upsd.say("cellar", **OB)
        there.until_step("told")
        assert there.nas.recorded() == ["off"]
        listed = there.nas.pimains(there.house, "ups", "host", "list").stdout.splitlines()
        assert listed[0].split() == ["HOST", "GOES", "BY", "UPS", "AFTER", "SHED", "AT", "WAKE", "MAC", "LAST", "PROOF"]
        told = json.loads(there.nas.pimains(there.house, "ups", "host", "list", "--json").stdout)["hosts"]
        assert [(each["host"], each["goes_by"], each["fed_by"]) for each in told] == [
            ("nas", "root@10.92.0.2", ["cellar"]),
            ("tv", "NUT client 10.92.0.2", ["eaton", "cellar"]),
        ]


def test_a_host_is_woken_when_the_ups_that_feeds_it_is_well_though_another_is_away(nas: Neighbour) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="pimains-street-", ignore_cleanup_errors=True) as top,
        street(Path(top), nas, "eaton", "cellar") as there,
    ):
        upses = f"eaton@127.0.0.1:{there.upsd.port} cellar@127.0.0.1:{there.upsd.port}"
        ups = there.begin(host={"SHED_AT": "after 1s", "UPS": "eaton"}, UPS=upses, WAKE_AFTER_SECONDS="0")
        there.upsd.kill_driver("cellar")
        there.upsd.say("eaton", **OB)
        there.until_step("told")
        there.nas.is_off()
        there.until_step("down")
        with there.nas.listening() as heard:
            there.upsd.say("eaton", **OL)
            there.house.until(lambda: len(heard) >= 3, what=there.story)
            assert "cellar no data" in ups.status
            there.nas.is_on()
            there.house.until(lambda: not (ups.lib / "outage").exists(), what=there.story)


def test_a_host_that_hangs_in_its_shutdown_is_waited_for_its_time_and_the_next_one_goes_all_the_same(there: Street) -> None:
    login = {"SSH": "root@10.92.0.2", "COMMAND": str(there.nas.recorder), "PROOF": "22", "DOWN_SECONDS_MAX": "60"}
    ups = there.begin(host={"AFTER": "router", "SHED_AT": "", "DOWN_SECONDS_MAX": "5"}, others={"router": {**login, "SHED_AT": "after 1s"}})
    router = ups.directory / "hosts/router"
    shutil.copy2(ups.directory / "hosts/nas/key", router / "key")
    shutil.chown(router / "key", "pimains", "pimains")
    (router / "known_hosts").write_text("router " + (there.nas.top / "host_key.pub").read_text())
    there.upsd.say("eaton", **OB)
    there.until_step("told")
    assert steps(there).get("router") is None
    there.house.until(lambda: steps(there) == {"nas": "stuck", "router": "told"}, what=there.story)
    assert there.nas.recorded() == ["off", "off"]
    assert "nas is not down in its time" in ups.read("hosts")
    there.upsd.say("eaton", **OL)
    there.house.until(lambda: "the mains are back" in ups.status, what=there.story)


def test_a_host_key_that_changed_amid_an_outage_and_a_key_of_roots_get_nothing_and_the_others_go_on(
    there: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = Queue(there.house, monkeypatch)
    login = {"SSH": "root@10.92.0.2", "COMMAND": str(there.nas.recorder), "SHED_AT": "charge 50", "WAKE": "no", "PROOF": "22"}
    roots = there.house.root / "roots-key"
    ups = there.begin(host={"SHED_AT": "charge 50"}, others={"pc": login, "tv": {**login, "KEY": str(roots)}})
    hosts = ups.directory / "hosts"
    shutil.copy2(hosts / "nas/key", hosts / "pc/key")
    shutil.chown(hosts / "pc/key", "pimains", "pimains")
    shutil.copy2(hosts / "nas/key", roots)
    there.upsd.say("eaton", **OB)
    there.house.until((ups.lib / "outage").exists, what=there.story)
    there.nas.stop()
    there.nas.new_host_key()
    public = (there.nas.top / "host_key.pub").read_text()
    for name in ("pc", "tv"):
        (hosts / name / "known_hosts").write_text(f"{name} {public}")
    there.nas.start()
    there.upsd.say("eaton", charge="40")
    there.house.until(lambda: steps(there) == {"nas": "untold", "pc": "told", "tv": "untold"}, what=there.story)
    ups.until_logged(
        "host nas: root@10.92.0.2: its host key is not the pinned one: nothing was sent. If it was installed anew",
        f"host tv: {roots}: the key may not be read by the service's user",
    )
    assert there.nas.recorded() == ["off"]
    there.house.until(lambda: queue.events().count("ups-untold") == 2, what=there.story)


def test_a_ups_that_feeds_others_only_is_cut_once_its_hosts_are_down_and_they_are_woken_after_the_cut(there: Street) -> None:
    ups = there.begin(ROLE="primary", USERNAME="anna", PASSWORD=PASSWORD, WAKE_AFTER_SECONDS="0")
    with Commanded(there.upsd, "eaton") as eaton:
        there.house.until(lambda: ups.status.startswith("on line"), what=there.story)
        eaton.say("OB LB", charge="12", runtime="3600")
        there.until_step("told")
        ups.until_logged("eaton: forced -> delayed")
        assert eaton.commands == []
        there.nas.is_off()
        there.house.until(lambda: eaton.commands == ["shutdown.return"], what=there.story)
        ups.until_logged("host nas: told -> down", "eaton is told to cut its output and to return with the mains")
        eaton.say("OL", charge="12")
        there.house.until(lambda: "nas will be woken in " in ups.status, what=there.story)
        assert int(ups.status.partition("woken in ")[2].split()[0]) > 40  # it cuts also when the mains are back by then
    assert there.nas.recorded() == ["off"]
    there.nas.is_on()


BOUNDARIES = ["shedding", "nas=ordered", "nas=told", "nas=down", "returning", "waking", "nas=woken"]


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("phase", BOUNDARIES)
def test_killed_at_each_boundary_who_was_shed_is_woken(phase: str, side: str, there: Street) -> None:
    ups = there.begin(host={"SHED_AT": "after 2s"}, WAKE_AFTER_SECONDS="0")
    there.kill_at(f"{phase} {side}")
    with there.nas.listening() as heard:
        there.upsd.say("eaton", **OB)
        there.until_step("told")
        there.nas.is_off()
        there.until_step("down")
        there.upsd.say("eaton", **OL)
        there.house.until(lambda: len(heard) >= 3, what=there.story)
        there.nas.is_on()
        there.house.until(lambda: not (ups.lib / "outage").exists(), what=there.story)
    assert there.was_killed, there.story()
    assert set(heard) == {PACKET}
    assert set(there.nas.recorded()) == {"off"}
    assert len(there.nas.recorded()) == (2 if (phase, side) == ("nas=told", "before") else 1)

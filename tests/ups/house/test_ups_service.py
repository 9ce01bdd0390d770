"""ups under a real supervise, beside a real upsd with dummy UPSes: how it says a UPS stands, and what people are told."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.core import notify_queue
from pimains.core.machine import own_name
from tests.kit import House, TestInstance, free_port, until
from tests.ups.liar import Liar, silent
from tests.ups.messages import Queue
from tests.ups.nut2_library import NUT2
from tests.ups.upsd import PASSWORD, Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")
POLL_SECONDS = 0.5


@pytest.fixture
def upsd(tmp_path: Path) -> Iterator[Upsd]:
    with Upsd(tmp_path, "eaton", "cellar") as upsd:
        yield upsd


def watching(house: House, upses: str, **settings: str) -> TestInstance:
    given = {"USERNAME": "anna", "PASSWORD": PASSWORD, "POLL_SECONDS": str(POLL_SECONDS), **settings}
    return house.add("ups", pythonpath=str(NUT2), UPS=upses, **given)


def written_in(directory: Path) -> dict[str, tuple[int, int]]:
    """Each file and which one it is: a file that is written anew is another."""
    return {path.name: (path.stat().st_ino, path.stat().st_size) for path in directory.iterdir() if path.is_file()}


def test_it_says_how_the_ups_stands_and_whether_somebody_has_to_look(house: House, upsd: Upsd) -> None:
    ups = watching(house, f"eaton@127.0.0.1:{upsd.port}")
    house.until(lambda: ups.status == "on line, 100 %", what=ups.story)
    assert ups.read("unwell") == ""
    assert [ups.read(name) for name in ("battery.charge", "battery.runtime", "ups.load", "input.voltage", "output.voltage")] == [
        *("100", "1800", "20", "230", "229")
    ]
    assert [ups.read(name) for name in ("ups.status", "line", "words", "battery.end")] == ["OL", "on line", "on line, 100 %", ""]
    upsd.say("eaton", status="OB DISCHRG", charge="41", runtime="600")
    house.until(lambda: ups.status.startswith("on battery for ") and "41 %, shutting down in about 8 min" in ups.status, what=ups.story)
    assert ups.read("unwell") == ups.status
    assert 590 < float(ups.read("battery.end")) - time.clock_gettime(time.CLOCK_BOOTTIME) < 601
    upsd.say("eaton", status="OL CHRG")
    house.until(lambda: ups.status == "on line, 41 %", what=ups.story)
    assert ups.read("unwell") == ups.read("battery.end") == ""


def test_hosts_that_may_not_be_read_are_said_and_the_ups_is_watched(house: House, upsd: Upsd) -> None:
    ups = watching(house, f"eaton@127.0.0.1:{upsd.port}")
    house.until(lambda: ups.status == "on line, 100 %", what=ups.story)
    (hosts := ups.directory / "hosts").mkdir(mode=0o700)
    (hosts / "nas").mkdir()
    ups.svc("-t")
    house.until(lambda: ups.status == f"on line, 100 %; {hosts}: may not be read by the service's user (chmod 755)", what=ups.story)
    assert ups.read("unwell") == ups.status


def test_nothing_is_written_while_nothing_changes(house: House, upsd: Upsd) -> None:
    ups = watching(house, f"eaton@localhost:{upsd.port} cellar@127.0.0.1:{upsd.port}")
    house.until(lambda: ups.status == "eaton on line, 100 %; cellar on line, 100 %", what=ups.story)
    assert ups.read("cellar.battery.charge") == "100"
    assert (ups.lib / "address.eaton").read_text() == "localhost 127.0.0.1\n"  # for when there is no name server
    before, in_lib = written_in(ups.run), written_in(ups.lib)
    read_at = (ups.run / "battery.charge").stat().st_mtime
    until(lambda: (ups.run / "battery.charge").stat().st_mtime > read_at, 60, "a look that finds the same")  # so it is not out of date
    assert (written_in(ups.run), written_in(ups.lib)) == (before, in_lib)


@pytest.mark.alone
def test_people_are_told_at_once_of_whatever_it_is(house: House, upsd: Upsd, queue: Queue) -> None:
    ups = watching(house, f"eaton@127.0.0.1:{upsd.port}")
    house.until(lambda: ups.status == "on line, 100 %", what=ups.story)
    assert queue.posts() == []  # nothing that is well is told of one that is looked at for the first time
    took = []
    for _ in range(2):
        for word in ("ALARM", "BOOST", "BYPASS", "CAL", "ECO", "OVER", "TRIM"):
            for status, event in ((f"OL {word}", f"ups-{word.lower()}"), ("OL", f"ups-not{word.lower()}")):
                for waiting in notify_queue.waiting():
                    (notify_queue.queue() / waiting).unlink()
                upsd.say("eaton", status=status)
                began = time.monotonic()
                until(lambda event=event: event in queue.events(), 10, event)  # type: ignore[misc]
                took.append(time.monotonic() - began)
    assert sorted(took)[-2] < POLL_SECONDS + 0.2  # one may have waited for the disk, which has it before it counts as told


def test_people_are_told_in_their_language_and_in_an_administrators_own_words(house: House, upsd: Upsd, queue: Queue) -> None:
    own = house.root / "etc/pimains/ups"
    own.mkdir()
    (own / "ONLINE").write_text("Strom da: $ups\n$charge, $runtime\n")
    (own / "ONBATT").write_text("")
    ups = watching(house, f"eaton@127.0.0.1:{upsd.port}", LANGUAGE="de")
    house.until(lambda: ups.status == "on line, 100 %", what=ups.story)
    upsd.say("eaton", charge="81", runtime="3723")  # a greater fall would be doubted
    upsd.say("eaton", status="OB DISCHRG")
    house.until(lambda: len(queue.posts()) == 1, what=ups.story)
    (post,) = queue.posts()
    assert post.subject == "USV eaton: auf Batterie, der Strom ist ausgefallen"
    assert [line for line in post.body.splitlines() if ": " in line] == [
        *(f"Rechner: {own_name()}", "USV: eaton", "Ereignis: ONBATT", "Status: OB DISCHRG"),
        *("Ladung: 81 %", "Restlaufzeit: 01:02:03", "Last: 20 %"),
    ]
    upsd.say("eaton", status="OL CHRG")
    house.until(lambda: len(queue.posts()) == 2, what=ups.story)
    assert queue.posts()[1][1:] == ("Strom da: eaton", "81 %, 01:02:03")


def test_a_service_that_is_restarted_tells_nothing_twice(house: House, upsd: Upsd, queue: Queue) -> None:
    ups = watching(house, f"eaton@127.0.0.1:{upsd.port}")
    house.until(lambda: ups.status == "on line, 100 %", what=ups.story)
    upsd.say("eaton", status="OB DISCHRG RB STRANGE")
    house.until(lambda: set(queue.events()) == {"ups-onbatt", "ups-replbatt", "ups-other"}, what=ups.story)
    house.until(lambda: ups.status.startswith("on battery for 3 s"), what=ups.story)
    pid = ups.pid
    ups.kill()
    house.until(lambda: ups.pid not in (0, pid) and not ups.status.startswith("starting"), what=ups.story)
    house.until(lambda: ups.status.startswith("on battery for 6 s"), what=ups.story)  # since the same moment
    assert len(queue.events()) == 3
    upsd.say("eaton", status="OL CHRG")
    house.until(lambda: "ups-online" in queue.events(), what=ups.story)


def test_four_seconds_without_network_are_nothing(house: House, upsd: Upsd, queue: Queue) -> None:
    """Scenario 1, as far as people are told."""
    ups = watching(house, f"eaton@127.0.0.1:{upsd.port}")
    house.until(lambda: ups.status == "on line, 100 %", what=ups.story)
    upsd.say("eaton", status="OB DISCHRG", charge="95")
    house.until(lambda: queue.events() == ["ups-onbatt"], what=ups.story)
    upsd.freeze()
    house.until(lambda: ups.status.startswith("no data for 4 s (no answer in time), on battery for "), what=ups.story)
    upsd.thaw()
    house.until(lambda: ups.status.startswith("on battery for "), what=ups.story)
    assert queue.events() == ["ups-onbatt"]


@pytest.mark.alone
def test_a_upsd_that_hangs_keeps_nobody_from_looking_at_another_ups(house: House, upsd: Upsd, queue: Queue) -> None:
    with Liar({"LIST VAR": silent}) as liar:
        ups = watching(house, f"eaton@127.0.0.1:{liar.port} cellar@127.0.0.1:{upsd.port}")
        house.until(lambda: "no data yet: no answer in time; cellar on line, 100 %" in ups.status, what=ups.story)
        upsd.say("cellar", status="OB DISCHRG")
        began = time.monotonic()
        until(lambda: queue.events() == ["ups-onbatt.cellar"], 10, "the message")
        assert time.monotonic() - began < POLL_SECONDS + 0.2


def test_a_wrong_password_is_said_with_the_file_to_edit_and_the_ups_is_looked_at_all_the_same(house: House, upsd: Upsd) -> None:
    ups = watching(house, f"eaton@127.0.0.1:{upsd.port}", PASSWORD="wrong")
    house.until(lambda: "variables/PASSWORD" in ups.status, what=ups.story)
    assert "upsd.users needs [anna] with this password and: upsmon secondary" in ups.read("unwell")
    house.until(lambda: ups.read("line") == "on line", what=ups.story)
    ups.set("PASSWORD", PASSWORD)
    house.until(lambda: ups.status == "on line, 100 %", what=ups.story)


def test_a_ups_that_is_not_there_is_said_with_those_that_are(house: House, upsd: Upsd) -> None:
    ups = watching(house, f"eton@127.0.0.1:{upsd.port}")
    house.until(lambda: "variables/UPS: there is no 'eton' at 127.0.0.1; it has: cellar, eaton" in ups.read("unwell"), what=ups.story)


def test_a_upsd_that_is_away_is_looked_for_until_it_is_there(house: House, tmp_path: Path) -> None:
    ups = watching(house, f"eaton@127.0.0.1:{free_port()}")
    house.until(lambda: ups.status == "no data yet: connection refused", what=ups.story)
    with Upsd(tmp_path) as upsd:
        ups.set("UPS", f"eaton@127.0.0.1:{upsd.port}")
        ups.svc("-t")
        house.until(lambda: ups.status == "on line, 100 %", what=ups.story)
        upsd.stop()
        house.until(lambda: ups.status.startswith("no data for ") and "was on line" in ups.status, what=ups.story)
        upsd.start()
        house.until(lambda: ups.status == "on line, 100 %", what=ups.story)

"""What people are told of a shutdown, in their language, from a service beside a real upsd."""

import os

import pytest

from tests.kit import House, TestInstance, until
from tests.ups.messages import Queue
from tests.ups.outages import LB, at, guarding, status
from tests.ups.upsd import Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


def told(queue: Queue) -> dict[str, str]:
    """The subject of each event."""
    return {post.event: post.subject for post in queue.posts() if post.event.startswith("ups-")}


def test_of_a_shutdown_people_hear_in_their_language(house: House, upsd: Upsd, halt: TestInstance, queue: Queue) -> None:
    ups = guarding(house, at(upsd), HOSTSYNC_SECONDS_MAX="5", LANGUAGE="de")
    with upsd.talk("bert", "bert") as ask:
        assert ask("LOGIN eaton") == "OK"
        upsd.say("eaton", **LB)
        until(lambda: "FSD" in status(upsd))
        with upsd.talk("tester", "tester") as say:
            assert say('SET VAR eaton ups.status "OL"').startswith("OK")
        house.until(lambda: {"ups-cut", "ups-shutdown"} <= told(queue).keys(), what=ups.story)
    subjects = told(queue)
    assert subjects["ups-lowbatt"] == "USV eaton: die Batterie ist fast leer"
    assert subjects["ups-shutdown-hostsync"] == "USV eaton: es wird gewartet, bis die anderen Rechner heruntergefahren sind"
    assert subjects["ups-missing"] == "USV eaton: auf Rechner, die noch angemeldet sind, wird nicht länger gewartet: 127.0.0.1"
    assert subjects["ups-cut"].startswith("USV eaton: der Strom ist wieder da und wird noch einmal abgeschaltet")
    assert subjects["ups-shutdown"] == "USV eaton: dieser Rechner fährt herunter"
    assert "going on without 127.0.0.1: still logged in" in ups.log  # the log has no language


def test_a_primary_whose_fsd_is_refused_says_so_in_their_language(house: House, upsd: Upsd, halt: TestInstance, queue: Queue) -> None:
    ups = guarding(house, at(upsd), USERNAME="bert", PASSWORD="bert", LANGUAGE="fr")
    upsd.say("eaton", **LB)
    house.until(lambda: "ups-shutdown" in told(queue), what=ups.story)
    assert told(queue)["ups-refused"].startswith("Onduleur eaton : son serveur NUT (upsd) n'accepte pas l'arrêt forcé de cette machine")
    assert "upsmon primary" in told(queue)["ups-refused"]  # what has to stand there


def test_a_secondary_that_gives_its_primary_up_says_so_in_their_language(
    house: House, upsd: Upsd, halt: TestInstance, queue: Queue
) -> None:
    ups = guarding(house, at(upsd), ROLE="secondary", USERNAME="bert", PASSWORD="bert", HOSTSYNC_SECONDS_MAX="2", LANGUAGE="de")
    upsd.say("eaton", status="OB LB", charge="50", runtime="1700")
    house.until(lambda: "ups-shutdown" in told(queue), what=ups.story)
    assert told(queue)["ups-alone"].startswith("USV eaton: der Rechner, an dem sie hängt, hat kein Herunterfahren angekündigt")

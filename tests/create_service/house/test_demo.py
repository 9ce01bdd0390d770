"""create_service --demo, as somebody would run it who wants to see before they trust; the packages are tested elsewhere."""

import re
import signal
import tempfile
from pathlib import Path

import pytest

from tests.create_service.demos import OUTAGE_SECONDS, demo, still_running_in
from tests.kit import until


def assert_in_order(seen: list[str], said: str) -> None:
    """Each of these expressions is found behind the one before."""
    at = 0
    for each in seen:
        found = re.compile(each).search(said, at)
        assert found, f"{each} is not in what follows:\n{said[at:]}"
        at = found.end()


def assert_the_outage(said: str) -> None:
    """As its user sees it, in this order."""
    seen = [
        r"nas: root@127.0.0.1:[0-9]+ takes our key and tells its boot id; port [0-9]+ answers\n",
        r"ups +ups +up [0-9.]+ s +on line, 100 %",
        f"Now the mains go, for {OUTAGE_SECONDS} s",
        r"ups: house: on battery for [0-9.]+ s, [0-9.]+ %, shutting down in about [0-9]+ min",
        r"\(tv: off\)\n",
        r"\(nas: poweroff \(a simulated one\)\)\n",
        r"ups +ups +up [0-9]+ s +on battery for [0-9]+ s, [0-9.]+ %, shutting down in about [0-9]+ min; down: tv, nas\n",
        r"nas +root@127.0.0.1:[0-9]+ +- +after [0-9]+s .* does not answer, (?:just now|[0-9]+ s ago)\n",
        r"\(nas: a magic packet: it starts\)\n",
        r"\(nas: up\)\n",
        r"\(tv: a magic packet: it starts\)\n",
        r"\(message\) .*: UPS house: the outage is over, the other machines \(down - up\): tv [0-9:]+ - [0-9:]+, nas [0-9:]+ - [0-9:]+\n",
        r"host nas: wake, because the mains are back\.",
        r"host nas: order down, because on battery for [0-9]+ s, its SHED_AT is [0-9]+ s\.",
    ]
    assert_in_order(seen, said)
    for message in (
        "on battery, the mains are gone",
        "other machines are shutting down: tv",
        "the mains are back",
        "the mains are back, waking: nas, tv",
    ):
        assert re.search(rf"\(message\) .*: UPS house: {message}\n", said), message


def assert_the_relays(said: str) -> None:
    """A person's boiler, seen by the battery, told by its relay and by the ledger, left to its rule, and off with the halt."""
    assert re.search(r"relays +relays +up [0-9.]+ s +0 of 3 relays on", said)
    assert re.search(r"rules +rules +up [0-9.]+ s +no rule in /.+/etc/pimains/rules yet", said)
    found = re.search(r"Into the battery flowed (-?[0-9]+) W; with the boiler on its monitor tells (-?[0-9]+) W\n", said)
    assert found, said
    assert int(found[2]) < int(found[1]) - 1000
    on = r"1 +boiler +on +on for 2h +2000 +1 +[0-9T:+-]+ +a person wants it on for 2 h\n"
    off = r"2 +pump +off +auto +0 +0 +any time +it stays as it is: no rule says anything\n"
    assert re.search(on + off, said), said
    assert re.search(r"relay\.1: on, because a person wants it on for 2 h", said), said
    assert re.search(r"1 +boiler +off +auto +0 +2 .* this machine halts: Delay Switch of House plug was switched off\n", said), said


def assert_the_rules(said: str) -> None:
    """Three ready-made ones, a cloud and the sun after it, and the reasons of a rule in the ledger, in this order."""
    own = r"-?[0-9]+ W of surplus with the 2000 W of its own load added back"
    lasted = r"for [0-9]+ s"
    seen = [
        "relay 1 has a rule now: surplus;",
        "relay 2 has a rule now: after;",
        "relay 3 has a rule now: float;",
        r"relay 1 \(boiler\) is on: .+\n",
        rf"1 +boiler +surplus +on +{own} +[^\n]+\n2 +pump +after +on +relay 1 has been on {lasted} ",
        r"3 +heater +float +off +the charger is not in absorption or float ",
        "Now clouds come\n",
        r"1 +boiler +off +auto +0 +1 .+\n2 +pump +off +auto +0 +1 .+ relay 1 is off\n",
        r"3 +heater +off +auto +0 +0 +any time +the charger is not in absorption or float\n",
        "The sky clears up\n",
        rf"relay\.1: on, because [0-9]+ W of surplus {lasted}\. .+\n",
        rf"relay\.1: off, because {own}, less than 1000 W {lasted}\. .+\n",
        r"relay\.1: on, because a person wants it on for 2 h\.",
    ]
    assert_in_order(seen, said)


def test_the_demo_switches_a_plug_off_shuts_a_pi_down_tells_why_and_leaves_nothing() -> None:
    with tempfile.TemporaryDirectory(prefix="pimains-demo-test-") as temporary:
        Path(temporary).chmod(0o755)
        process = demo(Path(temporary))
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
        assert "halt: shut down, because Delay Switch of House plug was switched off" in said
        assert re.search("plug: cut the power in [0-9]+ s, because Delay Switch of House plug was switched off", said)
        assert re.search(r"A year of readings, and pulses as they come: look at http://127.0.0.1:[0-9]+/", said)
        assert re.search(r"collector +collector +up .* http://127.0.0.1:[0-9]+, 1 source, last reading", said)
        assert re.search(r"meter +meter +up", said)
        assert re.search(r"house +[▁-█]{12}\nmonth +kWh +€\n", said)
        assert re.search(r"vedirect.mppt +vedirect +up .* solar charger HQ9999ABCDE: bulk, [0-9]+ W from the panels", said)
        assert re.search(r"vedirect.bmv +vedirect +up .* BMV-712 Smart: [0-9.]+ %", said)
        assert_the_relays(said)
        assert_the_rules(said)
        assert_the_outage(said)
        assert "last error" not in said
        assert "There is no" not in said
        assert "relay off: idle for 10 s" in said
        assert said.index("somebody switches the plug off") < said.index("why halt") < said.index("That was it")
        assert list(Path(temporary).iterdir()) == []
        assert still_running_in(Path(temporary)) == []


@pytest.mark.parametrize(
    ("number", "when"),
    [(signal.SIGINT, "*/run/pimains/plug/status"), (signal.SIGTERM, "*/var/lib/pimains/ups/outage")],
    ids=["at its start", "in the outage"],
)
def test_the_demo_cleans_up_when_it_is_interrupted(number: signal.Signals, when: str) -> None:
    with tempfile.TemporaryDirectory(prefix="pimains-demo-test-") as temporary:
        Path(temporary).chmod(0o755)
        process = demo(Path(temporary))
        until(lambda: list(Path(temporary).glob(when)), 180, "the demo to come so far")
        process.send_signal(number)
        said, _ = process.communicate(timeout=200)
        assert process.returncode == 130
        assert "Stopped and cleaned up" in said
        assert list(Path(temporary).iterdir()) == []
        assert still_running_in(Path(temporary)) == []

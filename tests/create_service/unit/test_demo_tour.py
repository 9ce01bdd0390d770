"""The lines that a demo gives to paste: each finds the demo, and asks for root where it has to."""

from pathlib import Path

from pimains.house.demo_tour import Seen, Way, text

ROOT = Path("/tmp/pimains-demo-x")
ALL = Seen("http://127.0.0.1:8461/", "abcd-efgh-jkmn", "http://127.0.0.1:40000/", has_relays=True, has_ups=True, has_kitchen=True)


def pasted(seen: Seen, way: Way) -> list[str]:
    return [line.strip() for line in text(seen, way).splitlines() if line.startswith("    ") and "http://" not in line]


def test_who_has_come_by_sudo_pastes_it_where_only_root_may() -> None:
    lines = pasted(ALL, Way(ROOT, "sudo"))
    assert f"sudo pimains status --servicedir={ROOT}/etc/service" in lines
    assert f"sudo svc -d {ROOT}/etc/service/meter" in lines
    assert f"echo on | sudo tee {ROOT}/var/lib/pimains/relays/3.mode" in lines
    assert f"PIMAINS_ROOT={ROOT} pimains why relay.3" in lines
    assert f"sudo env PIMAINS_ROOT={ROOT} pimains halt --servicedir={ROOT}/etc/service" in lines
    assert f"echo button >{ROOT}/happen" in lines


def test_root_itself_pastes_no_sudo_which_may_not_be_there() -> None:
    lines = pasted(ALL, Way(ROOT))
    assert not [line for line in lines if "sudo" in line]
    assert f"echo on >{ROOT}/var/lib/pimains/relays/3.mode" in lines
    assert f"PIMAINS_ROOT={ROOT} pimains halt --servicedir={ROOT}/etc/service" in lines


def test_no_line_could_halt_or_change_the_machine_it_runs_on() -> None:
    for line in pasted(ALL, Way(ROOT, "sudo")):
        assert str(ROOT) in line


def test_what_is_not_there_is_said_and_not_tried() -> None:
    told = text(Seen(lacks=("There is no UPS: it needs apt install nut-server",)), Way(ROOT))
    assert "There is no UPS: it needs apt install nut-server\n" in told
    for word in ("outage", "mains fail", "relay", "cable", "http://"):
        assert word not in told


def test_its_page_stands_beside_its_password() -> None:
    assert "    http://127.0.0.1:8461/   abcd-efgh-jkmn\n" in text(ALL, Way(ROOT))

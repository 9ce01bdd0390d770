"""What the page Outage answers, with the files and the ledger that services leave, and what it refuses to rehearse."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pimains.core import state
from pimains.core.clock import FakeClock, SystemClock, boot_id
from pimains.core.instance import Instance
from pimains.core.ledger import Ledger
from pimains.shared import halt_request
from pimains.shared.outage_file import OutageFile
from pimains.shared.plan import host_steps
from pimains.shared.plan.host_steps import Host, Step
from pimains.shared.plan.outage import Outage, Phase, Role
from tests.kit import House, until
from tests.web.asking import Asked
from tests.web.household import directory_of, household


@pytest.fixture
def web(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    house.add("ups", svscan=False, UPS="eaton@localhost cellar@nas.lan", POWER="0 0")
    (house.root / "var/lib/pimains/ups").mkdir()
    for name, value in {
        "words": "on line, 100 %",
        "battery.charge": "100",
        "cellar.words": "on battery for 3 min",
        "cellar.alarm": "1",
    }.items():
        state.write(directory_of(house, "ups") / name, value)
    with household(house, monkeypatch) as web:
        web.log_in()
        yield web


def shown(web: Asked) -> dict[str, object]:
    until(lambda: web.get("/v1/outage").json()["instances"])
    [found] = web.get("/v1/outage").json()["instances"]
    return dict(found)


def is_under_way(house: House, outage: Outage) -> None:
    OutageFile(Instance("ups", house.scan / "ups")).write(outage)


def test_each_ups_is_told_under_its_own_name(web: Asked) -> None:
    upses = shown(web)["upses"]
    assert isinstance(upses, list)
    assert [(ups["name"], ups["words"], ups["battery_charge"], ups["alarm"]) for ups in upses] == [
        ("eaton", "on line, 100 %", 100.0, False),
        ("cellar", "on battery for 3 min", None, True),
    ]


def test_an_outage_is_told_with_its_hosts_in_the_order_in_which_they_went(house: House, web: Asked) -> None:
    now = SystemClock().monotonic()
    hosts = {"pc": Host(Step.TOLD, now, 2, ordered=1.8e9), "nas": Host(Step.DOWN, now, 1, ordered=1.7e9, down=1.75e9)}
    outage = Outage(
        "1", boot_id(), 1.7e9, now - 60, Phase.SHEDDING, now - 5, Role.PRIMARY, "low", None, ("eaton",), False, host_steps.written(hosts)
    )
    is_under_way(house, outage)
    told = shown(web)["outage"]
    assert isinstance(told, dict)
    assert (told["phase"], told["why"], told["is_final"], told["began"]) == ("shedding", "low", False, 1.7e9)
    assert 5 <= told["phase_seconds"] < 60
    assert [(host["name"], host["step"], host["down"]) for host in told["hosts"]] == [("nas", "down", 1.75e9), ("pc", "told", None)]
    is_under_way(house, outage._replace(boot="before"))
    again = shown(web)["outage"]
    assert isinstance(again, dict)
    assert again["phase_seconds"] is None


def test_the_last_outage_is_what_the_ledger_has_of_this_service_its_hosts_and_the_halt_that_followed(house: House, web: Asked) -> None:
    assert shown(web)["last"] == []
    (house.scan / "ups/hosts/nas").mkdir(parents=True)
    ledger = Ledger()
    for subject in ("host nas", "ups ups", "halt", "host another", "ups second", "relay.1"):
        ledger.record(subject, "act", f"why {subject}")
    last = shown(web)["last"]
    assert isinstance(last, list)
    assert [row["cause"] for row in last] == ["why host nas", "why ups ups", "why halt"]


def test_what_was_done_before_the_clock_was_set_belongs_to_its_outage(house: House, web: Asked) -> None:
    now = SystemClock()
    Ledger(clock=FakeClock(now.monotonic() - 60, wall=1000.0)).record("ups ups", "wake", "the mains are back")
    Ledger().record("ups ups", "over", "all are up")
    last = shown(web)["last"]
    assert isinstance(last, list)
    assert [row["action"] for row in last] == ["wake", "over"]
    assert last[0]["wall"] == pytest.approx(now.wall() - 60, abs=10)


def test_when_the_others_go_is_told_by_their_settings_and_a_meaning_is_no_value(house: House, web: Asked) -> None:
    for name, file in {"nas": "charge 40\nWhen it goes", "pc": "\nWhen it goes"}.items():
        (house.scan / "ups/hosts" / name).mkdir(parents=True)
        (house.scan / "ups/hosts" / name / "SHED_AT").write_text(file)
    plans = shown(web)["plans"]
    assert isinstance(plans, list)
    assert [(plan["name"], plan["shed_at"]) for plan in plans] == [("nas", "charge 40"), ("pc", "")]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"lasting": "-1m"}, 400),
        ({"lasting": "20m --json"}, 400),
        ({"lasting": "99999h"}, 409),
        ({"charge": "0"}, 400),
        ({"charge": "101"}, 400),
        ({"ups": "explodes"}, 400),
        ({"instance": "../halt"}, 404),
        ({"servicedir": "/"}, 400),
    ],
)
def test_only_what_can_be_rehearsed_is(web: Asked, query: dict[str, str], status: int) -> None:
    shown(web)
    answer = web.get("/v1/outage/rehearsal", params=query)
    assert (answer.status_code, bool(answer.json()["error"])) == (status, True)


def test_clients_drives_and_backups_are_told(house: House, web: Asked) -> None:
    house.add("fserver", svscan=False, MDRIVE="/proc", BACKUP="")
    run = directory_of(house, "fserver")
    state.write(
        run / "clients", "kitchen (10.0.0.2) since 2026-11-21 05:00: is mounted\nno such line\nbath (fe80::1%eth0) since 2026-11-21 05:01: "
    )
    state.write(run / "backup", "failed 21 Nov 01:50: there is no space left on the drive")
    until(lambda: web.get("/v1/clients").json()["file_servers"])
    [server] = web.get("/v1/clients").json()["file_servers"]
    assert [(each["name"], each["address"], each["words"]) for each in server["clients"]] == [
        ("kitchen", "10.0.0.2", "is mounted"),
        ("bath", "fe80::1%eth0", ""),
    ]
    assert server["drive"] == {"place": "/proc", "source": "proc", "kind": "proc"}
    assert server["backup"] == {"told": "failed 21 Nov 01:50: there is no space left on the drive", "is_wanted": False, "is_well": False}
    assert halt_request.pending() is None


def test_who_is_logged_in_waits_for_his_rehearsal_and_a_stranger_is_sent_away(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one who asks on and on, with PUBLIC, would keep the house from ever rehearsing."""
    with household(house, monkeypatch, PUBLIC="1") as web, ThreadPoolExecutor() as others:
        path, stranger = "/v1/outage/rehearsal", Asked(web.house, web.url)
        web.log_in()
        mine = [others.submit(web.get, path) for _ in range(3)]
        until(lambda: stranger.get(path).status_code == 429)
        assert [each.result().status_code == 429 for each in mine] == [False] * 3

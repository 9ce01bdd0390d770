"""A rehearsed outage: it goes by the real settings and by what was measured, touches nothing, and says what has not its time."""

import resource
from pathlib import Path

import pytest

from pimains.core import scan_directory
from pimains.core.ledger import Ledger
from pimains.ups import check
from pimains.ups.rehearsal import assumed
from pimains.ups.rehearsal.outage import Outage
from pimains.ups.rehearsal.timeline import Timeline
from pimains.ups.rehearsal.virtual_upses import Model
from tests.ups.rehearsals import HOSTS, Instance

ROLES: dict[str, dict[str, str]] = {"primary": {}, "secondary": {"ROLE": "secondary"}, "POWER 0": {"POWER": "0"}}


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    return Instance(tmp_path)


def rehearsed(instance: Instance, back_after: float, model: Model = Model.RETURNS) -> Timeline:
    service = scan_directory.found(instance.directory.parent)[0]
    settings = check.settings_of(service)
    return Outage(service, settings, assumed.of(service, settings, None), model, back_after).rehearse()


def test_it_tells_who_goes_when_and_that_all_come_back(there: Instance) -> None:
    said = there.rehearse("--lasting=20m", "--json")
    assert (said.code, said.errors, said.found["faults"]) == (0, [], [])
    assert said.acts("pc", "nas", "router") == [
        ("pc", "ordered"),
        ("pc", "told"),
        ("pc", "down"),
        ("router", "due"),
        ("nas", "ordered"),
        ("nas", "told"),
        ("router", "ordered"),
        ("nas", "down"),
        ("router", "told"),
        ("router", "down"),
        ("router", "woken"),
        ("nas", "woken"),
        ("router", "up"),
        ("nas", "up"),
        ("pc", "woken"),
        ("pc", "up"),
    ]
    assert said.acts("this machine", "eaton") == [
        ("this machine", "forced"),
        ("eaton", "told"),
        ("this machine", "delayed"),
        ("this machine", "asked"),
        ("this machine", "cutting"),
        ("this machine", "halts"),
        ("this machine", "off"),
        ("eaton", "power"),
        ("eaton", "power"),
        ("this machine", "boots"),
        ("this machine", "returning"),
        ("this machine", "waking"),
        ("this machine", "over"),
    ]
    assert said.at("pc", "ordered") == pytest.approx(60, abs=2)
    assert [each["act"] for each in said.found["timeline"] if each["who"] == "tv"] == ["told", "down"]


def test_it_touches_nothing(there: Instance) -> None:
    Ledger().took("host nas down", 20.0)
    before = {path: path.stat().st_mtime_ns for path in there.root.rglob("*")}
    for model in Model:
        said = there.rehearse(f"--ups={model}", "--return-at=7m")
        assert (said.touched, said.errors) == ([], [])
    assert {path: path.stat().st_mtime_ns for path in there.root.rglob("*")} == before


def test_what_would_be_touched_is_seen(there: Instance) -> None:
    said = there.rehearse(first=f"import os; open({str(there.root / 'new')!r}, 'w').close(); os.mkdir({str(there.root / 'made')!r})")
    assert [line.split()[1] for line in said.touched][:2] == ["open", "os.mkdir"]


def test_a_battery_that_is_too_small_is_said_with_what_is_missing(there: Instance) -> None:
    there.shows(charge="100", runtime="120")
    said = there.rehearse()
    assert said.code == 1
    assert "  the battery of eaton has 100 %, and would last for 2 min from full, as the UPS reports" in said.text
    begins = next(line for line in said.text.splitlines() if "begins to shut down" in line)
    assert begins.split()[2].startswith("-")
    assert "this machine begins to shut down: the battery may be empty " in said.text
    assert "router: its power goes while it is up" in said.text


def test_a_wanted_host_that_nothing_wakes_is_named(there: Instance) -> None:
    there.host("nas", SSH="root@nas.lan", WAKE="yes")
    said = there.rehearse()
    assert said.code == 1
    assert said.text.splitlines()[-1] == "nas stays off: it has no MAC to wake it by"


def test_what_was_measured_is_the_budget_and_when_it_is_down(there: Instance) -> None:
    for _ in range(20):
        Ledger().took("host pc down", 20.0)
    said = there.rehearse("--json")
    ordered = next(each for each in said.found["timeline"] if (each["who"], each["act"]) == ("pc", "ordered"))
    assert 30 <= ordered["budget"] < 35
    assert 15 <= said.at("pc", "down") - ordered["at"] <= 25
    assert ordered["margin"] == pytest.approx(600 - ordered["at"] - ordered["budget"], abs=2)
    assert "never measured, so that they take most of their DOWN_SECONDS_MAX: nas, router, tv" in said.found["reckoned_with"]


def test_who_was_off_before_stays_off(there: Instance) -> None:
    there.shows(charge="100")
    (there.root / "run/pimains/ups/host.pc").write_text("silent 5.0\n")
    said = there.rehearse("--json")
    assert said.code == 0
    assert "off before, as the last look found: pc" in said.found["reckoned_with"]
    assert not any(act in ("ordered", "woken") for _, act in said.acts("pc"))


def test_a_host_with_wrong_settings_is_a_fault(there: Instance) -> None:
    there.host("pc", SSH="root@pc.lan", AFTER="nobody")
    said = there.rehearse()
    assert said.code == 1
    assert "AFTER: there is no host nobody" in said.text


def test_a_charge_that_is_waited_for_is_waited_for(there: Instance) -> None:
    (there.directory / "variables/WAKE_AT_CHARGE").write_text("60\n")
    said = there.rehearse("--json")
    assert said.code == 0
    assert said.at("this machine", "waking") - said.at("the mains", "back") > 3600


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["--lasting=never"], "'never' is no time: a number with s, m or h, at most 24h"),
        (["--charge=101"], "'101' is no charge: percent, 1-100"),
        (["--ups=explodes"], "invalid choice: 'explodes'"),
        (["--instance=other"], "no ups service other"),
    ],
)
def test_what_it_cannot_do_is_said_in_a_line(there: Instance, words: list[str], wrong: str) -> None:
    said = there.rehearse(*words)
    assert said.code in (1, 2)
    assert wrong in said.errors[-1]


def test_the_mains_back_amid_a_shutdown_cut_nobody_who_is_still_going_down(there: Instance) -> None:
    for name, given in HOSTS.items():
        there.host(name, **given, DOWN_SECONDS_MAX="180")
    there.shows(charge="100", runtime="900")
    for back_after in (420, 500, 560):
        timeline = rehearsed(there, back_after)
        assert timeline.faults == []
        cut = next(each.at for each in timeline.entries if each.what == "cuts its output")
        assert cut > max(each.at for each in timeline.entries if each.act == "down")


# each role sees all of them, each UPS some: tests/ups/house/test_every_return.py has each second with each of both
BACK_AFTER = (30, 90, 660, 680, 700, 740, 790, 850, 950)


@pytest.mark.long
@pytest.mark.parametrize("model", Model)
@pytest.mark.parametrize("role", ROLES)
def test_whenever_the_mains_are_back_nobody_loses_power_while_up_and_all_wanted_are_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str, model: Model
) -> None:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    instance = Instance(tmp_path, **ROLES[role])
    instance.shows(charge="100", runtime="900")
    for back_after in BACK_AFTER[[*Model].index(model) :: len(Model)]:
        faults = rehearsed(instance, back_after, model).faults
        if role == "secondary" and model is not Model.RETURNS and any(each.startswith("this machine stays off: ") for each in faults):
            continue  # a machine that has shut down starts by a cut alone, and its primary is another one
        assert faults == [], f"{back_after} s"


@pytest.mark.alone
def test_ten_minutes_are_rehearsed_within_two_seconds(there: Instance) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert there.rehearse("--lasting=10m").code == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2

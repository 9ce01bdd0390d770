"""A house with several UPSes: which hosts go by which of them."""

import json
from pathlib import Path

import pytest

from pimains.shared.plan.host_steps import Step
from pimains.shared.plan.outage import Phase
from pimains.ups.plan import going_down, neighbours, strain
from pimains.ups.plan.going_down import Known, Seen
from pimains.ups.plan.neighbours import Situation
from pimains.ups.plan.outage import Event
from pimains.ups.plan.shedding import ShedAt
from pimains.ups.plan.strain import Feeding, Strain
from tests.ups.rehearsals import Instance

HOUSE = {
    "nas": Known(shed_at=ShedAt(charge=40), upses=("cellar",), down_seconds=100.0),
    "pc": Known(shed_at=ShedAt(charge=40), down_seconds=30.0),
    "tv": Known(goes_by_fsd=True, upses=("cellar",), down_seconds=70.0),
}
ON = Seen(("up",))
EMPTY = Feeding("UPS eaton: low", 600.0, 12.0, 60.0)
ON_BATTERY = Feeding("", 300.0, 30.0, 900.0)
ON_LINE = Feeding()


def steps(strain_: Strain, house: going_down.House = HOUSE) -> dict[str, Step]:
    minded = neighbours.mind(house, {}, dict.fromkeys(house, ON), Situation(Phase.SHEDDING, strain_), 1.0, 1.0)
    return {name: each.step for name, each in minded.hosts.items()}


def test_who_names_no_ups_goes_by_the_worst_and_who_names_several_by_the_best() -> None:
    assert strain.of_any([EMPTY, ON_BATTERY, ON_LINE], "low") == Strain("low", 12.0, 60.0, 600.0)
    assert strain.of_any([ON_LINE], "") == Strain("")
    assert strain.of_all([EMPTY, ON_BATTERY]) == Strain("", 30.0, 900.0, 300.0)
    assert strain.of_all([EMPTY, ON_LINE]) == Strain("")
    assert strain.of_all([EMPTY]) == Strain("UPS eaton: low", 12.0, 60.0, 600.0)
    assert strain.of_all([EMPTY, EMPTY._replace(all_go="UPS cellar: low")]).all_go == "UPS eaton: low; UPS cellar: low"


def test_a_host_whose_own_ups_is_on_line_stays_up_when_all_others_go() -> None:
    spared = strain.of_any([EMPTY], "low")._replace(own={"nas": Strain(), "tv": Strain()})
    assert steps(spared) == {"pc": Step.ORDERED}
    assert steps(Strain("low")) == {"nas": Step.ORDERED, "pc": Step.ORDERED, "tv": Step.TOLD}


def test_a_host_is_shed_by_the_charge_of_its_own_ups() -> None:
    assert steps(Strain(charge=50.0)._replace(own={"nas": Strain(charge=30.0), "tv": Strain(charge=30.0)})) == {"nas": Step.ORDERED}
    assert steps(Strain(charge=30.0)._replace(own={"nas": Strain(charge=50.0)})) == {"pc": Step.ORDERED}


def test_who_needs_a_host_that_goes_goes_before_it_whatever_feeds_it() -> None:
    house = {**HOUSE, "nas": Known(after=("pc",), upses=("cellar",)), "tv": Known(("pc",), goes_by_fsd=True, upses=("cellar",))}
    spared = Strain("low", own={"nas": Strain(), "tv": Strain()})
    assert steps(spared, house) == {"nas": Step.ORDERED, "pc": Step.DUE}


def test_who_stays_needs_no_time_but_for_one_who_waits_for_it() -> None:
    assert going_down.seconds_needed(HOUSE, {}, 0.0) == 100
    assert going_down.seconds_needed(HOUSE, {}, 0.0, {"nas", "tv"}) == 30
    needs_pc = {**HOUSE, "nas": Known(after=("pc",), down_seconds=100.0)}
    assert going_down.seconds_needed(needs_pc, {}, 0.0, {"nas", "tv"}) == 130


def test_after_a_cut_who_hangs_on_another_ups_is_not_taken_for_cut() -> None:
    again = neighbours.after_event(HOUSE, {}, Event.BOOTED, Phase.CUTTING, 3.0, ("eaton",))
    assert again.keys() == {"pc"}
    assert neighbours.after_event(HOUSE, {}, Event.BOOTED, Phase.CUTTING, 3.0, ("eaton", "cellar")).keys() == HOUSE.keys()


def test_a_rehearsal_takes_a_host_down_by_the_battery_of_its_ups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    there = Instance(tmp_path, UPS="eaton@localhost cellar@localhost", POWER="1 0")
    there.shows(charge="100", runtime="3600")
    (tmp_path / "run/pimains/ups/cellar.battery.charge").write_text("100\n")
    (tmp_path / "run/pimains/ups/cellar.battery.runtime").write_text("600\n")
    for name in ("router", "nas"):
        there.host(name, SSH=f"root@{name}.lan", MAC="00:11:32:00:00:01", UPS="cellar")
    there.host("pc", SSH="root@pc.lan", MAC="00:11:32:00:00:03", UPS="eaton", SHED_AT="charge 80")
    said = there.rehearse("--lasting=20m", "--json")
    assert (said.code, said.errors) == (0, []), said.text
    assert 300 < said.at("cellar", "told") < 600
    assert said.at("nas", "ordered") == said.at("router", "ordered") == pytest.approx(said.at("cellar", "told"), abs=2)
    assert said.at("pc", "ordered") == pytest.approx(0.19 * 3600, abs=5)  # upsd tells whole percents
    margins = {each["who"]: each["margin"] for each in json.loads(said.text)["timeline"] if each["act"] == "ordered"}
    assert margins["nas"] < 600
    assert margins["pc"] > 2000

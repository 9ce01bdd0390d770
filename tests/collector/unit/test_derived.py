"""Sources that are the sum or the difference of others."""

from pathlib import Path

import pytest

from pimains.collector.settings import CollectorSettings
from pimains.core.errors import WrongSetting
from pimains.shared.plan.delivery import Batch, Boot, Reading
from pimains.shared.readings.journal import Journal
from pimains.shared.readings.plan.derived import circle, meters_of, read
from pimains.shared.readings.plan.energy import Meter
from pimains.shared.readings.plan.price_lines import read as read_prices
from pimains.shared.readings.plan.tariffs import Tariffs
from pimains.shared.readings.series.costs import Costs
from pimains.shared.readings.series.derived_series import DerivedSeries
from pimains.shared.readings.series.figures import figures
from tests.kit import TOP

HOUSE, PV = Meter("house", "kWh", 1000, None), Meter("pv-roof", "kWh", 500, None)
GAS, GAUGE = Meter("gas", "m3", 100, None), Meter("t", "C", 0, None)
OWN = {each.source: each for each in (HOUSE, PV, GAS, GAUGE)}


def test_sums_are_read_and_followed_down_to_what_counts() -> None:
    derived = read("grid = house - pv-roof; back=pv-roof - grid;")
    assert [each.name for each in derived] == ["grid", "back"]
    found, wrong = meters_of(derived, OWN)
    assert wrong == []
    assert found["grid"].parts == ((1, HOUSE), (-1, PV))
    assert found["back"].parts == ((1, PV), (-1, HOUSE), (1, PV))
    assert (found["grid"].unit, found["grid"].total(1500)) == ("kWh", 1.5)


def test_what_cannot_be_told_is_said_and_the_others_are_there() -> None:
    derived = read("a = house + attic; b = house + gas; c = house + t; house = pv-roof; d = house")
    found, wrong = meters_of(derived, OWN)
    assert found["d"].parts == ((1, HOUSE),)
    assert list(found) == ["d"]
    assert wrong == [
        "a: there is no source attic; there is house, pv-roof, gas, t",
        "b: house counts kWh, and not all the others do",
        "c: t is a value that is recorded, and adds up to nothing",
        "house: there is a source of that name that counts itself",
    ]


def test_what_leads_back_to_itself_or_is_no_sum_is_refused_by_the_settings() -> None:
    assert circle(read("a = b + c; b = c")) == ""
    variables = TOP / "services/collector/variables"
    defaults = {path.name: path.read_text().partition("\n")[0] for path in variables.iterdir()}
    for text, complaint in (
        ("a = house + b; b = c; c = a - house", "leads back to itself: a is made of b is made of c is made of a"),
        ("a = a", "leads back to itself: a is made of a"),
        ("house", "'house' is no list of sums (such as: total = house + car; grid = house - pv, with blanks around + and -, or empty)"),
        ("a = ", "'a = ' is no list of sums"),
        ("a = house; a = pv", "is no list of sums"),
    ):
        with pytest.raises(WrongSetting, match="variables/DERIVED") as wrong:
            CollectorSettings({**defaults, "DERIVED": text})
        assert complaint in str(wrong.value)


def test_counts_costs_and_flow_of_a_difference_are_those_of_its_parts_also_below_nothing(tmp_path: Path) -> None:
    path, start = tmp_path / "journal.sqlite", 1_780_000_000.0
    journal, series = Journal(path), DerivedSeries(path, read("grid = house - pv"))
    for source, each, impulses in (("house", 1, 1000), ("pv", 2, 500)):  # 600 W; 2400 W
        rows = [Reading("b", number, None, number * 6.0, number * each) for number in range(1, 601)]
        series.describe(Batch(source, "kWh", impulses, None, {"b": Boot(start, True)}, rows))
        journal.store(source, {"b": Boot(start, True)}, rows)
    journal.close()
    now = start + 3600
    costs = Costs(Tariffs(read_prices("FROM 2020-01-01 PRICE=0.5 STANDING_CHARGE=10"), [], "€"))
    grid = series.meters()["grid"]
    found = figures(series, grid, now, costs)
    assert found is not None
    assert found.flow is not None
    assert found.flow.value == pytest.approx(600 - 2400)
    today = found.amounts[0]
    assert today.amount == pytest.approx(599 / 1000 - 2 * 599 / 500)
    assert today.cost is not None
    assert (today.cost.used, today.cost.standing_charge) == (pytest.approx(0.5 * (today.amount or 0.0)), 0.0)
    assert [point.pulses for point in series.points("grid", start, start + 13)] == [pytest.approx(-3.0), pytest.approx(-6.0)]
    series.close()

"""The prices file beside a running collector: what it says costs, what is wrong in it, and what the settings said before."""

import csv
import io
import json
import os
import time
from datetime import datetime

import pytest

from pimains.core.ledger import Ledger
from tests.collector.collecting import TOKEN, Collector, batch, steady
from tests.collector.house.test_energy_command import command, energy
from tests.collector.zones import in_zone
from tests.kit import House

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


def costs_today(collector: Collector, source: str = "house") -> float:
    told = {each["source"]: each for each in collector.get("/v1/sources").json()}
    return float(told[source]["costs"]["today"]["total"])


def test_a_file_that_is_written_holds_at_once_everywhere_and_a_wrong_one_changes_nothing(house: House) -> None:
    file = house.root / "prices"
    collector = Collector(house, PRICES=str(file), PRICE="0.5", CURRENCY="EUR")
    assert collector.send(batch((1, 0, 0), (2, 10, 4000), offset=time.time() - 11)).ok
    assert costs_today(collector) == pytest.approx(2.0)
    assert energy(house, "prices").splitlines() == [
        f"{file}: PRICE and PRICE_M3 hold",
        "the beginning  all  0.5 EUR a kWh  setting PRICE, until a line for all",
    ]
    nights = "FROM 2021-01-01 SOURCE=hoose PRICE=1 HOURS=22:00-06:00\nFROM 2021-01-01 SOURCE=hoose PRICE=2\n"
    file.write_text(f"FROM 2020-01-01 PRICE=0.25 # at first\n{nights}")
    assert costs_today(collector) == pytest.approx(1.0)
    assert "4.00 kWh<span>1.00 EUR</span>" in collector.get("/").text
    metrics = collector.get("/metrics").text
    assert 'pimains_price{source="house"} 0.25' in metrics
    assert 'pimains_cost_today{source="house"} 1.0' in metrics
    assert json.loads(energy(house, "--json"))["house"]["sum_cost"] == pytest.approx(1.0)
    done = command(house, "prices")
    assert done.returncode == 0
    assert done.stdout.splitlines()[2] == "2020-01-01 00:00  all    0.25 EUR a kWh  line 1"
    assert done.stdout.splitlines()[3] == "2021-01-01 00:00  hoose  1 EUR a kWh     line 2, Mon-Sun 22:00-06:00"
    assert done.stderr.splitlines() == [f"{file} line {number}: there is no source hoose" for number in (2, 3)]
    cost_days = collector.get("/graphs/house/cost-days.svg").content
    file.write_text("FROM 2020-01-01 PRICE=0.75\nFROM 2021-01-01 PRICE=much\nFROM soon PRICE=1\n")
    assert costs_today(collector) == pytest.approx(1.0)
    assert collector.get("/graphs/house/cost-days.svg").content == cost_days
    wrong = [
        f"{file} line 2: PRICE='much': not a number from -1000000 to 1000000",
        f"{file} line 3: FROM 'soon': not a local date such as 2026-01-01, or 2026-01-01T06:00",
    ]
    done = command(house, "prices")
    assert (done.returncode, done.stderr.splitlines()) == (1, wrong)
    assert json.loads(command(house, "prices", "--json").stdout)["wrong"] == wrong
    assert json.loads(energy(house, "--json"))["house"]["sum_cost"] == pytest.approx(1.0)
    house.until(lambda: wrong[0] in collector.instance.status)
    collector.instance.svc("-d")
    house.until(lambda: collector.instance.pid == 0)
    (collector.instance.run / "url").unlink()
    collector.instance.svc("-u")
    house.until(lambda: collector.instance.read("url"))
    assert costs_today(collector) == pytest.approx(1.0)
    file.write_text("FROM 2020-01-01 PRICE=0.75\n")
    assert costs_today(collector) == pytest.approx(3.0)
    house.until(lambda: "last reading" in collector.instance.status)


def test_a_changed_price_does_not_change_what_was_paid_and_the_ledger_knows_it(house: House) -> None:
    collector = Collector(house, PRICE="0.3", CURRENCY="EUR")
    now = time.time()
    assert collector.send(batch((1, 0, 0), (2, 10, 4000), offset=now - 11)).ok
    assert costs_today(collector) == pytest.approx(1.2)
    collector.instance.set("PRICE", "0.6")
    collector.instance.svc("-t")
    ledger = Ledger(house.root / "var/lib/pimains/ledger.sqlite")
    house.until(lambda: ledger.entries("collector"))
    assert ledger.entries("collector")[0].action == "PRICE is 0.6 from now on"
    house.until(lambda: "last reading" in collector.instance.status)
    assert costs_today(collector) == pytest.approx(1.2)
    assert collector.send(batch((1, 0, 4000), (2, 0.001, 5000), offset=time.time(), boot="c")).ok
    assert costs_today(collector) == pytest.approx(1.8)
    said = energy(house, "prices").splitlines()
    assert said[1] == "the beginning     all  0.3 EUR a kWh  setting PRICE, until a line for all"
    assert said[2].startswith(datetime.fromtimestamp(now).strftime("%Y-%m-%d "))
    assert "0.6 EUR a kWh" in said[2]


def test_what_is_fed_in_is_earned_and_gas_is_shown_in_kwh_with_its_standing_charge(house: House) -> None:
    file = house.root / "prices"
    file.write_text(
        "FROM 2020-01-01 SOURCE=pv PRICE=-0.08\nFROM 2020-01-01 SOURCE=house STANDING_CHARGE=31\n"
        "FROM 2020-01-01 SOURCE=gas PRICE=0.1 CALORIFIC_VALUE=11 STATE_NUMBER=0.9\n"
    )
    collector = Collector(house, PRICES=str(file), CURRENCY="EUR")
    now = time.time()
    for source, unit in (("pv", "kWh"), ("gas", "m3")):
        collector.token(source, TOKEN)
        assert collector.send(batch((1, 0, 0), (2, 10, 5000), offset=now - 11)._replace(source=source, unit=unit)).ok
    text = collector.get("/?table=1").text
    assert "<dt>today</dt><dd>5.00 kWh<span>-0.40 EUR</span></dd>" in text
    assert "<dt>today</dt><dd>5.00 m³<span>49.50 kWh, 4.95 EUR</span></dd>" in text
    assert "<td>5.00</td><td>49.50</td><td>4.95 EUR</td>" in text
    assert energy(house, "--source=gas", "--count=1").splitlines()[1:] == [
        "day           m³    kWh   EUR",
        f"{datetime.fromtimestamp(now):%Y-%m-%d}  5.00  49.50  4.95",
        "sum         5.00  49.50  4.95",
    ]
    assert collector.get("/graphs/pv/cost-days.svg").status_code == collector.get("/graphs/gas/cost-months.svg").status_code == 200
    assert collector.send(steady(10)).ok
    file.write_text("FROM 2020-01-01 PRICE=1 STANDING_CHARGE=900000\n")
    told = next(each for each in collector.get("/v1/sources").json() if each["source"] == "house")
    assert told["costs"]["today"]["standing_charge"] > 10
    assert " EUR standing charge" in collector.get("/").text
    assert "of it standing charge" in energy(house, "--source=house")


def test_what_each_day_cost_is_exported_also_of_23_and_25_hours(house: House) -> None:
    file = house.root / "prices"
    file.write_text("FROM 2020-01-01 PRICE=0.2 HOURS=22:00-06:00\nFROM 2020-01-01 PRICE=0.4 STANDING_CHARGE=31\n")
    with in_zone("Europe/Berlin"):
        collector = Collector(house, PRICES=str(file), CURRENCY="EUR")
        for boot, day, hours in (("spring", datetime(2026, 3, 28), 71), ("autumn", datetime(2026, 10, 24), 73)):
            readings = [(hour + 1, 3600.0 * hour, 1000 * hour) for hour in range(hours + 1)]
            counted = 71_000 if boot == "autumn" else 0
            rows = [(sequence, uptime, counted + count) for sequence, uptime, count in readings]
            assert collector.send(batch(*rows, offset=day.timestamp(), boot=boot)).ok
        asked = "/v1/export?source=house&every=day"
        assert collector.get(f"{asked}&from=2026-03-28&to=2026-03-31").text.splitlines() == [
            "day,amount_kWh,cost_EUR,standing_charge_EUR",
            "2026-03-28,24,9,1",
            "2026-03-29,23,8.8,1",
            "2026-03-30,24,9,1",
        ]
        autumn = collector.get(f"{asked}&from=2026-10-25&to=2026-10-26&format=json").json()
        assert autumn["columns"] == ["day", "amount_kWh", "cost_EUR", "standing_charge_EUR"]
        assert autumn["rows"][0] == ["2026-10-25", 25, pytest.approx(9.2), pytest.approx(1.0)]
        months = list(csv.DictReader(io.StringIO(energy(house, "--month", "--csv"))))
        march, october = (next(row for row in months if row["month"] == month) for month in ("2026-03", "2026-10"))
        assert (march["source"], march["amount"], march["unit"], march["currency"]) == ("house", "71", "kWh", "EUR")
        assert float(march["cost"]) - float(march["standing_charge"]) == pytest.approx(8.0 + 7.8 + 8.0)
        assert float(october["cost"]) - float(october["standing_charge"]) == pytest.approx(8.0 + 8.2 + 8.0)
        refused = collector.get("/v1/export?source=house&every=week").json()["error"]
        assert refused == "every: not a number of seconds from 1, day, month or year"

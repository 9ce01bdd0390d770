"""What the History page asks: sources, curves, energy, bands and the export, and why there is none."""

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web import recorded
from tests.web.asking import Asked, answering
from tests.web.recorded import ATTACK, DAY, Past

NOW = time.time()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Three days of a house, with prices and a sum."""
    root = tmp_path_factory.mktemp("history")
    data = recorded.a_collector(root / "scan", root, PRICE="0.5", CURRENCY="EUR", DERIVED=f"grid = house - {ATTACK}")
    recorded.a_house(data, NOW, days=3)
    with answering(root / "scan") as web:
        yield web


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[tuple[Asked, Path]]:
    """A collector without a journal."""
    data = recorded.a_collector(tmp_path / "scan", tmp_path)
    with answering(tmp_path / "scan") as web:
        yield web, data


def curve(web: Asked, source: str, seconds: float = DAY, **more: str) -> list[float | None]:
    answer = web.get("/v1/history", params={"source": source, "from": str(NOW - seconds), "to": str(NOW), **more})
    assert answer.status_code == 200, answer.text
    values: list[float | None] = answer.json()["values"]
    return values


def test_all_sources_are_told_with_what_they_are(house: Asked) -> None:
    told = house.get("/v1/history/sources").json()
    assert (told["collectors"], told["collector"], told["trouble"]) == (["collector"], "collector", "")
    assert {each["source"]: (each["kind"], each["flow_unit"], each["has_price"]) for each in told["sources"]} == {
        "house": ("count", "W", True),
        ATTACK: ("count", "W", True),
        "grid": ("count", "W", True),
        "ups/battery.charge": ("value", "%", False),
        "relays/1.state": ("relay", "", False),
    }


def test_a_curve_has_as_many_points_as_wanted_and_gaps(house: Asked) -> None:
    values = curve(house, "house", 3 * DAY, points="2000")
    known = [value for value in values if value is not None]
    assert len(values) == 2000
    assert 0.05 < values.count(None) / 2000 < 0.12, "a quarter of the second day"
    assert 200 < sum(known) / len(known) < 500
    assert len(curve(house, "ups/battery.charge")) == 600


def test_a_sum_is_what_its_parts_are(house: Asked) -> None:
    grid, own, sun = (curve(house, source, DAY, points="48") for source in ("grid", "house", ATTACK))
    told = [(a, b, c) for a, b, c in zip(grid, own, sun, strict=True) if a is not None]
    assert len(told) > 40
    assert all(a == pytest.approx((b or 0) - (c or 0), abs=0.1) for a, b, c in told)


def test_energy_of_days_is_what_the_meter_has_counted_and_its_cost(house: Asked) -> None:
    answer = house.get("/v1/history/energy", params={"source": "house", "from": str(NOW - 2 * DAY), "to": str(NOW)}).json()
    assert (answer["unit"], answer["by"], answer["currency"]) == ("kWh", "day", "EUR")
    assert len(answer["rows"]) == 3
    assert [row["is_whole"] for row in answer["rows"]] == [True, True, False]
    assert all(row["cost"] == pytest.approx(row["amount"] * 0.5) for row in answer["rows"])
    month = house.get("/v1/history/energy", params={"source": "house", "from": "0", "to": "4000000000", "by": "month"})
    assert month.status_code == 400, "that is more than eleven years"


def test_relays_have_bands_and_how_long_they_were_on(house: Asked) -> None:
    (relay,) = house.get("/v1/history/relays", params={"from": str(NOW - 3 * DAY), "to": str(NOW)}).json()["relays"]
    assert relay["source"] == "relays/1.state"
    on = sum(end - start for start, end, share in relay["bands"] if share == 1)
    assert on == pytest.approx(relay["on_seconds"], abs=5)
    assert relay["known_seconds"] == pytest.approx(3 * DAY - 0.25 * DAY, abs=600)


def test_the_export_is_the_collectors_own(house: Asked) -> None:
    answer = house.get("/v1/export", params={"source": "house", "from": str(NOW - DAY / 4), "to": str(NOW)})
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["time", "unixtime", "pulses", "total_kWh", "amount_kWh"]
    assert len(rows) == 361
    assert answer.headers["Content-Disposition"] == 'attachment; filename="house.csv"'
    days = house.get("/v1/export", params={"source": "house", "from": str(NOW - 2 * DAY), "every": "day"}).text.splitlines()
    assert (days[0], len(days)) == ("day,amount_kWh,cost_EUR,standing_charge_EUR", 4)
    attack = house.get("/v1/export", params={"source": ATTACK, "from": str(NOW - DAY), "every": "day", "format": "json"})
    assert attack.json()["source"] == ATTACK
    assert attack.headers["Content-Disposition"] == 'attachment; filename="-img-src-x-onerror-alert-1-.json"'


@pytest.mark.parametrize(
    ("path", "query", "status", "why"),
    [
        ("/v1/history", {"source": "nobody"}, 404, "source: not one of those in /v1/history/sources"),
        ("/v1/history", {"source": "house", "points": "2001"}, 400, "points: not a number from 1 to 2000"),
        ("/v1/history", {"source": "house", "points": "²"}, 400, "points: not a number from 1 to 2000"),
        ("/v1/history", {"source": "house", "from": "yesterday"}, 400, "from: not a time such as"),
        ("/v1/history", {"source": "house", "from": "9", "to": "8"}, 400, "from: not before to"),
        ("/v1/history", {"source": "house", "from": "nan"}, 400, "from: not a time such as"),
        ("/v1/history", {"source": "house", "from": "0"}, 400, "from: more than eleven years before to"),
        ("/v1/history", {"source": "house", "collector": "other"}, 409, "collector: there is none called so; there is collector"),
        ("/v1/history/energy", {"source": "ups/battery.charge"}, 400, "source: ups/battery.charge is a value, and adds up to nothing"),
        ("/v1/history/energy", {"source": "house", "by": "hour"}, 400, "by: not day, month or year"),
        ("/v1/export", {"source": "house", "format": "xls"}, 400, "format: not csv or json"),
        ("/v1/export", {"source": "house", "every": "0.1"}, 400, "every: not a number of seconds from 1, day, month or year"),
        ("/v1/export", {"source": "ups/battery.charge", "every": "month"}, 400, "averages of a day at most"),
    ],
)
def test_what_cannot_be_told_is_refused_in_a_line(house: Asked, path: str, query: dict[str, str], status: int, why: str) -> None:
    answer = house.get(path, params=query)
    assert (answer.status_code, why in answer.json()["error"]) == (status, True), answer.text


def test_without_a_collector_it_says_what_to_type(tmp_path: Path) -> None:
    (tmp_path / "scan").mkdir()
    with answering(tmp_path / "scan") as web:
        assert web.get("/v1/history/sources").json()["make"] == "sudo create_service --service_name=collector --add-service"
        assert "sudo create_service --service_name=collector --add-service" in web.get("/v1/history?source=x").json()["error"]
        assert "sudo create_service --service_name=collector --add-service" in web.get("/history").text


def test_a_journal_that_is_not_there_yet_comes_and_is_replaced(empty: tuple[Asked, Path]) -> None:
    web, data = empty
    trouble = web.get("/v1/history/sources").json()["trouble"]
    assert trouble.startswith(f"{data}/journal.sqlite: there is no journal yet (collector is not running: svc -u ")
    Past(data).close()
    assert web.get("/v1/history/sources").json()["sources"] == []
    past = Past(data)
    past.meter("house", NOW - 100, (0.0, 1), (50.0, 2))
    assert [each["source"] for each in web.get("/v1/history/sources").json()["sources"]] == ["house"]
    past.close()
    for path in data.iterdir():
        path.unlink()
    other = Past(data)
    other.meter("garage", NOW - 100, (0.0, 1), (50.0, 2))
    other.close()
    assert [each["source"] for each in web.get("/v1/history/sources").json()["sources"]] == ["garage"]


def test_a_journal_that_is_damaged_is_said_to_be(empty: tuple[Asked, Path]) -> None:
    web, data = empty
    (data / "journal.sqlite").write_bytes(b"this is no database at all, and was never one" * 100)
    assert "is damaged; its collector begins it anew with what can be read of it" in web.get("/v1/history/sources").json()["trouble"]
    (data / "journal.sqlite").unlink()
    recorded.a_house(data, NOW, days=3)
    whole = (data / "journal.sqlite").read_bytes()
    (data / "journal.sqlite").write_bytes(whole[:20_000] + bytes(len(whole) - 20_000))
    answer = web.get("/v1/history", params={"source": "house", "from": str(NOW - 3 * DAY)})
    assert answer.status_code in (200, 409), answer.text
    assert answer.status_code == 200 or "journal.sqlite" in answer.json()["error"]


def test_a_directory_in_the_journals_place_is_one_line(empty: tuple[Asked, Path]) -> None:
    web, data = empty
    (data / "journal.sqlite").mkdir()
    assert "is damaged" in web.get("/v1/history/sources").json()["trouble"]

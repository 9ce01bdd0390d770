"""The collector's page: what it says, in which views, and to whom."""

import os
import re
import time
from datetime import datetime

import pytest

from pimains.shared.plan.delivery import Boot, Reading
from pimains.shared.readings.journal import Journal
from pimains.shared.readings.plan.energy import periods
from tests.collector.collecting import TOKEN, Collector, batch, steady
from tests.kit import House

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


@pytest.fixture
def collector(house: House) -> Collector:
    return Collector(house, PRICE="0.5", CURRENCY="EUR")


def three_days(now: float) -> list[tuple[int, float, int]]:
    """2 kWh two days ago, nothing heard yesterday, 0.9 kWh today, as readings of one boot that began three days ago."""
    before, _, today = periods("day", now, 3)
    start = before.start - 86_400
    noon = before.start + 43_200
    rows = [(n, noon + n * 60 - start, n * 100) for n in range(1, 21)]
    first = min(today.start + 60, now - 20)
    return rows + [(1000 + n, first + n - start, 1900 + n * 100) for n in range(1, 11)]


def test_bars_are_the_energy_of_local_days_and_a_day_without_readings_has_none(collector: Collector) -> None:
    now = time.time()
    before, yesterday, today = periods("day", now, 3)
    assert collector.send(batch(*three_days(now), offset=before.start - 86_400)).ok
    text = collector.get("/?table=1").text

    def row(start: float, rest: str) -> str:
        when = datetime.fromtimestamp(start)
        return f'<tr><th scope="row">{when:%a} {when.day} {when:%b}{rest}</tr>'

    assert row(before.start, "</th><td>1.90</td><td>0.95 EUR</td>") in text
    assert row(yesterday.start, "</th><td>no readings</td><td></td>") in text
    assert row(today.start, " so far</th><td>0.90</td><td>0.45 EUR</td>") in text
    assert "<dt>yesterday</dt><dd>-</dd>" in text
    assert "<dt>last year</dt><dd>-</dd>" in text or before.start < periods("year", now, 1)[0].start
    assert collector.get("/v1/sources").json()[0]["amounts"]["yesterday"] is None
    assert collector.get("/graphs/house/days.svg").content != collector.get("/graphs/house/cost-days.svg").content


def test_each_view_names_its_pictures_and_all_of_them_are_there(collector: Collector) -> None:
    assert collector.send(steady(2000)).ok
    for name, names in (("day", "days"), ("week", "days"), ("month", "days"), ("year", "months"), ("decade", "years")):
        text = collector.get(f"/?range={name}").text
        assert f'src="graphs/house/{name}.svg"' in text
        assert f'src="graphs/house/{names}.svg"' in text
        assert f'src="graphs/house/cost-{names}.svg"' in collector.get(f"/?range={name}&in=cost").text
        for picture in (f"{name}.svg", f"{names}.svg?theme=dark&size=narrow", f"cost-{names}.png"):
            assert collector.get(f"/graphs/house/{picture}").status_code == 200
    assert collector.get("/?range=nonsense&in=x&table=y").text.count("<img") == 2


def test_numbers_of_a_picture_are_beside_it_in_words(collector: Collector) -> None:
    assert collector.send(steady(2000)).ok  # 720 W
    assert "average 720 W, least 720 W, most 720 W, together 2.00 kWh, 1.00 EUR." in collector.get("/").text


def test_without_a_price_there_are_no_costs(house: House) -> None:
    collector = Collector(house)
    assert collector.send(steady(100)).ok
    assert "€" not in collector.get("/?in=cost&table=1").text
    assert collector.get("/graphs/house/cost-days.svg").status_code == 404


def test_a_picture_that_is_known_already_is_not_sent_again(collector: Collector) -> None:
    assert collector.send(steady(100)).ok
    first = collector.get("/graphs/house/months.svg")
    again = collector.get("/graphs/house/months.svg", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    now = time.time()
    assert collector.send(batch((1, 1.0, 50_000), (2, 2.0, 90_000), offset=now - 1, boot="c")).ok
    changed = collector.get("/graphs/house/months.svg", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.content != first.content


def test_a_picture_of_a_moment_ago_is_shown_until_a_reading_comes_from_wherever(collector: Collector) -> None:
    now = time.time()
    assert collector.send(steady(100, now)).ok
    first = collector.get("/graphs/house/days.svg")
    pictures = list((collector.instance.run / "graphs").iterdir())
    for picture in pictures:
        picture.unlink()
    assert collector.get("/graphs/house/days.svg").content == first.content
    assert list((collector.instance.run / "graphs").iterdir()) == []
    journal = Journal(collector.instance.lib / "journal.sqlite")  # another process
    journal.store("house", {"c": Boot(now - 1)}, [Reading("c", 1, None, 1.0, 90_000)])
    journal.close()
    assert collector.get("/graphs/house/days.svg").content != first.content


def test_late_readings_change_the_bars_of_days_that_were_shown(collector: Collector) -> None:
    now = time.time()
    assert collector.send(steady(100, now)).ok
    before = collector.get("/?table=1").text
    assert "no readings" not in before  # days before its first one are none
    assert collector.send(batch(*[(n, n * 60.0, n) for n in range(1, 200)], offset=now - 9 * 86_400, boot="a")).ok
    assert collector.get("/?table=1").text.count("no readings") >= 7


def test_who_is_silent_is_offline_and_what_is_a_bound_says_at_most(collector: Collector) -> None:
    now = time.time()
    assert collector.send(steady(100, now - 7300)).ok
    assert "Offline: nothing heard for 2 h" in collector.get("/").text
    rows = [(n, n * 5.0, min(n, 20)) for n in range(1, 41)]
    assert collector.send(batch(*rows, offset=now - 200, boot="c")).ok
    assert "<small>at most</small> 36 W" in collector.get("/").text


def test_a_page_without_readings_tells_what_to_type(collector: Collector) -> None:
    text = collector.get("/").text
    assert f"--collector={collector.url} --token=@token.txt --add-service" in text
    assert TOKEN not in text
    evil = collector.get("/", headers={"Host": "<script>alert(1)</script>"})
    assert "<script" not in evil.text


def test_each_source_has_its_own_section(collector: Collector) -> None:
    collector.token("shed <2>", TOKEN)
    assert collector.send(steady(100)).ok
    assert collector.send(steady(100)._replace(source="shed <2>", unit="m3")).ok
    text = collector.get("/").text
    assert text.count("<section") == 2
    assert 'href="?range=week#source-2"' in text
    assert 'src="graphs/shed%20%3C2%3E/day.svg"' in text
    assert "Volume in m³ per day" in text
    assert text.count(" EUR") > 0
    assert "m³<span>" not in text


def test_guessing_the_password_takes_time(house: House) -> None:
    collector = Collector(house, PASSWORD="open sesame")
    said = [0]
    while said[-1] != 429:
        said.append(collector.get("/metrics", auth=("pi", f"guess {len(said)}")).status_code)
    assert said[1:11] == [401] * 10
    assert len(said) <= 20, "each takes six seconds, these were quicker"
    refused = collector.get("/", auth=("pi", "open sesame"))
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 7
    time.sleep(int(refused.headers["Retry-After"]))
    assert collector.get("/", auth=("pi", "open sesame")).status_code == 200
    assert collector.get("/", auth=("pi", "wrong again")).status_code == 401


def test_the_time_of_the_peak_is_told_as_exactly_as_the_picture_has_it(collector: Collector) -> None:
    now = time.time()
    rows, count = [], 0
    for number in range(1, 2001):
        count += 10 if 1000 <= number < 1040 else 1  # 7200 W for 200 s, 5000 s ago
        rows.append((number, number * 5.0, count))
    assert collector.send(batch(*rows, offset=now - 10_000)).ok
    told = re.findall(r"most 7,200 W at ([0-9:]+),", collector.get("/").text)
    assert len(told) == 2  # in words, and for who does not see the picture
    around = {datetime.fromtimestamp(now - 10_000 + 5000 + seconds).strftime("%H:%M") for seconds in range(-110, 311, 10)}
    assert set(told) <= around
    text, days = collector.get("/?range=week").text, [datetime.fromtimestamp(now - 5000 + seconds) for seconds in (-900, 900)]
    assert any(f" W on {when:%a} {when.day} {when:%b}, " in text for when in days)

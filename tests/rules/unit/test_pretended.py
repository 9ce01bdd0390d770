"""What somebody pretends is checked, each wrong thing in one line, and put over what is so."""

import json
import time

import pytest

from pimains.core.errors import Misused
from pimains.rules import pretended

NOTHING_NEW = {"number": 3, "time": 1000.0, "wall": 5000.0, "values": [["bmv/SOC", 20.0, 990.0]], "forget": ["bmv/P"], "relays": {}}


def over(told: dict[str, object], ago: float = 0.0) -> dict[str, object]:
    return pretended.parsed(json.dumps(told)).over(NOTHING_NEW, ago)


def test_what_is_pretended_comes_after_what_is_so() -> None:
    found = over({"values": {"bmv/SOC": 95, "bmv/P": None, "bmv/AR": "low"}, "hosts": {"pc.lan": True}, "files": ["party"]})
    assert found["values"] == [["bmv/SOC", 20.0, 990.0], ("bmv/SOC", 95.0, 1000.0), ("bmv/P", None, 1000.0), ("bmv/AR", "low", 1000.0)]
    assert found["forget"] == []
    assert (found["hosts"], found["files"], found["wall"]) == ({"pc.lan": True}, ["party"], 5000.0)
    assert over({}) == NOTHING_NEW


def test_a_relay_that_is_pretended_to_be_on_has_been_so_for_a_while() -> None:
    found = over({"relays": {"2": {"on": True, "for": 600, "mode": "on"}, "4": {"for": 60}}, "for": 100}, 100.0)
    relays = found["relays"]
    assert isinstance(relays, dict)
    assert relays["2"]["kept"]["runs"] == [(300.0, None, 0.0)]
    assert relays["2"]["kept"]["mode"][0] == "on"
    assert (relays["4"]["kept"]["runs"], relays["4"]["kept"]["opened_at"]) == ([], 840.0)
    assert (found["time"], found["wall"]) == (900.0, 4900.0)


def test_an_hour_is_of_today_or_of_the_day_that_is_told() -> None:
    at = pretended.parsed('{"at": "8:05"}').wall
    assert at is not None
    told = time.localtime(at)
    assert (told.tm_hour, told.tm_min, told.tm_yday) == (8, 5, time.localtime().tm_yday)
    assert pretended.parsed('{"at": "2026-07-01T18:30"}').wall == time.mktime((2026, 7, 1, 18, 30, 0, 0, 0, -1))


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ("[1", "what is pretended is no JSON"),
        ("[" * 50_000, "what is pretended is no JSON"),
        ("3", 'what is pretended is no object such as {"values": {"vedirect.bmv/SOC": 95}}'),
        (" " * 70_000, "what is pretended is longer than 64 KiB"),
        ('{"value": {}}', "'value' is none of what may be pretended: values, relays, at, for, hosts, files"),
        ('{"values": {"bmv/SOC": true}}', "values: bmv/SOC: a number, words of at most 200 characters, or null"),
        ('{"values": {"bmv/SOC": NaN}}', "values: bmv/SOC: a number, words of at most 200 characters, or null"),
        ('{"values": {"a\\u0007": 1}}', "values: an object with at most 200 names, each of at most 160 plain characters"),
        ('{"relays": {"1000": {}}}', "relays: '1000' is no relay's number, 1-999"),
        ('{"relays": {"3": {"of": 1}}}', 'relays: 3: such as {"on": true, "for": 600, "mode": "auto"}'),
        ('{"relays": {"3": {"mode": "maybe"}}}', "relays: 3: mode is one of off, auto, on"),
        ('{"relays": {"3": {"on": 1}}}', "relays: 3: on: true or false"),
        ('{"at": "25:00"}', "at: '25:00' is no time (such as 18:30 or 2026-07-01T18:30)"),
        ('{"for": -1}', "for: seconds, 0-2592000"),
        ('{"hosts": {"pc.lan": "yes"}}', "hosts: pc.lan: true or false"),
        ('{"files": "party"}', 'files: a list of names, such as ["party"]'),
    ],
)
def test_what_cannot_be_pretended_is_said_in_a_line(told: str, line: str) -> None:
    with pytest.raises(Misused) as wrong:
        pretended.parsed(told)
    assert str(wrong.value) == line

"""Which events of a UPS people are told of, when, how often, and in which words."""

import configparser
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.ups import texts
from pimains.ups.plan.standing import FSD_STANDING, SUSPENDED
from pimains.ups.plan.telling import Matter, Message, OfAShutdown, tell
from pimains.ups.texts import LANGUAGES, Facts, written

OF_NUT = """ONLINE ONBATT LOWBATT FSD COMMOK COMMBAD SHUTDOWN REPLBATT NOCOMM CAL NOTCAL OFF NOTOFF BYPASS NOTBYPASS ECO NOTECO ALARM
NOTALARM OVER NOTOVER TRIM NOTTRIM BOOST NOTBOOST OTHER NOTOTHER SHUTDOWN_HOSTSYNC SUSPEND_FINISHED"""
EVENTS = [*OF_NUT.split(), FSD_STANDING]
ALL = {*EVENTS, *OfAShutdown}
FACTS = Facts("pi", "eaton", "ONBATT", "OB DISCHRG", 41.0, 3723.0, 12.5)


def told(events: Mapping[float, Iterable[str]], until: float) -> list[tuple[float, Message]]:
    """What people are told, and when, of events at seconds, looked at each second."""
    matters: dict[str, Matter] = {}
    found = []
    for second in range(int(until) + 1):
        matters, messages = tell(matters, events.get(second, ()), second)
        found += [(float(second), each) for each in messages]
    return found


def words(events: Mapping[float, Iterable[str]], until: float) -> list[tuple[float, str]]:
    return [(at, message.event) for at, message in told(events, until)]


def test_an_outage_is_told_at_once_and_after_five_minutes_and_so_is_its_end() -> None:
    assert told({10: ["ONBATT"], 700: ["ONLINE"]}, 2000) == [
        (10, Message("ONBATT")),
        (310, Message("ONBATT", 300)),
        (700, Message("ONLINE")),
        (1000, Message("ONLINE", 300)),
    ]


def test_a_low_battery_is_told_at_once() -> None:
    assert words({10: ["ONBATT"], 20: ["LOWBATT"]}, 200) == [(10, "ONBATT"), (20, "LOWBATT")]


def test_data_that_are_lost_for_a_moment_are_not_told() -> None:
    assert words({10: ["COMMBAD"], 39: ["COMMOK"]}, 1000) == []


def test_data_that_are_lost_are_told_after_half_a_minute_each_five_and_when_they_are_back() -> None:
    events = {10: ["COMMBAD"], 310: ["NOCOMM"], 610: ["NOCOMM"], 700: ["COMMOK"]}
    assert words(events, 1000) == [(40, "COMMBAD"), (310, "NOCOMM"), (610, "NOCOMM"), (700, "COMMOK")]


def test_twenty_flaps_in_an_hour_are_four_messages_with_their_count() -> None:
    events = {60 + 170 * flap + second: [event] for flap in range(20) for second, event in ((0, "ONBATT"), (4, "ONLINE"))}
    messages = told(events, 8000)
    for at, _ in messages:
        assert len([each for each, _ in messages if at <= each < at + 3600]) <= 4
    of_power_cuts = [message for _, message in messages if message.event == "ONBATT"]
    assert len(of_power_cuts) + sum(message.times for _, message in messages) == 20
    assert messages[-1][1].event == "ONLINE"


def test_an_outage_after_many_flaps_is_told_of() -> None:
    events = {60 + 20 * flap + second: [event] for flap in range(20) for second, event in ((0, "ONBATT"), (4, "ONLINE"))} | {
        1500: ["ONBATT"]
    }
    assert [(at, message.event) for at, message in told(events, 2000) if at >= 1500] == [(1800, "ONBATT")]


@given(st.lists(st.tuples(st.integers(0, 3599), st.sampled_from(["ONBATT", "ONLINE"])), max_size=60))
def test_whatever_comes_people_know_in_the_end_how_it_stands(changes: list[tuple[int, str]]) -> None:
    events, standing = {}, "ONLINE"
    for second, event in sorted(changes):
        if event != standing and second not in events:
            events[second], standing = [event], event
    messages = told(events, 12000)
    assert [message.event for _, message in messages][-1:] == ([standing] if events else [])
    assert len([message for _, message in messages if message.event == "ONBATT" and not message.for_seconds]) <= len(events)


def test_each_other_event_is_told_at_once() -> None:
    others = [event for event in EVENTS if event not in ("ONLINE", "ONBATT", "COMMBAD", "COMMOK")]
    for event in others:
        events = {5: [event.removeprefix("NOT")], 10: [event]} if event.startswith("NOT") else {10: [event]}
        assert (10, event) in words(events, 20), event
    assert words({10: SUSPENDED}, 20) == [(10, "SUSPEND_FINISHED")]  # one knows of a sleep only when it is over


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_event_has_its_words_in_each_language(language: str) -> None:
    shipped = configparser.ConfigParser(interpolation=None)
    shipped.optionxform = str  # type: ignore[method-assign,assignment]
    shipped.read_string((Path(texts.__file__).parent / language).read_text(encoding="utf-8"))
    assert set(shipped["words"]) == ALL
    for event in sorted(ALL):
        subject, body = written(
            FACTS._replace(event=event, alarm="fan", about="10.0.0.1", minutes=5, times=3, since="14:05"), language, None
        )
        assert "$" not in subject + body
        assert len(subject) < 200
        assert all(each in body for each in ("pi", "eaton", event, "OB DISCHRG", "41 %", "01:02:03", "12.5 %", "14:05"))


def test_nothing_is_told_but_by_the_texts() -> None:
    """So that each message has its words in each language: all of them come from one place."""
    modules = Path(texts.__file__).parents[1].rglob("*.py")
    assert [path.name for path in modules if "notify_queue.post(" in path.read_text()] == ["watched.py"]


def test_the_messages_of_a_shutdown_name_who_it_is_about() -> None:
    for language in LANGUAGES:
        for event in (OfAShutdown.MISSING, OfAShutdown.REFUSED, OfAShutdown.EMPTIES):
            assert "10.0.0.1" in written(FACTS._replace(event=event, about="10.0.0.1"), language, None)[0]


def test_what_is_not_known_is_said_to_be_so() -> None:
    _, body = written(FACTS._replace(charge=None, runtime=None, load=None, status=""), "de", None)
    assert body.count("nicht bekannt") == 4


def test_an_administrators_own_words_take_the_place_of_the_shipped_ones_and_an_empty_file_does_not(tmp_path: Path) -> None:
    (tmp_path / "ONBATT").write_text("Strom weg: $ups\nnoch $runtime, $100 $unknown\n")
    assert written(FACTS, "de", tmp_path) == ("Strom weg: eaton", "noch 01:02:03, $100 $unknown")
    (tmp_path / "ONBATT").write_text("")
    assert written(FACTS, "de", tmp_path) == written(FACTS, "de", None)

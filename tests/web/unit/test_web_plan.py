"""What the page decides: sessions in number and time, names of this machine, origins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.web.plan import hosts
from pimains.web.plan.sessions import Sessions


def test_a_session_ends_when_it_is_not_used_and_when_it_is_old() -> None:
    sessions = Sessions(idle_seconds=10, seconds_max=25)
    sessions.begin(b"a", "token", 0.0)
    assert [sessions.csrf(b"a", now) for now in (5.0, 14.0, 23.0, 25.0)] == ["token", "token", "token", None]
    sessions.begin(b"b", "token", 0.0)
    assert sessions.csrf(b"b", 10.0) is None
    assert sessions.csrf(b"b", 1.0) is None, "what is over stays so"


def test_there_are_only_so_many_and_the_one_longest_unused_makes_room() -> None:
    sessions = Sessions(sessions_max=2)
    sessions.begin(b"a", "a", 0.0)
    sessions.begin(b"b", "b", 1.0)
    assert sessions.csrf(b"a", 2.0) == "a"
    sessions.begin(b"c", "c", 3.0)
    assert [sessions.csrf(each, 4.0) for each in (b"a", b"b", b"c")] == ["a", None, "c"]


@pytest.mark.parametrize(
    "header",
    [
        "127.0.0.1:8461",
        "localhost",
        "LOCALHOST:8461",
        "pi",
        "pi.local:8461",
        "Pi.Local.",
        "pi.fritz.box",
        "192.168.1.20",
        "[::1]:8461",
        "[fe80::1]",
    ],
)
def test_people_reach_the_page_by_what_they_type(header: str) -> None:
    assert hosts.is_ours(header, "pi")


@pytest.mark.parametrize(
    "header",
    [
        *("evil.example", "pi.evil.example", "evil-pi.local", "localhost.evil.example", "127.0.0.1.evil.example", "pi.local.evil.example"),
        *(
            None,
            "",
            ":8461",
            "pi:",
            "pi local",
            "pi/..",
            "::1",
            "[pi]",
            "[127.0.0.1]",
            "pi@evil.example",
            "0x7f000001",
            "pi\r\n",
            "pi:999999",
        ),
    ],
    ids=repr,
)
def test_a_strangers_name_that_leads_here_is_none_of_this_machine(header: str | None) -> None:
    assert not hosts.is_ours(header, "pi")


def test_a_machine_with_a_domain_has_that_name_too() -> None:
    assert hosts.is_ours("pi.example.org", "pi.example.org")
    assert not hosts.is_ours("other.example.org", "pi.example.org")
    assert hosts.told("pi") == ["pi.local", "pi", "localhost"]
    assert hosts.told("localhost") == ["localhost"]


@given(st.text("pi.local:[]0123456789xé \r\n", max_size=40))
def test_any_text_is_a_name_or_is_none(text: str) -> None:
    assert isinstance(hosts.is_ours(text, text), bool)


def test_an_origin_is_that_of_the_page_or_it_is_none() -> None:
    assert hosts.is_same_origin("http://pi:8461", "http", "pi:8461")
    for origin in (None, "null", "", "https://pi:8461", "http://pi", "http://pi:8461/", "http://pi:8461.evil.example"):
        assert not hosts.is_same_origin(origin, "http", "pi:8461")

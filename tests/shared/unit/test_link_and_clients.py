"""Both sides of the link over real sockets on loopback, under a clock that only moves when told."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from socket import MSG_DONTWAIT, MSG_PEEK, socket

import pytest

from pimains.core.clock import FakeClock
from pimains.core.errors import Away
from pimains.fclient import link as client_side
from pimains.fclient.link import Link
from pimains.fserver import clients as server_side
from pimains.fserver.clients import Clients
from pimains.shared.fileserver.beats import ClientEnd, Secret, ServerEnd, client_id
from pimains.shared.fileserver.tcp_lines import accept, listen
from tests.kit import until

SECRET = Secret("bXkgc2VjcmV0IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE=")


class Pair:
    """A server and a client; `told` is all that either had to say."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.told: list[str] = []
        self.addresses = ["127.0.0.1"]
        listener = listen("127.0.0.1", 0, 8)
        self.port = listener.getsockname()[1]
        self.clients = Clients(listener, SECRET, 2, self.clock, say=self.told.append)
        self.link = self.new_link("kitchen")
        self.server_events: list[server_side.Event] = []
        self.client_events: list[client_side.Event] = []

    def new_link(self, name: str) -> Link:
        return Link(
            lambda: [(each, self.port) for each in self.addresses],
            partial(ClientEnd, SECRET, name, client_id()),
            self.clock,
            30,
            say=self.told.append,
        )

    def step(self) -> None:
        self.server_events += self.clients.step()
        self.client_events += self.link.step()

    def until(self, condition: Callable[[], object]) -> None:
        def stepped() -> object:
            self.step()
            return condition()

        until(stepped)

    def pass_time(self, seconds: float) -> None:
        """Let time pass in small steps, in which both may act."""
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)
            for _ in range(3):
                self.step()


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    pair.until(lambda: pair.link.is_joined)
    yield pair
    pair.link.close()
    pair.clients.close()


def words(events: list[server_side.Event] | list[client_side.Event]) -> list[str]:
    return [event.word for event in events]


def test_an_hour_of_beats_is_uneventful(pair: Pair) -> None:
    pair.pass_time(600)
    assert (words(pair.server_events), words(pair.client_events), pair.told) == (["joined"], ["joined"], [])


@pytest.mark.parametrize("jump", [-3600.0, 3600.0, 1e9, -1e9])
def test_a_clock_that_jumps_changes_nothing(pair: Pair, jump: float) -> None:
    pair.pass_time(2)
    pair.clock.jump(jump)
    pair.pass_time(10)
    assert (words(pair.server_events), words(pair.client_events), pair.told) == (["joined"], ["joined"], [])


def test_words_and_the_order_to_leave_get_across(pair: Pair) -> None:
    pair.link.say("words", "mounted")
    pair.until(lambda: "words" in words(pair.server_events))
    client = pair.clients.present[0]
    assert (client.name, client.words, client.address) == ("kitchen", "mounted", "127.0.0.1")
    client.tell("leave", "bedtime")
    pair.until(lambda: client_side.Event("leave", "bedtime") in pair.client_events)
    pair.link.leave("unmounted")
    pair.until(lambda: "left" in words(pair.server_events))
    assert pair.clients.present == []


def gone_after(pair: Pair) -> float:
    """How long after it was heard last a client takes its server for gone, which has acknowledged an answer meanwhile."""
    began = pair.clock.monotonic()
    pair.clock.advance(0.61)
    assert list(pair.link.step()) == []
    until(lambda: all_is_acknowledged(pair), 5)
    while not words(list(pair.link.step())):
        pair.clock.advance(0.05)
    return pair.clock.monotonic() - began


def test_a_server_that_says_nothing_is_gone_after_its_patience_and_not_before(pair: Pair) -> None:
    assert gone_after(pair) == pytest.approx(4.85, abs=0.06)


def test_a_server_that_cannot_be_reached_was_there_when_it_acknowledged_the_last_answer(pair: Pair) -> None:
    with socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        pair.port = nobody.getsockname()[1]
        assert gone_after(pair) == pytest.approx(4.85 + 0.6, abs=0.06)


def all_is_acknowledged(pair: Pair) -> bool:
    """Whether the kernel has nothing of the client's to send, for the first time or once more (proc_net_tcp)."""
    server = pair.clients.present[0].lines.socket
    ends = (f":{server.getpeername()[1]:04X}", f":{server.getsockname()[1]:04X}")  # others may come from the same port, too
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()]
    return any((row[1][-5:], row[2][-5:]) == ends and row[4].startswith("00000000:") for row in rows)


def test_after_ten_minutes_of_sleep_nothing_that_lay_in_the_socket_counts_and_a_new_proof_does(pair: Pair) -> None:
    pair.pass_time(3)
    pair.clients.present[0].tell("beat")
    pair.clients.present[0].tell("leave", "bedtime")
    until(lambda: pair.clients.present[0].lines.has_arrived(), 5)
    pair.clock.advance(600)
    assert list(pair.link.step()) == []
    assert pair.link.wait_seconds() <= 2.5
    assert pair.link.is_in_doubt
    pair.until(lambda: not pair.link.is_in_doubt)
    pair.pass_time(10)
    assert words(pair.client_events) == ["joined"], "its server proved itself in time, and the order of ten minutes ago is no more"


def test_a_server_that_went_while_its_client_slept_is_gone_moments_after_it_woke(pair: Pair) -> None:
    pair.pass_time(3)
    pair.clients.close()
    pair.clock.advance(600)
    began = pair.clock.monotonic()
    while not words(list(pair.link.step())):
        pair.clock.advance(0.05)
    assert pair.clock.monotonic() - began == pytest.approx(2.5, abs=0.1)
    pair.clients = Clients(listen("127.0.0.1", pair.port, 8), SECRET, 2, pair.clock, say=pair.told.append)


def test_a_machine_that_refuses_for_a_minute_is_unwell_and_one_that_starts_up_is_not(pair: Pair) -> None:
    with socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        pair.port, before = nobody.getsockname()[1], pair.port
        link, began = pair.new_link("bath"), pair.clock.monotonic()
        while not link.refused:
            assert pair.clock.monotonic() - began < 80
            until(lambda: list(link.step()) or link.hindrance == "connection refused", 5)
            pair.clock.advance(link.wait_seconds())
        assert pair.clock.monotonic() - began >= 60
    pair.port = before
    pair.until(lambda: pair.clock.advance(0.5) or list(link.step()) or link.is_joined)
    assert link.refused == link.hindrance == ""
    link.close()


_ANSWERS_NOTHING = "192.0.2.1"  # TEST-NET-1, RFC 5737


@pytest.mark.parametrize(
    "addresses", [["::1", "127.0.0.1"], ["127.0.0.1", "::1"], [_ANSWERS_NOTHING, "127.0.0.1"], ["127.0.0.2", "127.0.0.1"]]
)
def test_every_address_of_a_name_is_tried_in_time(pair: Pair, addresses: list[str]) -> None:
    """The server listens at 127.0.0.1 alone, as one at its default 0.0.0.0 does for a name that has IPv6, too."""
    pair.addresses = addresses
    newcomer = pair.new_link("bath")
    pair.until(lambda: pair.clock.advance(0.02) or list(newcomer.step()) or newcomer.is_joined)
    assert newcomer.peer == "127.0.0.1"
    assert pair.told == []
    assert [client.name for client in pair.clients.present] == ["bath", "kitchen"]
    newcomer.close()
    for client in pair.clients.present:  # its own is lost: in a hurry
        client.lines.socket.shutdown(2)
    pair.pass_time(1)
    pair.until(lambda: not pair.link.is_in_doubt)
    pair.pass_time(10)
    assert words(pair.client_events) == ["joined"]


def test_a_client_that_says_nothing_is_gone_after_four_seconds(pair: Pair) -> None:
    for _ in range(38):
        pair.clock.advance(0.1)
        pair.server_events += pair.clients.step()
    assert words(pair.server_events) == ["joined"]
    pair.clock.advance(pair.clients.wait_seconds())
    pair.server_events += pair.clients.step()
    assert words(pair.server_events) == ["joined", "gone"]
    assert pair.server_events[-1].text == "nothing heard for 3.9 s"


def test_a_connection_that_ends_is_made_anew_without_anybody_noticing(pair: Pair) -> None:
    pair.link.say("words", "playing")
    pair.until(lambda: pair.clients.present[0].words)
    since = pair.clients.present[0].since
    for _ in range(5):
        pair.pass_time(1)
        pair.clients.present[0].lines.socket.shutdown(2)
        pair.pass_time(2)
        assert len(pair.clients.present) == 1
    assert pair.clients.present[0].since == since
    assert pair.clients.present[0].words == "playing"
    assert words(pair.client_events) == ["joined"]
    assert "gone" not in words(pair.client_events)


def test_a_restarted_server_hears_the_last_words_again(pair: Pair) -> None:
    pair.link.say("words", "mounted")
    pair.until(lambda: "words" in words(pair.server_events))
    pair.clients.close()
    pair.clients = Clients(listen("127.0.0.1", pair.port, 8), SECRET, 2, pair.clock, say=pair.told.append)
    pair.until(lambda: pair.clock.advance(0.1) or (pair.clients.present and pair.clients.present[0].words == "mounted"))
    assert words(pair.client_events) == ["joined"]


def test_in_doubt_a_slow_server_that_has_greeted_gets_the_time_to_answer(pair: Pair) -> None:
    slow, end = listen("127.0.0.1", 0, 8), ServerEnd(SECRET)
    slow.setblocking(True)
    pair.port = slow.getsockname()[1]
    for _ in range(21):
        pair.clock.advance(0.1)
        assert list(pair.link.step()) == []
    peer, _ = accept(slow)
    peer.send(end.greeting())
    until(lambda: list(pair.link.step()) or end_of_line(peer))
    pair.clock.advance(2)
    assert list(pair.link.step()) == []
    assert pair.link.wait_seconds() > 0.5, "it is not asked for all the time"
    peer.send(end.join(peer.recv(1000).strip()) + end.say("beat"))
    until(lambda: list(pair.link.step()) or pair.link.last_heard == pair.clock.monotonic())
    assert pair.link.is_joined
    peer.close()
    slow.close()


def end_of_line(peer: socket) -> bool:
    """Whether a whole line has come."""
    try:
        return peer.recv(1000, MSG_PEEK | MSG_DONTWAIT).endswith(b"\n")
    except BlockingIOError:
        return False


def test_one_client_too_many_is_refused_and_the_others_stay(pair: Pair) -> None:
    second, third = pair.new_link("bath"), pair.new_link("cellar")

    def refused() -> bool:
        return any("takes no more clients: MAX_CLIENTS is 2" in line for line in pair.told)

    pair.until(lambda: list(second.step()) or second.is_joined)
    pair.until(lambda: list(third.step()) or refused())
    assert [client.name for client in pair.clients.present] == ["bath", "kitchen"]
    assert not third.is_joined
    assert refused()
    for link in (second, third):
        link.close()


def test_nobody_is_admitted_any_more_and_who_is_in_stays(pair: Pair) -> None:
    pair.clients.admit_nobody()
    late = pair.new_link("bath")
    for _ in range(100):
        pair.clock.advance(0.1)
        pair.step()
        list(late.step())
    assert [client.name for client in pair.clients.present] == ["kitchen"]
    assert not late.is_joined
    late.close()


def test_a_server_whose_name_is_not_known_yet_is_waited_for() -> None:
    def find() -> list[tuple[str, int]]:
        raise Away("music.lan has no address (yet)")

    clock, told = FakeClock(), []
    link = Link(find, partial(ClientEnd, SECRET, "x", client_id()), clock, 30, say=told.append)
    for _ in range(100):
        assert list(link.step()) == []
        clock.advance(link.wait_seconds())
    assert told == ["cannot join the server: music.lan has no address (yet)"]
    assert link.wait_seconds() <= 30
    assert link.hindrance == "music.lan has no address (yet)"
    link.close()

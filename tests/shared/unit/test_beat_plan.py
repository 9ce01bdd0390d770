"""When a peer is gone; and a day of beats over a network that loses every twentieth packet, in a moment."""

import random

import pytest

from pimains.fserver.plan import RateLimit
from pimains.shared.plan import beat

_ROUND_TRIP = 0.005
_RETRANSMISSION = 0.21  # Linux: 200 ms and the round trip, with TCP_THIN_LINEAR_TIMEOUTS the same six times over, then doubled


def delivery_delay(lost: random.Random, share: float, linear_retries: int = 6) -> float:
    """How late TCP delivers one line when each packet is lost with probability `share`."""
    delay, pause, tries = _ROUND_TRIP, _RETRANSMISSION, 0
    while lost.random() < share:
        delay += pause
        tries += 1
        if tries > linear_retries:
            pause *= 2
    return delay


def false_departures(hours: float, share: float, seed: int, linear_retries: int = 6) -> tuple[int, float]:
    """How often a client would leave a server that is there all the time, and the longest silence it heard."""
    lost = random.Random(seed)
    hearing = beat.Hearing(0.0, beat.CLIENT_PATIENCE_SECONDS)
    departures, longest, arrived = 0, 0.0, 0.0
    for number in range(int(hours * 3600 / beat.BEAT_SECONDS)):
        # a stream delivers in order: a late line holds up those behind it
        arrived = max(arrived, number * beat.BEAT_SECONDS + delivery_delay(lost, share, linear_retries))
        departures += hearing.is_gone(arrived)
        longest = max(longest, arrived - hearing.last)
        hearing.heard(arrived)
    return departures, longest


def clients_given_up(hours: float, share: float, seed: int) -> tuple[int, float]:
    """How often the server would give up a client that answers every beat, and the longest silence it found with a beat."""
    lost = random.Random(seed)
    hearing = beat.Hearing(0.0, beat.SERVER_PATIENCE_SECONDS)
    given_up, longest, told, answered = 0, 0.0, 0.0, 0.0
    on_their_way: list[float] = []
    for number in range(1, int(hours * 3600 / beat.BEAT_SECONDS)):
        now = number * beat.BEAT_SECONDS
        given_up += hearing.is_gone(now)
        longest = max(longest, now - hearing.last)
        if on_their_way and on_their_way[0] <= now:  # it reads when it sends its beats
            hearing.heard(now - beat.ANSWER_SECONDS)
            on_their_way = [answer for answer in on_their_way if answer > now]
        told = max(told, now + delivery_delay(lost, share))
        answered = max(answered, told + beat.ANSWER_SECONDS + delivery_delay(lost, share))
        on_their_way.append(answered)
    return given_up, longest


@pytest.mark.parametrize("seed", range(3))
def test_a_day_with_every_twentieth_packet_lost_has_no_false_departure(seed: int) -> None:
    departures, longest = false_departures(24, 0.05, seed)
    assert departures == 0
    assert longest < 3, "there is room for worse"


def test_in_that_day_the_server_gives_up_no_client_either() -> None:
    given_up, longest = clients_given_up(24, 0.05, 1)
    assert given_up == 0
    assert longest < beat.SERVER_PATIENCE_SECONDS, "there is room for worse"
    assert clients_given_up(1, 0.8, 1)[0] > 0


def test_a_network_that_loses_most_packets_is_a_departure() -> None:
    assert false_departures(1, 0.8, 1)[0] > 0


def gone_after(begins: float) -> float:
    """How long after the beginning of a cut, so many seconds after a beat, a client takes its server for gone."""
    hearing = beat.Hearing(0.0, beat.CLIENT_PATIENCE_SECONDS)
    if begins > beat.ANSWER_SECONDS + _ROUND_TRIP:
        hearing.reached(beat.ANSWER_SECONDS)
    return hearing.seconds_left(0.0) - begins


@pytest.mark.parametrize("begins", [hundredths / 100 for hundredths in range(round(beat.BEAT_SECONDS * 100))])
def test_a_cut_of_less_than_four_seconds_ends_before_the_patience_does_and_after_it_there_is_time_left_to_unmount(begins: float) -> None:
    assert 4.0 + beat.retry_in_doubt_seconds() + 3 * _ROUND_TRIP < gone_after(begins) <= 4.85


def test_a_client_that_has_just_answered_is_gone_within_four_seconds() -> None:
    assert 3 < beat.SERVER_PATIENCE_SECONDS - beat.ANSWER_SECONDS < beat.SERVER_PATIENCE_SECONDS < 4


def test_an_answer_that_arrived_counts_unless_it_is_only_the_machine_that_takes_it() -> None:
    hearing = beat.Hearing(10.0, 4.0)
    hearing.reached(10.6)
    assert hearing.seconds_left(11.0) == pytest.approx(3.6)
    assert hearing.last == 10.0
    hearing.says_nothing()
    hearing.reached(10.6)
    assert hearing.seconds_left(11.0) == 3
    hearing.heard(12.0)
    hearing.reached(11.0)
    assert hearing.seconds_left(12.0) == 4


def test_a_peer_is_gone_when_it_was_silent_for_its_patience() -> None:
    hearing = beat.Hearing(10.0, 4.0)
    assert not hearing.is_gone(13.9)
    assert hearing.is_gone(14.0)
    hearing.heard(13.0)
    assert not hearing.is_gone(16.9)
    assert hearing.seconds_left(16.0) == 1.0
    assert hearing.is_in_doubt(15.0)


def test_tries_come_every_two_seconds_at_first_and_never_more_rarely_than_said() -> None:
    assert beat.retry_seconds(0, 30) == 2
    assert beat.retry_seconds(40, 30) == 4
    assert beat.retry_seconds(1e6, 30) == 30


def test_what_happens_a_thousand_times_is_said_once_a_minute() -> None:
    limit = RateLimit()
    said = [line for number in range(1000) if (line := limit.line(number / 10, "dropped"))]
    assert said == ["dropped", "dropped (and 599 more since the last such line)"]

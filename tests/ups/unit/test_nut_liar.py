"""A peer that lies: what is asked of it is answered rightly, or not at all and in time."""

import math
import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from pimains.core.errors import Away, WrongSetting
from pimains.ups import connection
from pimains.ups import nut as asking
from pimains.ups.nut import Credentials, Nut, retry_seconds
from pimains.ups.replies import ErrorReply, request
from tests.ups.liar import Liar, Lie, closing, cut, endless, flood, half, late, of_another, saying, silent, slow, twice
from tests.ups.nuts import nut, opened
from tests.ups.upsd import PASSWORD

CALLS: dict[str, Callable[[Nut], object]] = {
    "LIST VAR": lambda nut: nut.variables(),
    "GET VAR": lambda nut: nut.variable("ups.status"),
    "LIST CLIENT": lambda nut: nut.clients(),
    "LOGIN": lambda nut: nut.log_in(),
    "PRIMARY": lambda nut: nut.become_primary(),
    "FSD": lambda nut: nut.force_shutdown(),
    "INSTCMD": lambda nut: nut.command("shutdown.return"),
    "LOGOUT": lambda nut: nut.log_out(),
}
MARGIN_SECONDS = 1.0  # of a machine that is busy


def in_time(call: Callable[[], object], seconds: float) -> None:
    began = time.monotonic()
    with pytest.raises(Away):
        call()
    assert time.monotonic() - began < seconds + MARGIN_SECONDS


def test_an_honest_peer_is_understood() -> None:
    with Liar() as liar:
        nut = opened(liar.port)
        assert nut.variables() == {"ups.status": "OL", "battery.charge": "100", "battery.runtime": "1800"}
        assert nut.variable("battery.charge") == "100"
        nut.log_in()
        nut.become_primary()
        assert nut.clients() == ["127.0.0.1"]
        nut.force_shutdown()
        nut.command("shutdown.return")
        assert nut.is_logged_in
        nut.log_out()
        assert not nut.is_open
    assert liar.said == [
        'USERNAME anna', f"PASSWORD {PASSWORD}", "LIST VAR eaton", "GET VAR eaton battery.charge", "LOGIN eaton", "PRIMARY eaton",
        "LIST CLIENT eaton", "FSD eaton", "INSTCMD eaton shutdown.return", "LOGOUT",
    ]  # fmt: skip


@pytest.mark.parametrize("words", CALLS)
@pytest.mark.parametrize("lie", [closing, cut, of_another, saying(b"\xff\xfb\x01\n"), saying(b"OK AS YOU LIKE\n"), saying(b"\n"), flood])
def test_what_is_no_answer_ends_the_connection_and_decides_nothing(words: str, lie: Lie) -> None:
    if lie is of_another and words not in ("LIST VAR", "GET VAR", "LIST CLIENT"):
        return  # these name no UPS in their answers
    with Liar({words: lie}) as liar:
        nut = opened(liar.port)
        in_time(lambda: CALLS[words](nut), asking.SECONDS_MAX)
        assert not nut.is_open
        in_time(nut.variables, 0)  # dead from then on, and at once
        liar.lies.clear()
        nut.open()
        assert nut.variable("ups.status") == "OL"
    assert liar.count == 2


def beside_each_other(calls: list[Callable[[], None]]) -> None:
    """All of them wait, so they wait together."""
    with ThreadPoolExecutor(len(calls)) as pool:
        for done in [pool.submit(call) for call in calls]:
            done.result()


def test_two_seconds_are_for_all_of_an_answer_whatever_it_lacks() -> None:
    def give_up(words: str, lie: Lie) -> None:
        with Liar({words: lie}) as liar:
            nut = opened(liar.port)
            in_time(lambda: CALLS[words](nut), asking.SECONDS_MAX)
            assert not nut.is_open

    lies: list[tuple[str, Lie]] = [(words, lie) for words in CALLS for lie in (silent, half)]
    lies += [("LIST VAR", late(2.5)), ("LIST VAR", slow(0.05)), ("GET VAR", slow(0.1))]
    beside_each_other([partial(give_up, *each) for each in lies])


def test_opening_takes_no_longer_either() -> None:
    def give_up(words: str, lie: Lie) -> None:
        with Liar({words: lie}) as liar:
            made = nut(liar.port, tls="try")
            in_time(made.open, asking.SECONDS_MAX)
            assert not made.is_open

    lies: list[Lie] = [silent, half, closing, saying(b"garbage\n")]
    beside_each_other([partial(give_up, words, lie) for words in ("USERNAME", "PASSWORD", "STARTTLS") for lie in lies])


def test_a_list_without_end_is_given_up() -> None:
    with Liar({"LIST VAR": endless}) as liar:
        in_time(opened(liar.port).variables, asking.SECONDS_MAX)


def test_half_a_status_is_no_status() -> None:
    """OB LB that is cut at OB, or at O."""
    with Liar() as liar:
        liar.values["ups.status"] = "OB LB"
        for end in range(1, len('VAR eaton ups.status "OB LB"')):
            liar.lies["GET VAR"] = lambda talk, answer, end=end: (talk.send(answer[:end]), closing(talk, answer))  # type: ignore[misc]
            nut = opened(liar.port)
            with pytest.raises(Away):
                nut.variable("ups.status")


def test_an_answer_that_comes_twice_is_not_the_answer_to_what_is_asked_next() -> None:
    with Liar({"GET VAR": twice}) as liar:
        nut = opened(liar.port)
        assert nut.variable("ups.status") == "OL"
        with pytest.raises(Away, match="nobody had asked for"):
            nut.variable("ups.status")


def test_a_peer_that_has_gone_is_noticed_before_anything_is_asked() -> None:
    with Liar({"LOGIN": lambda talk, answer: (talk.send(answer), closing(talk, answer))}) as liar:  # type: ignore[func-returns-value]
        nut = opened(liar.port)
        nut.log_in()
        with pytest.raises(Away):
            nut.variables()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (b'a \\"quoted\\" \\\\ \\# word', 'a "quoted" \\ # word'),
        (b"caf\xe9", "café"),
        ("café".encode(), "café"),
        (b"\xff\xf4\xff\xfd", "ÿôÿý"),
        (b"\x1b[2Jred\x07", "[2Jred"),
        (b"", ""),
    ],
)
def test_a_value_is_read_as_the_device_means_it_and_shows_nothing_else(said: bytes, meant: str) -> None:
    with Liar(
        {"LIST VAR": saying(b'BEGIN LIST VAR eaton\nVAR eaton ups.id "%s"\nVAR eaton ups.status "OL"\nEND LIST VAR eaton\n' % said)}
    ) as liar:
        liar.lies["GET VAR"] = saying(b'VAR eaton ups.id "%s"\n' % said)
        nut = opened(liar.port)
        assert nut.variables() == {"ups.id": meant, "ups.status": "OL"}
        assert nut.variable("ups.id") == meant


def test_a_list_with_nothing_in_it_is_no_data() -> None:
    with Liar({"LIST VAR": saying(b"BEGIN LIST VAR eaton\nEND LIST VAR eaton\n")}) as liar:
        assert opened(liar.port).variables() == {}


def test_a_list_of_more_than_there_can_be_is_given_up_and_memory_is_bounded() -> None:
    line = b'VAR eaton ups.%d "OB LB"\n'
    many = b"BEGIN LIST VAR eaton\n" + b"".join(line % number for number in range(connection.LINES_MAX + 1)) + b"END LIST VAR eaton\n"
    large = b"BEGIN LIST VAR eaton\n" + (b'VAR eaton ups.status "%s"\n' % (b"x" * 8000)) * 200
    for lie in (saying(many), saying(large), flood):
        with Liar({"LIST VAR": lie}) as liar:
            nut = opened(liar.port)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            with pytest.raises(Away, match="more than"):
                nut.variables()
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8192  # KiB; the liar's own are among them


def test_a_line_longer_than_upsd_has_any_is_given_up() -> None:
    said = b'VAR eaton ups.status "%s"\n'
    with Liar({"GET VAR": saying(said % (b"x" * 500))}) as liar:
        assert opened(liar.port).variable("ups.status") == "x" * 500
        liar.lies = {"GET VAR": saying(said.rstrip(b"\n") % (b"x" * 2500))}
        with pytest.raises(Away, match="a line of more than 2048 bytes"):
            opened(liar.port).variable("ups.status")


def test_an_answer_about_another_variable_is_none() -> None:
    for said in (b'VAR eaton input.transfer.reason "OB LB"\n', b'VAR eaton ups.status.old "OB LB"\n', b'VAR eaton  "OB LB"\n'):
        with Liar({"GET VAR": saying(said)}) as liar, pytest.raises(Away):
            opened(liar.port).variable("ups.status")


def test_an_error_is_told_by_its_word_and_the_connection_is_as_good_as_before() -> None:
    with Liar({"LIST VAR": saying(b"ERR DATA-STALE\n"), "GET VAR": saying(b"ERR DRIVER-NOT-CONNECTED some more\n")}) as liar:
        nut = opened(liar.port)
        for call, word in ((nut.variables, "DATA-STALE"), (lambda: nut.variable("ups.status"), "DRIVER-NOT-CONNECTED")):
            with pytest.raises(ErrorReply) as error:
                call()
            assert error.value.word == word
            assert word in asking.NO_DATA
        assert nut.clients() == ["127.0.0.1"]
    assert liar.count == 1


def test_an_upsd_that_knows_no_primary_is_asked_for_a_master() -> None:
    with Liar({"PRIMARY": saying(b"ERR UNKNOWN-COMMAND\n")}) as liar:
        opened(liar.port).become_primary()
    assert liar.said[-2:] == ["PRIMARY eaton", "MASTER eaton"]


def test_what_a_person_has_to_edit_is_named() -> None:
    with Liar({"LOGIN": saying(b"ERR ACCESS-DENIED\n")}) as liar:
        with pytest.raises(WrongSetting, match=r"variables/PASSWORD: .*\[anna\] with this password and: upsmon secondary"):
            opened(liar.port).log_in()
        liar.lies = {"LOGIN": saying(b"ERR USERNAME-REQUIRED\n"), "FSD": saying(b"ERR UNKNOWN-UPS\n")}
        nobody = opened(liar.port, who=Credentials())
        with pytest.raises(WrongSetting, match="variables/USERNAME: is empty"):
            nobody.log_in()
        with pytest.raises(WrongSetting, match=r"variables/UPS: there is no 'eaton' at 127\.0\.0\.1; it has: eaton"):
            nobody.force_shutdown()


def test_every_address_is_tried_and_those_that_do_not_answer_take_no_more_than_their_time() -> None:
    with Liar() as liar:
        made = connection.connect([("127.0.0.2", 1), ("::1", 1), ("127.0.0.1", liar.port)], 1.0)
        assert made.peer == "127.0.0.1"
        made.close()
        began = time.monotonic()
        made = connection.connect([("192.0.2.1", 9), ("127.0.0.1", liar.port)], 1.0)
        assert made.peer == "127.0.0.1"
        assert time.monotonic() - began < 0.9
        made.close()
    with pytest.raises(Away, match="connection refused"):
        connection.connect([("127.0.0.1", liar.port)], 1.0)
    with pytest.raises(Away, match="it has no address"):
        connection.connect([], 1.0)


def test_a_request_carries_any_secret_and_ends_where_it_ends() -> None:
    assert request(["PASSWORD", 'a "b" \\c #é']) == 'PASSWORD "a \\"b\\" \\\\c \\#é"\n'.encode()
    assert request(["LIST", "VAR", "eaton"]) == b'LIST VAR "eaton"\n'
    with pytest.raises(ValueError, match="no text"):
        request(["PASSWORD", "x\nFSD eaton"])


def test_it_is_tried_again_after_1_to_30_seconds_and_on_battery_at_every_look() -> None:
    assert [retry_seconds(failures, 1.0, is_on_battery=False) for failures in (1, 2, 3, 4, 5, 6, 7, 1000)] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert retry_seconds(1000, 0.5, is_on_battery=True) == 0.5
    assert math.isfinite(retry_seconds(0, 1.0, is_on_battery=False))

"""The talk with a CCU: sessions, types, texts, and answers that are none."""

import time
from collections.abc import Iterator

import pytest

from pimains.house import ccu as house
from pimains.house.ccu import Firmware
from pimains.ups import ccu as ccus
from pimains.ups.ccu import Ccu, NotDone, NotTaken
from pimains.ups.plan.homematic import Variable

TEXTS = ['open "sesame"', "it's ## (); # 100 %", "für Übergrößen, naïve", "x" * 5000, "ü" * 5000, "", "-1", "false", "12"]


def variables() -> dict[str, house.Variable]:
    return {"charge": house.Variable("NUMBER", 0, 100), "alarm": house.Variable("ALARM"), "model": house.Variable("STRING")}


@pytest.fixture
def it() -> Iterator[house.Ccu]:
    with house.Ccu(variables()) as it:
        yield it


def logged_in(it: house.Ccu) -> Ccu:
    ccu = Ccu(it.url)
    ccu.log_in("pi", "secret")
    return ccu


def test_a_session_is_opened_and_ended(it: house.Ccu) -> None:
    ccu = logged_in(it)
    assert it.sessions == {ccu.session}
    ccu.log_out()
    assert (it.sessions, ccu.session) == (set(), "")


def test_a_session_of_before_is_ended(it: house.Ccu) -> None:
    Ccu(it.url, logged_in(it).session).log_out()
    assert it.sessions == set()


@pytest.mark.parametrize("by_error", [True, False])
def test_both_refusals_of_a_login_are_known_and_leave_the_ccu_alone_for_ten_minutes(it: house.Ccu, by_error: bool) -> None:
    it.firmware = Firmware(refuses_by_error=by_error)
    for _ in range(3):
        logged_in(it)
    for password in ("wrong", "secret"):  # the sessions are all taken
        with pytest.raises(NotDone, match="or CCU_PASSWORD is wrong") as refused:
            Ccu(it.url).log_in("pi", password)
        assert (refused.value.setting, refused.value.leave_alone_seconds) == ("CCU_USER", 600)


def test_types_and_bounds_are_known(it: house.Ccu) -> None:
    ccu = logged_in(it)
    assert ccu.variables() == {"charge": Variable("NUMBER", (0, 100)), "alarm": Variable("ALARM"), "model": Variable("STRING")}
    assert ccu.takes_strings()
    it.firmware = Firmware(sets_strings=False)
    assert not ccu.takes_strings()


def test_numbers_and_alarms_are_set(it: house.Ccu) -> None:
    ccu = logged_in(it)
    for name, values in (("charge", (41.5, 0.0)), ("alarm", (True, False))):
        for value in values:
            ccu.write(name, value)  # type: ignore[arg-type]
            assert it.variables[name].value == value


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:12])
@pytest.mark.parametrize(
    "firmware", [Firmware(), Firmware(is_plain=False), Firmware(charset="utf-8"), Firmware(is_plain=False, charset="utf-8")]
)
def test_texts_arrive_as_they_are(it: house.Ccu, firmware: Firmware, text: str) -> None:
    it.firmware = firmware
    logged_in(it).write("model", text)
    assert it.variables["model"].value == text


def test_a_text_that_the_ccu_cannot_keep_is_told(it: house.Ccu) -> None:
    with pytest.raises(NotTaken, match=r"was given a text and keeps another one: '\?\?'"):
        logged_in(it).write("model", "電池")  # ISO-8859-1 has none of them


def test_a_variable_that_is_gone_meanwhile_is_told(it: house.Ccu) -> None:
    for name, value in (("no", 1.0), ("no", True), ("no", "text")):
        with pytest.raises(NotTaken):
            logged_in(it).write(name, value)  # type: ignore[arg-type]
        it.sessions.clear()


def test_a_session_that_is_over_is_told(it: house.Ccu) -> None:
    ccu = logged_in(it)
    it.sessions.clear()
    with pytest.raises(NotDone, match=r"it refuses SysVar\.getAll: 400 access denied"):
        ccu.variables()


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        ("hanging", "no answer in time"),
        ("trickling", "no answer in time"),
        ("garbage", "its answer to Session.login is no JSON"),
        ("away", "it hung up without an answer"),
    ],
)
def test_who_answers_nothing_or_garbage_is_told_in_words_and_in_time(
    it: house.Ccu, monkeypatch: pytest.MonkeyPatch, behaviour: str, why: str
) -> None:
    monkeypatch.setattr(ccus, "_SECONDS", 1.5)
    monkeypatch.setattr(ccus, "_CALL_SECONDS", 2.5)
    it.be(behaviour)
    began = time.monotonic()
    with pytest.raises(NotDone, match=why):
        logged_in(it)
    assert time.monotonic() - began < 4


def test_nobody_there_is_told() -> None:
    with house.Ccu({}) as it:
        url = it.url
    with pytest.raises(NotDone, match="Connection refused"):
        Ccu(url).log_in("pi", "secret")

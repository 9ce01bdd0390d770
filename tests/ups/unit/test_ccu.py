"""The talk with a CCU: sessions, types, texts, and answers that are none."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pimains.house import ccu as house
from pimains.house.ccu import Firmware
from pimains.ups import ccu as ccus
from pimains.ups.ccu import Ccu, NotDone, NotTaken
from pimains.ups.plan.homematic import Variable
from tests.notify.mail_server import certificate

TEXTS = ['open "sesame"', "it's ## (); # 100 %", "für Übergrößen, naïve", "x" * 5000, "ü" * 5000, "", "-1", "false", "12"]


def variables() -> dict[str, house.Variable]:
    return {"charge": house.Variable("NUMBER", 0, 100), "alarm": house.Variable("ALARM"), "model": house.Variable("STRING")}


@pytest.fixture
def it() -> Iterator[house.Ccu]:
    with house.Ccu(variables()) as it:
        yield it


@contextmanager
def encrypted(directory: Path, name: str) -> Iterator[tuple[house.Ccu, Path]]:
    """A CCU that shows a certificate for `name`, and that certificate."""
    cert, key = certificate(directory, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with house.Ccu(variables(), encryption=context) as it:
        yield it, cert


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


def test_a_session_that_the_ccu_has_ended_is_not_ended_once_more(it: house.Ccu) -> None:
    ccu = logged_in(it)
    it.sessions.clear()
    with pytest.raises(NotDone, match="access denied"):
        ccu.write("charge", 1.0)
    ccu.log_out()
    ccu.log_out()
    assert (ccu.session, it.calls[-1], it.calls.count("Session.logout")) == ("", "Session.logout", 1)


def test_a_session_that_hangs_is_kept_for_the_next_one_to_end_and_not_shown_when_that_logs_in(
    it: house.Ccu, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccus, "_SECONDS", 0.2)
    ccu = logged_in(it)
    left = ccu.session
    it.be("stuck")
    with pytest.raises(NotDone, match="no answer in time"):
        ccu.log_out()
    assert ccu.session == left
    it.be("well")
    again = Ccu(it.url, left)
    again.log_in("pi", "secret")
    assert again.session not in ("", left)


@pytest.mark.parametrize("password", ['say "sesame"', "it's", "Grüße, naïve €", "a\\b", "{}[]$x;#", "  blanks  "])
def test_a_password_arrives_as_it_is(password: str) -> None:
    with house.Ccu({}, login=("Jürgen", password)) as it:
        Ccu(it.url).log_in("Jürgen", password)
        assert len(it.sessions) == 1


@pytest.mark.parametrize(
    ("name", "is_known", "why"),
    [
        ("localhost", False, r"self-signed certificate \(one in /usr/local/share/ca-certificates is, after update-ca-certificates\)"),
        ("ccu.lan", True, "its certificate is for another name"),
    ],
)
def test_a_certificate_that_this_machine_does_not_trust_gets_no_password(tmp_path: Path, name: str, is_known: bool, why: str) -> None:
    with encrypted(tmp_path, name) as (it, cert):
        ccu = Ccu(it.url.replace("127.0.0.1", "localhost"))
        ccu._http.verify = str(cert) if is_known else True
        with pytest.raises(NotDone, match=f"shows a certificate that is not trusted here: {why}$") as refused:
            ccu.log_in("pi", "secret")
        assert refused.value.setting == "CCU"
        assert it.calls == []


def test_with_a_certificate_that_is_trusted_all_is_encrypted(tmp_path: Path) -> None:
    with encrypted(tmp_path, "localhost") as (it, cert):
        ccu = Ccu(it.url.replace("127.0.0.1", "localhost"))
        ccu._http.verify = str(cert)
        ccu.log_in("pi", "secret")
        ccu.write("charge", 41.0)
        ccu.log_out()
        assert (it.variables["charge"].value, it.sessions) == (41.0, set())


def test_a_ccu_that_speaks_no_tls_is_told(it: house.Ccu) -> None:
    with pytest.raises(NotDone, match="it speaks no TLS there"):
        Ccu(it.url.replace("http:", "https:")).log_in("pi", "secret")


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


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-8"])
def test_variables_of_others_are_read_whatever_their_names_have(it: house.Ccu, charset: str) -> None:
    it.firmware = Firmware(charset=charset)
    it.variables['Küche "Süd"\\'] = house.Variable("LOGIC")
    assert logged_in(it).variables()['Küche "Süd"\\'] == Variable("LOGIC")


def test_a_house_with_fifty_hosts_and_sixteen_upses_has_all_its_values_in_one_session(it: house.Ccu) -> None:
    others = {f"host {number} is up".ljust(200, "."): house.Variable("LOGIC") for number in range(2000)}
    ours = {f"sv_USV_ups{number}.charge": house.Variable("NUMBER") for number in range(16 * 11)}
    it.variables = {**others, **ours}
    ccu = logged_in(it)
    assert len(ccu.variables()) == 2000 + 16 * 11
    for name in ours:
        ccu.write(name, 42.0)
    ccu.log_out()
    assert {it.variables[name].value for name in ours} == {42.0}
    assert (it.sessions_most, it.sessions) == (1, set())


def test_more_variables_than_anybody_has_are_told(it: house.Ccu) -> None:
    it.variables = {f"{number}".ljust(2000, "."): house.Variable("LOGIC") for number in range(1100)}
    with pytest.raises(NotDone, match=r"its answer to SysVar\.getAll has more than 2 MiB"):
        logged_in(it).variables()


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
        ("half", "no answer in time"),
        ("torn", "the answer broke off"),
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

"""Who may look and who may act: with and without a password, a session, its token, and the right Origin."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.core.errors import WrongSetting
from pimains.web.settings import WebSettings
from tests.web.asking import PASSWORD, Asked, answering


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with answering(tmp_path_factory.mktemp("locked"), PASSWORD=PASSWORD) as web:
        yield web


@pytest.fixture
def web(locked: Asked) -> Iterator[Asked]:
    """As a browser that was never here."""
    locked.cookies.clear()
    locked.headers.pop("X-CSRF-Token", None)
    locked.house.door._attempts.succeeded("127.0.0.1")
    yield locked


def test_without_a_password_everybody_on_this_machine_looks_and_nobody_acts(tmp_path: Path) -> None:
    with answering(tmp_path) as web:
        assert web.get("/v1/about").json()["has_password"] is False
        assert web.get("/about").status_code == 200
        assert (web.act("/v1/logout").status_code, web.log_in("").status_code) == (401, 401)
        assert "before a PASSWORD is set" in web.act("/v1/logout").json()["error"]
        assert web.get("/login").headers["Location"] == "/"


def test_with_a_password_pages_lead_to_the_login_and_numbers_are_refused(web: Asked) -> None:
    assert web.get("/about").headers["Location"] == "/login?to=/about"
    assert web.get("/v1/about").status_code == 401
    assert web.get("/v1/openapi.json").status_code == 401


def test_public_is_for_looking_alone(tmp_path: Path) -> None:
    with answering(tmp_path, PASSWORD=PASSWORD, PUBLIC="1") as web:
        assert web.get("/v1/about").json() == {**web.get("/v1/about").json(), "logged_in": False}
        assert "Log in" in web.get("/about").text
        assert web.act("/v1/logout").status_code == 401


def test_a_login_begins_a_session_that_a_logout_ends(web: Asked) -> None:
    assert web.log_in().status_code == 200
    assert web.get("/v1/about").json()["logged_in"] is True
    before = web.cookies.copy()
    assert web.act("/v1/logout").status_code == 200
    assert not web.cookies
    web.cookies.update(before)
    assert web.get("/v1/about").status_code == 401, "the cookie was kept by somebody"


def test_a_new_login_ends_the_session_of_before(web: Asked) -> None:
    web.log_in()
    before = web.cookies.copy()
    web.log_in()
    web.cookies.update(before)
    assert web.get("/v1/about").status_code == 401


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(web: Asked) -> None:
    cookie = web.log_in().headers["Set-Cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/"} <= {each.strip() for each in cookie.split(";")}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-CSRF-Token": ""}, 403),
        ({"X-CSRF-Token": "guessed"}, 403),
        ({"X-CSRF-Token": "gu\xebssed"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": None}, 403),
        ({"Cookie": "pimains=guessed"}, 401),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({}, 200),
    ],
    ids=str,
)
def test_an_order_needs_session_token_origin_and_json(web: Asked, headers: dict[str, str | None], status: int) -> None:
    web.log_in()
    answer = web.post("/v1/logout", data=b"{}", headers={"Content-Type": "application/json", **headers})
    assert answer.status_code == status, answer.text
    if status != 200 and "Cookie" not in headers:
        assert web.get("/v1/about").json()["logged_in"] is True


def test_the_token_of_another_session_is_none(web: Asked) -> None:
    web.log_in()
    first = str(web.headers["X-CSRF-Token"])
    web.cookies.clear()
    web.log_in()
    assert web.post("/v1/logout", json={}, headers={"X-CSRF-Token": first}).status_code == 403


def test_a_login_from_a_page_of_another_site_is_refused(web: Asked) -> None:
    for origin in ("http://evil.example", "null", None):
        assert web.post("/v1/login", json={"password": PASSWORD}, headers={"Origin": origin}).status_code == 403
        form = web.post("/login", {"password": PASSWORD, "to": "/"}, headers={"Origin": origin})
        assert (form.status_code, "Set-Cookie" in form.headers) == (403, False)


def test_the_form_leads_to_a_page_of_this_house_and_nowhere_else(web: Asked) -> None:
    for to, leads in (("/about", "/about"), ("https://evil.example/", "/"), ("//evil.example", "/"), ("/\\evil.example", "/"), ("", "/")):
        answer = web.post("/login", {"password": PASSWORD, "to": to})
        assert (answer.status_code, answer.headers["Location"]) == (303, leads)
        web.cookies.clear()
        assert f'name="to" value="{leads}"' in web.get("/login", params={"to": to}).text


def test_the_form_says_what_was_wrong(web: Asked) -> None:
    answer = web.post("/login", {"password": "wrong", "to": "/about"})
    assert answer.status_code == 401
    assert "That is not the password." in answer.text
    assert 'value="/about"' in answer.text


def test_ten_wrong_passwords_are_free_then_the_right_one_waits_too(web: Asked) -> None:
    said = [web.log_in(f"wrong {number}").status_code for number in range(12)]
    assert said == [401] * 10 + [429] * 2
    late = web.log_in()
    assert late.status_code == 429
    assert 0 < int(late.headers["Retry-After"]) <= 7
    assert "try again in" in web.post("/login", {"password": PASSWORD}).text


@pytest.mark.parametrize("password", ["", "x" * 5000, "\ud800", 7, None, ["a"], {"a": 1}], ids=repr)
def test_what_is_no_password_is_refused(web: Asked, password: object) -> None:
    assert web.post("/v1/login", json={"password": password}).status_code in (400, 401, 413)


def test_other_machines_get_there_only_with_a_password() -> None:
    given = {"LISTEN": "0.0.0.0:8461", "PUBLIC": "1", "TITLE": "x", "LANGUAGE": "en"}
    with pytest.raises(WrongSetting, match="PASSWORD: is empty; other machines reach"):
        WebSettings(given)
    assert WebSettings({**given, "PASSWORD": PASSWORD}).PASSWORD == PASSWORD


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"LISTEN": ""}, "variables/LISTEN: is empty; it needs an address and port (such as 127.0.0.1:8461"),
        ({"LISTEN": "localhost"}, "variables/LISTEN: 'localhost' is no address and port (such as 127.0.0.1:8461"),
        ({"PASSWORD": "short"}, "variables/PASSWORD: the secret is no password (8 characters at least"),
        ({"TLS_KEY": "/nowhere"}, "variables/TLS_CERTIFICATE: is empty; TLS_KEY needs its certificate"),
        ({"LANGUAGE": "nl"}, "variables/LANGUAGE: 'nl' is no choice (en, de or fr)"),
        ({"TITLE": "x" * 61}, "is no title (one line of at most 60 characters)"),
    ],
    ids=str,
)
def test_a_setting_that_cannot_be_is_said_with_what_can(given: dict[str, str], line: str) -> None:
    with pytest.raises(WrongSetting) as wrong:
        WebSettings({"LISTEN": "127.0.0.1:8461", "TITLE": "x", "LANGUAGE": "en", **given})
    assert line in str(wrong.value)


@pytest.mark.parametrize(
    ("listen", "page"),
    [
        ("127.0.0.1:8461", "http://127.0.0.1:8461/"),
        ("[::1]:8461", "http://[::1]:8461/"),
        ("0.0.0.0:80", "http://127.0.0.1:80/"),
        ("[::]:80", "http://127.0.0.1:80/"),
        ("192.168.1.20:8461", "http://192.168.1.20:8461/"),
    ],
)
def test_who_makes_it_is_told_an_address_at_which_it_answers(listen: str, page: str) -> None:
    assert WebSettings.advice({"LISTEN": listen, "PASSWORD": PASSWORD, "TLS_CERTIFICATE": ""}) == [f"the page is at {page}"]

"""What strangers try: other services' cookies, forms without end, all the streams there are; and what children and the public are told."""

import os
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from pimains.web import live, rules_there
from tests.web.asking import PASSWORD, Asked, answering


@pytest.mark.parametrize(
    "other",
    ['grafana={"a": 1, "b": [2]}', "a=b c", "sp ace=1", 'a="unclosed', "k[]=1", "expires=never", "", "path", "\xff=\xe9", "{name}=guessed"],
)
def test_a_session_holds_beside_whatever_cookie_another_port_of_this_machine_has_set(tmp_path: Path, other: str) -> None:
    with answering(tmp_path, PASSWORD=PASSWORD) as web:
        web.log_in()
        name, token = web.cookies.items()[0]
        web.cookies.clear()
        for cookies in (f"{other}; {name}={token}", f"{name}={token}; {other}"):
            given = cookies.replace("{name}", name).encode("latin-1")
            assert web.get("/v1/about", headers={"Cookie": given}).json()["logged_in"] is True
        given = f"{name}=guessed; {name}={token}".encode()
        assert web.post("/v1/logout", json={}, headers={"Cookie": given}).status_code == 200
        assert web.get("/v1/about", headers={"Cookie": f"{name}={token}"}).status_code == 401


def test_a_form_of_many_fields_is_refused_in_a_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with answering(tmp_path, PASSWORD=PASSWORD) as web:
        answer = web.post("/login", "a=1&" * 20)
        assert (answer.status_code, answer.json()["error"]) == (400, "more than 10 fields")
    assert capfd.readouterr().out == ""


def listen(web: Asked, cookie: str = "") -> socket.socket:
    """A stream, whose first bytes have come."""
    host, port = web.url.removeprefix("http://").split(":")
    stream = socket.create_connection((host, int(port)), 10)
    stream.sendall(f"GET /v1/live HTTP/1.1\r\nHost: {host}:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
    return stream


def test_who_is_logged_in_listens_though_strangers_have_taken_all_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LISTENERS_MAX", 3)
    with answering(tmp_path, PASSWORD=PASSWORD, PUBLIC="1") as web, ExitStack() as streams:
        web.log_in()
        cookie = "; ".join(f"{name}={value}" for name, value in web.cookies.items())
        strangers = [streams.enter_context(listen(web)) for _ in range(3)]
        assert [each.recv(12) for each in strangers] == [b"HTTP/1.1 200"] * 3
        assert streams.enter_context(listen(web)).recv(12) == b"HTTP/1.1 503"
        mine = [streams.enter_context(listen(web, cookie)) for _ in range(3)]
        assert [each.recv(12) for each in mine] == [b"HTTP/1.1 200"] * 3
        assert streams.enter_context(listen(web, cookie)).recv(12) == b"HTTP/1.1 503", "one with a session ends none with one"
        for each in strangers:
            told = b""
            while not told.endswith(b"\r\n0\r\n\r\n"):
                told += each.recv(65536)


def test_nothing_follows_the_headers_that_a_head_asks_for(tmp_path: Path) -> None:
    """What did would be the next answer for who keeps the connection, such as a proxy, and might be somebody else's."""
    with answering(tmp_path) as web:
        host, port = web.url.removeprefix("http://").split(":")
        for path, status in (("/v1/about", 200), ("/", 200), ("/v1/live", 405), ("/v1/export", 405)):
            with socket.create_connection((host, int(port)), 10) as connection:
                connection.sendall(f"HEAD {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
                answer = b"".join(iter(lambda: connection.recv(65536), b""))
            assert answer.startswith(f"HTTP/1.1 {status} ".encode())
            assert answer.partition(b"\r\n\r\n")[2] == b""


def test_no_child_is_given_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        f"with open({str(tmp_path / 'seen')!r}, 'a') as file:\n"
        "    print(sys.orig_argv[3:5], 'PASSWORD' in os.environ, file=file)\n"
    )
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "lib")]))
    monkeypatch.setenv("PASSWORD", PASSWORD)
    (tmp_path / "run/pimains/web").mkdir(parents=True)
    with answering(tmp_path, PASSWORD=PASSWORD, PUBLIC="1") as web:
        for path in ("/v1/settings", "/v1/power/plan", "/v1/outage/rehearsal", "/v1/rules/kinds"):
            web.get(path)
    seen = (tmp_path / "seen").read_text().splitlines()
    assert len(seen) == 4
    assert [line for line in seen if not line.endswith(" False")] == []


def test_of_a_rule_that_only_the_group_may_read_the_page_shows_nothing(tmp_path: Path) -> None:
    rule = tmp_path / "3.py"
    rule.write_text("TOKEN = 1\n")
    rule.chmod(0o644)
    assert rules_there.text(rule) == "TOKEN = 1"
    rule.chmod(0o640)
    assert rules_there.text(rule) == ""
    fifo = tmp_path / "4.py"
    os.mkfifo(fifo)
    assert rules_there.text(fifo) == ""

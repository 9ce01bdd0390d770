"""Those who mean harm: strangers' names, crumbs, too much, anything that the document describes, and the page's own user turned bad."""

import json
import os
import socket
import stat
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import requests

from tests.kit import House, free_port, is_closed, until
from tests.relays.relays import Relays
from tests.web.page import PASSWORD, Session, Web, web_house

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become users of their own: needs root")
MAY_WRITE = (  # as pimains-web, below the house's root: what any member of the group may, and its own
    *("run/pimains/web", "run/pimains/web/*", "var/lib/pimains/web", "var/lib/pimains/web/*"),
    *("run/pimains/halt/request", "run/pimains/halt/cancel", "run/pimains/update/now", "var/lib/pimains/notify/queue"),
    *(
        "var/lib/pimains/relays/[0-9]*.mode",
        "run/pimains/relays/[0-9]*.wish",
        "run/pimains/*/orders",
        "run/pimains/*/orders/*",
        "var/lib/pimains/rules/files",
        "var/lib/pimains/rules/workspaces",
        "var/lib/pimains/rules/workspaces/*",
    ),
    "outputs",  # the wires of the test's own relays
)


def digest_of(root: Path) -> dict[str, str]:
    """Everything that people and services have said to be so, but for ages and what says that time goes by."""
    files = [*root.glob("var/lib/pimains/*/*"), *root.glob("run/pimains/*/*"), *root.glob("run/pimains/*/orders/*")]
    return {str(path): path.read_text(errors="replace") for path in files if path.is_file() and path.name not in ("status", "progress")}


def test_schemathesis_finds_no_answer_but_the_described_ones_and_changes_nothing_without_a_session(house: House) -> None:
    """Then, with a session, all that may be done is asked for, with anything: nothing is met that nobody has foreseen."""
    relays = Relays(house, {"NAME": "boiler"})
    halt = house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
    house.add("rules", svscan=False)
    web = web_house(house, PASSWORD=PASSWORD, PUBLIC="1")
    until(lambda: halt.status == "ready", what=halt.story)
    relays.until(1, "state", "off")
    checks = "not_a_server_error,status_code_conformance,content_type_conformance"
    before = digest_of(house.root)
    fuzzed(web, house.root, f"{checks},ignored_auth")
    assert digest_of(house.root) == before
    assert house.halts() == []
    session = Session(web.url)
    cookie = "; ".join(f"{each.name}={each.value}" for each in session.cookies)
    given = {"Cookie": cookie, "Origin": web.url, "X-CSRF-Token": str(session.headers["X-CSRF-Token"])}
    fuzzed(web, house.root, checks, given)
    assert "Traceback" not in web.log


def fuzzed(web: Web, where: Path, checks: str, headers: dict[str, str] | None = None) -> None:
    """Each path with anything there is, but for the stream that has no end, the login, which takes a while on purpose, and the logout."""
    document = requests.get(f"{web.url}/v1/openapi.json", timeout=60).json()
    for path in ("/v1/live", "/v1/login", "/v1/logout"):
        document["paths"].pop(path, None)
    (where / "openapi.json").write_text(json.dumps(document))
    words = ["run", where / "openapi.json", f"--url={web.url}", f"--checks={checks}", "--phases=fuzzing", "--workers=2", "--seed=1"]
    words += ["--max-examples=8", "--generation-database=none", "--no-color", "--suppress-health-check=too_slow"]
    words += [f"--header={name}: {value}" for name, value in (headers or {}).items()]
    program = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run([program, *words], cwd=where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]


@pytest.fixture(scope="module")
def web(house_of_module: House) -> Web:
    return web_house(house_of_module, PASSWORD=PASSWORD)


def raw(web: Web, sent: bytes) -> tuple[int, str]:
    """The status and the text of the answer to just these bytes."""
    host, port = web.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 30) as connection:
        connection.sendall(sent)
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode(errors="replace")
    return int(answer.split()[1]), answer.partition("\r\n\r\n")[2]


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8461", "localhost.evil.example", "127.0.0.1.evil.example", "pi@evil.example", "<script>", "", "\xff"],
)
def test_a_strangers_name_is_refused_whatever_is_asked_and_those_that_work_are_said(web: Web, host: str) -> None:
    """DNS rebinding: the browser believes to be at evil.example, and so sends that name, with that origin."""
    session = Session(web.url)
    cookie = "; ".join(f"{each.name}={each.value}" for each in session.cookies)
    for method, path in (("GET", "/"), ("GET", "/v1/about"), ("GET", "/static/kit.js"), ("POST", "/v1/logout"), ("POST", "/v1/login")):
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}"
        head += f"\r\nX-CSRF-Token: {session.headers['X-CSRF-Token']}"
        sent = f"{head}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode("latin-1")
        status, text = raw(web, sent)
        assert status in (400, 421), text
        if status == 421:
            assert "use this machine's address, or" in text
            assert "localhost" in text
    assert session.show("/v1/about").json()["logged_in"] is True


def test_a_page_of_another_site_reads_nothing(web: Web) -> None:
    session = Session(web.url)
    for site in ("cross-site", "same-site"):
        answer = session.get(f"{web.url}/v1/about", headers={"Sec-Fetch-Site": site}, timeout=30)
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert session.options(f"{web.url}/v1/logout", headers={"Access-Control-Request-Method": "POST"}, timeout=30).status_code == 405


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"x" * 20_000, 413),
        (b"[" * 4000, 400),
        (b'{"password": ' * 300, 400),
        (b'{"password": NaN}', 400),
        (b'{"password": "\\ud800"}', 400),
        (b'{"password": 1' + b"0" * 4000 + b"}", 400),
        (b'{"other": 1}', 400),
        (b"[1]", 400),
        (b"\xff\xfe", 400),
        (b"", 400),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_body_that_is_none_or_too_much_is_refused_in_a_line(web: Web, sent: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json", "Origin": web.url}
    answer = requests.post(f"{web.url}/v1/login", sent, headers=headers, timeout=30)
    assert answer.status_code == status, answer.text
    assert "\n" not in answer.json()["error"].strip()


def test_headers_without_end_are_cut_off(web: Web) -> None:
    host, port = web.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        with pytest.raises(ConnectionError):
            for _ in range(4000):
                connection.sendall(b"X-More: " + b"x" * 4000 + b"\r\n")


def test_three_hundred_who_send_crumbs_keep_nobody_out(web: Web) -> None:
    host, port = web.url.removeprefix("http://").split(":")
    crumbs = []
    try:
        for _ in range(300):
            connection = socket.create_connection((host, int(port)), 60)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127")
            crumbs.append(connection)
        assert Session(web.url).show("/v1/about").ok, "the one idle for longest makes room"
        for each in crumbs:
            each.setblocking(False)
        until(lambda: sum(is_gone(each) for each in crumbs) >= 300 - 128, what=web.story)
    finally:
        for each in crumbs:
            each.close()


def is_gone(connection: socket.socket) -> bool:
    try:
        return is_closed(connection.fileno())
    except OSError:
        return True


_LOOK = """
import json, os, stat, sys
found = {"read": [], "write": []}
for top, directories, files in os.walk(sys.argv[1]):
    for name in directories + files:
        path = os.path.join(top, name)
        about = os.lstat(path)
        if stat.S_ISLNK(about.st_mode):
            continue
        if not about.st_mode & 0o077 and os.access(path, os.R_OK):
            found["read"].append(path)
        if os.access(path, os.W_OK):
            found["write"].append(path)
print(json.dumps(found))
"""


def test_its_user_reads_no_secret_and_writes_nothing_but_what_the_group_may(house: House) -> None:
    """As if somebody had found a hole in the page: what this user can open at all."""
    services = [
        house.add("halt", svscan=False, HALT_COMMAND=house.recorder),
        house.add(
            "notify",
            svscan=False,
            MAIL_TO="a@house.lan",
            MAIL_FROM="b@house.lan",
            MAIL_HOST="127.0.0.1",
            MAIL_USER="pi",
            MAIL_PASSWORD="secret of the mail",
        ),
        house.add("rules", svscan=False),
        house.add("collector", svscan=False, LISTEN=f"127.0.0.1:{free_port()}", PASSWORD="secret of the collector"),
    ]
    Relays(house, {"NAME": "boiler"})
    web = web_house(house, PASSWORD=PASSWORD)
    until(lambda: all(each.status not in ("", "starting") for each in services), what=services[0].story)
    theirs = ("run/pimains/halt/request", "var/lib/pimains/relays/1.mode", "var/lib/pimains/notify/queue")
    until(lambda: all((house.root / each).exists() for each in theirs), 30, what=lambda: "\n".join(each.story() for each in services))
    found = json.loads(as_web(house.root, _LOOK))
    assert [path for path in found["read"] if not path.startswith((str(web.run), str(web.lib)))] == []
    written = [str(Path(path).relative_to(house.root)) for path in found["write"]]
    assert [path for path in written if not any(fnmatchcase(path, pattern) for pattern in MAY_WRITE)] == []
    assert {*theirs} <= set(written)
    secrets = [path for path in (house.root).rglob("*PASSWORD") if path.is_file()]
    assert len(secrets) >= 3
    assert [path for path in secrets if stat.S_IMODE(path.stat().st_mode) != 0o600] == []


def as_web(root: Path, program: str) -> str:
    """What a Python program says that runs as user pimains-web, in the service's groups alone."""
    words = ["/usr/bin/python3", "-c", program, root]
    done = subprocess.run(words, user="pimains-web", group="pimains", extra_groups=[], capture_output=True, text=True, check=True)
    return done.stdout

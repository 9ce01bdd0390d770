"""What rude visitors get of the collector: no byte of the journal, no reading stored, bounded memory."""

import base64
import os
import socket
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import pytest
import requests

from pimains.shared.http_server import USUAL
from pimains.shared.plan import delivery
from tests.collector.collecting import TOKEN, Collector, batch, own_mb, steady
from tests.kit import House

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")

PASSWORD = "open sesame"
SECRET_SOURCE = "the-secret-cellar"
PATHS = (
    "/",
    "//",
    "/.",
    "/?range=year&table=1",
    "/v1/sources",
    "//v1//sources",
    "/v1/./sources",
    "/V1/sources",
    "/%76%31/sources",
    "/v1%2fsources",
    f"/v1/export?source={SECRET_SOURCE}",
    f"/v1/export?source={SECRET_SOURCE}%00",
    "/v1/export?source=../../tokens/house",
    "/v1/openapi.json",
    "/v1/readings",
    "/v1/readings/",
    "/v1/readings;x",
    "/metrics",
    f"/graphs/{SECRET_SOURCE}/day.svg",
    f"/graphs/{SECRET_SOURCE}/..%2f..%2fjournal.sqlite",
    "/graphs/..%2f..%2f..%2fvar%2flib%2fpimains%2fcollector/journal.sqlite",
    "/graphs/%2e%2e/day.svg",
    "/graphs/../../journal.sqlite",
    "/journal.sqlite",
    "/journal.sqlite-wal",
    f"/rrd/s-{SECRET_SOURCE}.rrd",
    "/../../../../etc/passwd",
    "/..\\..\\journal.sqlite",
    "/tokens/house",
    "/get.php?val=1;1",
    "http://127.0.0.1/v1/sources",
    "http://elsewhere.example/v1/sources",
    "*",
    "v1/sources",
    "",
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "G\x00T")
BASIC = base64.b64encode(b"pi:no sesame").decode()
HEADERS = (
    "",
    f"Authorization: Bearer {TOKEN}\r\n",  # who may post may not read
    "Authorization: Bearer \r\n",
    f"Authorization: Basic {BASIC}\r\n",
    f"Authorization: Basic {TOKEN}\r\n",
    "X-Forwarded-For: 127.0.0.1\r\nX-Original-URL: /v1/sources\r\nX-HTTP-Method-Override: GET\r\nForwarded: for=127.0.0.1\r\n",
    f"Cookie: session={TOKEN}; password={PASSWORD}\r\n",
)


@pytest.fixture
def closed(house: House) -> Collector:
    """One with a password, a token of the source `house`, and readings of another source."""
    collector = Collector(house, PASSWORD=PASSWORD)
    path = collector.token(SECRET_SOURCE, "the-token-of-the-cellar")
    assert collector.send(steady(100)._replace(source=SECRET_SOURCE), "the-token-of-the-cellar").ok
    assert path.exists()
    return collector


def said(collector: Collector, request: bytes) -> bytes:
    """The whole answer; b"" where there is none: aiohttp 3.11 leaves CONNECT to an address with // unanswered until it is cut off."""
    host, port = collector.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(request)
        found = b""
        try:
            while some := connection.recv(65536):
                found += some
        except (ConnectionResetError, TimeoutError):
            pass
        return found


def stored(collector: Collector) -> list[tuple[str, float]]:
    found = collector.get("/v1/sources", auth=("pi", PASSWORD)).json()
    return [(each["source"], each["total"]) for each in found]


def test_no_path_method_or_header_gets_at_a_reading(closed: Collector) -> None:
    before, memory = stored(closed), own_mb(closed.instance.pid)
    body = delivery.written(batch((1, 1.0, 4_000_000), offset=time.time()))
    answers = 0
    for path, method, header in product(PATHS, METHODS, HEADERS):
        if method == "POST" and TOKEN in header and "Bearer" in header and "readings" in path:
            continue  # that is allowed
        length = len(body) if method in ("POST", "PUT", "PATCH") else 0
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n{header}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        answer = said(closed, head.encode() + body[:length])
        status = int(answer.split()[1]) if answer else 400
        assert status in (400, 401, 404, 405, 429), (head, answer[:300])
        assert SECRET_SOURCE.encode() not in answer.partition(b"\r\n\r\n")[2].replace(path.encode(), b""), (head, answer[:300])
        assert not any(secret in answer for secret in (TOKEN.encode(), PASSWORD.encode(), b"SQLite", b"Traceback", b"720")), answer[:300]
        answers += 1
    assert answers > 2000
    assert own_mb(closed.instance.pid) < memory + 4
    closed.instance.house.until(lambda: closed.get("/v1/sources", auth=("pi", PASSWORD)).ok, 200)  # wrong passwords took time
    assert stored(closed) == before


def test_schemathesis_finds_no_answer_but_the_described_ones(house: House) -> None:
    collector = Collector(house, COMPAT="powerpi", POWERPI_LOGINS=str(house.root / "logins"))
    memory = own_mb(collector.instance.pid)
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,ignored_auth"
    words = ["run", f"{collector.url}/v1/openapi.json", f"--checks={checks}", "--phases=fuzzing", "--workers=4", "--seed=1"]
    words += [
        "--max-examples=20",
        "--generation-database=none",
        "--no-color",
        "--suppress-health-check=too_slow",
        f"--header=Authorization: Bearer {TOKEN}",
    ]
    program = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run([program, *words], cwd=house.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-1000:]
    assert own_mb(collector.instance.pid) < memory + 8
    assert {each["source"] for each in collector.get("/v1/sources").json()} <= {"house"}
    assert collector.send(steady(10)).ok


def test_many_who_say_nothing_keep_nobody_out_for_long_and_no_more_than_that_are_served(closed: Collector) -> None:
    host, port = closed.url.removeprefix("http://").split(":")
    idle = [socket.create_connection((host, int(port)), 60) for _ in range(USUAL.connections + 20)]
    try:
        for each in idle:
            each.setblocking(False)
        closed.instance.house.until(lambda: sum(is_closed(each) for each in idle) >= 20)
        assert sum(is_closed(each) for each in idle) < 40
        for each in idle[:8]:
            each.close()
        closed.instance.house.until(lambda: is_served(closed))
    finally:
        for each in idle:
            each.close()


def is_served(collector: Collector) -> bool:
    try:
        return collector.get("/metrics", auth=("pi", PASSWORD)).ok
    except requests.ConnectionError:
        return False


def is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True

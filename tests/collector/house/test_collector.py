"""collector under a real supervise: readings over HTTP into its journal, numbers out of it."""

import csv
import http.client
import io
import json
import os
import random
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import suppress

import pytest
import requests

from pimains.shared.plan import delivery
from pimains.shared.plan.delivery import Reading, RegisterReading
from tests.collector.collecting import TOKEN, Collector, batch, memory_mb, own_mb, steady
from tests.kit import TOP, House, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


@pytest.fixture
def collector(house: House) -> Collector:
    return Collector(house)


def source(collector: Collector) -> dict[str, object]:
    (found,) = collector.get("/v1/sources").json()
    return dict(found)


def test_readings_are_stored_once_in_whatever_order_and_however_often_they_come(collector: Collector) -> None:
    now = time.time()
    all_of_them = steady(3000, now)
    parts = [all_of_them._replace(readings=all_of_them.readings[start : start + 250]) for start in range(0, 3000, 250)] * 2
    random.Random(1).shuffle(parts)
    for part in parts:
        answer = collector.send(part)
        assert answer.status_code == 200
        assert delivery.read_answer(answer.content).accepted == {"b": part.readings[-1].sequence}
    rows = list(csv.DictReader(io.StringIO(collector.get("/v1/export?source=house").text)))
    assert [int(row["pulses"]) for row in rows] == list(range(1, 3001))
    assert float(rows[-1]["unixtime"]) == pytest.approx(now, abs=0.01)
    assert source(collector)["total"] == 3.0
    collector.instance.house.until(lambda: "1 source, last reading" in collector.instance.status)


def test_kill_9_between_and_during_requests_loses_nothing_that_was_acknowledged(collector: Collector) -> None:
    sent = steady(5000)
    for start in range(0, 5000, 100):
        killing = threading.Timer(random.Random(start).uniform(0, 0.02), collector.instance.kill)
        if start % 1000 == 500:
            killing.start()
        part = sent._replace(readings=sent.readings[start : start + 100])
        until(lambda part=part: is_taken(collector, part))  # type: ignore[misc]
        if killing.is_alive():
            killing.join()
    until(lambda: source(collector)["total"] == 5.0)
    rows = collector.get("/v1/export?source=house&format=json").json()["rows"]
    assert [row[2] for row in rows] == list(range(1, 5001))


def is_taken(collector: Collector, part: delivery.Batch) -> bool:
    try:
        return collector.send(part).ok
    except requests.RequestException:
        return False


def test_late_readings_and_a_corrected_clock_put_energy_where_it_belongs(collector: Collector) -> None:
    now = time.time()
    assert collector.send(batch((1, 10, 100), (2, 20, 110), offset=0.0, boot="1970")).ok  # the clock was not set
    assert collector.send(batch((1, 10, 120), (2, 20, 130), offset=now - 20)).ok
    assert collector.send(batch(offset=now - 60, boot="1970")).ok
    rows = collector.get("/v1/export?source=house&format=json").json()["rows"]
    assert [(round(row[1] - now), row[2], row[4]) for row in rows] == [(-50, 100, 0), (-40, 110, 0.01), (-10, 120, 0.01), (0, 130, 0.01)]


def test_the_page_tells_the_numbers_and_nothing_from_a_source_is_markup(collector: Collector) -> None:
    name = "<script>alert(1)</script>"
    collector.token("&", TOKEN)
    (collector.tokens / "&").rename(collector.tokens / name.replace("/", "_"))
    evil = name.replace("/", "_")
    assert collector.send(steady(100)._replace(source=evil, register=RegisterReading(0, 12345.6))).ok
    answer = collector.get("/")
    assert "&lt;script&gt;" in answer.text
    assert "<script" not in answer.text
    assert "12,345.7 kWh" in answer.text
    assert "720 W" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_prices_become_costs(house: House) -> None:
    collector = Collector(house, PRICE="0.5", CURRENCY="EUR")
    assert collector.send(batch((1, 0, 0), (2, 1, 4000), offset=time.time() - 1)).ok
    assert "4.00 kWh<span>2.00 EUR</span>" in collector.get("/").text


def test_prometheus_reads_the_metrics(collector: Collector) -> None:
    now = time.time()
    assert collector.send(steady(100, now)).ok
    lines = dict(line.rsplit(" ", 1) for line in collector.get("/metrics").text.splitlines() if not line.startswith("#"))
    assert float(lines['pimains_power_watts{source="house"}']) == pytest.approx(720, rel=1e-3)
    assert float(lines['pimains_energy_kwh_total{source="house"}']) == 0.1
    assert float(lines['pimains_face_kwh{source="house"}']) == 0.1
    assert float(lines['pimains_last_reading_timestamp_seconds{source="house"}']) == pytest.approx(now, abs=0.01)


def test_any_range_is_exported_also_every_so_many_seconds(collector: Collector) -> None:
    now = float(int(time.time()))
    assert collector.send(steady(1000, now)).ok
    rows = collector.get(f"/v1/export?source=house&from={now - 600}&to={now}&every=60&format=json").json()["rows"]
    assert [row[2] for row in rows] == [pytest.approx(880 + 12 * n) for n in range(10)]
    assert [row[4] for row in rows] == [0.0] + [pytest.approx(0.012)] * 9
    for words, complaint in (
        ("source=attic", "source: not one"),
        ("source=house&from=yesterday", "from: not a time"),
        ("source=house&from=2020-01-01&every=1", "every: that would be more"),
        ("source=house&every=-1", "every: not a number"),
        ("source=house&from=2030-01-01&to=2029-01-01", "from: not before to"),
        ("source=house&format=xml", "format: not csv or json"),
    ):
        assert collector.get(f"/v1/export?{words}").json()["error"].startswith(complaint)


def test_nobody_posts_without_the_token_of_that_source(collector: Collector) -> None:
    collector.token("attic", "another-token-for-the-attic")
    good = steady(1)
    for token, status in (("", 401), ("wrong", 401), (TOKEN[:-1], 401), (TOKEN + "x", 401), ("another-token-for-the-attic", 403)):
        assert collector.send(good, token).status_code == status
    for headers in ({}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": TOKEN}, {"Cookie": TOKEN}):
        assert requests.post(collector.url + delivery.PATH, delivery.written(good), headers=headers, timeout=60).status_code == 401
    for method in ("PUT", "PATCH", "DELETE", "GET"):
        answer = requests.request(method, collector.url + delivery.PATH, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60)
        assert answer.status_code == 405
    assert collector.get("/v1/sources").json() == []
    assert collector.send(good._replace(source="attic"), "another-token-for-the-attic").ok
    (collector.tokens / "attic").unlink()
    assert collector.send(good._replace(source="attic"), "another-token-for-the-attic").status_code == 401


def test_no_path_leads_to_the_journal_or_a_token(collector: Collector) -> None:
    assert collector.send(steady(1)).ok
    host, port = collector.url.removeprefix("http://").split(":")
    for path in (
        "/journal.sqlite",
        "/../journal.sqlite",
        "/%2e%2e/journal.sqlite",
        "//etc/passwd",
        "/tokens/house",
        "/v1",
        "/v1/export/..",
        "*",
    ):
        with socket.create_connection((host, int(port)), 60) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            said = b"".join(iter(lambda connection=connection: connection.recv(65536), b""))  # type: ignore[misc]
        assert said.split()[1] in (b"404", b"400"), (path, said)
        assert b"SQLite" not in said
        assert TOKEN.encode() not in said


def test_what_is_no_batch_is_refused_in_words(collector: Collector) -> None:
    def post(body: bytes) -> requests.Response:
        return requests.post(collector.url + delivery.PATH, body, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)

    assert (post(b"{").status_code, post(b"{").json()) == (400, {"error": "not JSON"})
    many = steady(1)._replace(readings=[Reading("b", n, None, n, n) for n in range(5001)])
    assert post(delivery.written(many)).status_code == 413
    assert post(b" " * (delivery.BODY_BYTES_MAX + 1)).status_code == 413
    assert collector.send(steady(10)).ok


def test_bodies_of_100_mb_floods_of_headers_and_crumbs_are_refused_in_bounded_memory(collector: Collector) -> None:
    host, port = collector.url.removeprefix("http://").split(":")
    before = own_mb(collector.instance.pid)

    def flood(head: str, piece: bytes, megabytes: int) -> bytes:
        with socket.create_connection((host, int(port)), 60) as connection:
            connection.sendall(head.encode())
            try:
                for _ in range(megabytes * 2**20 // len(piece)):
                    connection.sendall(piece)
                return connection.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                return b""

    request = f"POST {delivery.PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    for head, piece in (
        (request + f"Content-Length: {100 * 2**20}\r\n\r\n", b" " * 65536),
        (request + "Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b" " * 65536 + b"\r\n"),
        (request.replace(TOKEN, "wrong") + f"Content-Length: {100 * 2**20}\r\n\r\n", b" " * 65536),
        (request, b"".join(b"X-%d: %s\r\n" % (n, b"y" * 4000) for n in range(16))),
        ("GET /", b"x" * 65536),
    ):
        said = flood(head, piece, 100)
        assert said == b"" or said.split()[1] in (b"413", b"401", b"400"), said[:200]
    assert own_mb(collector.instance.pid) < before + 16
    assert collector.send(steady(10)).ok


def test_a_body_that_comes_in_crumbs_is_cut_off_and_holds_up_nobody(collector: Collector) -> None:
    host, port = collector.url.removeprefix("http://").split(":")
    began = time.monotonic()
    with socket.create_connection((host, int(port)), 60) as slow:
        slow.sendall(
            f"POST {delivery.PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 1000\r\n\r\n{{".encode()
        )
        assert collector.send(steady(10)).ok
        assert slow.recv(65536).split()[1] == b"408"
    assert time.monotonic() - began > 15, "whoever is slow gets his time"


def test_a_password_is_asked_for_before_anything_is_shown(house: House) -> None:
    collector = Collector(house, PASSWORD="open sesame")
    assert collector.send(steady(10)).ok
    for path in ("/", "/metrics", "/v1/sources", "/v1/export?source=house"):
        for auth in (None, ("pi", "wrong"), ("pi", ""), ("open sesame", "pi")):
            answer = collector.get(path, auth=auth)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Basic")
            assert "house" not in answer.text
        assert collector.get(path, auth=("pi", "open sesame")).status_code == 200
        assert collector.get(path, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 401


def test_with_a_certificate_everything_is_encrypted(house: House) -> None:
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run([*words.split(), "-keyout", "key.pem", "-out", "cert.pem"], cwd=house.root, check=True, capture_output=True)
    shutil.chown(house.root / "key.pem", "pimains")
    collector = Collector(
        house, LISTEN="0.0.0.0:0", TLS_CERTIFICATE=f"{house.root}/cert.pem", TLS_KEY=f"{house.root}/key.pem", PASSWORD="open sesame"
    )
    assert collector.url.startswith("https://")
    port = int(collector.url.rpartition(":")[2])
    answer = requests.get(f"https://localhost:{port}/", auth=("pi", "open sesame"), verify=f"{house.root}/cert.pem", timeout=30)
    assert answer.status_code == 200
    with pytest.raises((requests.ConnectionError, requests.exceptions.InvalidSchema)):
        requests.get(f"http://localhost:{port}/", timeout=60)
    context = ssl.create_default_context(cafile=f"{house.root}/cert.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("localhost", port)) as plain, context.wrap_socket(plain, server_hostname="localhost") as tls:
        assert tls.version() == "TLSv1.2"


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"LISTEN": "0.0.0.0:8460"}, "variables/TLS_CERTIFICATE: is empty; tokens would go to 0.0.0.0:8460 in the clear"),
        (
            {"LISTEN": "0.0.0.0:8460", "TLS_CERTIFICATE": "/etc/hostname"},
            "variables/PASSWORD: is empty; at 0.0.0.0:8460 everybody would see",
        ),
        ({"TLS_CERTIFICATE": "/etc/hostname"}, "variables/TLS_CERTIFICATE: cannot be used: "),
        ({"TLS_CERTIFICATE": "/nowhere"}, "variables/TLS_CERTIFICATE: cannot be used: No such file or directory"),
        (
            {"LISTEN": "192.0.2.1:8460", "TLS_CERTIFICATE": "CERT", "PUBLIC": "1"},
            "variables/LISTEN: 192.0.2.1 is no address of this machine",
        ),
        ({"LISTEN": "localhost"}, "variables/LISTEN: 'localhost' is no address and port"),
        ({"LISTEN": "127.0.0.1:81"}, "variables/LISTEN: port 81 is for root only; take one above 1023"),
        ({"PASSWORD": "short"}, "variables/PASSWORD: the secret is no password (8 characters at least"),
        ({"DATA_DIR": "/proc/nowhere"}, "variables/DATA_DIR: /proc/nowhere: "),
        ({"WWW_DIR": "/proc/nowhere"}, "variables/WWW_DIR: /proc/nowhere: no such file or directory (user pimains"),
        ({"WWW_DIR": "/sys"}, "variables/WWW_DIR: /sys: "),
        ({"WWW_DIR": "/"}, "would lie in it, where another web server might show it"),
        ({"WWW_DIR": "/var/www", "POWERPI_LOGINS": "/var/www/powerpi"}, "variables/WWW_DIR: /var/www/powerpi would lie in it"),
    ],
)
def test_a_wrong_setting_is_said_with_its_file(house: House, variables: dict[str, str], line: str) -> None:
    if variables.get("TLS_CERTIFICATE") == "CERT":
        words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
        subprocess.run([*words.split(), "-keyout", "both.pem", "-out", "cert.pem"], cwd=house.root, check=True, capture_output=True)
        with (house.root / "both.pem").open("a") as both:
            both.write((house.root / "cert.pem").read_text())
        shutil.chown(house.root / "both.pem", "pimains")
        variables = {**variables, "TLS_CERTIFICATE": str(house.root / "both.pem")}
    collector = Collector(house, **variables)
    assert line in collector.instance.status


def test_a_journal_that_is_none_is_left_alone_and_named(house: House) -> None:
    data = house.root / "data"
    data.mkdir()
    (data / "journal.sqlite").write_text("this is my diary, not a database; " * 100)
    shutil.chown(data, "pimains")
    shutil.chown(data / "journal.sqlite", "pimains")
    collector = Collector(house, DATA_DIR=str(data))
    assert "variables/DATA_DIR" in collector.instance.status
    assert "move that file away" in collector.instance.status
    assert (data / "journal.sqlite").read_text().startswith("this is my diary")


def test_tokens_that_are_none_are_said(house: House) -> None:
    collector = Collector(house, PIMAINS_SPEED="20")  # it looks every ten seconds
    collector.token("attic", "short")
    house.until(lambda: f"{collector.tokens}/attic: holds no token of 16 characters" in collector.instance.status)
    collector.token("attic", "a-long-enough-token").chmod(0o644)
    house.until(lambda: f"{collector.tokens}/attic: holds a secret that others may read" in collector.instance.status)
    (collector.tokens / "attic").unlink()
    house.until(lambda: collector.instance.status.endswith("no readings yet"))


def test_a_full_disk_refuses_readings_which_their_meter_keeps_and_later_sends_again(house: House) -> None:
    data = house.root / "small"
    data.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=777", "tmpfs", data], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("tmpfs cannot be mounted here")
    try:
        collector = Collector(house, DATA_DIR=str(data))
        ballast = data / "ballast"
        ballast.write_bytes(b"x" * 700 * 1024)
        sent = steady(20000)
        parts = [sent._replace(readings=sent.readings[start : start + 2000]) for start in range(0, 20000, 2000)]
        answers = [collector.send(part).status_code for part in parts]
        assert answers[0] == 200
        assert answers[-1] == 503
        house.until(lambda: "readings cannot be stored: database or disk is full" in collector.instance.status)
        ballast.unlink()
        assert [collector.send(part).status_code for part in parts[:8]] == [200] * 8
        assert source(collector)["total"] == 16.0
        collector.instance.svc("-dx")
        until(lambda: collector.instance.pid == 0)
    finally:
        subprocess.run(["umount", "-l", data], check=True)


def test_a_meter_that_sends_often_is_answered_when_much_is_written_at_once(house: House) -> None:
    collector = Collector(house, COMMIT_SECONDS="200")
    assert collector.send(batch((1, 3, 1), offset=time.time() - 10)).ok
    answers: list[requests.Response] = []
    sending = threading.Thread(target=lambda: answers.append(collector.send(batch((2, 10, 2), offset=time.time() - 10))), daemon=True)
    sending.start()
    began = time.monotonic()
    assert collector.get("/v1/openapi.json").ok  # and holds up nobody
    assert not answers
    assert collector.send(steady(1000)).ok  # a backlog need not wait
    assert time.monotonic() - began < 100
    assert not answers
    until(lambda: collector.get("/").ok and answers)  # whoever opens the page has it stored
    assert answers[0].ok


def test_the_first_readings_of_a_source_are_stored_at_once_and_nobody_holds_up_a_restart(house: House) -> None:
    collector = Collector(house, COMMIT_SECONDS="200")
    now, before = time.time(), collector.instance.pid
    assert collector.send(batch((1, 5, 1000), offset=now - 10)).ok
    assert source(collector)["total"] == 1.0
    held = http.client.HTTPConnection(collector.url.removeprefix("http://"), timeout=60)
    held.request("POST", delivery.PATH, delivery.written(batch((2, 10, 2000), offset=now - 10)), {"Authorization": f"Bearer {TOKEN}"})
    for _ in range(2):
        assert collector.get("/v1/openapi.json").ok
    collector.instance.svc("-t")
    assert held.getresponse().status == 200
    house.until(lambda: collector.instance.pid not in (0, before) and "1 source" in collector.instance.status)
    assert source(collector)["total"] == 2.0


def send_like_a_meter(collector: Collector, count: int, acknowledged: list[int] | None = None) -> threading.Thread:
    """So many readings, each when the one before is acknowledged."""
    now, url = time.time(), collector.url

    def send() -> None:
        for number in range(1, count + 1):
            body = delivery.written(batch((number, number * 0.005, number * 1000), offset=now - 10))
            with suppress(requests.RequestException):  # the test is over
                requests.post(url + delivery.PATH, body, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=120)
            if acknowledged is not None:
                acknowledged.append(number)

    sending = threading.Thread(target=send, daemon=True)
    sending.start()
    return sending


ASKED = {
    "/": "3.0 kWh",
    "/metrics": 'pimains_energy_kwh_total{source="house"} 3.0',
    "/v1/sources": '"total": 3.0',
    "/v1/export?source=house&from=0": ",3000,3,1",
    "pimains energy": "2.00",
}


@pytest.mark.parametrize("what", ASKED)
def test_whoever_asks_sees_what_was_waiting_to_be_stored_and_what_its_meter_has_since(house: House, what: str) -> None:
    collector = Collector(house, COMMIT_SECONDS="200", PIMAINS_SPEED="10")
    sending = send_like_a_meter(collector, 3)

    def told() -> str:
        return energy(house) if what == "pimains energy" else collector.get(what).text

    until(lambda: ASKED[what] in told(), 35)  # nobody asked: 20 for each of two
    sending.join(60)
    assert not sending.is_alive()


def started_energy(house: House) -> subprocess.Popen[str]:
    words = ["/usr/bin/python3", "-P", "-m", "pimains.cli", "energy", f"--servicedir={house.scan}"]
    env = {"PYTHONPATH": str(TOP / "lib"), "PATH": "/usr/bin:/bin", "PIMAINS_ROOT": str(house.root)}
    return subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def energy(house: House) -> str:
    """What `pimains energy` says."""
    return started_energy(house).communicate()[0]


def test_a_halt_has_what_was_waiting_stored(house: House) -> None:
    collector = Collector(house, COMMIT_SECONDS="200")
    acknowledged: list[int] = []
    sending = send_like_a_meter(collector, 2, acknowledged)
    until(lambda: acknowledged)

    def step() -> str:
        env = {"PATH": os.environ["PATH"], "PIMAINS_ROOT": str(house.root), "PIMAINS_BUDGET_SECONDS": "60"}
        return subprocess.run([TOP / "services/meter/halt.d/30-meter"], env=env, capture_output=True, text=True, check=True).stdout

    until(lambda: step() == "collector: what waited is stored\n" and acknowledged == [1, 2])  # the second may just be on its way
    sending.join()


@pytest.mark.alone
def test_programs_that_ask_at_once_beside_a_halt_are_all_answered_quickly(house: House) -> None:
    collector = Collector(house, COMMIT_SECONDS="200")
    assert collector.send(batch((1, 5.0, 1000), (2, 10.0, 3000), offset=time.time() - 20)).ok
    step = TOP / "services/meter/halt.d/30-meter"
    env = {"PATH": os.environ["PATH"], "PIMAINS_ROOT": str(house.root), "PIMAINS_BUDGET_SECONDS": "60"}
    for _ in range(5):
        began = time.monotonic()
        with subprocess.Popen([step], env=env, stdout=subprocess.PIPE, text=True) as halting:
            asking = [started_energy(house) for _ in range(2)]
            assert halting.communicate() == ("collector: what waited is stored\n", None)
        assert all("2.00" in each.communicate()[0] for each in asking)
        assert time.monotonic() - began < 3  # who is not answered waits that long, and the step 59 s


def test_a_program_that_asks_all_the_time_has_nothing_stored_more_often_than_once_a_minute(house: House) -> None:
    collector = Collector(house, COMMIT_SECONDS="200")
    acknowledged: list[int] = []
    send_like_a_meter(collector, 1000, acknowledged)

    def nothing_is_stored_by_asking() -> bool:
        before = len(acknowledged)
        return sum(collector.get("/metrics").ok for _ in range(10)) == 10 and before == len(acknowledged)

    until(lambda: collector.get("/metrics").ok and acknowledged, 20)
    until(nothing_is_stored_by_asking, 20)
    before = len(acknowledged)
    until(lambda: collector.get("/").ok and len(acknowledged) > before, 20)  # a person is not kept waiting


def test_the_collector_is_no_bigger_than_40_mb(collector: Collector) -> None:
    sent = steady(20000)
    for start in range(0, 20000, 5000):
        assert collector.send(sent._replace(readings=sent.readings[start : start + 5000])).ok
    assert len(json.loads(collector.get("/v1/export?source=house&from=0&format=json").text)["rows"]) == 20000
    assert collector.get("/").ok
    assert memory_mb(collector.instance.pid) <= 40

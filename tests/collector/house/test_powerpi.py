"""An old Pi that still runs POWERPI, at a collector with COMPAT=powerpi: its request as power.py makes it."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import requests

from tests.collector.collecting import Collector, steady
from tests.kit import House, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")

FUSE_BOX = ("fusebox", "its old password")


def logins(house: House, *lines: str) -> Path:
    path = house.root / "powerpi"
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    shutil.chown(path, "pimains")
    return path


@pytest.fixture
def collector(house: House) -> Collector:
    path = logins(house, ":".join(FUSE_BOX), "shed:another password")
    return Collector(house, COMPAT="powerpi", POWERPI_LOGINS=str(path))


def power_py(
    collector: Collector, at: float, watts: float, auth: tuple[str, str] | None = FUSE_BOX, separator: str = ";"
) -> requests.Response:
    """GET get.php?val=<unix time>;<watts> with HTTP basic auth, every five seconds in the original."""
    return requests.get(f"{collector.url}/get.php?val={int(at)}{separator}{watts}", auth=auth, timeout=30)


def totals(collector: Collector) -> dict[str, float]:
    return {each["source"]: each["total"] for each in collector.get("/v1/sources").json()}


def test_an_old_pi_keeps_sending_and_its_watts_add_up(collector: Collector) -> None:
    until(lambda: "COMPAT: old Pis send their watts to http://127.0.0.1:" in collector.instance.log)
    now = int(time.time())
    for number in range(21):
        answer = power_py(collector, now - 110 + 5 * number, 3600 if number % 2 else 3600.0, separator=(";", "%3B", "%3b")[number % 3])
        assert (answer.status_code, answer.text) == (200, "OK\n")
    assert requests.get(f"{collector.url}/get.php", {"val": f"{now - 5};7200"}, auth=FUSE_BOX, timeout=30).ok
    assert power_py(collector, now - 5, 7200).ok  # a proxy asked twice
    assert power_py(collector, now - 50, 100, ("shed", "another password")).ok
    collector.instance.house.until(lambda: len(totals(collector)) == 2)
    collector.instance.house.until(lambda: totals(collector)["powerpi/fusebox"] == pytest.approx(0.11, abs=1e-6))
    rows = collector.get("/v1/export", params={"source": "powerpi/fusebox", "format": "json"}).json()["rows"]
    assert [round(row[1]) - now for row in rows] == [-110 + 5 * number for number in range(22)]
    assert [row[4] for row in rows[1:]] == [pytest.approx(0.005)] * 20 + [pytest.approx(0.01)]
    assert collector.get("/graphs/powerpi%2Ffusebox/day.svg").ok
    metrics = dict(line.rsplit(" ", 1) for line in collector.get("/metrics").text.splitlines() if not line.startswith("#"))
    assert float(metrics['pimains_power_watts{source="powerpi/fusebox"}']) == pytest.approx(7200, abs=1)


def test_it_counts_on_after_a_restart_and_after_kill_9(house: House) -> None:
    collector = Collector(house, COMPAT="powerpi", POWERPI_LOGINS=str(logins(house, ":".join(FUSE_BOX))), COMMIT_SECONDS="20")
    now = int(time.time())
    for number in range(3):
        assert power_py(collector, now - 110 + 5 * number, 3600).ok
    assert collector.instance.read("status").endswith("no readings yet")  # they wait
    pid = collector.instance.pid
    collector.instance.svc("-t")
    house.until(lambda: collector.instance.pid not in (0, pid) and is_up(collector))
    assert totals(collector)["powerpi/fusebox"] == pytest.approx(0.01)
    assert power_py(collector, now - 95, 3600).ok  # this one dies with it,
    pid = collector.instance.pid
    collector.instance.kill()
    house.until(lambda: collector.instance.pid not in (0, pid) and is_up(collector))
    assert power_py(collector, now - 90, 3600).ok  # and this one counts for both
    house.until(lambda: collector.get("/").ok and totals(collector)["powerpi/fusebox"] == pytest.approx(0.02, abs=1e-6))


def is_up(collector: Collector) -> bool:
    try:
        return collector.get("/v1/sources").ok
    except OSError:
        return False


def test_garbage_is_refused_in_one_line_and_changes_nothing(collector: Collector) -> None:
    now = int(time.time())
    assert power_py(collector, now - 60, 100).ok
    for words in ("", "?val=", "?val=1;2;3", "?val=nan;nan", f"?val={now};-5", "?value=1;2", f"?val={now};%00", f"?val={now - 100};5"):
        answer = requests.get(f"{collector.url}/get.php{words}", auth=FUSE_BOX, timeout=30)
        assert answer.status_code == 400, words
        assert answer.json()["error"].startswith("val: ")
    assert requests.post(f"{collector.url}/get.php?val={now};5", auth=FUSE_BOX, timeout=30).status_code == 405
    assert power_py(collector, now - 55, 3600).ok
    collector.instance.house.until(lambda: totals(collector) == {"powerpi/fusebox": pytest.approx(0.005, abs=1e-6)})
    until(lambda: collector.instance.log.count("powerpi/fusebox: refused") == 1)


def test_a_clock_of_1970_is_said_once_and_costs_nothing(collector: Collector) -> None:
    for number in range(3):
        assert power_py(collector, 100 + 5 * number, 3600).ok
    until(lambda: collector.instance.log.count("powerpi/fusebox: its clock is") == 1)
    rows = collector.get("/v1/export", params={"source": "powerpi/fusebox", "format": "json"})
    assert all(abs(row[1] - time.time()) < 60 for row in rows.json().get("rows", []))


def test_nobody_sends_watts_without_the_password_and_who_guesses_has_to_wait(house: House) -> None:
    path = logins(house, ":".join(FUSE_BOX))
    collector = Collector(house, COMPAT="powerpi", POWERPI_LOGINS=str(path), PIMAINS_SPEED="0.1")  # nothing is forgiven meanwhile
    now = time.time()
    answers = [power_py(collector, now, 5, auth).status_code for auth in (None, ("fusebox", "wrong"), ("shed", FUSE_BOX[1]), ("", ""))]
    assert answers == [401] * 4
    assert requests.get(f"{collector.url}/get.php", headers={"Authorization": "Basic %%%"}, timeout=30).status_code == 401
    assert [power_py(collector, now, 5, ("fusebox", f"guess {number}")).status_code for number in range(6)] == [401] * 5 + [429]
    assert power_py(collector, now, 5).status_code == 429  # not even the right one: it would tell that it is
    assert int(power_py(collector, now, 5).headers["Retry-After"]) <= 7
    assert collector.get("/").ok
    assert totals(collector) == {}
    until(lambda: collector.instance.log.count("does not know a name and password") == 1)


def test_without_compat_there_is_no_such_address(house: House) -> None:
    collector = Collector(house)
    assert power_py(collector, time.time(), 5).status_code == 404


def test_its_file_of_passwords_is_looked_after(house: House) -> None:
    path = logins(house, "fusebox:short")
    collector = Collector(house, COMPAT="powerpi", POWERPI_LOGINS=str(path), PIMAINS_SPEED="20")  # it looks every ten seconds
    house.until(lambda: f"{path} line 1: no NAME:PASSWORD with 8 characters" in collector.instance.status)
    path = logins(house, "fusebox:long enough now")
    path.chmod(0o644)
    house.until(lambda: f"{path}: holds secrets that others may read (chmod 600)" in collector.instance.status)
    path.chmod(0o600)
    assert power_py(collector, time.time(), 5, ("fusebox", "long enough now")).ok
    path.unlink()
    house.until(lambda: f"{path}: No such file or directory" in collector.instance.status)
    assert power_py(collector, time.time(), 5, ("fusebox", "long enough now")).status_code == 401


def test_over_tls_as_the_original_could(house: House) -> None:
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run([*words.split(), "-keyout", "key.pem", "-out", "cert.pem"], cwd=house.root, check=True, capture_output=True)
    shutil.chown(house.root / "key.pem", "pimains")
    collector = Collector(
        house, COMPAT="powerpi", POWERPI_LOGINS=str(logins(house, ":".join(FUSE_BOX))), LISTEN="0.0.0.0:0", PUBLIC="1",
        TLS_CERTIFICATE=f"{house.root}/cert.pem", TLS_KEY=f"{house.root}/key.pem",
    )  # fmt: skip
    url = f"https://localhost:{collector.url.rpartition(':')[2]}/get.php?val={int(time.time())};350"
    assert requests.get(url, auth=FUSE_BOX, verify=f"{house.root}/cert.pem", timeout=30).ok


def test_meters_and_old_pis_send_to_the_same_collector(collector: Collector) -> None:
    assert collector.send(steady(10)).ok
    assert power_py(collector, time.time(), 5).ok
    collector.instance.house.until(lambda: set(totals(collector)) == {"house", "powerpi/fusebox"})

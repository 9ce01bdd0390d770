"""The service web under daemontools: where it listens, as whom, and what it says of settings that cannot be."""

import os
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
import requests

from tests.kit import House, TestInstance, free_port, until
from tests.web.page import PASSWORD, Session, web_house

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="web becomes user pimains-web: needs root")


def certificate(house: House) -> dict[str, str]:
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run([*words.split(), "-keyout", "key.pem", "-out", "cert.pem"], cwd=house.root, check=True, capture_output=True)
    shutil.chown(house.root / "key.pem", "pimains-web")
    return {"TLS_CERTIFICATE": f"{house.root}/cert.pem", "TLS_KEY": f"{house.root}/key.pem"}


def said(house: House, **variables: str) -> TestInstance:
    web = house.add("web", **{"LISTEN": f"127.0.0.1:{free_port()}", **variables})
    until(lambda: web.status not in ("", "starting"), what=web.story)
    return web


def test_it_is_a_user_of_its_own_in_the_group_pimains_and_says_where_it_is(house: House) -> None:
    web = web_house(house)
    status = Path(f"/proc/{web.pid}/status").read_text().splitlines()
    ids = {line.split(":")[0]: line.split()[1:] for line in status if line.startswith(("Uid", "Gid", "Groups"))}
    user, group = shutil._get_uid("pimains-web"), shutil._get_gid("pimains")  # type: ignore[attr-defined]
    assert (set(ids["Uid"]), set(ids["Gid"]), set(ids["Groups"])) == ({str(user)}, {str(group)}, {str(group)})
    assert web.read("url") == web.url
    until(lambda: web.status == f"{web.url}, to look at only: there is no PASSWORD yet", what=web.story)
    assert (web.run.stat().st_uid, web.run.stat().st_gid) == (user, group)
    assert requests.get(f"{web.url}/v1/about", timeout=30).json()["services"] == [{"instance": "web", "service": "web"}]


def test_a_cookie_that_was_stolen_is_worth_nothing_once_the_password_was_changed(house: House) -> None:
    web = web_house(house, PASSWORD=PASSWORD)
    session = Session(web.url)
    assert session.show("/v1/about").json()["logged_in"] is True
    before = web.pid
    web.set("PASSWORD", "another password")
    web.svc("-t")
    until(lambda: web.pid not in (0, before) and (web.run / "url").exists() and is_answering(web.url), what=web.story)
    assert session.show("/v1/about").status_code == 401
    assert session.act("/v1/logout").status_code == 401
    assert Session(web.url, "another password").show("/v1/about").ok
    assert requests.post(f"{web.url}/v1/login", json={"password": PASSWORD}, headers={"Origin": web.url}, timeout=60).status_code == 401
    assert "another password" not in "".join(path.read_text(errors="replace") for path in files(web))


def files(web: TestInstance) -> list[Path]:
    """What it keeps and says."""
    places = (web.run, web.lib, web.house.root / "var/log/pimains/web")
    return [path for place in places for path in place.rglob("*") if path.is_file()]


def is_answering(url: str) -> bool:
    try:
        return requests.get(f"{url}/login", timeout=30).ok
    except requests.ConnectionError:
        return False


def test_with_a_certificate_everything_is_encrypted_and_the_cookie_stays_with_tls(house: House) -> None:
    web = web_house(house, PASSWORD=PASSWORD, **certificate(house))
    until(lambda: web.status == web.url, what=web.story)
    port = int(web.url.rpartition(":")[2])
    session = requests.Session()
    verify = f"{house.root}/cert.pem"
    for name in ("localhost", "127.0.0.1"):
        origin = {"Origin": f"https://{name}:{port}"}
        login = f"https://{name}:{port}/v1/login"
        answer = session.post(login, json={"password": PASSWORD}, headers=origin, timeout=60, verify=verify)
        assert answer.status_code == 200
        assert answer.headers["Set-Cookie"].startswith(f"__Host-pimains-{port}=")
        assert "Secure" in answer.headers["Set-Cookie"]
        plain = {"Origin": f"http://{name}:{port}"}
        assert session.post(login, json={"password": PASSWORD}, headers=plain, timeout=60, verify=verify).status_code == 403
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://localhost:{port}/", timeout=60)
    context = ssl.create_default_context(cafile=f"{house.root}/cert.pem")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("localhost", port)) as tcp, context.wrap_socket(tcp, server_hostname="localhost") as tls:
        assert tls.version() == "TLSv1.2"


def test_for_others_without_tls_it_says_who_reads_the_password(house: House) -> None:
    web = said(house, LISTEN=f"0.0.0.0:{free_port()}", PASSWORD=PASSWORD)
    web.until_logged("listening at http://0.0.0.0:", "PASSWORD goes over the network as it is typed")


def test_a_wrong_setting_is_said_with_its_file(house: House) -> None:
    expected: dict[str, tuple[dict[str, str], str]] = {
        "open": ({"LISTEN": "0.0.0.0:8461"}, "variables/PASSWORD: is empty; other machines reach 0.0.0.0:8461 only with one"),
        "moved": ({"LISTEN": "192.0.2.1:8461", "PASSWORD": PASSWORD}, "variables/LISTEN: 192.0.2.1 is no address of this machine"),
        "low": ({"LISTEN": "127.0.0.1:81"}, "variables/LISTEN: port 81 is for root only; take one above 1023"),
        "bare": (
            {"TLS_CERTIFICATE": "/nowhere"},
            "variables/TLS_CERTIFICATE: cannot be used: No such file or directory (user pimains-web must",
        ),
        "closed": ({"TLS_CERTIFICATE": "/etc/shadow"}, "variables/TLS_CERTIFICATE: cannot be used: "),
    }
    found = {name: house.add("web", name, svscan=False, **variables) for name, (variables, _) in expected.items()}
    house.start()
    for name, web in found.items():
        until(lambda web=web: web.status not in ("", "starting"), what=name)  # type: ignore[misc]
        assert expected[name][1] in web.status


def test_an_address_that_is_taken_is_said_and_waited_for(house: House) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        web = said(house, LISTEN=f"127.0.0.1:{port}")
        assert web.status == f"127.0.0.1:{port} is taken by another program; trying again"
        assert web.read("url") == ""
    until(lambda: web.read("url") == f"http://127.0.0.1:{port}", what=web.story)
    assert web.log.count("is taken by another program") == 1

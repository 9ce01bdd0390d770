"""How an upgrade went, from what a real apt says about repositories that do not deliver."""

import functools
import http.server
import subprocess
import threading
from pathlib import Path

from pimains.update import apt
from pimains.update.apt import Change

NAMES = ("pimains-alpha", "pimains-beta", "pimains-gamma")
PLANNED = [Change(name, "1", "2") for name in NAMES]


def prepare(top: Path) -> None:
    """A repository that lists three packages, and has none of them."""
    for name in ("lists/partial", "cache/archives/partial", "repository", "etc"):
        (top / name).mkdir(parents=True)
    tell = "Package: {}\nVersion: {}\nArchitecture: all\nMaintainer: A test <test@home.arpa>\nDescription: made for a test\n"
    (top / "status").write_text("".join(tell.format(name, "1") + "Status: install ok installed\n\n" for name in NAMES))
    files = "Filename: ./{0}_2_all.deb\nSize: 1000\nSHA256: {1}\n\n"
    (top / "repository/Packages").write_text("".join(tell.format(name, "2") + files.format(name, "0" * 64) for name in NAMES))


def apt_get(top: Path, address: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """With a state of its own, and one repository."""
    (top / "sources.list").write_text(f"deb [trusted=yes] {address} ./\n")
    places = {"State": top, "State::lists": top / "lists", "State::status": top / "status", "Cache": top / "cache"}
    places |= {"Etc::sourcelist": top / "sources.list", "Etc::sourceparts": "/dev/null"}
    places |= {"Etc::parts": top / "etc", "Etc::preferencesparts": top / "etc"}
    options = [f"-oDir::{name}={value}" for name, value in places.items()]
    options += ["-oDebug::NoLocking=1", "-oAPT::Sandbox::User=", "-oAcquire::Retries=0", "-oAcquire::http::Proxy=DIRECT"]
    return subprocess.run(["apt-get", *options, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def said_by_apt(top: Path, address: str) -> str:
    """What an upgrade of the three says."""
    done = apt_get(top, address, "install", "-q", "-y", "--download-only", *apt.ONLY_UPGRADE, *NAMES)
    assert done.returncode == 100, done.stdout
    return done.stdout


def test_a_repository_that_is_away_by_now_is_one_trouble_and_not_three_packages_that_fail(tmp_path: Path) -> None:
    prepare(tmp_path)
    serve = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "repository"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        updated = apt_get(tmp_path, address, "update", "-qq")
        server.shutdown()
        thread.join()
    assert updated.returncode == 0, updated.stdout
    done, failed, troubles = apt.outcome(PLANNED, said_by_apt(tmp_path, address))
    assert (done, failed) == ([], {})
    (trouble,) = troubles
    assert trouble.startswith(f"the repository {address} did not deliver pimains-alpha, pimains-beta, pimains-gamma: ")
    assert "Connection refused" in trouble


def test_a_repository_that_has_less_than_it_lists_is_named_by_its_place(tmp_path: Path) -> None:
    prepare(tmp_path)
    address = f"file:{tmp_path}/repository"
    assert apt_get(tmp_path, address, "update", "-qq").returncode == 0
    done, failed, troubles = apt.outcome(PLANNED, said_by_apt(tmp_path, address))
    assert (done, failed) == ([], {})
    (trouble,) = troubles
    assert trouble.startswith(f"the repository {address}/. did not deliver pimains-alpha, pimains-beta, pimains-gamma: ")


def test_a_package_that_fails_by_itself_is_no_trouble_of_a_repository() -> None:
    said = """dpkg: error processing package pimains-alpha (--configure):
 installed pimains-alpha package post-installation script subprocess returned error exit status 7
E: Sub-process /usr/bin/dpkg returned an error code (1)
"""
    done, failed, troubles = apt.outcome(PLANNED[:2], said)
    assert (done, troubles) == ([], [])
    assert failed["pimains-alpha"].startswith("installed pimains-alpha package post-installation script")
    assert failed["pimains-beta"] == "Sub-process /usr/bin/dpkg returned an error code (1)"

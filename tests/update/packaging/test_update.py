"""The service update in Debian roots, with apt, dpkg and a repository of the test: upgrades what is listed, and nothing else."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import until
from tests.update.repository import Repository
from tests.whole.debian_root import DebianRoot, debian_root

STATUS = "cat /run/pimains/update/status"
LOG = "cat /var/log/pimains/update/current"


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Debian 12 with pimains and some packages of the test at version 1."""
    aside = tmp_path_factory.mktemp("update")
    with debian_root("bookworm", aside, keep=True) as root:
        root.install("/srv/dist/pimains_*.deb")
        repository = Repository(root)
        for name in ("alpha", "beta", "held"):
            repository.add(name, "1", files={f"/usr/share/{name}": "one"})
        repository.add("gamma", "1", files={"/etc/gamma.conf": "one"}, conffiles=["/etc/gamma.conf"])
        root.run("apt-get update && apt-get install -y alpha beta gamma held && apt-mark hold held")
    return aside / "upper"


@pytest.fixture
def root(layer: Path, tmp_path: Path) -> Iterator[DebianRoot]:
    with debian_root("bookworm", tmp_path, on=layer) as root:
        root.run("install -d -m 2775 -g pimains /var/lib/pimains/notify/queue")
        yield root


@pytest.fixture
def repository(root: DebianRoot) -> Repository:
    return Repository(root)


def add_update(root: DebianRoot, packages: str, *more: str) -> None:
    root.run(
        "install -d -m 2775 -g pimains /run/pimains /run/pimains/update; touch /run/pimains/update/now"
    )  # this machine may have been up for less than five minutes
    root.run(f"create_service --service_name=update --upgrade='{packages}' {' '.join(more)} --add-service")
    root.start_svscan()  # it finds at once what is there, and looks again after five seconds


def look_again(root: DebianRoot) -> None:
    root.run("touch /run/pimains/update/now")


def versions(root: DebianRoot, *names: str) -> dict[str, str]:
    said = root.run(f"dpkg-query -W -f '${{Package}} ${{Version}}\\n' {' '.join(names)}", check=False)
    return dict(line.split() for line in said.splitlines() if " no packages " not in line)


def messages(root: DebianRoot) -> list[str]:
    return root.run("find /var/lib/pimains/notify/queue -type f | sort | while read -r each; do sed -n 2p $each; done").splitlines()


def pid(root: DebianRoot) -> str:
    return re.sub(r".*\(pid (\d+)\).*", r"\1", root.run("svstat /etc/service/update").strip())


def test_just_the_listed_packages_that_are_installed_are_upgraded_and_edited_files_stay(root: DebianRoot, repository: Repository) -> None:
    for name in ("alpha", "beta", "delta", "held"):
        repository.add(name, "2", files={f"/usr/share/{name}": "two"})
    repository.add("gamma", "2", files={"/etc/gamma.conf": "two"}, conffiles=["/etc/gamma.conf"])
    root.run("echo edited >/etc/gamma.conf")
    add_update(root, "alpha gamma delta held")
    root.says("upgraded alpha 1 to 2, gamma 1 to 2 (", STATUS, 60)
    assert versions(root, "alpha", "beta", "gamma", "delta", "held") == {"alpha": "2", "beta": "1", "gamma": "2", "held": "1"}
    assert root.run("cat /etc/gamma.conf") == "edited\n"
    why = root.run("pimains why update")
    assert "update: upgraded alpha 1 to 2, gamma 1 to 2." in why
    assert "update: upgrade alpha 1 to 2, gamma 1 to 2, because somebody asked for it." in why
    assert messages(root) == ["upgraded alpha, gamma"]
    look_again(root)
    root.says("nothing to upgrade: alpha 2, gamma 2 (", STATUS, 60)
    assert messages(root) == ["upgraded alpha, gamma"]


def test_a_package_that_fails_is_named_with_its_reason_once_and_the_others_are_upgraded(root: DebianRoot, repository: Repository) -> None:
    repository.add("alpha", "2", postinst="exit 7")
    repository.add("gamma", "2", files={"/etc/gamma.conf": "two"}, conffiles=["/etc/gamma.conf"])
    add_update(root, "alpha gamma")
    root.says("upgraded gamma 1 to 2; failing: alpha (installed alpha package post-installation script", STATUS, 60)
    assert root.run("pimains status update", check=False).count("unwell") == 1
    assert messages(root) == ["upgraded gamma", "could not upgrade alpha"]
    look_again(root)
    root.says("nothing was upgraded; failing: alpha", STATUS, 60)
    assert messages(root) == ["upgraded gamma", "could not upgrade alpha"]
    repository.add("alpha", "3")
    look_again(root)
    root.says("upgraded alpha 2 to 3 (", STATUS, 60)
    assert "unwell" not in root.run("pimains status update")
    assert messages(root) == ["upgraded gamma", "could not upgrade alpha", "upgraded alpha"]


def test_a_package_whose_needs_cannot_be_met_does_not_keep_the_others_back(root: DebianRoot, repository: Repository) -> None:
    repository.add("alpha", "2", depends="nowhere (>= 3)")
    repository.add("beta", "2", depends="omega")
    repository.add("omega", "5")
    add_update(root, "alpha beta")
    root.says("upgraded omega 5 (new), beta 1 to 2; failing: alpha (alpha : Depends: nowhere (>= 3)", STATUS, 60)
    assert versions(root, "alpha", "beta", "omega") == {"alpha": "1", "beta": "2", "omega": "5"}
    assert messages(root) == ["upgraded omega, beta", "could not upgrade alpha"]


@pytest.mark.parametrize("lock", ["/var/lib/apt/lists/lock", "/var/lib/dpkg/lock-frontend"])
def test_it_waits_while_another_apt_is_at_work(root: DebianRoot, repository: Repository, lock: str) -> None:
    repository.add("alpha", "2")
    root.run(
        f"""cat >/srv/hold-lock <<'END'
import fcntl, os, time
lock = open("{lock}", "w")
fcntl.lockf(lock, fcntl.LOCK_EX)
open("/srv/held", "w").close()
while os.path.exists("/srv/held"): time.sleep(0.05)
END
        setsid /usr/bin/python3 /srv/hold-lock >/dev/null 2>&1 &"""
    )
    until(lambda: (root.top / "srv/held").exists())
    add_update(root, "alpha")
    until(lambda: re.search(r"[Ww]aiting .*process [0-9]+ \(python3\)", root.run(STATUS, check=False)), 60)
    assert versions(root, "alpha") == {"alpha": "1"}
    root.run("rm /srv/held")
    root.says("upgraded alpha 1 to 2", STATUS, 60)


def test_it_survives_the_upgrade_of_pimains_itself_and_keeps_edited_variables(root: DebianRoot, repository: Repository) -> None:
    (deb,) = root.run("ls /srv/dist/pimains_*.deb").split()
    repository.add_newer(deb, "9.0", "sed -i '2i echo the new run' usr/share/pimains/services/update/run")
    add_update(root, "pimains alpha", "--interval=7200")
    before = pid(root)
    root.says("the new run", LOG, 60)
    root.says("upgraded pimains ", STATUS, 60)
    assert pid(root) != before
    assert versions(root, "pimains") == {"pimains": "9.0"}
    assert root.run("head -qn1 /etc/service/update/variables/UPGRADE /etc/service/update/variables/INTERVAL") == "pimains alpha\n7200\n"
    assert messages(root) == ["upgraded pimains"]
    assert root.run("pimains why update").count("update: upgraded pimains") == 1
    look_again(root)
    root.says("nothing to upgrade: pimains 9.0, alpha 1", STATUS, 60)


SLOW = "touch /srv/began; until [ -e /srv/go-on ]; do sleep 0.05; done"


def test_an_upgrade_goes_on_when_the_service_is_killed_and_is_told_when_it_is_back(root: DebianRoot, repository: Repository) -> None:
    repository.add("alpha", "2", postinst=SLOW)
    add_update(root, "alpha")
    until(lambda: (root.top / "srv/began").exists(), 60)
    root.run("svc -dk /etc/service/update")
    root.says(": down", "svstat /etc/service/update")
    root.run("touch /srv/go-on")
    root.says("ii", "dpkg-query -W -f '${db:Status-Abbrev}' alpha")
    assert messages(root) == []
    root.run("svc -u /etc/service/update")
    root.says("upgraded alpha 1 to 2 (", STATUS, 60)
    assert messages(root) == ["upgraded alpha"]


def test_what_a_power_cut_left_half_installed_is_finished(root: DebianRoot, repository: Repository) -> None:
    repository.add("alpha", "2", postinst=SLOW)
    add_update(root, "alpha")
    until(lambda: (root.top / "srv/began").exists(), 60)
    # what a cut leaves behind: nobody at work any more, nothing told, the package unpacked
    root.run("svc -dk /etc/service/update")
    # in brackets, so that what looks for them does not find itself
    root.run(
        "for each in /proc/[0-9]*; do grep -aqE '[u]pdate/upgrade|[a]pt-get|[d]pkg' $each/cmdline && kill -9 ${each#/proc/}; done",
        check=False,
    )
    root.says(": down", "svstat /etc/service/update")
    root.run("rm -rf /run/pimains-update /run/pimains; touch /srv/go-on")
    assert not root.run("dpkg-query -W -f '${db:Status-Abbrev}' alpha").startswith("ii")
    root.run("svc -u /etc/service/update")
    root.says("ii", "dpkg-query -W -f '${db:Status-Abbrev}' alpha", 60)
    root.says("upgraded alpha 2 (was half installed) (", STATUS, 60)
    assert messages(root) == ["could not upgrade alpha", "upgraded alpha"]


def test_pimains_is_left_alone_while_there_are_clients(root: DebianRoot, repository: Repository) -> None:
    (deb,) = root.run("ls /srv/dist/pimains_*.deb").split()
    repository.add_newer(deb, "9.0")
    repository.add("alpha", "2")
    root.run("mkdir -p /run/pimains/fserver; echo 'kitchen 10.0.0.2 since ...' >/run/pimains/fserver/clients")
    add_update(root, "pimains alpha")
    root.says("upgraded alpha 1 to 2", STATUS, 60)
    root.says("; pimains 0.2.0 to 9.0: waiting until kitchen has left", STATUS, 60)
    look_again(root)
    root.says("nothing else to upgrade: alpha 2 (", STATUS, 60)
    root.says("; pimains 0.2.0 to 9.0: waiting until kitchen has left", STATUS, 60)
    root.run("rm /run/pimains/fserver/clients")
    root.says("; pimains 0.2.0 to 9.0: soon, unless a client comes", STATUS, 60)
    look_again(root)
    root.says("upgraded pimains", STATUS, 60)
    assert not root.run("ls /run/pimains/update").count("put-off")


def test_a_repository_that_is_away_is_said_and_nobody_is_bothered_with_it(root: DebianRoot, repository: Repository) -> None:
    repository.away()
    root.run("echo 'Acquire::Retries::Delay \"false\";' >/etc/apt/apt.conf.d/at-once")  # half a minute of apt's own pauses
    add_update(root, "alpha")
    root.says("the repositories could not all be asked", STATUS, 60)
    assert "unwell" not in root.run("pimains status update")
    assert messages(root) == []


def test_what_a_repository_does_not_deliver_is_its_trouble_said_once_and_over_when_it_does(
    root: DebianRoot, repository: Repository
) -> None:
    for name in ("alpha", "beta"):
        repository.add(name, "2")
    root.run("mkdir /srv/aside && mv /srv/repository/*_2_all.deb /srv/aside")
    add_update(root, "alpha beta")
    trouble = "the repository file:/srv/repository/. did not deliver alpha, beta: "
    root.says(f"nothing was upgraded; {trouble}", STATUS, 60)
    assert "failing" not in root.run(STATUS)
    root.run("cat /run/pimains/update/found >/srv/found; echo none >/run/pimains/update/found")
    look_again(root)
    root.says(f"nothing was upgraded; {trouble}", "cat /run/pimains/update/found", 60)
    assert root.run(LOG).count("did not deliver") == 1
    assert root.run(LOG).count("upgrading alpha 1 to 2, beta 1 to 2") == 1
    said = root.run("pimains status update")
    assert "unwell" not in said
    assert "last error" in said
    assert messages(root) == []
    root.run("mv /srv/aside/* /srv/repository")
    look_again(root)
    root.says("upgraded alpha 1 to 2, beta 1 to 2 (", STATUS, 60)
    assert "last error" not in root.run("pimains status update")


def test_nothing_is_begun_while_this_machine_is_about_to_halt(root: DebianRoot, repository: Repository) -> None:
    repository.add("alpha", "2")
    root.run("mkdir -p /run/pimains/halt; printf 'a test\\nthe test\\n' >/run/pimains/halt/request")
    add_update(root, "alpha")
    root.says("waiting: this machine is about to halt", STATUS)
    root.run("rm /run/pimains/halt/request; touch /run/pimains/update/now")
    root.says("upgraded alpha 1 to 2", STATUS, 60)


def test_a_halt_waits_for_dpkg(root: DebianRoot, repository: Repository) -> None:
    repository.add("alpha", "2", postinst=SLOW)
    root.run("printf '#!/bin/sh\\nexec dpkg -s alpha >/srv/halted\\n' >/srv/record && chmod 755 /srv/record")
    root.run("create_service --service_name=halt --halt_command=/srv/record --add-service")
    add_update(root, "alpha")
    until(lambda: (root.top / "srv/began").exists(), 60)
    root.run("pimains halt bedtime")
    root.says("step 05-update, at most 600 s: waiting for the upgrade of alpha to finish", "cat /run/pimains/halt/status")
    assert not (root.top / "srv/halted").exists()
    root.run("touch /srv/go-on")
    until(lambda: (root.top / "srv/halted").exists(), 30)
    root.says("Status: install ok installed", "cat /srv/halted")

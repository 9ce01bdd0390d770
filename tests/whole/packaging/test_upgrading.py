"""An upgrade from the last release with every service up, from its package and in a checkout: all go on, restarted once."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kit import CACHE, TOP, until
from tests.whole.debian_root import RELEASES, DebianRoot, debian_root

COMMIT = (TOP / "tests/whole/last-release.txt").read_text().strip()
NEW = "/srv/dist/pimains_*.deb"
# what each says once it is up, in its own words
UP = {
    "collector": "http://127.0.0.1:18460",
    "fclient": "/mnt/music is mounted",
    "fserver": "1 client: kitchen",
    "halt": "ready",
    "meter": "0.042 kWh, delivered",
    "notify": "telling 1 address",
    "plug": "connected to 127.0.0.1, power on, cut 240 s after a shutdown",
    "rsync": "port 8750, at most 3 connections",
    "update": "looks for newer versions",
}
# settings that are no defaults; all peers are on loopback, in the root
ADD = r"""
set -e
printf '#!/bin/sh\necho "$*" >>/srv/halted\n' >/srv/record-halt
printf '#!/bin/sh
grep -q " /mnt/music " /proc/mounts && mounted=yes || mounted=
case "$1 $2" in
"start autofs") [ "$mounted" ] || { mount -t tmpfs music /mnt/music; mkdir /mnt/music/Music; } ;;
"stop autofs") [ ! "$mounted" ] || umount /mnt/music ;;
esac
' >/usr/local/bin/systemctl
chmod +x /srv/record-halt /usr/local/bin/systemctl
mkdir -p /mnt/music /etc/pimains/tokens
echo a-token-of-this-test >/etc/pimains/tokens/house
chmod 600 /etc/pimains/tokens/house
chown -R pimains /etc/pimains/tokens
rm -f /srv/pins*; mkfifo -m 666 /srv/pins /srv/pins-garden
secret=bXkgc2VjcmV0IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE=
pins() { # INSTANCE FIFO
    echo "$2" >/etc/service/$1/variables/PIMAINS_HOUSE_PINS
    echo pimains-house >/etc/service/$1/variables/GPIOZERO_PIN_FACTORY
}
add() { # SERVICE OPTION...
    COMMAND --service_name="$@" --add-service
}
add halt --halt-command=/srv/record-halt --step_seconds_max=30
add notify --mail_host=127.0.0.1 --mail_port=2525 --mail_security=none --mail_from=pi@example.org --mail_to=anna@example.org
add collector --listen=127.0.0.1:18460 --commit_seconds=0 --price=0.32
add meter --pin=23 --source=house --bounce_ms=0 --interval=1 --collector=http://127.0.0.1:18460 --token=a-token-of-this-test
pins meter /srv/pins
add plug --host=127.0.0.1 --on_lost=shutdown --dead_man_seconds=900
add fserver --host=127.0.0.1 --port=5556 --secret=$secret
add fclient --host=127.0.0.1 --port=5556 --secret=$secret --mdrive=/mnt/music --marker=Music --name=kitchen --units=autofs
add rsync --localip=127.0.0.1 --port=8750 --maxdaemons=3
rm -f /etc/service/rsync/down
add update --upgrade=mpd --interval=43200
"""
# its notify has lost the module that sends mail while it is not restarted; its collector began to answer when its books were closed
KNOWN = ("cannot import name 'mail' from 'pimains.devices'", "cannot schedule new futures after shutdown")
NEW_SETTINGS = ["collector/variables/DERIVED", "collector/variables/PRICES", "plug/variables/FEEDS"]
# each start of a service is a line with its directory
COUNT_STARTS = (
    "import os, sys; words = sys.orig_argv; words[-2:-1] == ['-m'] and '.service' in words[-1]"
    " and os.write(os.open('/srv/starts', os.O_WRONLY | os.O_APPEND), (os.getcwd() + chr(10)).encode())\n"
)


@pytest.fixture(scope="session")
def last_release() -> Path:
    """Its package, and the checkout it was made from."""
    at = CACHE / f"last-release-{COMMIT}"
    if not at.is_dir():
        known = subprocess.run(["git", "-c", "safe.directory=*", "-C", TOP, "cat-file", "-e", f"{COMMIT}^{{commit}}"], check=False)
        assert known.returncode, "tests/run prepares the last release"
        pytest.skip(f"this checkout has no history: {COMMIT} in tests/whole/last-release.txt, from which to upgrade, is not in it")
    return at


@pytest.fixture(scope="session")
def roots(last_release: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each release with the last release's package and an instance of every service; `garden` is an instance of its checkout."""
    made = {}
    for release in RELEASES:
        made[release] = tmp_path_factory.mktemp(release)
        with debian_root(release, made[release], keep=True, more="services") as root:
            install_last_release(root, release, last_release)
            root.run(ADD.replace("COMMAND", "create_service"))
            root.run("/srv/checkout/create_service --service_name=meter --instance=garden --pin=22 --add-service")
            root.run(
                "cd /etc/service; echo /srv/pins-garden >garden/variables/PIMAINS_HOUSE_PINS;"
                "cp meter/variables/GPIOZERO_PIN_FACTORY garden/variables"
            )
    return made


def install_last_release(root: DebianRoot, release: str, last_release: Path) -> None:
    (package,) = last_release.glob("pimains_*.deb")
    shutil.copy(package, root.top / "srv/last-release.deb")
    root.install("/srv/last-release.deb " + ("/srv/dist/python3-*.deb" if release == "bookworm" else ""))
    shutil.copytree(last_release / "checkout", root.top / "srv/checkout", symlinks=True)
    # what the checkout will be, and what the simulated plug runs from
    (root.top / "srv/new").mkdir()
    new = [TOP / name for name in ("lib", "services", "create_service")]
    subprocess.run(["cp", "-a", "--no-preserve=ownership", *new, root.top / "srv/new"], check=True)
    (root.top / "usr/lib/python3/dist-packages/count-starts.pth").write_text(COUNT_STARTS)


@pytest.fixture(params=RELEASES)
def root(request: pytest.FixtureRequest, roots: dict[str, Path], tmp_path: Path) -> Iterator[DebianRoot]:
    """With everything up."""
    with debian_root(request.param, tmp_path, on=roots[request.param] / "upper", more="services") as root:
        yield from started(root)


@pytest.fixture
def bookworm(roots: dict[str, Path], tmp_path: Path) -> Iterator[DebianRoot]:
    """Debian 12 with everything up."""
    with debian_root("bookworm", tmp_path, on=roots["bookworm"] / "upper", more="services") as root:
        yield from started(root)


@pytest.fixture
def trixie(roots: dict[str, Path], tmp_path: Path) -> Iterator[DebianRoot]:
    """Debian 13 with everything up."""
    with debian_root("trixie", tmp_path, on=roots["trixie"] / "upper", more="services") as root:
        yield from started(root)


@pytest.fixture
def checkout(roots: dict[str, Path], tmp_path: Path) -> Iterator[DebianRoot]:
    """Debian 12 with an instance of every service made from a checkout of the last release, everything up."""
    with debian_root("bookworm", tmp_path, on=roots["bookworm"] / "upper", more="services") as root:
        root.run("rm -r /etc/service/*")
        root.run(ADD.replace("COMMAND", "/srv/checkout/create_service"))
        yield from started(root)


def started(root: DebianRoot) -> Iterator[DebianRoot]:
    """Start everything, with a mail server and the plug of the simulated house beside it."""
    root.run(
        """install -d -m 2775 -g pimains /run/pimains /run/pimains/update
        cut -d. -f1 /proc/uptime >/run/pimains/update/last # it has just looked
        : >/srv/starts; chmod 666 /srv/starts
        PYTHONPATH=/srv/new/lib setsid /usr/bin/python3 -Pu -m pimains.house.plug --control /dev/null >/srv/plug 2>&1 &"""
    )
    root.says("LISTENING", "cat /srv/plug")
    root.start_svscan()
    words = ["nsenter", "--target", root.top.parent.name, "--net", "/usr/bin/python3", "-um", "aiosmtpd", "-nl", "127.0.0.1:2525"]
    with (root.top / "srv/mails").open("w") as mails, subprocess.Popen(words, stdout=mails) as mail_server:
        until(lambda: "counting" in log(root, "meter"))
        (root.top / "srv/pins").write_text("23 pulses 42\n")
        until_up(root)
        yield root
        mail_server.terminate()


def until_up(root: DebianRoot) -> dict[str, dict[str, Any]]:
    """What `pimains status` says of each instance, as soon as all say that they are up."""

    def says(instance: str) -> str:
        path = root.top / "run/pimains" / instance / "status"
        return path.read_text() if path.exists() else ""

    for instance, words in UP.items():
        until(lambda instance=instance, words=words: words in says(instance), what=f"{instance} to say {words}")  # type: ignore[misc]
    return statuses(root)


def statuses(root: DebianRoot) -> dict[str, dict[str, Any]]:
    """What does not change from one moment to the next."""
    command = "pimains status --json"
    if "checkout" in root.run("readlink /etc/service/halt/run"):
        command = "PYTHONPATH=/srv/checkout/lib /usr/bin/python3 -P -m pimains.cli status --json"
    told = json.loads(root.run(command, check=False))
    kept = ("service", "up", "wanted_up", "status", "troubles")
    return {each["instance"]: {name: _timeless(each[name]) for name in kept} for each in told}


def _timeless(value: Any) -> Any:
    # the collector looks once in ten seconds what it has; that it has the readings is what the meter says
    return re.sub(r", (no readings yet|1 source, last reading [0-9.]+ s ago)$", "", value) if isinstance(value, str) else value


def pids(root: DebianRoot) -> dict[str, str]:
    """Of each service and of its log."""
    lines = root.run("cd /etc/service && svstat * */log").splitlines()
    return {line.split(":")[0]: line.split("(pid ")[1].split(")")[0] for line in lines}


def settings(root: DebianRoot, *, new: bool = False) -> list[str]:
    """Values, owners, rights and links of all instances; of the settings that this version has `new`, or of all others."""
    lines = root.run("cd /etc/service && grep -r . */variables | sort; ls -l */variables/*; readlink */run */log/run").splitlines()
    return [line for line in lines if any(name in line for name in NEW_SETTINGS) == new]


def starts(root: DebianRoot) -> list[str]:
    """Each start of a service, in order of its name."""
    return sorted(line.rpartition("/")[2] for line in root.run("cat /srv/starts").splitlines())


def log(root: DebianRoot, instance: str) -> str:
    path = root.top / "var/log/pimains" / instance / "current"
    return path.read_text(errors="replace") if path.exists() else ""


def errors(root: DebianRoot) -> list[str]:
    """What the tracebacks in the logs end with, but for what is known of the last release."""
    lines = root.run("cat /var/log/pimains/*/*", check=False).splitlines()
    words = iter(line.partition(" ")[2] for line in lines)
    ends = [next(word for word in words if not word.startswith(" ")) for each in words if each.startswith("Traceback ")]
    return [end for end in ends if not any(known in end for known in KNOWN)]


def halts(root: DebianRoot) -> int:
    path = root.top / "srv/halted"
    return len(path.read_text().splitlines()) if path.exists() else 0


def update_checkout(root: DebianRoot) -> None:
    """What git pull does."""
    root.run("rsync -a --delete --exclude=__pycache__ /srv/new/ /srv/checkout")


def until_halted(root: DebianRoot) -> None:
    """A halt that was asked for has run every step and HALT_COMMAND, once."""
    until(lambda: halts(root), what="HALT_COMMAND")
    root.says("shut down: the battery is low", "cat /run/pimains/halt/status")
    steps = ["05-update", "10-relays", "20-shares", "30-meter", "40-ups", "50-drives", "60-usb", "80-plug", "85-ups"]
    until(lambda: re.findall(r" (\S+) done in", log(root, "halt")) == steps, what=log(root, "halt"))
    for words in ("20-shares: fserver: all clients have left", "30-meter: meter: saved in", "80-plug: 127.0.0.1 cuts the power in"):
        assert words in log(root, "halt")
    assert "/mnt/music" not in root.run("cat /proc/mounts")
    assert root.run("head -n 1 /var/lib/pimains/meter/count").split(",")[1] == " 42"
    assert root.run("cat /srv/plug").count("countdown 240 s") == 1
    assert halts(root) == 1


def test_all_are_up_after_it_as_before_restarted_once_with_their_settings(root: DebianRoot) -> None:
    before, kept, running = until_up(root), settings(root), pids(root)
    root.run(": >/srv/starts; pimains status")  # as root, who leaves compiled modules
    assert "0 upgraded" not in root.install(NEW)
    until(lambda: sorted(UP) == starts(root), what="each to be started once")
    assert until_up(root) == before
    now = pids(root)
    assert {name for name in now if now[name] != running[name]} == set(UP), "neither the logs nor the checkout's instance"
    assert settings(root) == kept
    assert {line.split(":")[0] for line in settings(root, new=True) if ":" in line.split()[0]} == set(NEW_SETTINGS)
    assert starts(root) == sorted(UP), "once"
    assert errors(root) == []
    assert halts(root) == 0
    assert "garden" in root.run("create_service --list")
    # what the old package had, and its compiled modules
    directories = root.run("find /usr/lib/python3/dist-packages/pimains -type d ! -name __pycache__ | sort")
    assert directories == root.run("dpkg -L pimains | grep ^/usr/lib/python3/dist-packages/pimains/ | xargs -n 1 dirname | sort -u")


def test_a_halt_that_is_asked_for_amid_the_upgrade_is_carried_out(bookworm: DebianRoot) -> None:
    bookworm.run(f": >/srv/starts; dpkg --unpack {NEW}")
    bookworm.run("pimains halt the battery is low")
    until_halted(bookworm)
    bookworm.run("dpkg --configure pimains")
    assert set(starts(bookworm)) <= {"halt"}, "nothing is restarted while this machine is shut down"
    assert halts(bookworm) == 1
    # the last release's notify has lost the module that sends mail: what it could not say is said when it is started again
    bookworm.run("svc -t /etc/service/notify")
    bookworm.says("shutting down: the battery is low", "cat /srv/mails")


def test_a_halt_under_way_goes_on_over_the_whole_upgrade(trixie: DebianRoot) -> None:
    trixie.run(
        """mkdir -p /etc/pimains/halt.d; mkfifo /srv/go; cd /etc/pimains/halt.d
        printf '#!/bin/sh\nread x </srv/go\n' >10-waits; chmod +x 10-waits"""
    )
    before = pids(trixie)
    trixie.run("pimains halt the battery is low")
    trixie.says("10-waits", "cat /run/pimains/halt/status")
    trixie.install(NEW)
    assert pids(trixie) == before
    trixie.run("echo go >/srv/go; rm /etc/pimains/halt.d/10-waits")
    until(lambda: "10-waits done" in log(trixie, "halt"))
    until(lambda: halts(trixie), what="HALT_COMMAND")
    assert "80-plug: 127.0.0.1 cuts the power in" in log(trixie, "halt")
    assert trixie.run("cat /srv/plug").count("countdown 240 s") == 1
    assert pids(trixie) == before
    assert errors(trixie) == []


def test_instances_of_a_checkout_go_on_over_its_update_and_have_the_new_code_once_they_are_restarted(checkout: DebianRoot) -> None:
    before, kept, running = until_up(checkout), settings(checkout), pids(checkout)
    update_checkout(checkout)
    assert until_up(checkout) == before
    assert "fclient" in checkout.run("/srv/checkout/create_service --list")
    told = checkout.run("/srv/checkout/create_service --refresh").splitlines()
    assert [re.sub(r"^.* new setting /etc/service/([^,]*), .*$", r"\1", line) for line in told] == NEW_SETTINGS
    assert pids(checkout) == running
    checkout.run(": >/srv/starts; svc -t /etc/service/*")
    until(lambda: sorted(UP) == starts(checkout), what="each to be started once")
    assert until_up(checkout) == before
    assert settings(checkout) == kept
    assert starts(checkout) == sorted(UP), "once"
    assert errors(checkout) == []
    assert halts(checkout) == 0


def test_a_halt_of_a_checkout_that_was_updated_and_not_restarted_is_carried_out(checkout: DebianRoot) -> None:
    update_checkout(checkout)
    checkout.run("PYTHONPATH=/srv/checkout/lib /usr/bin/python3 -P -m pimains.cli halt the battery is low")
    until_halted(checkout)

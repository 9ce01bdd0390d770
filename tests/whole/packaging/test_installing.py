"""The packages in Debian roots: install, upgrade, remove, purge, with services under a real svscan."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.core.clock import boot_id
from tests.kit import TOP, until
from tests.whole.debian_root import PATH, RELEASES, DebianRoot, debian_root

RECORDER = "/srv/record-halt"
ADD_HALT = f"create_service --service_name=halt --halt-command={RECORDER} --add-service"


@pytest.fixture(scope="session")
def layers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each release with the packages installed, once: most tests begin there, as after a reboot."""
    made = {}
    for release in RELEASES:
        aside = tmp_path_factory.mktemp(release)
        with debian_root(release, aside, keep=True) as root:
            install(root)
        made[release] = aside / "upper"
    return made


@pytest.fixture(params=RELEASES)
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DebianRoot]:
    """Debian without our packages."""
    with debian_root(request.param, tmp_path) as root:
        yield root


@pytest.fixture(params=RELEASES)
def root(request: pytest.FixtureRequest, layers: dict[str, Path], tmp_path: Path) -> Iterator[DebianRoot]:
    """Debian with our packages."""
    with debian_root(request.param, tmp_path, on=layers[request.param]) as root:
        yield root


@pytest.fixture
def bookworm(layers: dict[str, Path], tmp_path: Path) -> Iterator[DebianRoot]:
    """Debian 12 with our packages."""
    with debian_root("bookworm", tmp_path, on=layers["bookworm"]) as root:
        yield root


def packages(root: DebianRoot) -> str:
    """Those of dist/ that this release lacks."""
    if "bookworm" in root.run("cat /etc/os-release"):
        return "/srv/dist/*.deb"
    return "/srv/dist/pimains_*.deb /srv/dist/python3-nut2_*.deb"


def install(root: DebianRoot) -> None:
    root.install(packages(root))
    root.run(f"printf '#!/bin/sh\\necho \"$*\" >>/srv/halted\\n' >{RECORDER}; chmod +x {RECORDER}")


def add_halt(root: DebianRoot, *more: str) -> None:
    root.run(" ".join((ADD_HALT, *more)))
    root.start_svscan()  # it finds at once what is there, and looks again after five seconds
    root.says("ready", "cat /run/pimains/halt/status")


def pid(root: DebianRoot, instance: str = "halt") -> str:
    return re.sub(r".*\(pid (\d+)\).*", r"\1", root.run(f"svstat /etc/service/{instance}").strip())


def newer(root: DebianRoot, version: str = "9.0") -> str:
    """A later version of the package: another `run`, one more setting, another default; returns where it is."""
    root.run(
        f"""set -e
        cd /srv && rm -rf newer && dpkg-deb -R dist/pimains_*.deb newer && cd newer
        sed -i 's/^Version:.*/Version: {version}/' DEBIAN/control
        services=usr/share/pimains/services/halt
        sed -i '2i echo the new run' $services/run
        printf '7\\nHow many, 1-9.\\n' >$services/variables/BRAND_NEW
        sed -i '1s/.*/99/' $services/variables/STEP_SECONDS_MAX
        printf '    BRAND_NEW = number(1, 9, "number")\\n' >>usr/lib/python3/dist-packages/pimains/halt/settings.py
        dpkg-deb -b . /srv/newer.deb"""
    )
    return "/srv/newer.deb"


def test_installing_makes_users_and_directories_and_starts_nothing(bare: DebianRoot) -> None:
    bare.run("groupadd --system gpio")
    bare.start_svscan()
    install(bare)
    assert set(bare.run("id -nG pimains").split()) - {"systemd-journal"} == {"pimains", "dialout", "gpio"}
    assert bare.run("ls /usr/lib/udev/rules.d/51-pimains.rules")
    assert bare.run("id -nG pimains-log").split() == ["pimains-log"]
    assert bare.run("id -nG pimains-web").split() == ["pimains"]
    assert bare.run("stat -c '%a %U %G' /run/pimains /var/lib/pimains /var/log/pimains").splitlines() == [
        "755 root root",
        "755 root root",
        "2755 pimains-log adm",
    ]
    assert bare.run("ls -A /etc/service") == ""
    assert "python" not in bare.run("cat /proc/[0-9]*/comm", check=False)  # some end meanwhile
    assert bare.run("find /etc/systemd -name '*pimains*'") == ""


def test_every_library_and_every_module_can_be_imported(root: DebianRoot) -> None:
    root.run(
        """cd / && /usr/bin/python3 -PW ignore -c '
import importlib, pkgutil
import aioesphomeapi, nut2, pimains
from aioesphomeapi.host_resolver import async_resolve_host
for module in pkgutil.walk_packages(pimains.__path__, "pimains."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
'"""
    )


def test_the_encryption_of_our_aioesphomeapi_works_with_the_libraries_of_bookworm(bookworm: DebianRoot) -> None:
    bookworm.run(
        """/usr/bin/python3 -P -c '
from aioesphomeapi._frame_helper.noise import ESPHOME_NOISE_BACKEND
from noiseprotocol.connection import NoiseConnection
name = b"Noise_NNpsk0_25519_ChaChaPoly_SHA256"
ends = [NoiseConnection.from_name(name, backend=ESPHOME_NOISE_BACKEND) for _ in range(2)]
for end, begins in zip(ends, (True, False)):
    end.set_psks(psk=bytes(32))
    (end.set_as_initiator if begins else end.set_as_responder)()
    end.start_handshake()
assert ends[1].read_message(ends[0].write_message()) == b""
assert ends[0].read_message(ends[1].write_message()) == b""
for text in (b"one", b"another"):
    assert ends[1].decrypt(ends[0].encrypt(text)) == text
'"""
    )


def test_names_in_local_are_resolved_with_the_zeroconf_of_bookworm(bookworm: DebianRoot) -> None:
    bookworm.connect("192.0.2.1/24")
    said = bookworm.run(
        """/usr/bin/python3 -P -c '
import asyncio, socket
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf
from aioesphomeapi.host_resolver import async_resolve_host
async def main():
    plug = AsyncZeroconf(interfaces=["192.0.2.1"])
    addresses = [socket.inet_aton("192.0.2.7"), socket.inet_pton(socket.AF_INET6, "2001:db8::7")]
    service = "_esphomelib._tcp.local."
    await (await plug.async_register_service(AsyncServiceInfo(service, "plug." + service, 6053, addresses=addresses, server="plug.local.")))
    print([each.sockaddr.address for each in await async_resolve_host(["plug.local"], 6053)])
    await plug.async_close()
asyncio.run(main())
'"""
    )
    assert said == "['2001:db8::7', '192.0.2.7']\n"


def test_a_service_is_made_seen_stopped_and_removed_as_autopkgtest_does_it(root: DebianRoot) -> None:
    (root.top / "srv/create-service").write_text((TOP / "debian/tests/create-service").read_text())
    root.run("sh /srv/create-service")


def test_a_meter_counts_delivers_and_is_saved_by_a_halt_as_autopkgtest_does_it(root: DebianRoot) -> None:
    (root.top / "srv/meter").write_text((TOP / "debian/tests/meter").read_text())
    root.run("sh /srv/meter", path=PATH)


def test_the_page_lets_in_who_knows_the_password_as_autopkgtest_does_it(root: DebianRoot) -> None:
    (root.top / "srv/web").write_text((TOP / "debian/tests/web").read_text())
    root.run("sh /srv/web")


def test_another_python_first_in_path_changes_nothing(bookworm: DebianRoot) -> None:
    bookworm.run(
        "mkdir -p /opt/bin; printf '#!/bin/sh\\nexit 77\\n' >/opt/bin/python3; chmod +x /opt/bin/python3; ln -s python3 /opt/bin/python"
    )
    bookworm.run(f"export PYTHONPATH=/nowhere; {ADD_HALT}", path=f"/opt/bin:{PATH}")
    bookworm.start_svscan()
    bookworm.says("ready", "cat /run/pimains/halt/status")
    assert "ready" in bookworm.run("pimains status", path=f"/opt/bin:{PATH}")
    bookworm.run("dpkg-reconfigure pimains", path=f"/opt/bin:{PATH}")


def test_an_upgrade_keeps_what_was_edited_and_brings_what_is_new(root: DebianRoot) -> None:
    add_halt(root)
    root.run("echo 33 >/etc/service/halt/variables/HALT_GRACE_SECONDS")
    before, newer_package = pid(root), newer(root)
    root.run(f"dpkg -i {newer_package}")
    root.says("the new run", "cat /var/log/pimains/halt/current")
    root.says("ready", "cat /run/pimains/halt/status")
    assert pid(root) != before
    assert root.run("head -n 1 -q /etc/service/halt/variables/HALT_GRACE_SECONDS /etc/service/halt/variables/BRAND_NEW") == "33\n7\n"
    assert root.run("cat /etc/service/halt/variables/BRAND_NEW") == "7\nHow many, 1-9.\n"
    assert root.run("head -n 1 /etc/service/halt/variables/HALT_COMMAND") == f"{RECORDER}\n"
    # what the package wrote as a default once is the user's setting now
    assert root.run("head -n 1 /etc/service/halt/variables/STEP_SECONDS_MAX") != "99\n"
    assert root.run("cat /srv/halted", check=False).startswith("cat:")


def test_an_upgrade_leaves_alone_what_is_down(bookworm: DebianRoot) -> None:
    add_halt(bookworm)
    bookworm.run("svc -d /etc/service/halt")
    bookworm.says(": down ", "svstat /etc/service/halt")
    bookworm.run(f"dpkg -i {newer(bookworm)}")
    assert ": down " in bookworm.run("svstat /etc/service/halt")


def test_an_upgrade_restarts_nothing_while_this_machine_is_shut_down(bookworm: DebianRoot) -> None:
    add_halt(bookworm, "--step_seconds_max=3600")
    bookworm.run("create_service --service_name=notify --add-service")
    bookworm.says(": up ", "svstat /etc/service/notify")
    bookworm.run("cd /etc/pimains/halt.d; printf '#!/bin/sh\\nexec sleep 3600\\n' >50-slow; chmod +x 50-slow")
    bookworm.run("printf 'a test\\nthe test\\n' >/run/pimains/halt/request")
    bookworm.says("50-slow", "cat /run/pimains/halt/status")
    before, newer_package = (pid(bookworm), pid(bookworm, "notify")), newer(bookworm)
    bookworm.run(f"dpkg -i {newer_package}")
    assert (pid(bookworm), pid(bookworm, "notify")) == before
    assert "50-slow" in bookworm.run("cat /run/pimains/halt/status")
    refused = bookworm.run("dpkg -r pimains", check=False)
    assert "this machine is being shut down, and pimains is needed for it" in refused
    assert (pid(bookworm), pid(bookworm, "notify")) == before


def test_amid_an_outage_an_upgrade_restarts_ups_which_goes_on_and_the_package_is_not_removed(bookworm: DebianRoot) -> None:
    bookworm.run("create_service --service_name=ups --ups=eaton --power=0 --add-service")
    bookworm.start_svscan()
    bookworm.says("no data", "cat /run/pimains/ups/status")
    outage = {
        "version": 1,
        "id": "1",
        "boot": "BOOT",
        "began_wall": 1,
        "began": 1,
        "phase": "on battery",
        "since": 1,
        "role": "apart",
        "why": "",
    }
    outage |= {"low_at": None, "upses": [], "told_of_cut": False, "hosts": {}, "apart": {}}
    written = json.dumps(outage).replace("BOOT", boot_id())
    bookworm.run(f"echo '{written}' >/var/lib/pimains/ups/outage; chown pimains: /var/lib/pimains/ups/outage")
    before, newer_package = pid(bookworm, "ups"), newer(bookworm)
    bookworm.run(f"dpkg -i {newer_package}")
    until(lambda: pid(bookworm, "ups") not in ("", "0", before))
    bookworm.says("no data", "cat /run/pimains/ups/status")
    assert "on battery" in bookworm.run("cat /var/lib/pimains/ups/outage")
    refused = bookworm.run("dpkg -r pimains", check=False)
    assert "pimains: an outage is under way, and pimains is needed for it; pimains ups cancel ends it where that is possible" in refused
    assert ": up " in bookworm.run("svstat /etc/service/ups")
    bookworm.run("svc -dk /etc/service/ups")
    bookworm.says(": down ", "svstat /etc/service/ups")
    bookworm.run("dpkg -r pimains")


def test_removing_stops_the_services_and_installing_again_brings_them_back_as_they_were(root: DebianRoot) -> None:
    add_halt(root)
    add_update = "create_service --service_name=update --add-service"
    root.run(f"{add_update} --instance=rests --root=/srv/rests; {add_update} --instance=kept-down --root=/srv/kept --down")
    for name in ("halt", "rests", "kept-down"):
        root.says("there", f"ls /etc/service/{name}/supervise/ok /etc/service/{name}/log/supervise/ok && echo there")
    root.run("svc -d /etc/service/rests")
    root.says(": down ", "svstat /etc/service/rests")
    settings = root.run("cd /etc/service && grep -r . */variables")
    root.run("dpkg -r pimains")
    assert [line.split()[1] for line in root.run("svstat /etc/service/* /etc/service/*/log").splitlines()] == ["down"] * 6
    assert root.run("cd /etc/service && grep -r . */variables") == settings
    root.run("dpkg -i /srv/dist/pimains_*.deb")
    root.says(": up ", "svstat /etc/service/halt")
    root.says("ready", "cat /run/pimains/halt/status")
    assert root.run("cd /etc/service && ls -d */down */removed */log/down 2>/dev/null", check=False) == "kept-down/down\n"
    assert ": down " in root.run("svstat /etc/service/rests")
    assert ": down " in root.run("svstat /etc/service/kept-down")
    until(lambda: [line.split()[1] for line in root.run("svstat /etc/service/*/log").splitlines()] == ["up"] * 3)


def test_a_reboot_between_removing_and_installing_again_changes_nothing(bookworm: DebianRoot) -> None:
    add_halt(bookworm)
    bookworm.run("dpkg -r pimains; kill $(cat /proc/[0-9]*/stat | sed -n 's/ (svscan) .*//p')")
    bookworm.run("svc -dx /etc/service/halt /etc/service/halt/log")
    bookworm.says("ended", "svok /etc/service/halt || svok /etc/service/halt/log || echo ended")
    bookworm.run("rm -rf /etc/service/halt/supervise /run/pimains")
    bookworm.start_svscan()
    bookworm.says(": down ", "svstat /etc/service/halt")  # supervise is there again, and starts nothing
    bookworm.run("dpkg -i /srv/dist/pimains_*.deb")
    bookworm.says("ready", "cat /run/pimains/halt/status")


def everything(root: DebianRoot) -> set[str]:
    """Every path, and every line of the account files, but for what dpkg and apt keep themselves."""
    theirs = "/var/lib/dpkg /var/log/apt /var/log/dpkg.log /var/cache /var/lib/apt /etc/*- /run/adduser /proc /dev /tmp /srv"
    pruned = " -o ".join(f"-path '{path}'" for path in theirs.split())
    files = root.run(rf"find / \( {pruned} \) -prune -o ! -name '*.pyc' ! -name __pycache__ -print")
    accounts = root.run("cat /etc/passwd /etc/group /etc/shadow /etc/gshadow")
    return {*files.splitlines(), *accounts.splitlines()}


def test_purging_leaves_nothing_behind(bare: DebianRoot) -> None:
    bare.start_svscan()
    bare.run("mkdir /etc/service/other; printf '#!/bin/sh\\nexec sleep 1000\\n' >/etc/service/other/run; chmod +x /etc/service/other/run")
    bare.says(": up ", "svstat /etc/service/other")
    before = everything(bare)
    install(bare)
    bare.run(ADD_HALT)
    bare.says("ready", "cat /run/pimains/halt/status")
    bare.run(
        "echo kept >/var/lib/pimains/learned; cp -r /etc/service/halt /etc/service/.new-half; systemctl enable pimains-usb-off", check=False
    )
    assert everything(bare) - before
    bare.run("dpkg -P pimains")
    bare.run(f"dpkg -P $(for each in {packages(bare)}; do dpkg-deb -f $each Package; done)")
    after = everything(bare)
    assert after - before == set()
    assert ": up " in bare.run("svstat /etc/service/other")
    assert not [line for line in bare.run("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").split("/") if "pimains" in line]


def test_purging_after_daemontools_is_gone_works_too(bookworm: DebianRoot) -> None:
    bookworm.run(ADD_HALT)
    bookworm.run("dpkg -r pimains && dpkg -r daemontools-run daemontools && dpkg -P pimains")
    assert (
        bookworm.run("ls -d /var/lib/pimains /var/log/pimains /etc/service/halt; getent passwd pimains", check=False).count("No such file")
        == 3
    )


def test_what_is_built_for_bookworm_gives_way_to_trixies_own(tmp_path: Path) -> None:
    ours = {path.name.split("_")[0]: path.name.split("_")[1] for path in (TOP / "dist").glob("*bpo12*.deb")}
    assert len(ours) == 5
    with debian_root("trixie", tmp_path) as trixie:
        for package, version in ours.items():
            trixie.run(f"dpkg --compare-versions {version} lt $(dpkg-query -W -f '${{Version}}' {package})")

"""A machine that a UPS feeds, set up as the manual says, with trixie's NUT: what it does to the UPS as it goes down, and how it comes back.

Its driver is a recorder: dummy-ups, but when it is to cut the output it only writes that down, and who is alive then.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.kit import CACHE, TOP, until
from tests.whole.booted import CannotBoot, Machine, machines
from tests.whole.debian_root import debian_root

LAYERS = (CACHE / "root-trixie-nut/upper", CACHE / "root-trixie")
CUT_WAIT_SECONDS = 95  # more than the 90 s after which systemd goes on without its hooks
_RECORDER = """#!/bin/bash
case " $* " in
*" -k "*) echo "$* | $(cat /proc/[0-9]*/comm | sort | tr '\\n' ' ')" >>/cuts ;;
*) exec -a recorder /lib/nut/dummy-ups "$@" ;;
esac"""
# systemd, NUT's own hook beside ours (upsmon -K, which finds no flag of NUT's), and the recorder itself
_ALIVE = {"systemd-shutdow", "(sd-exec-strv)", "nutshutdown", "upsmon", "pimains-ups", "upsdrvctl", "recorder", "cat", "sort", "tr"}
_FLAG = f"pimains: cut by the last act of this shutdown\\n{CUT_WAIT_SECONDS}\\neaton\\n"
_UPS = """driverpath = /opt/drivers
[eaton]
    driver = recorder
    port = eaton.dev
    mode = dummy-once"""
_USERS = """[pimains]
    password = sesame
    upsmon primary"""
_HALT = "create_service --service_name=halt --add-service"
_SERVICE = (
    "create_service --service_name=ups --ups=eaton@localhost --username=pimains --password=sesame"
    f" --finaldelay_seconds=1 --cut_wait_seconds={CUT_WAIT_SECONDS} --add-service"
)


class Seen(NamedTuple):
    """What was there when the machine was off: the calls to cut that were recorded by then, and its outage file."""

    cuts: list[str]
    outage: str


class Life(NamedTuple):
    """Of one machine, from setting it up to after its outage."""

    rebooted: Seen
    powered_off: Seen
    cut: Seen
    seconds_after_the_cut: float
    after: Seen
    log: str
    checked: str
    shutdown_seconds: float


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Debian 13 with NUT, and with our packages on top."""
    if os.geteuid() != 0:
        pytest.skip("only root may enter a root")
    aside = tmp_path_factory.mktemp("layer")
    with debian_root("trixie", aside, more="nut", keep=True) as root:
        root.install("/srv/dist/pimains_*.deb /srv/dist/python3-nut2_*.deb")
        root.run("systemctl -q disable nut-monitor")
    return aside / "upper"


@contextmanager
def fed_machine(aside: Path, layer: Path) -> Iterator[Machine]:
    """Off, as the manual leaves it before the first create_service."""
    with machines(aside, (layer, *LAYERS), {"fed": "10.92.0.1"}) as (fed,):
        for name, text in (("nut.conf", "MODE=standalone"), ("ups.conf", _UPS), ("upsd.users", _USERS)):
            fed.write(f"etc/nut/{name}", text, 0o640)  # they are there, and the group's that Debian gives them
        fed.write("opt/drivers/recorder", _RECORDER, 0o755)
        yield fed


def a_life(fed: Machine) -> Life:
    says(fed, "OL")
    fed.boot()
    fed.run(f"{_HALT} && {_SERVICE}")
    until_on_line(fed)
    checked = fed.run("pimains ups check", check=False)
    # as if a shutdown had been turned into a reboot at its very end
    fed.run(f"mkdir -m 700 /run/pimains-halt && printf '{_FLAG}' >/run/pimains-halt/cut")
    fed.run("systemctl reboot")
    fed.until_it_starts_again(60)
    rebooted = seen(fed)

    fed.boot()
    until_on_line(fed)
    says(fed, "OB")
    until(lambda: "on battery" in fed.status("ups"), what=lambda: story(fed))
    fed.run("systemctl poweroff")
    fed.until_off(60)
    powered_off = seen(fed)

    says(fed, "OL")
    fed.boot()
    until_on_line(fed)
    until(lambda: not outage(fed), what=lambda: story(fed))
    says(fed, "OB LB")
    until(lambda: seen(fed).cuts, 120, lambda: story(fed))
    says(fed, "OL")  # the mains are back, and nobody cuts
    seconds = fed.until_it_starts_again(CUT_WAIT_SECONDS + 60)
    cut = seen(fed)

    fed.boot()
    until_on_line(fed)
    until(lambda: not outage(fed), what=lambda: story(fed))
    until(lambda: "returning -> well" in log(fed), what=lambda: story(fed))
    until(lambda: "the last shutdown took" in log(fed, "halt"), what=lambda: log(fed, "halt"))
    shutdown = fed.top / "var/lib/pimains/halt/shutdown"
    until(lambda: shutdown.read_text() != "30\n", what=lambda: log(fed, "halt"))
    return Life(rebooted, powered_off, cut, seconds, seen(fed), log(fed), checked, float(shutdown.read_text()))


def says(fed: Machine, status: str) -> None:
    """The UPS does, from now on: its driver looks at the file once in a second or two."""
    fed.write("etc/nut/eaton.dev", f"ups.status: {status}\nbattery.charge: 80\nbattery.runtime: 1800\nups.load: 20")


def until_on_line(fed: Machine) -> None:
    until(lambda: fed.status("ups").startswith("on line"), what=lambda: story(fed))


def outage(fed: Machine) -> str:
    path = fed.top / "var/lib/pimains/ups/outage"
    return path.read_text() if path.exists() else ""


def seen(fed: Machine) -> Seen:
    cuts = fed.top / "cuts"
    return Seen(cuts.read_text().splitlines() if cuts.exists() else [], outage(fed))


def log(fed: Machine, instance: str = "ups") -> str:
    return "".join(path.read_text() for path in sorted((fed.top / "var/log/pimains" / instance).glob("[@c]*")))


def story(fed: Machine) -> str:
    return f"{fed.status('ups')}\n{log(fed)[-3000:]}\n{fed.status('halt')}\n{fed.console[-3000:]}"


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory, layer: Path) -> Life:
    """What follows is about one machine, which is on four times."""
    try:
        with fed_machine(tmp_path_factory.mktemp("fed"), layer) as fed:
            return a_life(fed)
    except CannotBoot as trouble:
        pytest.skip(f"no machine can be booted here: {trouble}")


def test_the_ups_is_told_to_cut_when_everything_else_has_ended(life: Life) -> None:
    (call,) = life.cut.cuts
    words, _, alive = call.partition(" | ")
    assert words == "-a eaton -k"
    assert {"systemd-shutdow", "pimains-ups"} <= set(alive.split()) <= _ALIVE


def test_nothing_is_cut_at_a_reboot_even_with_a_flag(life: Life) -> None:
    assert life.rebooted.cuts == []


def test_nothing_is_cut_at_a_poweroff_without_a_forced_shutdown(life: Life) -> None:
    assert life.powered_off.cuts == []
    assert '"phase":"on battery"' in life.powered_off.outage


def test_a_machine_whose_power_nobody_cuts_starts_again_by_itself(life: Life) -> None:
    assert CUT_WAIT_SECONDS - 1 < life.seconds_after_the_cut < CUT_WAIT_SECONDS + 10
    assert '"phase":"cutting"' in life.cut.outage


def test_with_the_mains_the_outage_is_over_when_it_is_up_again(life: Life) -> None:
    assert life.after == Seen(life.cut.cuts, "")
    assert life.log.count("-> forced") == 1
    assert [line for line in life.log.splitlines() if "cutting -> returning" in line]


def test_what_the_shutdown_took_from_halt_command_on_is_learned_from_the_kept_journal(life: Life) -> None:
    """It takes a second or two, and 30 s were left for it."""
    assert 5 < life.shutdown_seconds < 30


def test_the_manuals_set_up_passes_its_own_check(life: Life) -> None:
    assert life.checked == "ups: nothing that does not go together\n"


def test_the_last_act_is_what_it_is_as_autopkgtest_does_it(layer: Path, tmp_path: Path) -> None:
    with debian_root("trixie", tmp_path, on=layer, more="nut") as root:
        shutil.copy(TOP / "debian/tests/last-act", root.top / "srv")
        root.run("/srv/last-act")

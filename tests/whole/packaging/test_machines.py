"""A file server and its client as two machines that boot and power off, with systemd, autofs, sshfs and ext4.

See tests/whole/bench/machines.py.
"""

import os
import re

import pytest

from tests.fserver.music import new_layer, two_machines
from tests.whole.bench.machines import ALLOWED_SECONDS, Day, a_day
from tests.whole.booted import CannotBoot

# others run at the same time: the bench has the machine for itself
_SLACK = 4.0


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """Everything below is about one and the same day, which takes half a minute."""
    if os.geteuid() != 0:
        pytest.skip("only root may boot machines")
    try:
        with two_machines(tmp_path_factory.mktemp("machines"), new_layer(tmp_path_factory.mktemp("layer"))) as (music, kitchen):
            return a_day(music, kitchen)
    except CannotBoot as trouble:
        pytest.skip(f"no machine can be booted here: {trouble}")


def of(day: Day, boot: int, *subjects: str) -> list[tuple[str, str, str]]:
    """Machine, subject and action, in the order in which both ledgers have them."""
    return [(machine, subject, action) for machine, subject, action, _ in day.run(boot) if subject in subjects]


def causes(day: Day, boot: int, subject: str, action: str) -> list[str]:
    return [cause for _, which, what, cause in day.run(boot) if (which, what) == (subject, action)]


def test_both_come_up_by_themselves_and_the_share_is_mounted_by_autofs_before_what_plays_from_it(day: Day) -> None:
    assert day.seen["mounted"] == "song\nfuse.sshfs pi@music.lan:/MDrive\n"
    assert day.seen["clients"].endswith(": /var/lib/mpd/MDrive is mounted; started: player")
    assert of(day, 1, "share", "autofs", "player")[:3] == [
        ("kitchen", "share", "mounted"),
        ("kitchen", "autofs", "started"),
        ("kitchen", "player", "started"),
    ]
    assert set(causes(day, 1, "player", "started")) == {"one song"}


def test_a_server_that_systemd_powers_off_sees_its_client_off_which_powers_off_too(day: Day) -> None:
    assert of(day, 0, "clients", "share", "autofs", "player", "halt")[-5:] == [
        ("music", "clients", "told to leave"),
        ("kitchen", "share", "unmounted"),
        ("kitchen", "player", "stopped"),
        ("kitchen", "autofs", "stopped"),
        ("kitchen", "halt", "shut down"),
    ]
    assert causes(day, 0, "player", "stopped") == ["the song is there"]
    assert causes(day, 0, "halt", "shut down") == ["the file server stops (asked by fclient)"]
    assert day.seen["drive after systemctl poweroff"] == "clean"


def test_a_pulled_cable_takes_the_share_away_and_nobody_who_looks_waits_for_the_server(day: Day) -> None:
    (cause,) = causes(day, 1, "share", "unmounted by force")
    silent = re.match(r"music\.lan:5555 is gone: nothing heard for ([\d.]+) s", cause)
    assert silent, cause
    assert 4 <= float(silent[1]) <= 5 * _SLACK
    assert day.seen["ls without a server"] == "ls: cannot access '/var/lib/mpd/MDrive': No such file or directory\nexit 2\n"
    # systemd and the player look at it while they stop it
    assert "the song is gone" in causes(day, 1, "player", "stopped")


def test_an_upgrade_of_pimains_waits_until_the_client_has_left_and_others_do_not(day: Day) -> None:
    assert day.seen["versions before"] == "alpha 1 pimains 0.2.0"
    assert day.seen["versions while the kitchen is there"] == "alpha 2 pimains 0.2.0"
    assert day.seen["versions when it has left"] == "alpha 2 pimains 9.0"
    assert of(day, 1, "share", "update")[-5:] == [
        ("kitchen", "share", "unmounted"),
        ("music", "update", "upgrade pimains 0.2.0 to 9.0"),
        ("music", "update", "upgraded pimains 0.2.0 to 9.0"),
        ("kitchen", "share", "mounted"),
        ("kitchen", "share", "unmounted"),
    ]


def test_pimains_halt_at_the_server_powers_both_off_in_order_and_leaves_a_clean_drive(day: Day) -> None:
    order = of(day, 1, "clients", "share", "autofs", "player", "halt", "drives")
    assert order[-7:] == [
        ("music", "halt", "shut down"),
        ("music", "clients", "told to leave"),
        ("kitchen", "share", "unmounted"),
        ("kitchen", "player", "stopped"),
        ("kitchen", "autofs", "stopped"),
        ("kitchen", "halt", "shut down"),
        ("music", "drives", "unmount /MDrive"),
    ]
    assert causes(day, 1, "halt", "shut down") == ["good night (asked by root)", "good night (asked by fclient)"]
    assert causes(day, 1, "player", "stopped")[-1] == "the song is there"
    assert day.seen["drive after pimains halt"] == "clean"


@pytest.mark.parametrize("what", [name for name, allowed in ALLOWED_SECONDS.items() if allowed])
def test_it_takes_no_longer_than_allowed(day: Day, what: str) -> None:
    assert day.seconds[what] <= (ALLOWED_SECONDS[what] or 0) * _SLACK

"""50-drives with a real drive: ext4 on a loop device, unmounted, busy, automounted, and brought back."""

import os
import re
import subprocess
import time
from collections.abc import Iterator

import pytest

from pimains.core.ledger import Ledger
from tests.fclient.one_client import SECRET
from tests.fserver.drives import Server, file_server
from tests.kit import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")


@pytest.fixture
def server() -> Iterator[Server]:
    with file_server() as server:
        yield server


def test_the_units_are_stopped_in_order_and_what_would_start_them_again_before_them_then_the_drive_is_unmounted(server: Server) -> None:
    server.mount()
    (server.root / "on-the-drive").touch()
    for name in ("mpd.service", "mpd.socket", "smbd.service", "cron.service"):
        server.add_unit(name, triggered_by="mpd.socket" if name == "mpd.service" else "")
    server.add_fserver(MPD_UNIT="mpd", STOP_UNITS="smbd nmbd nfs-server")
    done = server.step("50-drives")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, f"{server.place} is unmounted"), done.stdout
    assert server.mounted == ""
    assert server.said_to_systemctl() == ["stop mpd.socket", "stop mpd.service", "stop smbd.service"]
    (entry,) = Ledger(server.root / "var/lib/pimains/ledger.sqlite").entries("drives")
    assert (entry.action, entry.cause) == (f"unmount {server.place}", "good night")


def test_called_off_the_drive_is_mounted_as_it_was_and_what_was_stopped_is_started_the_last_first(server: Server) -> None:
    server.mount()
    before = server.mounted
    for name in ("mpd.service", "mpd.socket", "smbd.service"):
        server.add_unit(name, triggered_by="mpd.socket" if name == "mpd.service" else "")
    server.add_fserver(MPD_UNIT="mpd", STOP_UNITS="smbd nmbd")
    assert server.inside("touch", server.place / "mine").returncode == 0
    assert server.step("50-drives").returncode == 0
    back = server.step("50-drives", called_off="somebody cancelled")
    assert (back.returncode, back.stdout.splitlines()[-1]) == (0, f"{server.place} is mounted again"), back.stdout
    assert server.mounted == before
    assert server.inside("ls", server.place / "mine").returncode == 0
    assert server.said_to_systemctl()[3:] == ["start mpd.socket", "start smbd.service", "start mpd.service"]
    again = server.step("50-drives", called_off="once more")
    assert (again.returncode, again.stdout.strip()) == (0, ""), "there is nothing to undo any more"


def test_a_busy_drive_is_not_taken_away_but_made_read_only_and_whoever_keeps_it_is_named(server: Server) -> None:
    server.mount()
    server.add_fserver()
    assert server.inside("touch", server.place / "song").returncode == 0
    with server.user("tail", "-f", server.place / "song") as busy:
        began = time.monotonic()
        done = server.step("50-drives", seconds=14)
        assert time.monotonic() - began < 60, "it does not wait until it is let go"
        assert done.returncode == 1
        busy_with = f"kept by tail ({busy.pid}) at {server.place}/song"
        assert done.stdout.splitlines()[-1] == f"{server.place} is not unmounted, only read-only now: device or resource busy, {busy_with}"
        assert server.mounted == "ro,noatime"
    assert server.step("50-drives", called_off="cancelled").stdout.splitlines()[-1] == f"{server.place} is writable again"
    assert server.mounted == "rw,noatime"


def test_a_drive_that_is_written_is_left_as_it_is_and_that_is_said(server: Server) -> None:
    server.mount()
    server.add_fserver()
    with server.user("sh", "-c", f"exec >{server.place}/song; exec sleep 1000"):
        done = server.step("50-drives", seconds=6)
        assert done.returncode == 1
        assert re.search(r"is not unmounted, nor could it be made read-only: .* kept by sleep \(\d+\) at .*/song\n$", done.stdout), (
            done.stdout
        )
        assert server.mounted == "rw,noatime"
    assert server.step("50-drives").returncode == 0


def test_a_program_that_lets_go_in_time_is_waited_for(server: Server) -> None:
    server.mount()
    server.add_fserver()
    go = server.root / "go"
    os.mkfifo(go)
    with server.user("sh", "-c", f"cd {server.place}; read x <{go}"), server.begin_step("50-drives") as step:
        assert step.stdout
        said = step.stdout.readline()
        go.write_text("\n")
        said += step.stdout.read()
    assert step.returncode == 0, said
    assert said.startswith(f"waiting to unmount {server.place}: device or resource busy, kept by "), said


def test_a_backup_that_cron_has_started_is_stopped_and_the_next_one_goes_on_there(server: Server) -> None:
    server.mount()
    source = server.root / "source"
    source.mkdir()
    (source / "big").write_bytes(os.urandom(3_000_000))
    assert server.inside("mkdir", server.place / "backup").returncode == 0
    server.add_fserver(BACKUP=str(source), RSYNC_OPTIONS="-a --bwlimit=100", SECRET=SECRET)
    words = ["/usr/bin/python3", "-Pm", "pimains.cli", "backup", "now", f"--servicedir={server.root}/etc/service"]
    enter = ["nsenter", f"--mount=/proc/{server.pid}/ns/mnt"]
    sleeps = ["/usr/bin/python3", "-c", "import time; time.sleep(1000)", "pimains.cli", "backup", "now"]
    with (
        subprocess.Popen([*enter, *words], env={**os.environ, **server.environment}, stderr=subprocess.PIPE, text=True) as backup,
        subprocess.Popen(sleeps, env={"PIMAINS_ROOT": "/a/demo"}) as of_another_root,
    ):
        until(lambda: ".big." in server.inside("find", server.place / "backup").stdout)
        done = server.step("50-drives", seconds=30)
        assert done.returncode == 0, done.stdout
        assert f"stopping the backup of process {backup.pid}\n" in done.stdout
        assert backup.communicate()[1].endswith("stopped half-way; the next backup goes on there\n")
        assert of_another_root.poll() is None
        of_another_root.kill()
    assert server.mounted == ""


def test_what_is_mounted_inside_is_unmounted_first(server: Server) -> None:
    server.mount()
    server.add_fserver()
    assert server.inside("mkdir", server.place / "inner").returncode == 0
    assert server.inside("mount", "-t", "tmpfs", "inner", server.place / "inner").returncode == 0
    assert server.step("50-drives").returncode == 0
    assert server.mounted == ""


def test_a_drive_for_backups_is_unmounted_too_but_no_share_of_another_machine(server: Server) -> None:
    server.mount()
    backups, share = server.root / "backups", server.root / "share"
    for place in (backups, share):
        place.mkdir()
    assert server.inside("mount", server.make_disk("other"), backups).returncode == 0
    assert server.inside("mount", "-t", "tmpfs", "like-a-share", share).returncode == 0
    server.add_fserver(DEST=str(backups))
    server.add_fserver("another", DEST=str(share))
    done = server.step("50-drives")
    assert done.stdout.splitlines() == [f"{server.place} is unmounted", f"{backups} is unmounted"]
    assert f" {share} " in server.inside("cat", "/proc/self/mountinfo").stdout


def test_nothing_happens_without_a_drive_that_is_a_mount_point_of_its_own(server: Server) -> None:
    assert server.step("50-drives").stdout == ""
    server.add_unit("smbd.service")
    server.add_fserver(STOP_UNITS="smbd")
    done = server.step("50-drives")
    assert (done.returncode, done.stdout.strip()) == (0, "no drive is mounted")
    (server.root / "etc/service/fserver/variables/MDRIVE").write_text("/\n")
    assert server.step("50-drives").stdout.strip() == "no drive is mounted"
    assert server.running() == {"smbd.service"}


def test_a_wrong_setting_is_named_and_keeps_no_other_drive_mounted(server: Server) -> None:
    server.mount()
    server.add_fserver()
    server.add_fserver("another", MDRIVE="MDrive")
    done = server.step("50-drives")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith(f"{server.root}/etc/service/another/variables/MDRIVE: 'MDrive' is no path")
    assert server.mounted == ""


def test_a_unit_that_does_not_stop_gets_its_share_of_the_time_and_the_drive_is_made_safe(server: Server) -> None:
    server.mount()
    server.add_unit("smbd.service", on_stop="sleep 100")
    server.add_fserver(STOP_UNITS="smbd")
    done = server.step("50-drives", seconds=6)
    assert done.returncode == 124, "more time would have helped"
    assert re.search(r"systemctl stop smbd.service: not done within [0-9.]+ s, left alone", done.stdout), done.stdout
    assert server.mounted == ""


def test_units_stay_down_when_the_drive_cannot_be_mounted_again(server: Server) -> None:
    disk = server.make_disk()
    server.mount(disk)
    server.add_unit("smbd.service")
    server.add_fserver(STOP_UNITS="smbd")
    assert server.step("50-drives").returncode == 0
    assert server.inside("dd", "if=/dev/zero", f"of={disk}", "bs=1M", "count=1", "conv=fsync").returncode == 0
    back = server.step("50-drives", seconds=6, called_off="cancelled")
    assert back.returncode == 1
    assert back.stdout.strip().endswith(f"smbd.service is not started: {server.place} is not mounted")
    assert server.running() == set()

"""Backups with real rsync onto a real drive, mounted in a namespace of the test: made by hand, by fserver and by fclient."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pimains.core import notify_queue, templates
from pimains.core.ledger import Ledger
from pimains.create_service import making
from tests.fclient.one_client import SECRET, OneHouse, one_house
from tests.kit import TOP, TestInstance

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts drives and reads what only root may read: needs root")


class Drive:
    """A drive of some megabytes at `place`, and what is backed up onto it below `source`."""

    def __init__(self, house: OneHouse) -> None:
        self.house = house
        self.place = house.root / "drive"
        self.place.mkdir()
        self.source = house.root / "source"
        self.source.mkdir()

    def inside(self, *words: str | Path, **options: Any) -> "subprocess.CompletedProcess[str]":
        """A command where the drive is mounted."""
        enter = ["nsenter", f"--mount=/proc/{self.house.pid}/ns/mnt"]
        return subprocess.run([*enter, *map(str, words)], capture_output=True, text=True, check=False, **options)

    def mount(self, size: str = "40m") -> None:
        assert self.inside("mount", "-t", "tmpfs", "-o", f"size={size}", "drive", self.place).returncode == 0
        assert self.inside("mkdir", self.place / "backup").returncode == 0

    def unmount(self) -> None:
        assert self.inside("umount", self.place).returncode == 0

    def path(self, *names: str | Path) -> Path:
        """What is on the drive, seen from outside of the namespace."""
        return Path(f"/proc/{self.house.pid}/root{self.place}/backup").joinpath(*map(str, names))

    def copy_of(self, file: Path, name: str = "") -> Path:
        """Where the backup of `file` is."""
        return self.path(HOST, name, str(file)[1:])

    def words(self, *words: str | Path) -> list[str]:
        return ["/usr/bin/python3", "-Pm", "pimains.cli", "backup", *map(str, words), f"--servicedir={self.house.scan}"]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(TOP / "lib"), "PIMAINS_ROOT": str(self.house.root)}

    def backup(self, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        return self.inside(*self.words(*words), env=self.environment)

    def snapshots(self) -> list[str]:
        listed = json.loads(self.backup("list", "--json").stdout)
        return [row["made"] for row in reversed(listed["backups"]) if row["state"] == "complete"]


HOST = os.uname().nodename.partition(".")[0]


@pytest.fixture
def house() -> Iterator[OneHouse]:
    with one_house() as house:
        yield house


@pytest.fixture
def drive(house: OneHouse) -> Drive:
    """Mounted, with a file to be saved, and an fserver that is down: its settings say what to back up."""
    house.open()
    drive = Drive(house)
    (drive.source / "etc").mkdir()
    (drive.source / "etc/mpd.conf").write_text("music_directory /MDrive/Music\n")
    (drive.source / "etc/mpd.conf").chmod(0o640)
    os.chown(drive.source / "etc/mpd.conf", 1234, 4321)
    drive.mount()
    return drive


def add_fserver(drive: Drive, **variables: str) -> TestInstance:
    """Made and never started: the command needs its settings only."""
    settings = {"BACKUP": str(drive.source), "DEST": str(drive.place), "SECRET": SECRET, **variables}
    making.create(templates.all_of_them()["fserver"], drive.house.scan, "fserver", settings, down=True)
    fserver = TestInstance(drive.house, "fserver")
    fserver.run.mkdir()
    return fserver


def start_fserver(drive: Drive, **variables: str) -> TestInstance:
    fserver = drive.house.add_fserver(**{"BACKUP": str(drive.source), "DEST": str(drive.place), **variables})
    drive.house.until(lambda: "client" in fserver.status, what="fserver to be up")
    return fserver


def test_a_mirror_has_every_path_with_its_rights_and_forgets_what_is_gone(drive: Drive) -> None:
    add_fserver(drive)
    (drive.source / "old").write_text("old\n")
    made = drive.backup("now")
    assert made.returncode == 0, made.stderr
    assert "done: " in made.stdout
    assert "2 files, 34 bytes copied" in made.stdout
    copy = drive.copy_of(drive.source / "etc/mpd.conf")
    assert copy.read_text() == "music_directory /MDrive/Music\n"
    status = copy.stat()
    assert (status.st_mode & 0o777, status.st_uid, status.st_gid) == (0o640, 1234, 4321)
    drive.path(HOST, "beside").write_text("not ours\n")
    (drive.source / "old").unlink()
    assert drive.backup("now").returncode == 0
    assert not drive.copy_of(drive.source / "old").exists()
    assert drive.path(HOST, "beside").exists(), "--delete stays within the paths of BACKUP"


def test_nothing_is_copied_while_the_drive_is_not_mounted(drive: Drive) -> None:
    fserver = add_fserver(drive)
    drive.unmount()
    refused = drive.backup("now")
    assert refused.returncode == 1
    assert f"{drive.place}/backup is not there: is the drive mounted?" in refused.stderr
    (drive.place / "backup").mkdir()
    refused = drive.backup("now")
    assert refused.returncode == 1
    assert "is on the file system of /: the drive is not mounted, and the SD card shall not be filled" in refused.stderr
    assert os.listdir(drive.place / "backup") == []
    assert fserver.read("backup").startswith("failed ")
    entry = Ledger(drive.house.root / "var/lib/pimains/ledger.sqlite").entries("backup")[0]
    assert entry.action.startswith("failed: ")
    assert entry.cause == "asked for by hand"


def test_a_directory_on_another_file_system_is_not_taken_for_the_drive(drive: Drive) -> None:
    """As a card with a partition of its own for /var, and a drive that should be mounted below it."""
    drive.inside("mkdir", "-p", drive.place / "mpd/MDrive/backup")
    fserver = add_fserver(drive)
    fserver.set("DEST", str(drive.place / "mpd/MDrive"))
    refused = drive.backup("now")
    assert refused.returncode == 1
    assert f"nothing is mounted at {drive.place}/mpd/MDrive" in refused.stderr
    fserver.set("MDRIVE", str(drive.place))
    assert drive.backup("now").returncode == 0, "a directory on MDRIVE is on the drive"


def test_snapshots_store_what_did_not_change_once_and_the_oldest_go(drive: Drive) -> None:
    add_fserver(drive, BACKUP_KEEP="2")
    changing = drive.source / "diary"
    for day in range(4):
        changing.write_text("another line\n" * day)
        assert drive.backup("now").returncode == 0
    first, second = drive.snapshots()
    assert drive.copy_of(changing, first).read_text() == "another line\n" * 2
    assert drive.copy_of(changing, second).read_text() == "another line\n" * 3
    config = drive.source / "etc/mpd.conf"
    assert drive.copy_of(config, first).stat().st_ino == drive.copy_of(config, second).stat().st_ino
    assert str(drive.path(HOST, "latest").readlink()) == second
    assert sorted(os.listdir(drive.path(HOST))) == sorted([first, second, "latest", ".machine"])


def test_a_backup_killed_half_way_looks_unfinished_and_the_next_one_goes_on_there(drive: Drive) -> None:
    fserver = add_fserver(drive, BACKUP_KEEP="3", RSYNC_OPTIONS="-a --bwlimit=1000")
    for name in "abcdefgh":
        (drive.source / name).write_bytes(os.urandom(1_000_000))
    words = ["nsenter", f"--mount=/proc/{drive.house.pid}/ns/mnt", *drive.words("now")]
    with subprocess.Popen(words, env=drive.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as half:
        drive.house.until(lambda: list(drive.path(HOST).glob(f"*.partial/{str(drive.source)[1:]}/b")), what="two files to be copied")
        os.killpg(half.pid, signal.SIGKILL)
    (partial,) = drive.path(HOST).glob("*.partial")
    inode = drive.path(HOST, partial.name, str(drive.source)[1:], "a").stat().st_ino
    assert drive.snapshots() == []
    assert "not finished" in drive.backup("list").stdout
    fserver.set("RSYNC_OPTIONS", "-a")
    made = drive.backup("now")
    assert made.returncode == 0, made.stderr
    (name,) = drive.snapshots()
    assert drive.copy_of(drive.source / "a", name).stat().st_ino == inode, "it was not copied again"
    assert drive.copy_of(drive.source / "h", name).read_bytes() == (drive.source / "h").read_bytes()
    assert sorted(os.listdir(drive.path(HOST))) == [".machine", name, "latest"]


def test_a_backup_that_is_interrupted_says_that_the_next_one_goes_on_and_is_no_failure(drive: Drive) -> None:
    fserver = add_fserver(drive, BACKUP_KEEP="3", RSYNC_OPTIONS="-a --bwlimit=100")
    (drive.source / "big").write_bytes(os.urandom(5_000_000))
    words = ["nsenter", f"--mount=/proc/{drive.house.pid}/ns/mnt", *drive.words("now")]
    with subprocess.Popen(words, env=drive.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as half:
        drive.house.until(lambda: list(drive.path(HOST).glob("*.partial/*/*/*/.big*")), what="the file to be under way")
        os.killpg(half.pid, signal.SIGINT)  # as ^C does: rsync too
        _, errors = half.communicate(timeout=60)
    assert half.returncode == 1
    assert errors.decode() == "pimains: stopped half-way; the next backup goes on there\n"
    assert fserver.read("backup").startswith("stopped ")
    restored = drive.backup("restore", drive.source / "etc", "--to", drive.house.root / "back")
    assert restored.returncode == 0, restored.stderr
    assert ", in a backup that was not finished; " in restored.stdout, "there is no other"


def test_two_at_once_there_are_never(drive: Drive) -> None:
    add_fserver(drive, RSYNC_OPTIONS="-a --bwlimit=100")
    (drive.source / "big").write_bytes(os.urandom(5_000_000))
    words = ["nsenter", f"--mount=/proc/{drive.house.pid}/ns/mnt", *drive.words("now")]
    with subprocess.Popen(words, env=drive.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as first:
        drive.house.until(lambda: list(drive.path(HOST).glob("*/*/*/.big*")), what="the first to be under way")
        second = drive.backup("now")
        assert second.returncode == 1
        assert f"a backup is under way already (process {first.pid})" in second.stderr
        os.killpg(first.pid, signal.SIGTERM)


def test_a_full_drive_is_said_and_costs_no_earlier_backup(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    fserver = add_fserver(drive, BACKUP_KEEP="3")
    monkeypatch.setenv("PIMAINS_ROOT", str(drive.house.root))
    notify_queue.queue().mkdir(parents=True)
    assert drive.backup("now").returncode == 0
    (drive.source / "film").write_bytes(b"x" * 60_000_000)
    failed = drive.backup("now")
    assert failed.returncode == 1
    assert failed.stderr == f"pimains: the backup is not complete: {drive.source}: there is no space left on the drive\n"
    assert len(drive.snapshots()) == 1
    assert "no space left" in fserver.read("backup")
    posted = notify_queue.read(notify_queue.waiting()[0])
    assert posted
    assert posted.event == "backup-failed"
    assert "there is no space left on the drive" in posted.body
    (drive.source / "film").unlink()
    assert drive.backup("now").returncode == 0
    assert len(drive.snapshots()) == 2
    assert not list(drive.path(HOST).glob("*.partial"))


def test_a_path_that_is_not_there_is_named_and_the_others_are_copied(drive: Drive) -> None:
    add_fserver(drive, BACKUP=f"/nowhere/at/all {drive.source}")
    made = drive.backup("now", "--json")
    assert made.returncode == 1
    (result,) = json.loads(made.stdout)
    assert result["complete"] is False
    assert result["error"] == "/nowhere/at/all is not there"
    assert drive.copy_of(drive.source / "etc/mpd.conf").exists()


def test_a_link_is_followed_and_a_name_with_blanks_and_stars_is_one_name(drive: Drive) -> None:
    odd = drive.source / "my [best] * music"
    odd.mkdir()
    (odd / "song\nof two lines").write_text("la\n")
    (drive.house.root / "link").symlink_to(odd)
    add_fserver(drive, BACKUP=f'"{odd}" {drive.house.root}/link')
    assert drive.backup("now").returncode == 0
    assert drive.copy_of(odd / "song\nof two lines").read_text() == "la\n"
    restored = drive.backup("restore", drive.house.root / "link", "--to", drive.house.root / "back")
    assert restored.returncode == 0, restored.stderr
    assert (drive.house.root / "back" / odd.name / "song\nof two lines").exists()


def test_the_drive_itself_can_be_backed_up_without_its_backups(drive: Drive) -> None:
    drive.inside("touch", drive.place / "song")
    add_fserver(drive, BACKUP=str(drive.place), BACKUP_KEEP="2")
    for _ in range(2):
        assert drive.backup("now").returncode == 0
    last = drive.snapshots()[-1]
    assert os.listdir(drive.copy_of(drive.place, last)) == ["song"]


def test_a_drive_mounted_inside_of_what_is_backed_up_is_not_copied_onto_itself(drive: Drive) -> None:
    """As /home/pi with the drive at /home/pi/MDrive."""
    drive.unmount()
    drive.place = drive.source / "MDrive"
    drive.place.mkdir()
    drive.mount()
    drive.inside("touch", drive.place / "song")
    add_fserver(drive, BACKUP_KEEP="2")
    made = drive.backup("now")
    assert made.returncode == 0, made.stderr
    assert os.listdir(drive.copy_of(drive.source, drive.snapshots()[-1])) == ["etc"]


def test_restoring_takes_what_there_was_at_a_date_and_overwrites_nothing(drive: Drive) -> None:
    add_fserver(drive, BACKUP_KEEP="5")
    file = drive.source / "diary"
    file.write_text("first\n")
    assert drive.backup("now").returncode == 0
    file.write_text("second\n")
    assert drive.backup("now").returncode == 0
    first, _ = drive.snapshots()
    back = drive.house.root / "back"
    assert drive.backup("restore", file, "--to", back).returncode == 0
    assert (back / "diary").read_text() == "second\n"
    there = drive.backup("restore", file, "--from", first, "--to", back)
    assert there.returncode == 1
    assert f"{back}/diary is there already" in there.stderr
    restored = drive.backup("restore", file, "--from", first, "--to", back, "--overwrite", "--json")
    assert json.loads(restored.stdout)["from"] == first
    assert (back / "diary").read_text() == "first\n"
    (kept,) = back.glob("diary.before-restore-*")
    assert kept.read_text() == "second\n"
    assert drive.backup("restore", drive.source, "--to", back).returncode == 0
    assert (back / "source/etc/mpd.conf").stat().st_uid == 1234


def test_a_restore_that_is_ended_never_looks_whole_and_goes_on_where_it_was(drive: Drive) -> None:
    add_fserver(drive, BACKUP_KEEP="2")
    films = drive.source / "films"
    films.mkdir()
    for name in "abc":
        (films / name).write_bytes(os.urandom(1_000_000))
    assert drive.backup("now").returncode == 0
    slow = drive.house.root / "slow"
    slow.mkdir()
    (slow / "rsync").write_text('#!/bin/sh\nexec /usr/bin/rsync --bwlimit=300 "$@"\n')
    (slow / "rsync").chmod(0o755)
    back = drive.house.root / "back"
    words = ["nsenter", f"--mount=/proc/{drive.house.pid}/ns/mnt", *drive.words("restore", films, "--to", back)]
    environment = {**drive.environment, "PATH": f"{slow}:{os.environ['PATH']}"}
    with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, start_new_session=True) as half:
        drive.house.until(lambda: list(back.glob("restoring-*/films/a")), what="a file to be restored")
        half.send_signal(signal.SIGTERM)  # to it alone, as a closed terminal's shell does
        _, errors = half.communicate(timeout=60)
    assert errors.decode() == f"pimains: stopped half-way: {back}/films is not complete; the same command goes on there\n"
    assert rsyncs(drive.house) == []
    assert not (back / "films").exists()
    (inode,) = [path.stat().st_ino for path in back.glob("restoring-*/films/a")]
    assert drive.backup("restore", films, "--to", back).returncode == 0
    assert [path.read_bytes() for path in sorted((back / "films").iterdir())] == [path.read_bytes() for path in sorted(films.iterdir())]
    assert (back / "films/a").stat().st_ino == inode, "it was not copied again"
    assert os.listdir(back) == ["films"]


def test_a_directory_in_the_place_of_a_file_is_kept_beside_it(drive: Drive) -> None:
    add_fserver(drive, BACKUP_KEEP="2")
    config = drive.source / "etc/mpd.conf"
    assert drive.backup("now").returncode == 0
    config.unlink()
    config.mkdir()
    (config / "inside").write_text("the only one of its kind\n")
    restored = drive.backup("restore", config, "--to", config.parent, "--overwrite")
    assert restored.returncode == 0, restored.stderr
    assert config.read_text() == "music_directory /MDrive/Music\n"
    (kept,) = config.parent.glob("mpd.conf.before-restore-*/inside")
    assert kept.read_text() == "the only one of its kind\n"


def test_restoring_says_what_it_cannot_find(drive: Drive) -> None:
    add_fserver(drive, BACKUP_KEEP="5")
    to = drive.house.root / "back"
    assert "there is no backup in" in drive.backup("restore", "/etc", "--to", to).stderr
    assert drive.backup("now").returncode == 0
    assert "is not in" in drive.backup("restore", "/etc/nothing", "--to", to).stderr
    assert "no snapshot is as old as 2001-01-01" in drive.backup("restore", "/etc", "--from", "2001-01-01", "--to", to).stderr
    assert "'last week' is no date" in drive.backup("restore", "/etc", "--from", "last week", "--to", to).stderr
    assert "is no name of a machine" in drive.backup("list", "--host=../..").stderr
    assert drive.backup("restore", "/etc").returncode == 2
    assert drive.backup("list", "/etc").returncode == 2
    assert not to.exists()


def test_a_machine_without_services_restores_from_a_drive(drive: Drive) -> None:
    add_fserver(drive)
    assert drive.backup("now").returncode == 0
    words = ("--dest", drive.place, "--host", HOST)
    empty = drive.house.root / "empty"
    empty.mkdir()
    listed = drive.inside(*drive.words("list", *words)[:-1], f"--servicedir={empty}", env=drive.environment)
    assert "mirror" in listed.stdout, listed.stderr
    restored = drive.backup("restore", drive.source / "etc", "--to", drive.house.root / "back", *words)
    assert restored.returncode == 0, restored.stderr
    assert (drive.house.root / "back/etc/mpd.conf").exists()
    assert f"there are backups of: {HOST}" in drive.backup("list", "--dest", drive.place, "--host", "attic").stdout


def test_fserver_backs_up_at_its_start_what_only_root_may_read(drive: Drive) -> None:
    (drive.source / "secret").write_text("secret\n")
    (drive.source / "secret").chmod(0o600)
    fserver = start_fserver(drive, BACKUP_KEEP="3")
    drive.house.until(lambda: "; backed up " in fserver.status, what=fserver.log)
    drive.house.until(lambda: "backup: done: " in fserver.log)
    (name,) = drive.snapshots()
    assert drive.copy_of(drive.source / "secret", name).read_text() == "secret\n"
    entry = Ledger(drive.house.root / "var/lib/pimains/ledger.sqlite").entries("backup")[0]
    assert entry.cause == "the file server has started"
    assert entry.inputs["copied"].value == "2 files, 37 bytes"


def test_fserver_tells_of_a_backup_that_failed_until_one_is_made_by_hand(drive: Drive) -> None:
    drive.inside("rmdir", drive.place / "backup")
    fserver = start_fserver(drive)
    drive.house.until(lambda: "; backup failed " in fserver.status)
    assert "is not there: is the drive mounted?" in fserver.read("unwell")
    drive.inside("mkdir", drive.place / "backup")
    assert drive.backup("now").returncode == 0
    drive.house.until(lambda: "; backed up " in fserver.status)
    assert fserver.read("unwell") == ""


def rsyncs(house: OneHouse) -> list[str]:
    """Every rsync that has to do with this house."""
    found = subprocess.run(["pgrep", "-fa", f"^rsync .*{house.root}"], capture_output=True, text=True, check=False).stdout
    return found.splitlines()


def test_a_stopped_fserver_lets_go_of_the_drive(drive: Drive) -> None:
    (drive.source / "big").write_bytes(os.urandom(5_000_000))
    fserver = start_fserver(drive, RSYNC_OPTIONS="-a --bwlimit=100")
    drive.house.until(lambda: rsyncs(drive.house) and "; backing up" in fserver.status)
    fserver.svc("-d")
    drive.house.until(lambda: fserver.status == "stopped")
    assert rsyncs(drive.house) == [], "gone before it says so: the drive is unmounted next"
    assert fserver.read("backup").startswith("stopped ")
    drive.unmount()


def test_a_killed_fserver_takes_its_backup_along_and_the_next_one_backs_up(drive: Drive) -> None:
    (drive.source / "big").write_bytes(os.urandom(3_000_000))
    fserver = start_fserver(drive, RSYNC_OPTIONS="-a --bwlimit=1000", BACKUP_KEEP="2")
    drive.house.until(lambda: rsyncs(drive.house))
    fserver.kill()
    drive.house.until(lambda: "; backed up " in fserver.status, what=fserver.log)
    assert len(drive.snapshots()) == 1


def test_a_halt_stops_the_backup_before_the_drive_is_unmounted(drive: Drive) -> None:
    (drive.source / "big").write_bytes(os.urandom(5_000_000))
    fserver = start_fserver(drive, RSYNC_OPTIONS="-a --bwlimit=100")
    drive.house.until(lambda: rsyncs(drive.house) and "; backing up" in fserver.status)
    step = TOP / "services/fserver/halt.d/20-shares"
    said = drive.inside(step, env={**drive.environment, "PIMAINS_BUDGET_SECONDS": "20", "PIMAINS_REASON": "test"})
    assert (said.returncode, said.stdout) == (0, "fserver: all clients have left\n")
    drive.unmount()
    assert fserver.read("backup").startswith("stopped ")


def test_a_backup_that_was_killed_is_told_and_its_service_goes_on(drive: Drive) -> None:
    (drive.source / "big").write_bytes(os.urandom(5_000_000))
    fserver = start_fserver(drive, RSYNC_OPTIONS="-a --bwlimit=100")
    drive.house.until(lambda: rsyncs(drive.house) and "; backing up" in fserver.status)
    lock = (drive.house.root / "run/pimains/backup.lock").read_text()
    os.killpg(int(lock), signal.SIGKILL)
    drive.house.until(lambda: "; backup failed " in fserver.status, what=fserver.status)
    assert "its process was ended half-way; the next one goes on there" in fserver.read("unwell")


def test_nobody_but_root_can_hold_up_a_backup_by_its_lock(drive: Drive) -> None:
    (drive.source / "small").write_text("small\n")
    lock = drive.house.root / "run/pimains/backup.lock"
    lock.touch(mode=0o644)  # as it was before
    drive.house.root.chmod(0o755)
    with subprocess.Popen(["flock", "--no-fork", lock, "sleep", "1000"], user="nobody", group="nogroup", extra_groups=[]) as before:
        drive.house.until(lambda: subprocess.run(["flock", "-n", lock, "true"], check=False).returncode)
        add_fserver(drive)
        assert drive.backup("now").returncode == 0
        before.kill()
    assert lock.stat().st_mode & 0o7777 == 0o600
    refused = subprocess.run(
        ["flock", lock, "true"], user="nobody", group="nogroup", extra_groups=[], capture_output=True, text=True, check=False
    )
    assert "Permission denied" in refused.stderr


def test_a_file_that_vanishes_meanwhile_is_no_failure(drive: Drive) -> None:
    add_fserver(drive, RSYNC_OPTIONS="-a --bwlimit=1000", BACKUP_KEEP="1")
    (drive.source / "a").write_bytes(os.urandom(1_500_000))
    (drive.source / "z").write_text("soon gone\n")
    words = ["nsenter", f"--mount=/proc/{drive.house.pid}/ns/mnt", *drive.words("now")]
    with subprocess.Popen(words, env=drive.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as made:
        drive.house.until(lambda: list(drive.path(HOST).glob("*.partial/*/*/*/.a.*")), what="the first file to be under way")
        (drive.source / "z").unlink()
        _, errors = made.communicate(timeout=60)
    assert (made.returncode, errors.decode()) == (0, "")
    assert len(drive.snapshots()) == 1


def test_a_service_waits_for_a_backup_that_was_begun_by_hand(drive: Drive) -> None:
    (drive.source / "big").write_bytes(os.urandom(2_000_000))
    add_fserver(drive, RSYNC_OPTIONS="-a --bwlimit=500")
    words = ["nsenter", f"--mount=/proc/{drive.house.pid}/ns/mnt", *drive.words("now")]
    with (
        subprocess.Popen(words, env=drive.environment, stdout=subprocess.DEVNULL) as by_hand,
        subprocess.Popen([*words, "--until-eof"], env=drive.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as waits,
        subprocess.Popen([*words, "--until-eof"], env=drive.environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as told_to_stop,
    ):
        pass_on = told_to_stop.communicate(timeout=60)[1]
        assert pass_on.decode() in ("pimains: stopped before it began\n", "pimains: stopped half-way; the next backup goes on there\n")
        assert by_hand.wait(60) in (0, 1)
        assert waits.stdout
        assert waits.stdout.readlines()[-1].startswith(b"done: ")
        assert waits.stdin
        waits.stdin.close()
        assert waits.wait(60) == 0


def test_fclient_backs_up_once_the_share_is_there_and_lets_go_of_it_when_it_leaves(house: OneHouse) -> None:
    hooks = house.root / "hooks"
    hooks.mkdir()
    (hooks / "post_mount").write_text('#!/bin/sh\nexec mkdir -p "$MDRIVE/backup"\n')
    (hooks / "post_mount").chmod(0o755)
    source = house.root / "source"
    source.mkdir()
    (source / "big").write_bytes(os.urandom(3_000_000))
    fserver = house.add_fserver(svscan=False)
    fclient = house.add_fclient(BACKUP=str(source), RSYNC_OPTIONS="-a --bwlimit=100", HOOKS=str(hooks))
    house.until(lambda: fclient.status.endswith("; backing up"), what=fclient.log)
    house.until(lambda: fserver.read("clients").endswith("; backing up"))
    house.until(lambda: rsyncs(house))
    fserver.svc("-d")
    house.until(lambda: not house.is_mounted(), what=fclient.log)
    house.until(lambda: rsyncs(house) == [])
    fclient.set("RSYNC_OPTIONS", "-a")
    fclient.svc("-t")
    fserver.svc("-u")
    house.until(lambda: "; backed up " in fclient.status, what=fclient.log)
    copy = Path(f"/proc/{house.pid}/root{house.share}/backup/kitchen/{str(source)[1:]}/big")
    assert copy.read_bytes() == (source / "big").read_bytes()


def test_a_backup_takes_little_memory() -> None:
    """The short version of the benchmark."""
    table = subprocess.run([TOP / "tests/backup/bench/backup.py", "300"], capture_output=True, text=True, check=True).stdout
    megabytes = [float(line.split()[-2]) for line in table.splitlines()[1:]]
    assert len(megabytes) == 3, table
    assert max(megabytes) < 25, table

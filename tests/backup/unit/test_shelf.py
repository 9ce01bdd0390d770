"""What could cost a backup: Shelf with a real rsync, on a directory that stands for the drive."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pimains.backup import removal, restoring, snapshots
from pimains.backup.program import Interrupted
from pimains.backup.snapshots import Refused, Shelf, Wanted
from pimains.core import machine

OPTIONS = ["-alptgomHE", "--delete"]
NIGHT = datetime(2026, 11, 20, 3, 17)


class Drive:
    """Backups of one host, and what is to be saved."""

    def __init__(self, top: Path) -> None:
        self.home = top / "home"
        self.home.mkdir()
        self.shelf = Shelf(top / "backup" / "kitchen")
        self.shelf.top.parent.mkdir()
        self.night = NIGHT

    def back_up(self, *paths: Path, keep: int = 3, tell: Callable[[Path, object], None] = lambda _path, _how: None) -> snapshots.Done:
        """One night later."""
        self.night += timedelta(days=1)
        return self.shelf.back_up(Wanted(paths or [self.home], OPTIONS, keep), self.night, tell)

    def copy(self, file: Path, name: str | None = None) -> Path:
        return self.shelf.directory(name or self.shelf.latest()).joinpath(*file.parts[1:])

    def restore(self, file: Path, to: Path, name: str | None, seconds: int) -> restoring.Restored:
        moment = NIGHT + timedelta(seconds=seconds)
        return self.shelf.restore(name, file, to, moment, lambda _: None, overwrite=True)


@pytest.fixture
def drive(tmp_path: Path) -> Drive:
    return Drive(tmp_path)


@pytest.mark.parametrize("keep", [0, 2])
def test_a_directory_whose_drive_is_not_mounted_takes_no_good_backup_away(drive: Drive, keep: int) -> None:
    photos = drive.home / "photos"
    photos.mkdir()
    (photos / "cat").write_text("a cat\n")
    (drive.home / "diary").write_text("dear diary\n")
    paths = (photos, drive.home / "diary")
    assert drive.back_up(*paths, keep=keep).failures == []
    (photos / "cat").unlink()
    for _ in range(3):
        (failure,) = drive.back_up(*paths, keep=keep).failures
        assert failure.startswith(f"{photos} is empty, and its last backup is not: is its drive not mounted?")
    assert drive.copy(photos / "cat").read_text() == "a cat\n"
    (photos / "dog").write_text("a dog\n")
    assert drive.back_up(*paths, keep=keep).failures == []


def test_two_machines_of_one_name_do_not_delete_each_others_files(drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serial_number, machine_id = tmp_path / "serial-number", tmp_path / "machine-id"
    monkeypatch.setattr(machine, "_PLACES", (serial_number, machine_id))
    machine_id.write_text("of a card that was copied\n")
    serial_number.write_bytes(b"10000000a1b2c3d4\0")
    (drive.home / "diary").write_text("of the first one\n")
    assert drive.back_up(keep=0).failures == []
    serial_number.write_bytes(b"10000000e5f60718\0")
    (drive.home / "diary").unlink()
    with pytest.raises(Refused, match=f"kitchen has the backups of another machine of this name: .*: rm {drive.shelf.top}/.machine$"):
        drive.back_up(keep=0)
    (drive.shelf.top / ".machine").unlink()
    assert drive.back_up(keep=0).failures != []
    assert drive.shelf.has_mirror()


def test_what_an_unfinished_backup_has_goes_only_when_the_next_one_has_it_too(drive: Drive) -> None:
    (drive.home / "diary").write_text("dear diary\n")
    gone = drive.home / "stick"
    assert drive.back_up(drive.home, gone).failures == [f"{gone} is not there"]
    assert drive.back_up(drive.home, gone).failures == [f"{gone} is not there"]
    assert len(drive.shelf.unfinished()) == 2
    gone.mkdir()
    assert drive.back_up(drive.home, gone).failures == []
    assert drive.shelf.unfinished() == []
    assert len(drive.shelf.complete()) == 1


def test_a_drive_that_goes_away_between_two_paths_is_not_written_beside(drive: Drive) -> None:
    for name in ("one", "two"):
        (drive.home / name).mkdir()
        (drive.home / name / "file").write_text("x\n")

    def unmount(path: Path, how: object) -> None:
        if path.name == "two" and how is None:
            drive.shelf.top.rename(drive.shelf.top.with_name("gone"))
            drive.shelf.top.mkdir()

    with pytest.raises(Refused, match="kitchen: the drive went away"):
        drive.back_up(drive.home / "one", drive.home / "two", keep=0, tell=unmount)
    assert os.listdir(drive.shelf.top) == []


def test_a_smaller_number_of_snapshots_makes_room_before_anything_is_copied(drive: Drive) -> None:
    for _ in range(3):
        (drive.home / "diary").write_text(f"{drive.night}\n")
        drive.back_up(keep=3)
    left = []
    drive.back_up(keep=1, tell=lambda _path, _how: left.append(drive.shelf.complete()))
    assert left[0] == ["2026-11-23_03-17-00"], "the newest good one stays until there is another"
    assert drive.shelf.complete() == ["2026-11-24_03-17-00"]


def test_a_second_restore_keeps_what_the_first_one_has_replaced(drive: Drive, tmp_path: Path) -> None:
    diary, back = drive.home / "diary", tmp_path / "back"
    for text in ("first\n", "second\n"):
        diary.write_text(text)
        drive.back_up()
    back.mkdir()
    (back / "diary").write_text("the only one of its kind\n")
    for second, name in enumerate(drive.shelf.complete()):
        assert drive.restore(diary, back, name, second).is_complete
    kept = {path.name: path.read_text() for path in back.iterdir()}
    assert kept == {
        "diary": "second\n",
        "diary.before-restore-2026-11-20_03-17-00": "the only one of its kind\n",
        "diary.before-restore-2026-11-20_03-17-01": "first\n",
    }


def test_a_file_whose_damage_changed_neither_size_nor_time_is_restored(drive: Drive) -> None:
    diary = drive.home / "diary"
    diary.write_text("dear diary\n")
    drive.back_up()
    before = diary.stat()
    diary.write_text("d\0\0\0 diary\n")
    os.utime(diary, ns=(before.st_atime_ns, before.st_mtime_ns))
    drive.restore(diary, drive.home, drive.shelf.latest(), 0)
    assert diary.read_text() == "dear diary\n"


def test_an_old_snapshot_is_what_it_was_whatever_happens_to_the_file(drive: Drive) -> None:
    """Also with the same time and size, other rights, or written in place."""
    diary = drive.home / "diary"
    diary.write_text("dear diary\n")
    diary.chmod(0o640)
    drive.back_up()
    diary.chmod(0o600)
    drive.back_up()
    with diary.open("r+") as file:
        file.write("DEAR")
    os.utime(diary, (0, 0))  # rsync compares whole seconds
    drive.back_up()
    first, second, third = drive.shelf.complete()
    assert [drive.copy(diary, name).read_text()[:4] for name in (first, second, third)] == ["dear", "dear", "DEAR"]
    assert [drive.copy(diary, name).stat().st_mode & 0o777 for name in (first, second, third)] == [0o640, 0o600, 0o600]


def test_an_unfinished_backup_can_be_restored_from_if_it_is_named(drive: Drive, tmp_path: Path) -> None:
    (drive.home / "diary").write_text("dear diary\n")
    drive.back_up(drive.home, drive.home / "stick")
    (name,) = drive.shelf.unfinished()
    assert drive.restore(drive.home / "diary", tmp_path / "back", name, 0).is_complete
    assert (tmp_path / "back/diary").read_text() == "dear diary\n"


def test_a_place_that_is_no_directory_is_said(drive: Drive) -> None:
    (drive.home / "diary").write_text("dear diary\n")
    drive.back_up()
    with pytest.raises(Refused, match=r"^--to: .*/diary: file exists$"):
        drive.restore(drive.home / "diary", drive.home / "diary", drive.shelf.latest(), 0)


def test_nobody_leads_a_restore_somewhere_else(drive: Drive, tmp_path: Path) -> None:
    """In a directory such as /tmp, where others may write."""
    (drive.home / "diary").write_text("dear diary\n")
    drive.back_up()
    (tmp_path / "back").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"back/restoring-{drive.shelf.latest()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match=r"/back/restoring-2026-11-21_03-17-00 is in the way, and not of an earlier restore"):
        drive.restore(drive.home / "diary", tmp_path / "back", drive.shelf.latest(), 0)
    assert os.listdir(tmp_path / "elsewhere") == []


def test_removing_stops_when_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "tree/below").mkdir(parents=True)
    out, inward = os.pipe()
    os.close(inward)
    with os.fdopen(out) as stop, pytest.raises(Interrupted):
        removal.remove_tree(tmp_path / "tree", stop)
    removal.remove_tree(tmp_path / "tree")
    assert not (tmp_path / "tree").exists()
    with pytest.raises(removal.CannotRemove, match=r"^cannot remove '.*': File name too long$"):
        removal.remove_tree(tmp_path / ("x" * 300))

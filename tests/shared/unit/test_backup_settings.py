"""What BACKUP, DEST and RSYNC_OPTIONS may be."""

from pathlib import Path

import pytest

from pimains.core.errors import WrongSetting
from pimains.shared.backup.settings import BackupSettings


def settings(**given: str) -> BackupSettings:
    return BackupSettings({"RSYNC_OPTIONS": "-alptgomHE --delete", "BACKUP_KEEP": "0", **given})


def test_paths_are_split_at_blanks_and_may_be_quoted() -> None:
    assert [Path("/etc"), Path("/home/pi"), Path("/srv/my music")] == settings(BACKUP='/etc /home/pi "/srv/my music"').BACKUP
    assert settings(BACKUP="").BACKUP == []


@pytest.mark.parametrize("paths", ["etc", "/etc ../x", "/home/../etc", '/etc "', "~/music"])
def test_a_path_that_is_not_absolute_is_refused(paths: str) -> None:
    with pytest.raises(WrongSetting, match=r"^variables/BACKUP: .* is no list of paths \(such as: /etc /home/pi"):
        settings(BACKUP=paths)


@pytest.mark.parametrize(
    "options",
    ["-alptgomHE --delete", "-aAX --numeric-ids --exclude=*.tmp", "-a --max-delete=100 --one-file-system", "", "-a --exclude='my music'"],
)
def test_options_are_taken(options: str) -> None:
    assert all(word.startswith("-") for word in settings(RSYNC_OPTIONS=options).RSYNC_OPTIONS)


@pytest.mark.parametrize(
    "options",
    [
        "-an",
        "-a --dry-run",
        "-a --remove-source-files",
        "-a /etc",
        "-a --exclude *.tmp",
        "--daemon",
        "-a --link-dest=/x",
        "-a '",
        "-a --ignore-existing",
        "-aV",
        "--help",
    ],
)
def test_options_that_lie_about_a_backup_or_harm_what_it_saves_are_refused(options: str) -> None:
    with pytest.raises(WrongSetting, match=r"^variables/RSYNC_OPTIONS: .* is no list of rsync options \("):
        settings(RSYNC_OPTIONS=options)


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(WrongSetting, match="variables/BACKUP: '/' needs BACKUP_KEEP"):
        settings(BACKUP="/")
    with pytest.raises(WrongSetting, match="variables/BACKUP: '/' needs --one-file-system in RSYNC_OPTIONS: /proc"):
        settings(BACKUP="/", BACKUP_KEEP="7")
    for options in ("-ax", "-a --one-file-system"):
        assert [Path("/")] == settings(BACKUP="/", BACKUP_KEEP="7", RSYNC_OPTIONS=options).BACKUP
    with pytest.raises(WrongSetting, match="variables/RSYNC_OPTIONS: --inplace"):
        settings(RSYNC_OPTIONS="-a --inplace", BACKUP_KEEP="7")
    with pytest.raises(WrongSetting, match="variables/DEST: is empty, and so is MDRIVE"):
        settings(BACKUP="/etc").destination(None)
    assert settings(BACKUP="/etc").destination(Path("/MDrive")) == Path("/MDrive")

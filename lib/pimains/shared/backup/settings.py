"""What fserver and fclient may be told about backups, both alike."""

import re
import shlex
from pathlib import Path

from pimains.core.settings import Setting, Settings, integer, optional, path

_NO_OPTION = re.compile(
    r"--(dry-run|remove-s(ource|ent)-files|list-only|daemon|server|sender|files-from|(link|compare|copy)-dest|write-batch|only-"
    r"|existing|ignore-(existing|non-existing|errors)|version|help)|-[A-Za-z0-9]*V"
)
_ONE_FILE_SYSTEM = re.compile(r"--one-file-system|-[A-Za-z0-9]*x[A-Za-z0-9]*")
_CHANGES_IN_PLACE = re.compile(r"--(inplace|append)")


def paths() -> Setting[list[Path]]:
    """Absolute paths with blanks between; one with blanks in it stands in quotation marks."""

    def parse(text: str) -> list[Path]:
        words = shlex.split(text)
        if not all(word.startswith("/") and ".." not in word.split("/") for word in words):
            raise ValueError
        return [Path(word) for word in words]

    return Setting(parse, "list of paths", "such as: /etc /home/pi, each absolute, without .., or empty", may_be_empty=True)


def rsync_options() -> Setting[list[str]]:
    """Options of rsync, none that would let a backup look done that is not, or take away what it was to save."""

    def parse(text: str) -> list[str]:
        words = shlex.split(text)
        for word in words:
            if not word.startswith("-") or _NO_OPTION.match(word) or re.fullmatch(r"-[A-Za-z0-9]*n[A-Za-z0-9]*", word):
                raise ValueError
        return words

    return Setting(
        parse,
        "list of rsync options",
        "each word beginning with -, values after =; none of -n, --dry-run, --remove-source-files, --link-dest and their like",
        may_be_empty=True,
    )


class BackupSettings(Settings):
    """Those in services/fserver/variables and services/fclient/variables that are about backups."""

    BACKUP = paths()
    DEST = optional(path())
    RSYNC_OPTIONS = rsync_options()
    BACKUP_KEEP = integer(0, 1000, "number of snapshots")

    def check_together(self) -> None:
        """What of these does not go together."""
        if Path("/") in self.BACKUP and not self.BACKUP_KEEP:
            raise self.wrong("BACKUP", "'/' needs BACKUP_KEEP of at least 1: a mirror of it would replace what is beside it")
        if Path("/") in self.BACKUP and not any(_ONE_FILE_SYSTEM.fullmatch(word) for word in self.RSYNC_OPTIONS):
            raise self.wrong("BACKUP", "'/' needs --one-file-system in RSYNC_OPTIONS: /proc and every drive would be copied, too")
        if self.BACKUP_KEEP and any(_CHANGES_IN_PLACE.match(word) for word in self.RSYNC_OPTIONS):
            raise self.wrong("RSYNC_OPTIONS", "--inplace and --append would change older snapshots; they need BACKUP_KEEP 0")

    def destination(self, mdrive: Path | None) -> Path:
        """DEST, or else MDRIVE; raises WrongSetting when both are empty."""
        place = self.DEST or mdrive
        if place is None:
            raise self.wrong("DEST", "is empty, and so is MDRIVE: where is the drive for the backup mounted?")
        return place

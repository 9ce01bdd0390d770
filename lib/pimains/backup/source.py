"""An instance whose settings say what is backed up, and where to."""

from pathlib import Path
from typing import NamedTuple

from pimains.backup import snapshots
from pimains.backup.snapshots import Shelf
from pimains.shared.backup.settings import BackupSettings


class Source(NamedTuple):
    """An instance whose settings say what is backed up, and where to; `host` is what its machine is called on the drive."""

    name: str
    run: Path
    settings: BackupSettings
    mdrive: Path | None
    host: str

    @property
    def shelf(self) -> Shelf:
        """Where its backups are; raises backup.Refused when the drive is not there."""
        return Shelf(snapshots.store(self.settings.destination(self.mdrive), self.mdrive) / self.host)

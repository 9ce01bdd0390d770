"""An instance whose settings say what is backed up, and where to."""

from pathlib import Path
from typing import NamedTuple

from pimains.backup import snapshots
from pimains.backup.snapshots import Shelf
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared.backup.settings import BackupSettings


class Source(NamedTuple):
    """An instance whose settings say what is backed up, and where to; `host` is what its machine is called on the drive."""

    instance: ServiceDirectory
    settings: BackupSettings
    mdrive: Path | None
    host: str

    @property
    def name(self) -> str:
        """What the instance is called."""
        return self.instance.name

    @property
    def run(self) -> Path:
        """Where it leaves word."""
        return self.instance.run

    @property
    def shelf(self) -> Shelf:
        """Where its backups are; raises backup.Refused when the drive is not there."""
        return Shelf(snapshots.store(self.settings.destination(self.mdrive), self.mdrive) / self.host)

"""Whatever becomes of update's files, it waits for its time, and says what it does not know any more."""

import os

import pytest

from tests import damage
from tests.kit import House

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="update is root's: needs root")


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_it_waits_for_its_time_whatever_became_of_its_files(house: House, name: str) -> None:
    update = house.add("update", UPGRADE="no-such-package")
    house.until(lambda: update.status not in ("", "starting"))
    damage.down(update)
    files = {update.run / "last": "100", update.run / "found": "found", update.run / "put-off": "pimains 1 to 2"}
    files |= {update.run / "now": "nothing is asked", update.lib / "failing": "dpkg", update.lib / "job": "change\tdpkg\t1\t2"}
    for path, value in files.items():
        path.write_text(f"{value}\n")
    os.utime(update.run / "now", (0, 0))
    damage.do(name, *files)
    damage.up(update)
    damage.settled(update)
    if name in ("empty", "zeroed", "torn", "a directory"):
        update.until_logged("job:", "kept as job.corrupt-1; how the upgrade that was begun went is in /var/log/apt/term.log")

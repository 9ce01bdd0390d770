"""Whatever becomes of update's files, it waits for its time, and says what it does not know any more."""

import os
import shutil

import pytest

from tests import damage
from tests.kit import House, TestInstance, until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="update is root's: needs root")


@pytest.fixture(scope="module")
def update(house_of_module: House) -> TestInstance:
    update = house_of_module.add("update", UPGRADE="no-such-package")
    house_of_module.until(lambda: update.status not in ("", "starting"))
    return update


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_it_waits_for_its_time_whatever_became_of_its_files(update: TestInstance, name: str) -> None:
    damage.down(update)
    for path in (*update.lib.iterdir(), *update.run.iterdir()):
        path.unlink() if path.is_file() or path.is_fifo() or path.is_socket() else shutil.rmtree(path)
    said = len(update.log)
    files = {update.run / "last": "100", update.run / "found": "found", update.run / "put-off": "pimains 1 to 2"}
    files |= {update.run / "now": "nothing is asked", update.lib / "failing": "dpkg", update.lib / "job": "change\tdpkg\t1\t2"}
    for path, value in files.items():
        path.write_text(f"{value}\n")
    os.utime(update.run / "now", (0, 0))
    damage.do(name, *files)
    damage.up(update)
    damage.settled(update)
    if name in ("empty", "zeroed", "torn", "a directory"):
        words = "kept as job.corrupt-1; how the upgrade that was begun went is in /var/log/apt/term.log"
        until(lambda: "job:" in update.log[said:] and words in update.log[said:], what=update.story)

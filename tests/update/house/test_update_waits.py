"""update as a service: it notices that clients have left, upgrades nothing below a root of its own, and needs little."""

import subprocess
import time
from pathlib import Path

from tests.core.bench import footprint
from tests.kit import House


def test_what_was_put_off_for_clients_is_looked_at_a_minute_after_they_have_left(house: House) -> None:
    """A minute of a clock that is 60 times as fast; the next interval is six real minutes away."""
    update = house.add("update", svscan=False, UPGRADE="no-such-package", PIMAINS_SPEED="60")
    listed = house.root / "run/pimains/fserver/clients"
    looked_at = 60 * time.clock_gettime(time.CLOCK_BOOTTIME) - 600
    for path, value in ((update.run / "put-off", "pimains 1 to 2"), (update.run / "last", looked_at), (listed, "kitchen (10.0.0.2) since")):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{value}\n")
    house.start()
    house.until(lambda: update.status.endswith("pimains 1 to 2: waiting until kitchen has left"))
    listed.write_text("\n")
    house.until(lambda: update.status.startswith("nothing to upgrade: none of UPGRADE is installed"))
    assert update.read("put-off") == ""


def test_below_a_root_of_its_own_it_only_says_what_it_would_do(house: House) -> None:
    def status_of_dpkg() -> tuple[float, str]:
        return Path("/var/lib/dpkg/status").stat().st_mtime, subprocess.run(
            ["dpkg", "-l"], capture_output=True, text=True, check=True
        ).stdout

    before = status_of_dpkg()
    footprint.ask_to_look_now(house)
    update = house.add("update", UPGRADE="dpkg no-such-package")
    house.until(lambda: update.status.startswith(("nothing to upgrade: dpkg ", "would upgrade dpkg ")))
    assert status_of_dpkg() == before
    assert not Path("/run/pimains-update/update").exists()


def test_a_window_that_is_none_is_one_line_that_names_the_file(house: House) -> None:
    update = house.add("update", WINDOW="at night")
    house.until(lambda: update.status.endswith("variables/WINDOW: 'at night' is no window of time (such as 02:00-05:00, or empty)"))


def test_an_idle_update_service_needs_at_most_10_mb_and_no_processor(house: House) -> None:
    found = footprint.measure(house, 2, "update")
    assert found.beside_others.pss <= 10
    assert found.processor_percent <= 0.1

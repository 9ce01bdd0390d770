"""create_service --demo at a terminal: the house lives on, its page answers, and nothing is left whatever ends it."""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.create_service.demos import Watched, still_running_in
from tests.kit import until
from tests.web.page import Session

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give the kitchen a network and mounts of its own")
DAY_SECONDS = 8


class Home:
    """A demo that is up; `root` is its directory in `temporary`."""

    def __init__(self, temporary: Path) -> None:
        self.temporary = temporary
        self.demo = Watched(temporary, PIMAINS_DEMO_DAY_SECONDS=str(DAY_SECONDS))
        self.demo.until_said(r"\^C ends it, and nothing of it is left\.")
        (self.root,) = temporary.glob("pimains-demo-*")

    def pasted(self, beginning: str) -> str:
        """The first line of the tour in which this is found."""
        return next(line.strip() for line in self.demo.said.splitlines() if line.startswith("    ") and beginning in line)

    def paste(self, beginning: str) -> str:
        """What a line of the tour says, as somebody pastes it."""
        done = subprocess.run(
            ["sh", "-c", self.pasted(beginning)], env={"PATH": os.environ["PATH"]}, stdout=subprocess.PIPE, text=True, check=False
        )
        return done.stdout

    def value(self, path: str) -> str:
        """A state file; "" while there is none."""
        with suppress(OSError):
            return (self.root / "run/pimains" / path).read_text().strip()
        return ""


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """One for all of these tests: it takes a while until it is up. The last of them ends it."""
    with tempfile.TemporaryDirectory(prefix="pimains-demo-test-") as temporary:
        Path(temporary).chmod(0o755)
        home = Home(Path(temporary))
        try:
            yield home
        finally:
            if home.demo.process.poll() is None:
                home.demo.end(signal.SIGTERM)


def test_its_page_asks_for_the_password_that_it_tells_and_shows_the_house(home: Home) -> None:
    told = re.search(r"(http://127\.0\.0\.1:[0-9]+)/   ([a-z2-9]{4}(?:-[a-z2-9]{4}){2})\n", home.demo.said)
    assert told, home.demo.said
    assert "There is no" not in home.demo.said
    assert Session(told[1], None).show("/v1/services").status_code in (401, 403, 404)
    assert Session(told[1], None).get(f"{told[1]}/", allow_redirects=False).status_code in (302, 303, 401)
    page = Session(told[1], told[2]).show("/")
    assert page.status_code == 200
    assert "The demo&#x27;s house" in page.text or "The demo&#39;s house" in page.text
    assert told[2] not in "".join(each.read_text(errors="replace") for each in home.root.glob("var/log/pimains/*/current"))


def test_every_service_is_well_and_lines_of_the_tour_work_when_they_are_pasted(home: Home) -> None:
    until(lambda: home.paste("pimains status").count(" up ") == 12, 30, lambda: home.paste("pimains status"))
    home.paste("echo on >")
    until(lambda: home.value("relays/3.state") == "on", what="the heater to be on")
    assert "relay.3: on, because a person wants it on" in home.paste("why relay.3")
    assert "80-plug" in home.paste("halt --dry-run")
    assert "1  boiler" in home.paste("pimains relay --servicedir")
    home.paste("echo cable out")
    until(lambda: (home.root / "kitchen/run/pimains/fclient/status").read_text().startswith("waiting for"), what="the share to go")
    home.paste("echo cable in")
    until(lambda: (home.root / "kitchen/run/pimains/fclient/status").read_text().strip().endswith("is mounted"), what="the share to come")


@pytest.mark.parametrize("line", ["outage ²", "outage 0", "clouds many", "clouds nan", "\x1b[2J"])
def test_what_cannot_happen_is_answered_and_the_house_lives_on(home: Home, line: str) -> None:
    (home.root / "happen").write_text(f"{line}\n")
    home.demo.until_said(f"{re.escape(repr(line))} cannot happen here: button, outage SECONDS", 10)


def test_a_day_of_its_sun_passes(home: Home) -> None:
    until(lambda: home.value("vedirect.mppt/PPV") == "0", 2 * DAY_SECONDS, "night")
    until(lambda: float(home.value("vedirect.mppt/PPV") or 0) > 500, 2 * DAY_SECONDS, "day")


def test_what_is_left_of_one_that_was_killed_is_cleared_by_the_next_which_leaves_nothing_when_it_is_interrupted(home: Home) -> None:
    home.demo.process.kill()
    home.demo.process.wait()
    assert still_running_in(home.root), "its services go on, which is what this is about"
    following = Watched(home.temporary)
    following.until_said(r"Cleared what was left of 1 earlier demo that could not say goodbye\n")
    assert not home.root.exists()
    assert still_running_in(home.root) == []
    until(lambda: list(home.temporary.glob("*/run/pimains/plug/status")), what="the next one to come so far")
    assert following.end(signal.SIGINT) == 130
    assert "Stopped and cleaned up" in following.said
    assert list(home.temporary.iterdir()) == []
    assert still_running_in(home.temporary) == []

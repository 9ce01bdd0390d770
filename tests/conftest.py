"""Fixtures every test may ask for."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.core.lamp import Checkout
from tests.fserver.two_hosts import TwoHosts, two_hosts
from tests.halt.halting import new_halt
from tests.kit import House, TestInstance, new_house
from tests.plug.firmware import Plug, new_plugs
from tests.ups.messages import Queue
from tests.ups.neighbour import Neighbour, neighbour
from tests.ups.nut2_library import NUT2
from tests.ups.upsd import USERS, Upsd

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.web.page import Pages

sys.path.append(str(NUT2))  # as on a machine where python3-nut2 is installed

# a shell's background job is begun with SIGINT ignored, and so would be every program that a test interrupts
signal.signal(signal.SIGINT, signal.default_int_handler)

# the same examples in every run: what is found once is found always; HYPOTHESIS_PROFILE=explore looks further, quick less far
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.register_profile("quick", derandomize=True, deadline=None, max_examples=20)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture
def house() -> Iterator[House]:
    """A house of its own: a root, a scan directory, a real svscan. In /tmp, where user pimains may go too."""
    with tempfile.TemporaryDirectory(prefix="pimains-house-", ignore_cleanup_errors=True) as root:  # what was killed may still be ending
        yield from new_house(Path(root))


@pytest.fixture(scope="module")
def house_of_module() -> Iterator[House]:
    """One that all tests of a file share, each of which leaves its services as it found them: to make one takes a while."""
    with tempfile.TemporaryDirectory(prefix="pimains-house-", ignore_cleanup_errors=True) as root:
        yield from new_house(Path(root))


@pytest.fixture
def hosts() -> Iterator[TwoHosts]:
    """Two hosts with a cable between them. See tests/fserver/two_hosts.py."""
    with tempfile.TemporaryDirectory(prefix="pimains-hosts-") as top, two_hosts(Path(top)) as both:
        yield both


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    """A checkout with the service lamp, where user pimains may go too."""
    with tempfile.TemporaryDirectory(prefix="pimains-checkout-") as top:
        Path(top).chmod(0o755)
        yield Checkout(Path(top))


@pytest.fixture
def plugs(tmp_path: Path) -> Iterator[Callable[..., Plug]]:
    """Makes plugs: the real firmware, each with a flash and a port of its own. See firmware.py."""
    yield from new_plugs(tmp_path)


@pytest.fixture
def upsd(tmp_path: Path) -> Iterator[Upsd]:
    """A real upsd with the UPSes eaton and cellar; anna and carl may command them, bert may log in."""
    with Upsd(tmp_path, "eaton", "cellar", users=f"{USERS}[carl]\n password = carl\n upsmon primary\n") as upsd:
        yield upsd


@pytest.fixture
def halt(house: House, monkeypatch: pytest.MonkeyPatch) -> TestInstance:
    """A halt service that is ready, and the test has its files where the house has them."""
    monkeypatch.setenv("PIMAINS_ROOT", str(house.root))
    return new_halt(house)


@pytest.fixture
def queue(house: House, monkeypatch: pytest.MonkeyPatch) -> Queue:
    """Where messages wait in the house."""
    return Queue(house, monkeypatch)


@pytest.fixture
def nas() -> Iterator[Neighbour]:
    """Another machine of the house, with an sshd."""
    with tempfile.TemporaryDirectory(prefix="pimains-nas-") as top, neighbour(Path(top)) as nas:
        yield nas


@pytest.fixture(scope="module")  # as long as it is there, this thread has a running loop, and asyncio.run is refused
def chromium() -> "Iterator[Browser]":
    """A browser of this file's tests. See tests/web/page.py."""
    from tests.web.page import new_browser  # it takes a while to come, and most tests have no page

    yield from new_browser()


@pytest.fixture
def pages(chromium: "Browser") -> "Iterator[Pages]":
    """Opens pages in it, and fails the test for what they complain of."""
    from tests.web.page import new_pages

    yield from new_pages(chromium)


@pytest.hookimpl(tryfirst=True)  # xdist looks for groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run beside each other: a file of packaging shares its roots, so it is one process's work; the longest come first.

    What takes moments comes last: so nobody waits at the end for the one who began something long.
    """
    for item in items:
        if "packaging" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    if "packaging" in item.path.parts:
        return 0
    return 1 if "house" in item.path.parts or item.get_closest_marker("long") else 2

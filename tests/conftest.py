"""Fixtures every test may ask for."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from firmware import Plug, new_plugs
from kit import House, new_house
from lamp import Checkout


@pytest.fixture
def house() -> Iterator[House]:
    """A house of its own: a root, a scan directory, a real svscan. In /tmp, where user pimains may go too."""
    with tempfile.TemporaryDirectory(prefix="pimains-house-") as root:
        yield from new_house(Path(root))


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

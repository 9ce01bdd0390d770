"""A house without services: their directories and what they leave for others, beside a page's application on loopback.

with household(house, monkeypatch) as web:       # of tests.web.asking; PASSWORD is set
    web.log_in(); web.act("/v1/power/halt")
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pimains.shared import halt_request
from tests.kit import TOP, House
from tests.web.asking import PASSWORD, Asked, answering


@contextmanager
def household(house: House, monkeypatch: pytest.MonkeyPatch, **variables: str) -> Iterator[Asked]:
    """Services that are added to `house` without svscan are there, and do not run."""
    monkeypatch.setenv("PIMAINS_ROOT", str(house.root))
    monkeypatch.setenv("PYTHONPATH", str(TOP / "lib"))
    with answering(house.scan, PASSWORD=PASSWORD, **variables) as web:
        yield web


def directory_of(house: House, name: str) -> Path:
    """/run/pimains/<instance>, where the test leaves what the service would."""
    run = house.root / "run/pimains" / name
    run.mkdir(exist_ok=True)
    return run


def can_be_asked(house: House) -> None:
    """As when the halt service has started, and does nothing more."""
    house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
    directory_of(house, "halt")
    halt_request.keep_files()

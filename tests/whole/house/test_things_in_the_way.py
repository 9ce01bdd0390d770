"""What lies where a service keeps a file, by an accident or by another member of the group, does not end the service."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pimains.core import state
from tests.collector.collecting import Collector
from tests.fclient.one_client import SECRET
from tests.kit import House, TestInstance, free_port
from tests.meter.meters import Meter
from tests.plug.plugs import aioesphomeapi, house_plug


def plug(house: House) -> TestInstance:
    device = house.closing.enter_context(house_plug())
    return house.add("plug", pythonpath=aioesphomeapi(), HOST="127.0.0.1", PORT=device.port)


MAKE: dict[str, Callable[[House], TestInstance]] = {
    "notify": lambda house: house.add("notify", MAIL_TO=""),
    "fserver": lambda house: house.add("fserver", HOST="127.0.0.1", PORT=str(free_port()), SECRET=SECRET),
    "meter": lambda house: Meter(house).instance,
    "collector": lambda house: Collector(house).instance,
    "plug": plug,
}


def full_directory(path: Path) -> None:
    path.mkdir()
    (path / "somebody's").touch()


def link(path: Path) -> None:
    path.symlink_to("/nowhere/at/all")


@pytest.mark.parametrize("name", MAKE)
def test_a_service_goes_on_whatever_lies_in_the_place_of_its_files(house: House, name: str) -> None:
    service = MAKE[name](house)
    house.until(lambda: service.status and not service.status.startswith(("starting", "connecting")))
    before = service.status
    for make in (full_directory, os.mkfifo, link):
        service.svc("-d")
        house.until(lambda: not service.pid, what=service.story)
        for top in (service.run, service.lib):
            for path in [path for path in top.iterdir() if not path.name.startswith(".")]:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
                make(path)
        service.svc("-u")
        house.until(lambda: state.read(service.run / "status") == before, what=lambda: f"{before}, not {service.story()}")
        assert "Traceback" not in service.log

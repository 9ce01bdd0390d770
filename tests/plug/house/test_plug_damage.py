"""Whatever becomes of a plug's files, it is with its plug again; one that may cut is never taken for one that does not."""

import os

import pytest

from pimains.core.instance import Instance
from pimains.shared import plug_cuts
from tests import damage
from tests.kit import House
from tests.plug.plugs import OLDEST, aioesphomeapi, house_plug

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")
FILES = ("contact", "countdown", "cut", "answered", "delay", "relay", "power")


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_it_is_with_its_plug_again(house: House, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIMAINS_ROOT", str(house.root))
    with house_plug() as device:
        house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
        plug = house.add("plug", pythonpath=aioesphomeapi(OLDEST), HOST="127.0.0.1", PORT=device.port)
        house.until(lambda: plug.status.startswith("connected"), what=plug.log)
        damage.down(plug)
        files = [plug.run / each for each in FILES] + [plug.lib / "armed", plug.lib / "told"]
        for path in files:
            path.exists() or path.write_text("300\n")
        damage.do(name, *files)
        if name not in ("lost", "of another owner"):
            assert plug_cuts.armed_seconds(Instance("plug", plug.directory)) == plug_cuts.SHORTEST_SECONDS
            assert plug_cuts.may_be_armed(Instance("plug", plug.directory))
        damage.up(plug)
        house.until(lambda: plug.status.startswith("connected"), what=plug.log)
        damage.settled(plug)
        assert not house.halts()
        if name not in ("lost", "of another owner"):
            plug.until_logged("its plug is taken to cut after 60 s, the least there is", "told.corrupt-1")

"""Whatever becomes of the files of a file server and of its client, they are with each other, and the share is mounted once."""

import os

import pytest

from tests import damage
from tests.fclient.one_client import one_house
from tests.kit import until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="fclient is root's: needs root")


@pytest.mark.parametrize("name", damage.DAMAGES)
def test_they_find_each_other_again_and_the_share_is_mounted(name: str) -> None:
    with one_house() as house:
        fserver, fclient = house.add_fserver(svscan=False), house.add_fclient()
        until(house.is_mounted)
        until(lambda: (fclient.run / "holds").exists() and (fserver.run / "clients").exists())
        for each in (fclient, fserver):  # as a power cut leaves them: neither waits for the other
            each.svc("-dk")
        until(lambda: not fclient.pid and not fserver.pid)
        (fclient.lib / "address").write_text("127.0.0.1 127.0.0.1\n")
        files = [fclient.run / "holds", fclient.run / "id", fclient.lib / "address", fserver.run / "clients"]
        for path in files:
            path.exists() or path.write_text("a line\n")
        damage.do(name, *files)
        damage.up(fserver, fclient)
        until(lambda: house.is_mounted() and "kitchen" in fserver.read("clients"), what=fclient.log)
        damage.settled(fserver, fclient)

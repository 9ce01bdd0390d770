"""Nobody becomes root by way of a file: what user pimains, members of the group and others do to the services' files changes nothing."""

import os
import shutil

import pytest

from tests.fclient.one_client import one_house
from tests.whole.attacked import AttackedHouse

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be attacked")
SECONDS = float(os.environ.get("PIMAINS_ATTACK_SECONDS", "5"))


def test_nothing_outside_changes_and_every_service_goes_on() -> None:
    with one_house() as house:
        attacked = AttackedHouse(house)
        outside, mounts = attacked.outside_is(), attacked.mounts()
        said = attacked.attack(SECONDS)
        assert attacked.outside_is() == outside
        assert attacked.backups() != [], "root worked meanwhile"
        assert {line.split(" ", 1)[1] for line in house.units()} == {"autofs"}
        assert attacked.mounts() | {str(house.share)} == mounts
        assert house.halts() == []
        assert attacked.tops_are() == ["run/pimains: 40755 0:0 ''", "var/lib/pimains: 40755 0:0 ''"]
        for name in ("fclient", "halt", "rsync", "update"):
            for each in (attacked.services[name].run, attacked.services[name].lib):
                assert (each.stat().st_uid, each.stat().st_mode & 0o777) == (0, 0o755), each
        assert int(said[0].split()[0]) > 0, f"user pimains may do something in its own directories: {said}"
        # its own services user pimains can put out of work, as it could by ending them; root takes away what it has made of their files
        for name in ("fserver", "notify"):
            attacked.services[name].svc("-d")
            house.until(lambda name=name: not attacked.services[name].pid)
            for each in (attacked.services[name].run, attacked.services[name].lib):
                shutil.rmtree(each)
            attacked.services[name].svc("-u")
        for service in attacked.services.values():
            service.svc("-t")
        house.until(lambda: attacked.services["halt"].status == "ready", what=attacked.services["halt"].story)
        house.until(house.is_mounted, what=lambda: "\n".join(attacked.services[each].story() for each in ("fserver", "fclient")))
        (attacked.services["halt"].run / "request").write_text("a test\n")
        house.until(house.halts)

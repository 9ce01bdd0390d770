"""The plug service when its state cannot be written: the plug must not take it for dead."""

import time

from tests.kit import House
from tests.plug.plugs import aioesphomeapi, house_plug


def test_heartbeats_go_on_while_no_state_can_be_written(house: House) -> None:
    with house_plug() as device:
        # every second instead of every 20
        plug = house.add("plug", pythonpath=aioesphomeapi(), HOST="127.0.0.1", PORT=device.port, PIMAINS_SPEED="20")
        house.until(lambda: plug.status.startswith("connected"))
        pid = plug.pid
        plug.run.chmod(0o555)
        house.until(lambda: "cannot write to" in plug.log)
        seen = time.monotonic()

        def heartbeat_is_on() -> bool:
            device.said.clear()
            device.tell("status")
            device.until_said("Heartbeat Switch")
            return device.has_said("Heartbeat Switch 1")

        # a heartbeat is on for 3 s: whoever stopped sending them is found out after that
        house.until(lambda: time.monotonic() - seen > 4 and heartbeat_is_on())
        assert plug.pid == pid
        assert plug.log.count("cannot write to") == 1
        plug.run.chmod(0o755)

"""A server by its name, on two hosts: every address of it is tried, and the last good one outlives a restart while names are not known."""

import pytest

from tests.fserver.two_hosts import SERVER, TwoHosts, run

pytestmark = pytest.mark.alone
_IPV6 = "fd00:91::1"


@pytest.mark.parametrize("listens", ["0.0.0.0", "::"])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_server_whose_name_has_ipv6_and_ipv4_is_joined_by_the_one_that_works(hosts: TwoHosts, listens: str, is_there: bool) -> None:
    """One whose IPv6 address is there, but refuses, or is nowhere at all."""
    for name, address in zip(hosts.names, (_IPV6 if is_there else "fd00:91::9", "fd00:91::2"), strict=True):
        run("ip", "-n", name, "address", "add", f"{address}/64", "dev", "eth0", "nodad")
    hosts.name_server(_IPV6, SERVER)
    hosts.add_fserver(HOST=listens)
    fclient = hosts.add_fclient(HOST="music.lan")
    hosts.client.until(lambda: fclient.status.endswith("is mounted; started: mpd"), what=fclient.log)
    assert "cannot join" not in fclient.log
    good = (fclient.lib / "address").read_text().split()
    assert good == ["music.lan", _IPV6 if is_there and listens == "::" else SERVER]

    hosts.name_server()
    pid = fclient.pid
    fclient.svc("-t")
    hosts.client.until(lambda: fclient.pid not in (0, pid))
    hosts.client.until(lambda: fclient.log.count("joined") == 2 and fclient.status.endswith("started: mpd"), what=fclient.log)
    assert [unit for unit in hosts.units() if unit.startswith("stop")] == [], fclient.log

"""A share that dies while its server is there: status is wrong for five seconds at most, nobody hangs for longer, and it comes back.

The share is real: sshfs on a host of its own, whose daemon is killed or frozen, whose server moves to another address.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.fserver.two_hosts import SERVER, TwoHosts
from tests.kit import TestInstance

pytestmark = pytest.mark.alone
_ELSEWHERE = "10.91.0.9"


def is_up(hosts: TwoHosts, fclient: TestInstance) -> bool:
    """Mounted by the kernel's list, and said to be."""
    return fclient.status.endswith("is mounted; started: mpd") and hosts.is_mounted(fclient)


def up(hosts: TwoHosts, **variables: str) -> TestInstance:
    fclient = hosts.add_fclient(**variables)
    hosts.client.until(lambda: is_up(hosts, fclient), what=fclient.log)
    return fclient


@contextmanager
def somebody_looks_above(hosts: TwoHosts) -> Iterator[list[int]]:
    """How each `timeout 1 ls` of the directory above the share ended, all the time."""
    endings: list[int] = []
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(0.2):
            endings.append(hosts.in_client("timeout", "1", "ls", hosts.share.parent).returncode)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        yield endings
    finally:
        is_over.set()
        looker.join()


def goes_and_comes(hosts: TwoHosts, fclient: TestInstance, happens: Callable[[], None]) -> tuple[float, float]:
    """Seconds until a share that has died is away, and from then on until it is back."""
    told = len(hosts.units())
    with somebody_looks_above(hosts) as endings:
        happens()
        began = time.monotonic()
        hanging = hosts.begin_in_client("ls", hosts.share)
        hosts.client.until(lambda: not fclient.status.endswith("is mounted; started: mpd"), what=fclient.log)
        said = time.monotonic() - began
        hosts.client.until(lambda: is_up(hosts, fclient), what=fclient.log)
        back = time.monotonic() - began
        hanging.wait(5)
    assert set(endings) == {0}, endings
    assert hosts.in_client("timeout", "2", "ls", hosts.share).stdout == "Music\n", fclient.log
    assert hosts.units()[told:] == ["stop autofs", "stop mpd", "start autofs", "start mpd"]
    print(f"{said:.2f} s until it is said to be away, back {back - said:.2f} s later")
    return said, back - said


def test_a_share_whose_daemon_is_frozen_is_taken_away_and_mounted_anew(hosts: TwoHosts) -> None:
    hosts.add_fserver()
    fclient = up(hosts)
    frozen = hosts.mounter()
    try:
        gone, back = goes_and_comes(hosts, fclient, lambda: os.kill(frozen, signal.SIGSTOP))
        hosts.client.until(lambda: frozen not in hosts.mounters(), what="the daemon that was frozen to be ended")
        assert len(hosts.mounters()) == 1, "the one that serves the share now goes on"
    finally:
        with suppress(ProcessLookupError):
            os.kill(frozen, signal.SIGKILL)
    assert gone <= 5
    assert back <= 5
    assert ": no answer for " in fclient.log


def test_a_share_whose_daemon_was_killed_is_mounted_anew(hosts: TwoHosts) -> None:
    hosts.add_fserver()
    fclient = up(hosts)
    gone, back = goes_and_comes(hosts, fclient, lambda: os.kill(hosts.mounter(), signal.SIGKILL))
    assert gone <= 5
    assert back <= 5
    fclient.until_logged("transport endpoint is not connected: it is to be mounted anew")


@pytest.mark.parametrize("where", ["music.lan", SERVER])
def test_a_share_whose_server_has_another_address_is_mounted_from_there(hosts: TwoHosts, where: str) -> None:
    hosts.name_server(SERVER)
    hosts.share_host.write_text(where)
    hosts.add_fserver(HOST="0.0.0.0")
    fclient = up(hosts, HOST="music.lan")

    def move() -> None:
        hosts.move_server(SERVER, _ELSEWHERE)
        hosts.name_server(_ELSEWHERE)
        hosts.share_host.write_text("music.lan")

    before = hosts.mounter()
    gone, back = goes_and_comes(hosts, fclient, move)
    assert gone <= 5
    assert back <= 5
    hosts.client.until(lambda: before not in hosts.mounters(), what="the daemon that waits for the server where it was to be ended")
    assert is_up(hosts, fclient)


def test_a_client_that_slept_while_its_server_moved_believes_nothing_of_what_it_finds(hosts: TwoHosts) -> None:
    """Its processes are stopped for longer than all patience; what ten minutes by its clock do is shown in tests/fclient/unit."""
    hosts.name_server(SERVER)
    hosts.add_fserver(HOST="0.0.0.0")
    fclient = up(hosts, HOST="music.lan")
    children = Path(f"/proc/{fclient.pid}/task/{fclient.pid}/children").read_text().split()
    asleep = [fclient.pid, hosts.mounter(), *map(int, children)]
    for pid in asleep:
        os.kill(pid, signal.SIGSTOP)
    try:
        hosts.move_server(SERVER, _ELSEWHERE)
        hosts.name_server(_ELSEWHERE)
        hosts.share_host.write_text("music.lan")
        time.sleep(10)  # that it sleeps meanwhile is what is tested
    finally:
        gone, back = goes_and_comes(hosts, fclient, lambda: [os.kill(pid, signal.SIGCONT) for pid in asleep])
    assert gone <= 5
    assert back <= 5

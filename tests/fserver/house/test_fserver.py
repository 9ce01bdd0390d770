"""fserver and fclient with real processes on loopback: hostile peers, secrets, pistop's protocol, halts, busy shares."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pimains.cli.main import main
from pimains.core.ledger import Ledger
from tests.fclient.one_client import ANOTHER_SECRET, OneHouse, one_house
from tests.halt.halting import ask, is_asked
from tests.kit import TestInstance


@pytest.fixture
def house() -> Iterator[OneHouse]:
    with one_house() as house:
        yield house


def sent_away(peer: socket.socket, seconds: float = 60) -> bool:
    """Whether the server closes the connection, after whatever it says first."""
    peer.settimeout(seconds)
    try:
        while peer.recv(4096):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def waiting(server: socket.socket) -> socket.socket:
    """The next client of a pistop server, which says nothing yet: its greeting is buffered. The first may have hung up before."""
    while True:
        peer, _ = server.accept()
        if peer.recv(10) == b"wait\n":
            return peer
        peer.close()


def say_goodbye(peer: socket.socket) -> None:
    """As pistop's server does when it is told to stop: all that it ever had to say at once, and it ends."""
    peer.sendall(b"Connection from 127.0.0.1\nshutdown\n")
    peer.close()


def up(house: OneHouse, **variables: str) -> tuple[TestInstance, TestInstance]:
    fserver, fclient = house.add_fserver(svscan=False), house.add_fclient(**variables)
    house.until(lambda: "is mounted" in fclient.status)
    house.until(lambda: fserver.status == "1 client: kitchen")
    return fserver, fclient


def test_garbage_slow_and_silent_peers_are_sent_away_with_one_line_and_hurt_nobody(house: OneHouse) -> None:
    fserver, _ = up(house)
    memory = Path(f"/proc/{fserver.pid}/statm").read_text().split()[1]
    with ExitStack() as stack:
        garbage = stack.enter_context(house.connect())
        garbage.sendall(os.urandom(100_000))
        assert sent_away(garbage)
        endless = stack.enter_context(house.connect())
        endless.sendall(b"x" * 600)
        assert sent_away(endless)
        early = stack.enter_context(house.connect())
        early.sendall(b"1 left gone " + b"0" * 64 + b"\nshutdown\n")
        assert sent_away(early)
        slow = stack.enter_context(house.connect())
        began = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - began < 60:
                slow.send(b"j")
                time.sleep(0.1)
        assert time.monotonic() - began > 2.5, "whoever is slow gets his time"
        crowd = [stack.enter_context(house.connect()) for _ in range(1000)]
        for peer in crowd[::100]:
            assert sent_away(peer)
    fserver.until_logged("is sent away")
    assert fserver.log.count("is sent away") <= 2, "once a minute"
    assert fserver.status == "1 client: kitchen"
    assert house.is_mounted()
    assert "stop" not in " ".join(house.units())
    assert (int(Path(f"/proc/{fserver.pid}/statm").read_text().split()[1]) - int(memory)) * 4 < 1024, "kB more than before"
    assert house.halts() == []


def test_a_client_joins_while_a_crowd_keeps_the_server_busy(house: OneHouse) -> None:
    fserver = house.add_fserver()
    house.until(lambda: fserver.status == "no clients")
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(house.connect())
        house.add_fclient()
        house.until(lambda: fserver.status == "1 client: kitchen")


def test_a_client_with_another_secret_is_told_which_setting_to_change(house: OneHouse) -> None:
    fserver, fclient = house.add_fserver(svscan=False), house.add_fclient(SECRET=ANOTHER_SECRET)
    house.until(lambda: fclient.status.endswith("; is variables/SECRET the same as the server's?"))
    assert fclient.status.startswith(f"waiting for 127.0.0.1:{house.port}, cannot join it: ")
    assert (fclient.run / "unwell").exists()
    house.until(lambda: "a proof made with another SECRET" in fserver.log)
    assert house.units() == []
    assert "others may read" not in fclient.log
    fclient.set("SECRET", (fserver.directory / "variables/SECRET").read_text().splitlines()[0])
    (fclient.directory / "variables/SECRET").chmod(0o644)
    fclient.svc("-t")
    house.until(lambda: house.is_mounted())
    assert "others may read the secret in" in fclient.read("error")
    house.until(lambda: fclient.status.endswith("is mounted; started: mpd"))


def test_more_clients_than_allowed_are_refused_and_come_when_there_is_room(house: OneHouse) -> None:
    fserver, fclient = house.add_fserver(svscan=False, MAX_CLIENTS="1"), house.add_fclient()
    house.until(lambda: fserver.status == "1 client: kitchen")
    bath = house.add_fclient("bath", NAME="bath", MDRIVE=f"{house.root}/mnt", UNITS="")
    house.until(lambda: "the server takes no more clients: MAX_CLIENTS is 1" in bath.log)
    fclient.svc("-d")
    house.until(lambda: fserver.status == "1 client: bath")


def test_a_halt_sees_the_clients_off_first(house: OneHouse) -> None:
    halt = house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
    fserver, fclient = up(house)
    house.until(lambda: halt.status == "ready")
    ask(halt, "bedtime\nme\n")
    house.until(lambda: house.halts())
    assert not house.is_mounted()
    assert house.units()[-2:] == ["stop mpd", "stop autofs"]
    fclient.until_logged("leaving: bedtime")
    house.until(lambda: fserver.status == "closed: this machine is about to halt")
    house.until(lambda: fserver.read("clients") == "")
    ledger = Ledger(house.root / "var/lib/pimains/ledger.sqlite")
    assert [entry.action for entry in reversed(ledger.entries("share"))] == ["mounted", "unmounted"]
    assert ledger.entries("clients")[0].cause == "bedtime"
    assert len(Ledger(house.root / "var/lib/pimains/ledger/ledger.sqlite").durations("clients")) == 1
    assert ledger.durations("clients") == [], "root believes no times but its own"
    # 2 s later the client would try again: nobody is admitted while the halt is under way
    with house.connect() as peer:
        assert not sent_away(peer, 0.5)
        peer.settimeout(0.1)
        with pytest.raises(TimeoutError):
            peer.recv(1)


def test_with_power_off_the_client_is_halted_by_its_own_halt_service_when_the_server_says_so(house: OneHouse) -> None:
    halt = house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
    fserver, _ = up(house, POWER_OFF="told")
    house.until(lambda: halt.status == "ready")
    fserver.svc("-d")
    house.until(lambda: house.halts())
    assert not house.is_mounted()
    entry = Ledger(house.root / "var/lib/pimains/ledger.sqlite").entries("halt")[-1]
    assert "the file server stops" in entry.cause
    assert "fclient" in entry.cause


def test_a_killed_server_is_gone_and_power_off_told_halts_nothing(house: OneHouse) -> None:
    halt = house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
    fserver, _ = up(house, POWER_OFF="told")
    house.until(lambda: halt.status == "ready")
    fserver.kill(19)  # STOP: it is silent, and its connections stay open
    began = time.monotonic()
    house.until(lambda: not house.is_mounted())
    assert time.monotonic() - began >= 3.6
    house.until(lambda: "stop autofs" in house.units())
    fserver.kill(18)
    house.until(lambda: house.is_mounted())
    assert house.halts() == []


def test_with_power_off_1_a_lost_server_halts_the_client_and_a_client_that_is_stopped_halts_nothing(house: OneHouse) -> None:
    halt = house.add("halt", svscan=False, HALT_COMMAND=house.recorder)
    fserver, fclient = up(house, POWER_OFF="1")
    house.until(lambda: halt.status == "ready")
    fclient.svc("-d")
    house.until(lambda: fclient.status == "stopped")
    assert not house.is_mounted()
    fclient.svc("-u")
    house.until(lambda: "is mounted" in fclient.status)
    assert not is_asked(halt)
    assert house.halts() == []
    fserver.kill(19)
    house.until(lambda: (halt.run / "accepted").exists())
    assert not house.is_mounted()
    assert "is gone" in (halt.run / "accepted").read_text()
    fserver.kill(18)


def test_a_client_is_stopped_in_time_also_when_its_server_is_gone(house: OneHouse) -> None:
    fserver, fclient = up(house)
    fserver.kill(19)
    fclient.svc("-d")
    house.until(lambda: fclient.status == "stopped")
    assert not house.is_mounted()
    fserver.kill(18)


def test_a_frozen_client_is_gone_and_a_server_notices(house: OneHouse) -> None:
    fserver, fclient = up(house)
    fclient.kill(19)
    house.until(lambda: fserver.status == "no clients")
    fserver.until_logged("nothing heard for 3.9 s")
    fclient.kill(18)


def test_a_busy_share_is_waited_for_by_name_and_taken_by_force_only_when_the_server_is_gone(house: OneHouse) -> None:
    fserver, fclient = up(house)
    with subprocess.Popen(["nsenter", f"--mount=/proc/{house.pid}/ns/mnt", "sh", "-c", f"cd {house.share}/Music && exec sleep 60"]) as busy:
        try:
            house.until(lambda: "Music" in str(Path(f"/proc/{busy.pid}/cwd").readlink()))
            fserver.svc("-d")
            house.until(lambda: f"kept by sleep ({busy.pid})" in fclient.status)
            house.until(lambda: f"kept by sleep ({busy.pid})" in fserver.status)
            assert house.is_mounted()
            fserver.kill()
            house.until(lambda: not house.is_mounted(), 30)  # before that program ends by itself
        finally:
            busy.terminate()


def test_with_force_umount_nobody_keeps_a_share_busy(house: OneHouse) -> None:
    fserver, _ = up(house, FORCE_UMOUNT="1")
    with subprocess.Popen(["nsenter", f"--mount=/proc/{house.pid}/ns/mnt", "sh", "-c", f"cd {house.share}/Music && exec sleep 60"]) as busy:
        house.until(lambda: "Music" in str(Path(f"/proc/{busy.pid}/cwd").readlink()))
        fserver.svc("-d")
        house.until(lambda: not house.is_mounted(), 30)  # before that program ends by itself
        busy.terminate()


def test_hooks_run_at_their_time_with_a_limit_and_only_if_nobody_else_can_write_them(house: OneHouse) -> None:
    hooks = house.root / "hooks"
    hooks.mkdir()
    for name in ("pre_mount", "post_mount", "pre_unmount", "post_unmount"):
        (hooks / name).write_text(f'#!/bin/sh\necho "{name} $MDRIVE" >>{house.root}/systemctl.log\n')
        (hooks / name).chmod(0o755)
    (hooks / "post_mount").write_text("#!/bin/sh\nexec sleep 60\n")
    (hooks / "post_unmount").chmod(0o777)
    _, fclient = up(house, HOOKS=str(hooks), STEP_SECONDS_MAX="3", UNITS="autofs broken mpd")
    fclient.until_logged("hook post_mount: not done within 3 s, left alone")
    assert "systemctl start broken: Unit broken.service not found." in fclient.read("error")
    assert (fclient.run / "unwell").exists()
    assert fclient.status.endswith(" is mounted; started: mpd; not started: broken")
    fclient.svc("-d")
    house.until(lambda: fclient.status == "stopped")
    assert house.units() == [
        f"pre_mount {house.share}",
        *("start autofs", "start broken", "start mpd", "stop mpd", "stop broken"),
        f"pre_unmount {house.share}",
        "stop autofs",
    ]
    fclient.until_logged("post_unmount is not run: only root may be able to write it")
    assert fclient.log.count("Unit broken.service not found.") == 1
    fclient.set("UNITS", "autofs mpd")
    fclient.set("HOOKS", "")
    fclient.svc("-u")
    house.until(lambda: fclient.status.endswith("is mounted; started: mpd"))
    house.until(lambda: fclient.read("error") == "", what="the last error to be over")


def test_a_secret_that_is_emptied_while_the_share_is_up_has_it_left_first(house: OneHouse) -> None:
    fserver, fclient = up(house)
    fclient.set("SECRET", "")
    fclient.svc("-t")
    house.until(lambda: "SECRET: is empty" in fclient.status, what=fclient.log)
    assert not house.is_mounted()
    assert house.units()[-2:] == ["stop mpd", "stop autofs"]
    fserver.until_logged(f"kitchen has left: {house.share} is unmounted")
    house.until(lambda: fserver.status == "no clients")


def test_clients_that_were_not_done_in_time_get_more_of_it_the_next_time(house: OneHouse) -> None:
    fserver, fclient = up(house)
    ledger = Ledger(house.root / "var/lib/pimains/ledger/ledger.sqlite")
    for _ in range(20):
        ledger.took("clients", 0.5)
    for path in ledger.path.parent.iterdir():
        shutil.chown(path, "pimains", "pimains")
    with subprocess.Popen(["nsenter", f"--mount=/proc/{house.pid}/ns/mnt", "sh", "-c", f"cd {house.share}/Music && exec sleep 60"]) as busy:
        house.until(lambda: "Music" in str(Path(f"/proc/{busy.pid}/cwd").readlink()))
        fserver.svc("-d")
        fserver.until_logged("not left within 8 s: kitchen (waiting to unmount")
        house.until(lambda: fserver.status == "stopped")
        busy.terminate()
    assert ledger.durations("clients")[-1] >= 8
    assert "not left within 8 s" in fserver.read("error")
    house.until(lambda: fclient.status.startswith("waiting for 127.0.0.1"))
    fserver.svc("-u")
    house.until(lambda: fclient.status.endswith("is mounted; started: mpd"))
    house.until(lambda: fserver.read("error") == "", what="the last error to be over")


def test_told_to_restart_while_it_leaves_a_client_leaves_first(house: OneHouse) -> None:
    hooks = house.root / "hooks"
    hooks.mkdir()
    os.mkfifo(house.root / "go")
    (hooks / "pre_unmount").write_text(f"#!/bin/sh\nread x <{house.root}/go\n")
    (hooks / "pre_unmount").chmod(0o755)
    fserver, fclient = up(house, HOOKS=str(hooks))
    fserver.svc("-d")
    house.until(lambda: "stop mpd" in house.units())
    fclient.svc("-t")
    house.until(lambda: "told to stop: will do so when the share is left" in fclient.log)
    (house.root / "go").write_text("\n")
    house.until(lambda: fserver.status == "stopped")
    fserver.until_logged(f"kitchen has left: {house.share} is unmounted")
    house.until(lambda: fclient.log.count("waiting for 127.0.0.1") == 3)
    assert "by force" not in fclient.log


def test_a_crashed_client_finds_what_it_left_behind(house: OneHouse) -> None:
    fserver, fclient = up(house)
    fclient.kill()
    house.until(lambda: fclient.log.count("joined") == 2 and "is mounted" in fclient.status)
    assert "stop" not in " ".join(house.units())
    fserver.kill(19)
    fclient.kill()  # it starts anew while the server is silent
    house.until(lambda: not house.is_mounted())
    fserver.kill(18)


def test_a_share_whose_marker_goes_or_that_somebody_unmounts_is_left_in_order_and_mounted_anew(house: OneHouse) -> None:
    _, fclient = up(house)
    enter = ["nsenter", f"--mount=/proc/{house.pid}/ns/mnt"]
    for number, words in enumerate((["rmdir", house.share / "Music"], ["umount", house.share]), start=1):
        told = len(house.units())
        subprocess.run([*enter, *words], check=True)
        house.until(lambda told=told: "start mpd" in house.units()[told:], 30)  # type: ignore[misc]
        house.until(lambda: fclient.status.endswith("is mounted; started: mpd"), what=fclient.log)
        assert house.units()[told:] == ["stop mpd", "stop autofs", "start autofs", "start mpd"]
        house.until(lambda number=number: fclient.log.count(": it is to be mounted anew") == number)  # type: ignore[misc]
        assert house.is_mounted()
    assert "by force" not in fclient.log


def test_an_edited_mdrive_takes_the_old_share_down_first(house: OneHouse) -> None:
    _, fclient = up(house)
    fclient.set("UNITS", "autofs bluetooth")
    fclient.svc("-t")
    house.until(lambda: "started: bluetooth" in fclient.status)
    assert house.units() == ["start autofs", "start mpd", "stop mpd", "stop autofs", "start autofs", "start bluetooth"]


def test_a_server_lets_nobody_in_before_its_drive_is_mounted(house: OneHouse) -> None:
    fserver = house.add_fserver(MDRIVE=str(house.share), MPD_UNIT="mpd")
    house.until(lambda: fserver.status == f"waiting until {house.share} is mounted")
    with pytest.raises(ConnectionRefusedError):
        house.connect()
    subprocess.run(["nsenter", f"--mount=/proc/{house.pid}/ns/mnt", "mount", "-t", "tmpfs", "drive", house.share], check=True)
    house.until(lambda: fserver.status == "no clients")
    assert house.units() == ["start mpd"]
    uid = Path(f"/proc/{fserver.pid}/status").read_text().split("Uid:\t")[1].split()[0]
    assert uid != "0"


def test_pistops_client_is_told_to_leave_and_can_do_nothing_else(house: OneHouse) -> None:
    fserver = house.add_fserver(svscan=False, COMPAT="pistop")
    house.add_fclient()
    house.until(lambda: fserver.status == "1 client: kitchen")
    fserver.until_logged("COMPAT=pistop: clients that prove nothing are let in too")
    old = house.connect()
    assert old.recv(200).startswith(b"Connection from 127.0.0.1\n")
    old.sendall(b"wait\n")
    house.until(lambda: fserver.status == "2 clients: kitchen, pistop@127.0.0.1")
    old.sendall(b"shutdown\n")
    house.until(lambda: "no client shuts this server down" in fserver.log)
    assert fserver.status == "2 clients: kitchen, pistop@127.0.0.1"
    fserver.svc("-d")
    old.settimeout(60)
    received = b""
    while b"shutdown\n" not in received:
        received += old.recv(200)
    house.until(lambda: "waiting until they have left: pistop@127.0.0.1" in fserver.status)
    old.close()
    house.until(lambda: fserver.status == "stopped")
    assert not house.is_mounted()
    assert house.halts() == []


def test_a_client_with_compat_obeys_pistops_server(house: OneHouse) -> None:
    with socket.create_server(("127.0.0.1", house.port)) as server:
        server.settimeout(60)
        fclient = house.add_fclient(COMPAT="pistop", SECRET="")
        with waiting(server) as peer:
            house.until(lambda: "is mounted" in fclient.status)
            fclient.until_logged("COMPAT=pistop: this client believes whatever answers")
            time.sleep(5)  # longer than the patience: a server that sends no beats is there as long as its connection is
            assert house.is_mounted()
            say_goodbye(peer)
            fclient.until_logged("leaving: the server shuts down")
            house.until(lambda: fclient.status.startswith("waiting for") and not house.is_mounted())
        with waiting(server):
            house.until(lambda: house.is_mounted())
    house.until(lambda: not house.is_mounted())


def test_status_lists_the_clients_and_their_last_words(house: OneHouse, capsys: pytest.CaptureFixture[str]) -> None:
    fserver, fclient = up(house)
    house.until(lambda: fclient.status in fserver.read("clients"))
    assert main(["status", "--servicedir", str(house.scan)]) == 0
    told = capsys.readouterr().out
    assert re.search(rf"^    kitchen \(127.0.0.1\) since [-0-9: ]+: {re.escape(fclient.status)}$", told, re.MULTILINE), told
    main(["status", "--servicedir", str(house.scan), "--json", "fserver"])
    assert json.loads(capsys.readouterr().out)[0]["clients"] == [fserver.read("clients")]


def test_a_share_with_another_one_mounted_inside_is_unmounted_from_the_inside_out(house: OneHouse) -> None:
    fserver, fclient = up(house)
    enter = ["nsenter", f"--mount=/proc/{house.pid}/ns/mnt"]
    subprocess.run([*enter, "mount", "-t", "tmpfs", "inner", house.share / "Music"], check=True)
    fserver.svc("-d")
    house.until(lambda: not house.is_mounted())
    fclient.until_logged(f"inner is unmounted from {house.share}/Music\n")

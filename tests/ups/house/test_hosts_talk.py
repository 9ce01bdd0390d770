"""What is said to a host, over a real network, to a real sshd."""

import os

import pytest

from tests.ups.neighbour import MAC, NOBODY, Neighbour, run

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
BUSY = 20.0  # seconds that a machine may need to start a program


def test_a_host_is_logged_in_at_and_told_its_command(nas: Neighbour) -> None:
    nas.authorize()
    assert nas.told("boot_id").answer == nas.boot_id
    assert nas.recorded() == []
    assert nas.told("order_down").answer == nas.boot_id
    assert nas.recorded() == ["off"]


def test_a_key_without_restrictions_does_as_well_but_tells_no_boot(nas: Neighbour) -> None:
    (nas.top / "authorized_keys").write_text((nas.directory / "key.pub").read_text())
    assert nas.told("boot_id").answer == ""
    assert nas.told("order_down").answer == ""
    assert nas.recorded() == ["off"]


def test_who_has_the_key_can_do_nothing_else_there(nas: Neighbour) -> None:
    nas.authorize()
    nas.set("COMMAND", f"touch {nas.top}/broken-in")
    said = nas.told("order_down").answer
    assert said == (
        f"Refused: root@10.92.0.2: 'touch {nas.top}/broken-in' is not what its authorized_keys allows:"
        " put the line there that sudo pimains ups host add nas prints"
    )
    assert not (nas.top / "broken-in").exists()


def test_a_host_that_cuts_us_off_in_its_command_has_got_it(nas: Neighbour) -> None:
    nas.authorize()
    nas.then("kill -KILL $(ps -o ppid= -p $PPID)")
    assert nas.told("order_down").answer == nas.boot_id
    assert nas.recorded() == ["off"]


def test_a_host_that_prints_without_end_costs_no_memory(nas: Neighbour) -> None:
    nas.authorize()
    nas.then("head -c 200000000 /dev/zero | tee /dev/stderr")
    assert nas.told("order_down", 120.0, megabytes=150).answer == nas.boot_id
    nas.then("yes >&2")
    said = nas.told("order_down", 5.0, megabytes=150).answer
    assert said == f"Away: root@10.92.0.2: logged in, but '{nas.recorder}' has not ended within 5 s"


def test_a_host_that_hangs_in_its_command_is_told_in_time(nas: Neighbour) -> None:
    nas.authorize()
    nas.then("exec sleep 1000")
    said = nas.told("order_down", 3.0)
    assert said.answer == f"Away: root@10.92.0.2: logged in, but '{nas.recorder}' has not ended within 3 s"
    assert 3.0 <= said.seconds < 8.0 + BUSY
    assert nas.recorded() == ["off"]


def test_a_host_that_is_up_again_by_itself_tells_another_boot(nas: Neighbour) -> None:
    nas.authorize()
    assert nas.told("boot_id").answer == nas.boot_id
    nas.reboot("00000000-1111-2222-3333-444444444444")
    assert nas.told("boot_id").answer == "00000000-1111-2222-3333-444444444444"


def test_a_key_that_is_refused_names_the_file_there(nas: Neighbour) -> None:
    assert nas.told("boot_id").answer == (
        "Refused: root@10.92.0.2: does not take our key:"
        " the line that sudo pimains ups host add nas prints belongs into ~/.ssh/authorized_keys there"
    )


def test_a_host_key_that_changed_gets_nothing(nas: Neighbour) -> None:
    nas.authorize()
    nas.stop()
    nas.new_host_key()
    nas.start()
    for what in ("boot_id", "order_down"):
        assert nas.told(what).answer == (
            "Refused: root@10.92.0.2: its host key is not the pinned one: nothing was sent."
            " If it was installed anew, sudo pimains ups host add nas pins the new one"
        )
    assert nas.recorded() == []
    nas.pin()
    assert nas.told("boot_id").answer == nas.boot_id


def test_a_host_key_is_pinned_to_the_host_and_to_no_address(nas: Neighbour) -> None:
    nas.authorize()
    run("ip", "-n", nas.namespace, "address", "add", "10.92.0.3/24", "dev", "eth0")
    nas.stop()
    config = nas.top / "sshd_config"
    config.write_text(config.read_text().replace("10.92.0.2", "10.92.0.3"))
    nas.start()
    nas.set("SSH", "root@10.92.0.3")
    assert nas.told("boot_id").answer == nas.boot_id


def test_a_key_that_is_not_there_or_no_key_is_named(nas: Neighbour) -> None:
    nas.authorize()
    (nas.directory / "key").chmod(0o644)
    assert nas.told("boot_id").answer.startswith(f"WrongSetting: {nas.directory}/key: ssh does not take this key: Load key")
    (nas.directory / "key").unlink()
    assert nas.told("boot_id").answer == (
        f"WrongSetting: {nas.directory}/key: the key is not there (sudo pimains ups host add nas puts that right)"
    )


def test_a_host_that_is_not_there_is_told_as_that(nas: Neighbour) -> None:
    nas.authorize()
    nas.stop()
    assert nas.told("boot_id").answer == "Away: root@10.92.0.2: cannot be reached: connection refused"
    nas.set("SSH", f"root@{NOBODY}")
    assert nas.told("boot_id").answer == f"Away: root@{NOBODY}: cannot be reached: no route to host"
    nas.set("SSH", "root@nobody.invalid")
    assert nas.told("boot_id").answer == "Away: root@nobody.invalid: there is no such name now (nobody.invalid)"


def test_a_host_that_does_not_answer_the_login_costs_its_seconds_and_no_more(nas: Neighbour) -> None:
    nas.authorize()
    nas.freeze()
    said = nas.told("boot_id", 2.0)
    assert said.answer == "Away: root@10.92.0.2: hangs: no end of the login within 2 s"
    assert 2.0 <= said.seconds < 7.0 + BUSY


def test_a_port_proves_a_host_up_closed_or_silent(nas: Neighbour) -> None:
    nas.set("PROOF", "22")
    assert nas.told("look_at").answer == "up"
    nas.stop()
    assert nas.told("look_at").answer == "refuses"
    nas.unplug()
    assert nas.told("look_at", 1.0).answer == "silent"


def test_a_ping_proves_a_host_up_or_silent(nas: Neighbour) -> None:
    assert nas.told("look_at").answer == "up"
    nas.unplug()
    assert nas.told("look_at", 1.0).answer == "silent"


@pytest.mark.parametrize("port", ["22", ""])
def test_a_machine_that_has_no_way_there_itself_learns_nothing(nas: Neighbour, port: str) -> None:
    nas.set("PROOF", port)
    run("ip", "-n", nas.here, "link", "set", "eth0", "down")
    assert nas.told("look_at", 1.0).answer.startswith("Away: 10.92.0.2: cannot be")


@pytest.mark.parametrize("port", ["22", ""])
def test_a_name_that_nobody_knows_proves_nothing(nas: Neighbour, port: str) -> None:
    nas.set("PROOF", port)
    nas.set("SSH", "root@nobody.invalid")
    assert nas.told("look_at").answer.startswith("Away: nobody.invalid: ")


def test_magic_packets_come_to_a_host_three_times_a_second_apart(nas: Neighbour) -> None:
    with nas.listening() as heard:
        said = nas.told("wake")
    assert said.answer == "eth0"
    assert heard == ["ff" * 6 + MAC.replace(":", "") * 16] * 3
    assert said.seconds >= 2.0


def test_magic_packets_go_to_every_network_once(nas: Neighbour) -> None:
    run("ip", "-n", nas.here, "link", "add", "eth1", "type", "veth", "peer", "name", "eth1", "netns", nas.namespace)
    for name, address in ((nas.here, "10.93.0.1/24"), (nas.namespace, "10.93.0.2/24")):
        run("ip", "-n", name, "address", "add", address, "broadcast", "10.93.0.255", "dev", "eth1")
        run("ip", "-n", name, "link", "set", "eth1", "up")
    nas.until_connected("eth1")
    with nas.listening() as heard:
        assert nas.told("wake").answer == "eth0 eth1"
    assert len(heard) == 6


def test_a_machine_on_no_network_says_that_it_wakes_nobody(nas: Neighbour) -> None:
    run("ip", "-n", nas.here, "link", "set", "eth0", "down")
    assert nas.told("wake").answer == "Away: no magic packet could be sent: this machine is on no IPv4 network"


def test_a_host_without_a_mac_is_not_woken(nas: Neighbour) -> None:
    nas.set("MAC", "")
    assert nas.told("wake").answer == f"WrongSetting: {nas.directory}/MAC: is empty; nothing wakes nas by network"

"""What a host may be told: the files in hosts/NAME/."""

from pathlib import Path

import pytest

from pimains.core.errors import WrongSetting
from pimains.ups.hosts import directories
from pimains.ups.hosts.settings import HostSettings, Target
from pimains.ups.plan.shedding import ShedAt
from tests.kit import TOP


def host(**given: str) -> HostSettings:
    return directories.of(Path("hosts/nas"), {"SSH": "root@nas.lan", **given})


def make(instance: Path, name: str, **given: str) -> None:
    directory = instance / "hosts" / name
    directory.mkdir(parents=True)
    for setting, value in {"SSH": f"root@{name}.lan", **given}.items():
        (directory / setting).write_text(f"{value}\nIn words.\n")


def test_each_setting_of_a_host_is_described_in_a_file_with_its_default() -> None:
    assert sorted(path.name for path in (TOP / "services/ups/host").iterdir()) == sorted(HostSettings.declared())
    assert all(each.meaning.endswith(".") for each in directories.variables().values())


def test_a_host_is_known_by_where_to_log_in_alone() -> None:
    nas = host()
    assert (nas.name, nas.SSH, nas.address, nas.way) == ("nas", Target("root", "nas.lan", 22), "nas.lan", "root@nas.lan")
    assert (nas.COMMAND, nas.WAKE, nas.AFTER, nas.SHED_AT, nas.PROOF, nas.can_be_woken) == ("poweroff", "if-up", (), ShedAt(), None, False)
    assert (nas.key, nas.known_hosts) == (Path("hosts/nas/key"), Path("hosts/nas/known_hosts"))


def test_a_host_has_a_user_and_a_port_where_they_are_others() -> None:
    nas = host(SSH="anna@[fe80::1]:2222", MAC="00-11-32-AA-BB-CC", AFTER="router  switch", KEY="/root/id", PROOF="445")
    assert (nas.SSH, str(nas.SSH), nas.MAC) == (Target("anna", "fe80::1", 2222), "anna@[fe80::1]:2222", "00:11:32:aa:bb:cc")
    assert (nas.AFTER, nas.key, nas.PROOF, nas.can_be_woken) == (("router", "switch"), Path("/root/id"), 445, True)


def test_a_nut_client_and_a_plug_need_no_login() -> None:
    client, plug = host(SSH="", CLIENT="192.168.1.9"), host(SSH="", PLUG="tv-plug")
    assert (client.address, client.way) == ("192.168.1.9", "NUT client 192.168.1.9")
    assert (plug.address, plug.way, plug.can_be_woken) == ("", "plug tv-plug", True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SSH": ""}, "SSH: is empty, and so are CLIENT and PLUG; one of SSH, CLIENT, PLUG says how the host goes down"),
        ({"CLIENT": "nas.lan"}, "CLIENT: is set beside SSH; one of SSH, CLIENT, PLUG says how the host goes down"),
        ({"SSH": "nas.lan"}, "SSH: 'nas.lan' is no place to log in (user@host or user@host:port, or empty)"),
        ({"SSH": "root@-oProxyCommand=x"}, "SSH: 'root@-oProxyCommand=x' is no place to log in (user@host or user@host:port, or empty)"),
        ({"SSH": "-l@nas"}, "SSH: '-l@nas' is no place to log in (user@host or user@host:port, or empty)"),
        ({"SSH": "root@nas:99999"}, "SSH: 'root@nas:99999' is no place to log in (user@host or user@host:port, or empty)"),
        ({"COMMAND": ""}, "COMMAND: is empty; it needs a command (a program and its arguments, of letters"),
        ({"COMMAND": "poweroff; reboot"}, "COMMAND: 'poweroff; reboot' is no command (a program and its arguments"),
        ({"COMMAND": "$(reboot)"}, "COMMAND: '$(reboot)' is no command"),
        (
            {"MAC": "01:00:5e:00:00:01"},
            "MAC: '01:00:5e:00:00:01' is no Ethernet address of one machine (such as 00:11:32:aa:bb:cc, or empty)",
        ),
        ({"MAC": "00:11:32:aa:bb"}, "MAC: '00:11:32:aa:bb' is no Ethernet address of one machine"),
        ({"AFTER": "../x"}, "AFTER: '../x' is no list of hosts (their names with blanks between, or empty)"),
        ({"AFTER": "nas"}, "AFTER: names nas itself"),
        ({"SHED_AT": "40"}, "SHED_AT: '40' is no time to go (such as: charge 40, runtime 10m, after 5m; or empty)"),
        ({"UPS": "eaton;cellar"}, "UPS: 'eaton;cellar' is no list of UPSes (their names with blanks between, or empty)"),
        ({"WAKE": "perhaps"}, "WAKE: 'perhaps' is no choice (yes, no or if-up)"),
        ({"PROOF": "0"}, "PROOF: '0' is no port (1-65535, or empty)"),
        ({"DOWN_SECONDS_MAX": "0"}, "DOWN_SECONDS_MAX: '0' is no time in seconds (5-3600)"),
        ({"SSH": "", "PLUG": "tv", "PROOF": "22"}, "PROOF: is set; what hangs on a plug has no address here"),
        ({"SSH": "", "PLUG": "tv", "KEY": "/root/id"}, "KEY: is set; it needs SSH"),
        ({"SSH": "", "CLIENT": "nas", "SHED_AT": "charge 40"}, "SHED_AT: is set; a NUT client goes down at FSD alone"),
    ],
)
def test_a_wrong_setting_of_a_host_gets_one_line_that_names_its_file(given: dict[str, str], said: str) -> None:
    with pytest.raises(WrongSetting) as wrong:
        host(**given)
    assert str(wrong.value).startswith(f"hosts/nas/{said}")


def test_an_instance_without_hosts_has_none(tmp_path: Path) -> None:
    assert directories.read(tmp_path) == ({}, {})


def test_a_host_that_is_wrong_keeps_nobody_from_the_others(tmp_path: Path) -> None:
    make(tmp_path, "nas")
    make(tmp_path, "pc", AFTER="nas tv")
    make(tmp_path, "tv", WAKE="perhaps")
    make(tmp_path, "attic", AFTER="cellar")
    make(tmp_path, "Nas!")
    (tmp_path / "hosts/.half+new").mkdir()
    found = directories.read(tmp_path)
    assert found.after == {"nas": (), "pc": ("nas",)}
    assert found.wrong == {
        "Nas!": f"{tmp_path}/hosts/Nas!: 'Nas!' is no name of a host (up to 40 of a-z 0-9 _ . -, first a letter or digit)",
        "attic": f"{tmp_path}/hosts/attic/AFTER: there is no host cellar (there is: Nas!, nas, pc, tv)",
        "tv": f"{tmp_path}/hosts/tv/WAKE: 'perhaps' is no choice (yes, no or if-up)",
    }


def test_a_host_names_the_upses_that_feed_it_as_the_service_calls_them(tmp_path: Path) -> None:
    (tmp_path / "variables").mkdir()
    (tmp_path / "variables/UPS").write_text("eaton@localhost cellar@nas.lan cellar@attic.lan\n")
    make(tmp_path, "nas", UPS="eaton cellar@nas.lan")
    make(tmp_path, "pc")
    make(tmp_path, "tv", UPS="cellar")
    found = directories.read(tmp_path)
    assert {name: host.UPS for name, host in found.good.items()} == {"nas": ("eaton", "cellar@nas.lan"), "pc": ()}
    assert found.wrong == {"tv": f"{tmp_path}/hosts/tv/UPS: there is no UPS cellar (there is: eaton, cellar@nas.lan, cellar@attic.lan)"}
    assert directories.read(tmp_path, ["cellar"]).good.keys() == {"pc", "tv"}
    (tmp_path / "variables/UPS").write_text("@\n")
    assert directories.read(tmp_path).good.keys() == {"pc"}


def test_a_circle_in_after_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    for name, after in {"a": "b", "b": "c", "c": "a", "d": "a", "nas": ""}.items():
        make(tmp_path, name, AFTER=after)
    found = directories.read(tmp_path)
    assert found.after == {"d": (), "nas": ()}
    assert found.wrong["b"] == f"{tmp_path}/hosts/b/AFTER: goes round in a circle: a after b after c after a"
    assert sorted(found.wrong) == ["a", "b", "c"]


def test_a_file_that_is_no_file_is_one_line(tmp_path: Path) -> None:
    make(tmp_path, "nas")
    (tmp_path / "hosts/nas/MAC").mkdir()
    assert directories.read(tmp_path).wrong == {"nas": f"{tmp_path}/hosts/nas/MAC: is a directory"}


def test_a_new_host_has_to_fit_the_others(tmp_path: Path) -> None:
    make(tmp_path, "nas", AFTER="pc")
    make(tmp_path, "pc")
    with pytest.raises(WrongSetting, match="hosts/pc/AFTER: goes round in a circle: nas after pc after nas"):
        directories.with_another(tmp_path, "pc", {"SSH": "root@pc", "AFTER": "nas"})
    with pytest.raises(WrongSetting, match="hosts/tv/AFTER: there is no host attic"):
        directories.with_another(tmp_path, "tv", {"SSH": "root@tv", "AFTER": "attic"})
    assert directories.with_another(tmp_path, "tv", {"SSH": "root@tv", "AFTER": "nas"}).AFTER == ("nas",)

"""What the ups service may be told."""

from pathlib import Path

import pytest

from pimains.core import templates
from pimains.core.errors import WrongSetting
from pimains.ups.settings import Ups, UpsSettings

DEFAULTS = {name: each.default for name, each in templates.all_of_them()["ups"].variables().items()}
NEEDED = {"UPS": "eaton@localhost", "USERNAME": "anna", "PASSWORD": "sesame"}


def settings(**given: str) -> UpsSettings:
    return UpsSettings({**DEFAULTS, **NEEDED, **given}, Path("variables"))


def test_upses_are_named_as_upsmon_has_them() -> None:
    found = settings(UPS="eaton cellar@nas.lan:1234 shed@[fe80::1]:3494 attic@192.168.1.2").UPS
    assert found == (
        Ups("eaton", "localhost", 3493),
        Ups("cellar", "nas.lan", 1234),
        Ups("shed", "fe80::1", 3494),
        Ups("attic", "192.168.1.2", 3493),
    )


def test_ups_is_called_by_its_name_as_long_as_that_is_enough() -> None:
    given = settings(UPS="ups@nas1 ups@nas2 eaton ups@nas2:3494")
    assert [given.called(each) for each in given.UPS] == ["ups@nas1", "ups@nas2:3493", "eaton", "ups@nas2:3494"]


def test_a_primary_commands_what_is_here_also_what_does_not_feed_it_where_it_has_a_user() -> None:
    given = settings(UPS="eaton cellar@nas.lan shed", POWER="1 1 0")
    assert [given.commands(each) for each in given.UPS] == [True, False, True]
    watching = settings(POWER="0", USERNAME="", PASSWORD="")
    assert not watching.commands(watching.UPS[0])
    assert not settings(ROLE="secondary").commands(given.UPS[0])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"UPS": ""}, "UPS: is empty; it needs a list of UPSes (such as eaton@localhost cellar@nas.lan:3493, each once)"),
        ({"UPS": "eaton@nas:x"}, "UPS: 'eaton@nas:x' is no list of UPSes"),
        ({"UPS": "eaton eaton@localhost"}, "UPS: 'eaton eaton@localhost' is no list of UPSes"),
        ({"UPS": "eaton@127.0.0.1 eaton@localhost"}, "UPS: 'eaton@127.0.0.1 eaton@localhost' is no list of UPSes"),
        ({"UPS": "eaton@[::1]:3493 eaton"}, "UPS: 'eaton@[::1]:3493 eaton' is no list of UPSes"),
        ({"UPS": "ea/ton"}, "UPS: 'ea/ton' is no list of UPSes"),
        ({"POWER": "1 1"}, "POWER: has 2 numbers; UPS names 1"),
        ({"POWER": "17"}, "POWER: '17' is no number of power supplies (0-16"),
        ({"POWER": "-1"}, "POWER: '-1' is no number of power supplies"),
        ({"USERNAME": "", "PASSWORD": ""}, "USERNAME: is empty; who is fed by a UPS logs in at its upsd"),
        ({"PASSWORD": ""}, "PASSWORD: is empty; a login needs USERNAME and PASSWORD, or neither"),
        ({"MINSUPPLIES": "2"}, "MINSUPPLIES: is 2; the UPSes feed less by POWER"),
        ({"IGNORE_LB": "1"}, "IGNORE_LB: is 1; then CHARGE_LOW_PERCENT or RUNTIME_LOW_SECONDS has to say what is low"),
        ({"CA": "/etc/ca.pem"}, "CA: is set; it needs TLS require or try"),
        ({"POLL_SECONDS": "21"}, "POLL_SECONDS: '21' is no time in seconds (0.5-20)"),
        ({"LANGUAGE": "it"}, "LANGUAGE: 'it' is no choice (en, de or fr)"),
    ],
)
def test_a_wrong_setting_gets_one_line_that_names_its_file(given: dict[str, str], said: str) -> None:
    with pytest.raises(WrongSetting) as wrong:
        settings(**given)
    assert str(wrong.value).startswith(f"variables/{said}")
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize(
    ("model", "power", "is_told"),
    [(None, "1", True), ("Raspberry Pi Zero W Rev 1.1\0", "1", False), ("ThinkPad\0", "0 1", True), (None, "0", False)],
)
def test_who_is_no_pi_is_told_that_power_alone_may_not_start_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str | None, power: str, is_told: bool
) -> None:
    monkeypatch.setattr("pimains.ups.settings._MODEL", tmp_path / "model")
    if model:
        (tmp_path / "model").write_text(model)
    assert bool(UpsSettings.advice({"POWER": power})) == is_told


def test_who_only_watches_needs_no_user() -> None:
    assert not settings(POWER="0", USERNAME="", PASSWORD="").feeds_this_machine


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("ccu.lan", "http://ccu.lan"),
        ("192.168.1.5:8080", "http://192.168.1.5:8080"),
        ("https://ccu.lan/", "https://ccu.lan"),
        ("http://[fe80::1]:80", "http://[fe80::1]:80"),
    ],
)
def test_a_ccu_is_a_name_or_an_address(value: str, url: str) -> None:
    assert url == settings(CCU=value, CCU_USER="pi").CCU


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"CCU": "ftp://ccu.lan"}, "CCU: 'ftp://ccu.lan' is no address"),
        ({"CCU": "ccu.lan:70000"}, "CCU: 'ccu.lan:70000' is no address"),
        ({"CCU": "pi:secret@ccu.lan"}, "CCU: 'pi:secret@ccu.lan' is no address"),
        ({"CCU": "ccu.lan"}, "CCU_USER: is empty; the CCU of CCU takes values only from one of its users"),
        ({"CCU_SECONDS": "5"}, "CCU_SECONDS: '5' is no time in seconds (10-3600)"),
        ({"PREFIX": 'sv"_'}, "PREFIX: 'sv\"_' is no beginning of names (at most 40 letters, digits, dots, hyphens and underscores)"),
    ],
)
def test_what_cannot_be_one_is_told(given: dict[str, str], what: str) -> None:
    with pytest.raises(WrongSetting) as wrong:
        settings(**given)
    assert str(wrong.value).startswith(f"variables/{what}")

"""Which device speaks, and how it is."""

from pathlib import Path

import pytest

from pimains.vedirect.lasting_name import advice
from pimains.vedirect.plan import identity
from pimains.vedirect.plan.identity import Identity, Introduction
from pimains.vedirect.plan.telling import told
from pimains.vedirect.port import Port, PortAway
from pimains.vedirect.settings import VedirectSettings
from tests.vedirect.devices import ALL

CHARGER = Identity("HQ9999ABCDE", "0xA053", "")
MONITOR = Identity("", "0xA381", "712 Smart")


@pytest.mark.parametrize("one", [CHARGER, MONITOR, Identity("", "", "602S"), Identity("", "", "")])
def test_what_is_written_is_read_again_also_without_the_blanks_at_its_end(one: Identity) -> None:
    assert identity.parsed(identity.written(one).strip()) == one


@pytest.mark.parametrize("text", ["", "HQ9999ABCDE", "SER#=a b PID=0x1 BMV="])
def test_what_nobody_has_written_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        identity.parsed(text)


def test_a_device_is_the_same_by_its_serial_number_else_by_its_product_id_else_by_its_model() -> None:
    assert CHARGER.is_same(Identity("HQ9999ABCDE", "0xA054", ""))
    assert not CHARGER.is_same(Identity("HQ9999ABCDF", "0xA053", ""))
    assert MONITOR.is_same(Identity("", "0xA381", "712 Smart"))
    assert not MONITOR.is_same(Identity("", "0xA382", "712 Smart"))
    assert MONITOR.is_same(Identity("HQ1", "0xA381", "712 Smart"))  # a newer firmware tells more
    assert not MONITOR.is_same(CHARGER)
    assert not Identity("", "", "602S").is_same(Identity("", "", "600S"))


@pytest.mark.parametrize("name", ALL)
def test_a_device_says_who_it_is_once(name: str) -> None:
    introduction = Introduction()
    news = [introduction.hear(tuple(kind)) for kind in ALL[name] * 3]
    assert news == [True] + [False] * (len(news) - 1)


def test_a_device_that_tells_nothing_of_itself_is_heard_after_ten_blocks() -> None:
    introduction = Introduction()
    assert [introduction.hear((("V", "12000"),)) for _ in range(12)] == [False] * 9 + [True] + [False] * 2
    assert introduction.identity == Identity("", "", "")


def latest(name: str, **more: str) -> dict[str, str]:
    return {label: text for kind in ALL[name] for label, text in kind} | more


@pytest.mark.parametrize(
    ("fields", "how"),
    [
        (latest("MPPT_150_70_FW_162"), "bulk, 412 W from the panels, 52.710 V"),
        (latest("SMARTSHUNT_500_FW_0414"), "54.8 %, 1277 W, 53.509 V"),
        (latest("BMV_600_FW_212"), "99.8 %, 0.015 A, 12.800 V"),
        (latest("BMV_712_FW_0413", SOC="---"), "0 W, 13.720 V"),
        (latest("PHOENIX_12_500_FW_0126"), "inverting, 230.11 V AC, 12.800 V"),
        ({}, ""),
    ],
)
def test_how_a_device_is_in_a_few_words(fields: dict[str, str], how: str) -> None:
    assert told(fields).how == how


def test_what_somebody_has_to_look_after_is_said() -> None:
    assert told(latest("MPPT_150_70_FW_162", ERR="33")).wrong == "error 33: panel voltage too high"
    assert told(latest("MPPT_150_70_FW_162", CS="2")).wrong == "fault"
    assert told(latest("BMV_712_FW_0413", AR="5")).wrong == "alarm 5: low voltage, low state of charge"
    assert told(latest("BMV_712_FW_0413")).wrong == ""


def test_what_a_device_does_not_know_is_said() -> None:
    assert told(latest("BMV_712_FW_0413", SOC="---", TTG="---", CE="---")).unknown == "CE, SOC, TTG ---"
    assert told(latest("BMV_712_FW_0413", T="---")).unknown == "TTG infinite; T ---"


def test_a_port_that_may_be_another_one_after_a_reboot_has_a_lasting_name(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    port, names = tmp_path / "dev/ttyUSB0", tmp_path / "by-id"
    port.touch()
    names.mkdir()
    assert advice(port, names) == f"{port} may be another device after a reboot; write the name that it has in {names}"
    (names / "usb-other").symlink_to(tmp_path / "dev/ttyUSB1")
    (names / "usb-VictronEnergy-if00-port0").symlink_to("../dev/ttyUSB0")
    assert advice(port, names) == f"{port} may be another device after a reboot; write {names}/usb-VictronEnergy-if00-port0"
    assert advice(names / "usb-VictronEnergy-if00-port0", names) == ""
    assert advice(Path("/dev/serial0"), names) == ""
    assert advice(port, tmp_path / "nowhere").endswith(f"write the name that it has in {tmp_path}/nowhere")


def test_who_makes_an_instance_hears_of_the_lasting_name_at_once() -> None:
    (line,) = VedirectSettings.advice({"PORT": "/dev/ttyUSB7"})
    assert line == "PORT: /dev/ttyUSB7 may be another device after a reboot; write the name that it has in /dev/serial/by-id"
    assert VedirectSettings.advice({"PORT": "/dev/serial/by-id/usb-VictronEnergy-if00-port0"}) == []


def test_a_port_that_is_not_there_says_so_as_one_that_was_unplugged(tmp_path: Path) -> None:
    with pytest.raises(PortAway, match="is not there: is its cable plugged in") as missing:
        Port(tmp_path / "ttyUSB0")
    assert missing.value.kind == "gone"

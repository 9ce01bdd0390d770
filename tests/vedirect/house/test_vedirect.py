"""The real service under supervise, at a pty of the simulated solar house."""

import os

import pytest

from tests.collector.collecting import Collector
from tests.kit import House, until
from tests.vedirect.devices import ALL
from tests.vedirect.suns import Sun, mtime

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


def test_a_charger_and_a_battery_monitor_are_read_and_their_fields_are_files(house: House) -> None:
    sun = Sun(house, "--soc=0.6")
    mppt = sun.add("mppt", "vedirect.mppt")
    bmv = sun.add("bmv", "vedirect.bmv")
    assert (mppt.read("CS"), mppt.read("CS.words"), mppt.read("SER#"), mppt.read("PID")) == ("3", "bulk", "HQ9999ABCDE", "0xA053")
    assert float(mppt.read("PPV")) > 500
    assert 24 < float(mppt.read("V")) < 29
    assert mppt.read("OR.words") == "not off"
    assert 60 <= float(bmv.read("SOC")) < 62
    assert (bmv.read("Alarm"), bmv.read("Alarm.words"), bmv.read("Relay"), bmv.read("AR.words")) == ("0", "off", "0", "no alarm")
    until(lambda: bmv.read("H17") == "82000", what=bmv.story)  # its other kind of block
    assert bmv.read("TTG") == ""
    until(lambda: mppt.status.startswith("solar charger HQ9999ABCDE: bulk, "), what=mppt.story)
    until(lambda: bmv.status.startswith("BMV-712 Smart: 6"), what=bmv.story)
    until(lambda: (mppt.read("unwell"), bmv.read("unwell")) == ("", ""), what=mppt.story)
    mppt.until_logged(f"reading solar charger HQ9999ABCDE at {sun.ports['mppt']}")


def test_each_block_makes_its_files_young_also_where_nothing_changed(house: House) -> None:
    mppt = Sun(house).add("mppt")
    before, serial = mtime(mppt, "SER#"), mppt.read("SER#")
    until(lambda: mtime(mppt, "SER#") > before, what=mppt.story)
    assert mppt.read("SER#") == serial
    before = mtime(mppt, "CS.words")
    until(lambda: mtime(mppt, "CS.words") > before, what=mppt.story)


def test_a_device_that_is_silent_is_lost_after_lost_seconds_said_once_and_once_when_it_is_back(house: House) -> None:
    sun = Sun(house)
    mppt = sun.add("mppt", LOST_SECONDS="2")
    sun.says("silent mppt on")
    until(lambda: "the device is silent" in mppt.status, what=mppt.story)
    assert "the device is silent" in mppt.read("unwell")
    until(lambda: not mppt.read("V") and not mppt.read("CS.words"), what=mppt.story)
    sun.says("silent mppt off")
    until(lambda: mppt.read("V"), what=mppt.story)
    until(lambda: "bulk" in mppt.status or "absorption" in mppt.status or "float" in mppt.status, what=mppt.story)
    mppt.until_logged("blocks: well again")
    assert mppt.log.count("the device is silent") == 1
    until(lambda: mppt.read("unwell") == "", what=mppt.story)


def test_an_adapter_that_is_unplugged_is_found_again(house: House) -> None:
    sun = Sun(house)
    mppt = sun.add("mppt", LOST_SECONDS="2")
    sun.says("unplug mppt")
    until(lambda: "is not there: is its cable plugged in?" in mppt.status, what=mppt.story)
    until(lambda: not mppt.read("V"), what=mppt.story)
    pid = mppt.pid
    sun.says("plug mppt")
    until(lambda: mppt.read("V"), what=mppt.story)
    assert mppt.pid == pid
    mppt.until_logged("port: well again")
    assert (mppt.log.count("was unplugged"), mppt.log.count("is its cable plugged in")) == (1, 0)  # said once


def test_10_swapped_cables(house: House) -> None:
    """Another device at this port is said and not published under the old one's name; put back, all goes on."""
    sun = Sun(house, devices=("mppt", "mppt2"))
    one, two = sun.add("mppt", LOST_SECONDS="2"), sun.add("mppt2", LOST_SECONDS="2")
    assert (one.read("SER#"), two.read("SER#")) == ("HQ9999ABCDE", "HQ9999ABCEE")
    for each in (one, two):
        each.svc("-d")
        until(lambda each=each: each.status == "stopped", what=each.story)  # type: ignore[misc]
    sun.says("swap mppt mppt2")  # while the machine booted
    for each in (one, two):
        each.svc("-u")
    until(lambda: "another device is there" in one.status and "another device is there" in two.status, what=one.story)
    assert "solar charger HQ9999ABCEE in the place of solar charger HQ9999ABCDE" in one.status
    until(lambda: not one.read("V") and not two.read("SER#"), what=one.story)
    sun.says("swap mppt mppt2")
    one.svc("-t")
    two.svc("-t")
    until(lambda: one.read("SER#") == "HQ9999ABCDE" and two.read("SER#") == "HQ9999ABCEE", what=one.story)
    until(lambda: (one.read("unwell"), two.read("unwell")) == ("", ""), what=one.story)


def test_10_a_port_that_may_be_another_one_after_a_reboot_is_said(house: House) -> None:
    sun = Sun(house)
    port = sun.dev / "ttyUSB0"
    port.symlink_to(sun.ports["mppt"])
    mppt = house.add("vedirect", PORT=str(port))
    mppt.until_logged(f"{mppt.directory}/variables/PORT: {port} may be another device after a reboot; write the name")
    until(lambda: mppt.read("V"), what=mppt.story)  # it works until then
    assert "may be another device after a reboot" in mppt.read("error")


def test_a_device_that_is_exchanged_while_the_cable_stays_is_said_and_taken_once_the_old_one_is_forgotten(house: House) -> None:
    sun = Sun(house)
    mppt = sun.add("mppt")
    sun.says("serial mppt HQ1111NEW00")
    until(lambda: "another device is there" in mppt.status, what=mppt.story)
    until(lambda: not mppt.read("V"), what=mppt.story)
    until(lambda: f"sudo rm {mppt.lib}/device" in mppt.status, what=mppt.story)
    (mppt.lib / "device").unlink()
    until(lambda: mppt.read("SER#") == "HQ1111NEW00", what=mppt.story)
    assert "HQ1111NEW00" in (mppt.lib / "device").read_text()


def test_11_three_hyphens(house: House) -> None:
    """A battery monitor that is not synchronised: no state file, one line that says why."""
    sun = Sun(house, "--hour=0")
    bmv = sun.add("bmv")
    until(lambda: bmv.read("SOC") and bmv.read("TTG"), what=bmv.story)
    sun.says("synchronised bmv off")
    until(lambda: not bmv.read("SOC") and not bmv.read("TTG"), what=bmv.story)
    assert bmv.read("V")
    until(lambda: "CE, SOC, TTG ---" in bmv.status, what=bmv.story)
    bmv.until_logged("the device does not know CE, SOC, TTG ---")
    before = mtime(bmv, "V")
    until(lambda: mtime(bmv, "V") > before, what=bmv.story)
    assert bmv.log.count("does not know") == 1
    sun.says("synchronised bmv on")
    until(lambda: bmv.read("SOC"), what=bmv.story)


def test_12_hex_between_the_lines(house: House) -> None:
    """In each block a HEX message: all goes on; garbage in the place of its end does not swallow what follows."""
    sun = Sun(house, speed=20)
    sun.says("hex mppt 1", "hex bmv 1")
    mppt, bmv = sun.add("mppt"), sun.add("bmv")
    for _ in range(20):
        before = mtime(mppt, "V"), mtime(bmv, "V"), mtime(bmv, "H17")
        until(lambda before=before: (mtime(mppt, "V") > before[0] and mtime(bmv, "V") > before[1] and mtime(bmv, "H17") > before[2]))  # type: ignore[misc]
        sun.says("say mppt 3a41303130ff")
    assert "damaged" not in mppt.log + bmv.log
    labels = {label for label, _ in ALL["MPPT_75_15_FW_150"][0]}
    there = {name.removesuffix(".words") for name in os.listdir(mppt.run) if not name.startswith(".")}
    assert there - {"status", "error", "alive"} == labels


def test_a_bad_cable_is_said(house: House) -> None:
    sun = Sun(house, speed=100)
    mppt = sun.add("mppt", LOST_SECONDS="2", PIMAINS_SPEED="10")
    sun.says("flip mppt 0.003")
    until(lambda: "many blocks arrive damaged: look at the cable" in mppt.status, what=mppt.story)
    sun.says("flip mppt 1")
    until(lambda: "every block arrives damaged" in mppt.status, what=mppt.story)


def test_what_is_no_vedirect_is_called_that(house: House) -> None:
    sun = Sun(house)
    sun.says("silent mppt on")
    mppt = house.add("vedirect", "mppt", PORT=str(sun.ports["mppt"]), LOST_SECONDS="2")
    until(lambda: "the device is silent" in mppt.status, what=mppt.story)

    def is_said() -> bool:
        sun.says("say mppt 244750474741")
        return "what comes is no VE.Direct" in mppt.status

    until(is_said, what=mppt.story)


@pytest.mark.parametrize(("name", "words"), [("file", "is no serial port"), ("ttyS9", "is not there: is its cable plugged in?")])
def test_a_port_that_is_none_is_one_line(house: House, name: str, words: str) -> None:
    (house.root / "file").touch()
    (house.root / "file").chmod(0o666)
    port = house.root / name
    found = house.add("vedirect", PORT=str(port))
    until(lambda: f"{port} {words}" in found.status, what=found.story)
    until(lambda: found.read("unwell") == found.status, what=found.story)


def test_a_port_that_another_service_has_is_said(house: House) -> None:
    sun = Sun(house)
    sun.add("mppt")
    other = house.add("vedirect", "other", PORT=str(sun.ports["mppt"]))
    until(lambda: "is in use by another program" in other.status, what=other.story)


def test_a_wrong_setting_is_one_line(house: House) -> None:
    found = house.add("vedirect", PORT="ttyUSB0")
    until(lambda: "is no serial port" in found.status, what=found.story)
    assert found.status.startswith(f"{found.directory}/variables/PORT: 'ttyUSB0' is no serial port (such as /dev/serial/by-id/")


def test_a_restart_and_kill_9_keep_what_was_said_and_go_on(house: House) -> None:
    sun = Sun(house)
    mppt = sun.add("mppt", LOST_SECONDS="30")
    for end in ("-t", "-k"):
        pid = mppt.pid
        mppt.svc(end)
        until(lambda pid=pid: mppt.pid not in (0, pid), what=mppt.story)  # type: ignore[misc]
        assert mppt.read("V")
        before = mtime(mppt, "V")
        until(lambda before=before: mtime(mppt, "V") > before, what=mppt.story)  # type: ignore[misc]


def test_what_a_service_before_has_left_goes_when_it_is_not_said_any_more(house: House) -> None:
    sun = Sun(house)
    mppt = sun.add("mppt", LOST_SECONDS="2")
    (mppt.run / "VS").write_text("12.0\n")
    mppt.svc("-t")
    until(lambda: not mppt.read("VS"), what=mppt.story)
    assert mppt.read("V")


def test_the_collector_records_them(house: House) -> None:
    Sun(house).add("mppt", "vedirect.mppt")
    collector = Collector(house, RECORD="vedirect.mppt/PPV=W vedirect.mppt/CS", RECORD_SECONDS="1")

    def flows() -> dict[str, float]:
        found = collector.get("/v1/sources").json()
        return {each["source"]: each["flow"]["value"] for each in found if each["flow"]}

    until(lambda: {"vedirect.mppt/PPV", "vedirect.mppt/CS"} <= set(flows()), what=collector.instance.story)
    assert flows()["vedirect.mppt/PPV"] > 500
    assert flows()["vedirect.mppt/CS"] in (3, 4, 5)

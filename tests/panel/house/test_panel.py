"""The service panel on simulated boards, beside a real relays service."""

import time

from tests.kit import House, until
from tests.panel.panels import Panel
from tests.relays.relays import Relays


def test_keys_switch_relays_and_what_others_say_is_shown(house: House) -> None:
    panel = Panel(house, house.root / "etc/pimains/relays", svscan=False)
    relays = Relays(house, {"NAME": "boiler"}, {})
    until(
        lambda: panel.instance.status == "relays 1, 2 on a board" and panel.shows() == "00 00 00 00 00 00 00 00 00000000 2",
        what=panel.instance.story,
    )
    pressed = time.time()
    panel.hands("1 press 1 for 0.08")
    until(lambda: panel.shows().startswith("01 00"), what=panel.instance.story)
    relays.until(1, "state", "on")
    assert (relays.instance.lib / "1.mode").stat().st_mtime >= pressed + 2
    until(lambda: panel.shows() == "01 00 00 00 00 00 00 00 10000000 2", what=panel.instance.story)
    panel.instance.until_logged("relay 1: on, by its key")
    relays.mode(1, "off")
    relays.wish(2, "on the sun shines")
    until(lambda: panel.shows() == "08 00 00 00 00 00 00 00 01000000 2", what=panel.instance.story)
    assert panel.instance.status == "relays 1, 2 on a board"


def test_wrong_pins_are_one_line_that_names_the_file_and_it_goes_on_once_that_is_mended(house: House) -> None:
    panel = Panel(house, house.root / "etc/pimains/relays", CLK="19")
    line = f"{panel.instance.directory}/variables/CLK: 19 is the pin of DIO already"
    assert panel.instance.status == line
    panel.instance.until_logged(line)
    panel.instance.set("CLK", "13")
    until(lambda: "on a board" in panel.instance.status, what=panel.instance.story)
    assert f"{house.root}/etc/pimains/relays: no such directory" in panel.instance.status


def test_without_pins_it_says_so_and_takes_up_an_edit(house: House) -> None:
    panel = Panel(house, house.root / "etc/pimains/relays", GPIOZERO_PIN_FACTORY="no-such")
    until(lambda: "pin factory no-such does not work" in panel.instance.status, what=panel.instance.story)
    panel.instance.set("GPIOZERO_PIN_FACTORY", "pimains-panel")
    until(lambda: panel.shows().endswith(" 2"), what=panel.instance.story)
    panel.instance.until_logged("no-such")
    assert panel.instance.log.count("no-such") == 1

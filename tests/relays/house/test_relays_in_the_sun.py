"""Relays in the simulated solar house, which watches the pins: what a relay feeds is seen by the battery monitor."""

from tests.kit import House, TestInstance
from tests.relays.relays import Relays
from tests.vedirect.suns import Sun


def draws(bmv: TestInstance, watts: float) -> bool:
    """Whether the battery gives about so much, at night."""
    return abs(float(bmv.read("P") or 0) + watts) < 60


def test_the_battery_feeds_what_relays_switch_on_and_a_welded_contact_goes_on_drawing(house: House) -> None:
    relays = Relays(house, {"WATTS": "1000"}, {"WATTS": "500", "ACTIVE_LOW": "1"})
    night = ("--hour=0", "--load=120", f"--outputs={relays.told}", "--draws=2=1000", "--draws=3=500:low")
    sun = Sun(house, *night)
    bmv = sun.add("bmv")
    house.until(lambda: draws(bmv, 120), what=bmv.story)
    relays.mode(1, "on")
    house.until(lambda: draws(bmv, 1120), what=bmv.story)
    relays.mode(2, "on")
    house.until(lambda: draws(bmv, 1620), what=bmv.story)
    sun.says("weld 2 on")
    for number in (1, 2):
        relays.mode(number, "off")
        relays.until(number, "state", "off")
    house.until(lambda: draws(bmv, 1120), what=bmv.story)
    assert (relays.of(1, "state"), relays.of(1, "watts"), relays.levels(2)) == ("off", "0", ["low", "high", "low"])
    sun.says("weld 2 off")
    house.until(lambda: draws(bmv, 120), what=bmv.story)

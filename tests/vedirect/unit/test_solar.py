"""The simulated solar house lives as one would."""

import pytest

from pimains.house.solar import DAY_SECONDS, Charging, SolarHouse


def lived(house: SolarHouse, hours: float, relays: float = 0.0, step: float = 10.0) -> SolarHouse:
    for _ in range(int(hours * 3600 / step)):
        house.live(step, relays)
    return house


def test_a_sunny_day_goes_through_bulk_absorption_and_float_and_ends_in_the_dark() -> None:
    house = SolarHouse(hour=4)
    seen = [house.charging]
    for _ in range(int(DAY_SECONDS / 10)):
        house.live(10)
        seen += [] if house.charging == seen[-1] else [house.charging]
    assert seen == [Charging.OFF, Charging.BULK, Charging.ABSORPTION, Charging.FLOAT, Charging.OFF]


@pytest.mark.parametrize("clouds", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("relays", [0.0, 300.0])
def test_what_the_battery_gains_is_what_flowed_into_it_less_its_losses(clouds: float, relays: float) -> None:
    house = SolarHouse(hour=0, soc=0.7)
    house.clouds = clouds
    for _ in range(48):
        before, charged, discharged = house.stored_wh, house.charged_wh, house.discharged_wh
        lived(house, 1, relays)
        charged, discharged = house.charged_wh - charged, house.discharged_wh - discharged
        gained = house.stored_wh - before
        assert 0.80 * charged - 1.05 * discharged - 0.5 <= gained <= charged - discharged + 0.5
        assert 0 <= house.soc <= 1
        assert 22 < house.volts < 29.5


def test_the_panels_feed_the_loads_first_and_a_relay_takes_from_the_battery_what_is_missing() -> None:
    house = lived(SolarHouse(hour=12, soc=0.6), 0.2)
    assert house.panel_watts == pytest.approx(house.available(), rel=1e-3)
    before = house.battery_watts
    house.live(1, 1000)
    assert house.battery_watts == pytest.approx(before - 1000, abs=20)


def test_a_full_battery_leaves_a_surplus_unused_until_a_relay_takes_it() -> None:
    house = lived(SolarHouse(hour=10, soc=0.99), 2)
    assert house.charging == Charging.FLOAT
    assert house.panel_watts < 0.3 * house.available()
    house.live(1, 800)
    assert house.battery_watts >= -1
    assert house.panel_watts > 800


def test_clouds_take_most_of_the_sun_and_the_night_all() -> None:
    house = SolarHouse(hour=12)
    bright = house.available()
    house.clouds = 1
    assert 0 < house.available() < 0.25 * bright
    assert SolarHouse(hour=23).available() == 0


def test_yields_of_a_day_become_those_of_yesterday() -> None:
    house = lived(SolarHouse(hour=6), 17.9)
    today = house.yields_wh[0]
    assert today > 1000
    lived(house, 0.2)
    assert house.yields_wh[1] == pytest.approx(today)
    assert house.yields_wh[0] < 1

"""How a UPS stands, in words, and whether somebody has to look after it."""

from collections.abc import Mapping

import pytest

from pimains.ups.plan import battery as batteries
from pimains.ups.plan.battery import Battery
from pimains.ups.plan.battery import Limits as BatteryLimits
from pimains.ups.plan.standing import Limits, Standing, after_sleep, look
from pimains.ups.plan.words import OTHERS_SHUT_DOWN, how_it_is, is_well

GOOD = {"ups.status": "OL", "battery.charge": "100", "battery.runtime": "1800"}


def seen(*looks: tuple[float, Mapping[str, str] | None]) -> tuple[Standing, Battery, float]:
    """How it stands after looks at seconds, and the second of the last one."""
    standing, battery, now = Standing(), Battery(), 0.0
    for now, variables in looks:
        standing, _ = look(standing, None if variables is None else {**GOOD, **variables}, now, Limits())
        battery = batteries.follow(battery, standing, now)
    return standing, battery, now


def words(*looks: tuple[float, Mapping[str, str] | None], why_not: str = "", need_seconds: float = 60.0, **limits: float) -> str:
    standing, battery, now = seen(*looks)
    due_at = batteries.due_at(battery, standing, (), BatteryLimits(**limits), need_seconds, now)
    return how_it_is(standing, battery, why_not, due_at, now)


@pytest.mark.parametrize(
    ("variables", "said", "well"),
    [
        ({}, "on line, 100 %", True),
        ({"ups.status": "OL CHRG", "battery.charge": "97.5"}, "on line, 97.5 %", True),
        ({"battery.charge": "unknown"}, "on line", True),
        ({"ups.status": "OL LB RB"}, "on line, 100 %, battery low, its battery has to be replaced", False),
        ({"ups.status": "OL ALARM"}, "on line, 100 %, alarm", False),
        ({"ups.status": "OL TRIM"}, "on line, 100 %, voltage lowered", True),
        ({"ups.status": "CAL OB LB"}, "calibrating, 100 %, battery low", False),
        ({"ups.status": "OL STRANGE WORDS"}, "on line, 100 %, says STRANGE WORDS", True),
        ({"ups.status": "FSD OL"}, "on line, 100 %, an old forced shutdown stands there: restart its nut-server", False),
        ({"ups.status": "FSD OB"}, "on battery for 0.0 s, 100 %, forced shutdown, shutting down", False),
        ({"ups.status": "OB LB"}, "on battery for 0.0 s, 100 %, battery low, shutting down", False),
    ],
)
def test_each_way_a_ups_stands_has_its_words(variables: dict[str, str], said: str, well: bool) -> None:
    assert words((5, variables)) == said
    standing, _, now = seen((5, variables))
    assert is_well(standing, now) == well


def test_on_battery_it_says_since_when_and_what_would_happen_when() -> None:
    on_battery = {"ups.status": "OB DISCHRG", "battery.charge": "41", "battery.runtime": "615"}
    assert words((0, {}), (10, on_battery), (190, on_battery)) == "on battery for 3 min, 41 %, shutting down in about 9 min"
    assert (
        words((0, {}), (10, on_battery), (190, on_battery), on_battery_max=200) == "on battery for 3 min, 41 %, shutting down in about 20 s"
    )
    unknown = {**on_battery, "battery.runtime": ""}
    assert words((10, unknown), (190, unknown)) == "on battery for 3 min, 41 %"


def test_without_data_it_says_for_how_long_and_why_and_how_it_was() -> None:
    assert words((5, None), why_not="connection refused") == "no data yet: connection refused"
    assert words((5, {}), (10, None), (30, None), why_not="no route") == "no data for 20 s (no route), was on line"
    on_battery = {"ups.status": "OB", "battery.runtime": "675"}
    said = words((5, on_battery), (10, None), (30, None), why_not="no route")
    assert said == "no data for 20 s (no route), on battery for 25 s, shutting down in about 9 min"


def test_without_data_and_without_any_number_it_says_when_lost_seconds_max_is_over() -> None:
    nothing = {"ups.status": "OB", "battery.charge": "", "battery.runtime": ""}
    assert words((5, nothing), (25, nothing)) == "on battery for 20 s"  # the UPS would say that it is low
    said = words((5, nothing), (10, None), (30, None), why_not="no route", lost_max=80.0)
    assert said == "no data for 20 s (no route), on battery for 25 s, shutting down in about 60 s"


def test_a_moment_without_data_is_nobodys_trouble() -> None:
    assert is_well(*seen((5, {}), (10, None), (39, None))[::2])
    assert not is_well(*seen((5, {}), (10, None), (40, None))[::2])
    assert not is_well(Standing(), 5)


def test_an_output_that_is_off_is_said_once_that_counts() -> None:
    off = {"ups.status": "OL OFF"}
    assert words((5, off), (34, off)) == "on line, 100 %"
    assert words((5, off), (35, off)) == "on line, 100 %, its output is off"


def test_what_was_read_before_a_sleep_is_not_said() -> None:
    standing, battery, _ = seen((5, {}))
    standing, _ = after_sleep(standing, 5000)
    assert how_it_is(standing, battery, "", None, 5000) == "on line"


def test_what_is_not_shut_down_by_it_is_not_said_to_be() -> None:
    standing, battery, now = seen((0, {}), (10, {"ups.status": "OB"}))
    assert how_it_is(standing, battery, "", 70.0, now, "") == "on battery for 0.0 s, 100 %"
    assert how_it_is(standing, battery, "", 70.0, now, OTHERS_SHUT_DOWN) == (
        "on battery for 0.0 s, 100 %, shutting its other machines down in about 60 s"
    )
    low, battery, now = seen((0, {}), (10, {"ups.status": "OB LB"}))
    assert how_it_is(low, battery, "", None, now, "") == "on battery for 0.0 s, 100 %, battery low, this machine stays up"

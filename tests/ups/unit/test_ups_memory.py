"""What a restarted ups service knows of before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.ups.memory import Known, read, written
from pimains.ups.plan import battery as batteries
from pimains.ups.plan.battery import Battery
from pimains.ups.plan.standing import Limits, Standing, look
from pimains.ups.plan.telling import Matter, tell

STATUSES = ["OL", "OL CHRG", "OB DISCHRG", "OB LB", "FSD OL", "FSD OB", "OL OFF", "OL RB WHATEVER", "ALARM OL", "OL CAL", "WAIT", None]


def after(statuses: list[str | None], until: int = 0) -> tuple[Known, list[str]]:
    """What is known after looks a second apart, restarted before look `until`, and what is told from there on."""
    known, told = Known(), list[str]()
    for second, status in enumerate(statuses):
        if second == until:
            known, told = read(written(known)), []
        variables = None if status is None else {"ups.status": status, "battery.charge": str(100 - second), "battery.runtime": "1800"}
        standing, events = look(known.standing, variables, second, Limits())
        matters, messages = tell(known.matters, events, second)
        known = Known(standing, batteries.follow(known.battery, standing, second), matters)
        told += [message.event for message in messages]
    return known, told


@given(st.lists(st.sampled_from(STATUSES), min_size=1, max_size=20), st.data())
def test_a_restart_changes_nothing_of_what_is_known_and_told(statuses: list[str | None], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(statuses) - 1))
    known, told = after(statuses, at)
    expected, all_told = after(statuses)
    assert told == all_told[len(all_told) - len(told) :]
    assert (known.standing.line, known.standing.why_low, known.standing.fsd, known.standing.told) == (
        *(expected.standing.line, expected.standing.why_low, expected.standing.fsd, expected.standing.told),
    )
    assert (known.battery.began, known.matters) == (expected.battery.began, expected.matters)


def test_it_stays_the_same_while_the_mains_are_there_and_nothing_changes() -> None:
    assert len({written(after(["OL"] * count)[0]) for count in range(1, 10)}) == 1


def test_all_of_it_is_there_again_in_an_outage() -> None:
    known, _ = after(["OL", *["OB DISCHRG"] * 70, None])
    again = read(written(known))
    assert again.battery == known.battery
    assert again.battery.settled is not None
    assert again.standing == known.standing._replace(numbers=again.standing.numbers)
    assert again.matters == known.matters


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"standing": {}, "battery": {}, "matters": {}}', '{"standing": 1}'])
def test_what_is_of_another_version_is_as_if_nothing_were_known(text: str) -> None:
    assert read(text) == Known(Standing(), Battery(), {})


def test_a_field_that_is_not_known_yet_is_of_another_version() -> None:
    known = Known(matters={"line": Matter(event="ONBATT")})
    assert read(written(known)) == known
    assert read(written(known).replace('"times"', '"tmes"')) == Known()

"""Scenario 7 in virtual time: the mains are back at each second from FSD to the last act; UPSes obey the cut, ignore it, or cannot.

The plan is the service's own; halt, the last act and the UPS are played here, second by second, as services/ups/README.md has them.
"""

from typing import NamedTuple

import pytest

from pimains.shared.plan.outage import Outage, Role
from pimains.ups.plan.outage import Act, Event, Moment, Wait, decide, timer
from pimains.ups.plan.supplies import Supply, happened

LOW_AT, CLIENT_TAKES, FINAL_DELAY, HALT_STEPS, HALT_COMMAND, OFFDELAY, CUT_WAIT, BOOT = 10, 20, 5, 15, 10, 20, 80, 30
LONGEST = 400
LAST_ACT_AT = LOW_AT + CLIENT_TAKES + FINAL_DELAY + HALT_STEPS + HALT_COMMAND


class Model(NamedTuple):
    """What a UPS does that is told to cut: whether it obeys with the mains there, and without them; it gives back with the mains."""

    cuts_on_line: bool
    cuts_on_battery: bool
    battery_lasts: int = 150  # from the beginning


MODELS = {
    "cuts and returns": Model(cuts_on_line=True, cuts_on_battery=True),
    "ignores the cut on mains": Model(cuts_on_line=False, cuts_on_battery=True),
    "cannot cut": Model(cuts_on_line=False, cuts_on_battery=False),
}


class House:
    """A primary and one client at a UPS."""

    def __init__(self, model: Model, back_at: int) -> None:
        self.model, self.back_at = model, back_at
        self.outage: Outage | None = None
        self.supply = Supply("eaton", is_ours=True, is_on_line=True, looks=9)
        self.is_up, self.is_client_up = True, True
        self.boot = 1
        self.told: list[Act] = []
        self.forced_at: int | None = None
        self.asked_at: int | None = None
        self.last_act_at: int | None = None
        self.boots_at: int | None = None
        self.was_cut = False

    def live(self) -> None:
        for second in range(LONGEST):
            self._power(second)
            if self.boots_at == second:
                self.is_up, self.boots_at = True, None
                self.boot += 1
                self._decide(Event.BOOTED, second)
            if self.is_up:
                self._look(second)
                self._time(second)

    def _power(self, second: int) -> None:
        """What the UPS, the last act and machines without power do."""
        has_mains = second >= self.back_at
        told_to_cut = self.last_act_at is not None and second == self.last_act_at + OFFDELAY
        obeys = self.model.cuts_on_line if has_mains else self.model.cuts_on_battery
        if (told_to_cut and obeys) or (second == self.model.battery_lasts and not has_mains):
            self.was_cut, self.is_up, self.is_client_up, self.last_act_at = True, False, False, None
        if self.was_cut and has_mains and not self.is_up and self.boots_at is None:
            self.boots_at, self.is_client_up = second + BOOT, True
        if self.last_act_at is not None and second == self.last_act_at + CUT_WAIT:
            self.boots_at, self.last_act_at = second + BOOT, None  # it was never cut: it starts again by itself

    def _look(self, second: int) -> None:
        is_on_battery = 5 <= second < self.back_at
        is_low = is_on_battery and second >= LOW_AT
        looks = self.supply.looks + 1 if is_on_battery == self.supply.is_on_battery else 1
        why = "low" if is_low else ""
        self.supply = Supply(
            "eaton", 1, True, is_on_battery=is_on_battery, is_on_line=not is_on_battery, why=why, is_certain=is_low, looks=looks
        )
        for each in happened(self.outage, [self.supply], 1):
            self._decide(each.event, second, each.role, each.why)

    def _time(self, second: int) -> None:
        there = () if self.forced_at is not None and second >= self.forced_at + CLIENT_TAKES else ("client",)
        if not there and self.forced_at is not None and not self.was_cut and self.boot == 1:
            self.is_client_up = False
        while self.outage and (event := timer(self.outage, second, Wait(there, 60, FINAL_DELAY, 120))):
            self._decide(event, second)
        if self.asked_at is not None and self.boot == 1 and second == self.asked_at + HALT_STEPS:
            self._decide(Event.STEP_85, second)
            assert self.told[-1] is Act.FLAG
        if self.asked_at is not None and self.boot == 1 and second == self.asked_at + HALT_STEPS + HALT_COMMAND:
            self.is_up, self.last_act_at = False, second

    def _decide(self, event: Event, second: int, role: Role = Role.PRIMARY, why: str = "low") -> None:
        self.outage, acts = decide(self.outage, event, Moment(second, role, why, ("eaton",), "1", str(self.boot), 0.0))
        self.told += acts
        if Act.FORCE in acts and self.forced_at is None:
            self.forced_at = second
        if Act.ASK in acts:
            self.asked_at = second


@pytest.mark.parametrize("back_at", range(LOW_AT + 1, LAST_ACT_AT + OFFDELAY + 30))
@pytest.mark.parametrize("model", MODELS)
def test_whenever_the_mains_are_back_this_machine_is_up_at_the_end(model: str, back_at: int) -> None:
    house = House(MODELS[model], back_at)
    house.live()
    assert house.forced_at == LOW_AT
    assert house.asked_at == LOW_AT + CLIENT_TAKES + FINAL_DELAY
    assert house.told.count(Act.ASK) == house.told.count(Act.FLAG) == 1
    assert Act.CANCEL not in house.told
    assert house.is_up
    assert house.boot == 2
    assert house.outage is None
    assert house.is_client_up == house.was_cut  # who was not cut is woken, which is not this half's
    if back_at < LAST_ACT_AT - 1:
        assert house.told.count(Act.TELL_WILL_BE_CUT) == 1


def test_a_ups_that_obeys_restarts_everybody_whenever_the_mains_are_back() -> None:
    for back_at in range(LOW_AT + 1, LONGEST - 100):
        house = House(MODELS["cuts and returns"], back_at)
        house.live()
        assert house.is_up, back_at
        assert house.is_client_up, back_at
        assert house.outage is None, back_at
        assert house.told.count(Act.FLAG) == 1, back_at


def test_the_mains_that_are_back_before_anybody_was_told_restart_nobody() -> None:
    house = House(MODELS["cuts and returns"], LOW_AT - 1)
    house.live()
    assert (house.is_up, house.is_client_up, house.boot, house.outage, house.told) == (True, True, 1, None, [])

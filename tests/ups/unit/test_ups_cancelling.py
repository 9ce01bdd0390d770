"""What a person is answered who cancels an outage: with what the table does."""

import pytest

from pimains.shared.plan.outage import Outage, Phase, Role
from pimains.ups.plan.cancelling import answer
from pimains.ups.plan.outage import Act, Event, Moment, decide


def outage(phase: Phase, role: Role = Role.PRIMARY, **apart: Outage) -> Outage:
    return Outage("1", "boot", 0.0, 10.0, phase, 10.0, role, upses=("eaton",), hosts={"nas": {}}, apart=apart)


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("role", [Role.PRIMARY, Role.SECONDARY, Role.APART])
def test_the_words_are_those_of_what_is_done(role: Role, phase: Phase) -> None:
    before = None if phase is Phase.WELL else outage(phase, role)
    after, acts = decide(before, Event.CANCELLED, Moment(20.0, role))
    said = answer(before)
    assert said.is_ok == (Act.REFUSE not in acts)
    assert (said.text == "nothing to cancel") == (Act.NOTHING_TO_DO in acts)
    assert ("over" in said.text) == (before is not None and after is None)
    assert ("FSD" in said.text) == (before is not None and before.is_begun)


def test_from_fsd_on_it_is_too_late() -> None:
    assert answer(outage(Phase.FORCED)).text == "FSD is set; secondaries are going down"
    own = outage(Phase.FORCED, Role.APART)
    assert answer(outage(Phase.ON_BATTERY, cellar=own)) == ("cellar: FSD is set; secondaries are going down", False)
    assert answer(outage(Phase.ON_BATTERY, cellar=own._replace(phase=Phase.RETURNING))) == ("nothing to cancel", True)


def test_what_a_secondary_does_by_its_own_limits_is_halts_to_cancel() -> None:
    assert "pimains halt --cancel" in answer(outage(Phase.DELAYED, Role.ALONE)).text

"""Which blocks with a right sum are believed."""

import random

import pytest

from pimains.vedirect.plan import fields
from pimains.vedirect.plan.belief import Belief
from pimains.vedirect.plan.framing import Block
from tests.vedirect.bench import broken_lines
from tests.vedirect.devices import ALL

MPPT = dict(ALL["MPPT_75_15_FW_150"][0])


def mppt(**changed: str) -> Block:
    return tuple({**MPPT, **{name.replace("SER", "SER#"): text for name, text in changed.items()}}.items())


@pytest.fixture
def belief() -> Belief:
    """One that knows the charger."""
    belief = Belief()
    assert not belief.believes(mppt())
    assert belief.believes(mppt())
    return belief


@pytest.mark.parametrize("name", ALL)
def test_a_device_is_believed_from_its_second_block_of_each_kind_on(name: str) -> None:
    belief = Belief()
    kinds = [tuple(kind) for kind in ALL[name]]
    assert [belief.believes(kind) for kind in kinds * 3] == [False] * len(kinds) + [True] * 2 * len(kinds)


def test_numbers_may_go_as_far_as_their_bound(belief: Belief) -> None:
    assert belief.believes(mppt(V="12300", PPV="50", VPV="1510"))
    assert belief.believes(mppt(V="12600", PPV="0"))
    assert not belief.believes(mppt(V="12901", PPV="0"))


def test_what_jumps_is_believed_once_the_next_block_agrees(belief: Belief) -> None:
    assert not belief.believes(mppt(PPV="400", I="30000"))
    assert belief.believes(mppt(PPV="420", I="31000"))


def test_what_jumped_is_forgotten_when_the_next_block_is_as_before(belief: Belief) -> None:
    assert not belief.believes(mppt(PPV="400"))
    assert belief.believes(mppt(PPV="10"))
    assert not belief.believes(mppt(PPV="400"))


@pytest.mark.parametrize("changed", [{"CS": "3"}, {"ERR": "2"}, {"LOAD": "ON"}, {"SER": "HQ9999ABCDF"}, {"FW": "151"}, {"PID": "0xA052"}])
def test_anything_that_is_no_measured_number_has_to_come_twice(belief: Belief, changed: dict[str, str]) -> None:
    assert not belief.believes(mppt(**changed))
    assert belief.believes(mppt(**changed))
    assert belief.believes(mppt(**changed))


def test_a_value_that_is_no_longer_known_has_to_come_twice(belief: Belief) -> None:
    assert not belief.believes(mppt(V="---"))
    assert belief.believes(mppt(V="---"))


@pytest.mark.parametrize("text", ["", "12-10", "1x", "0x12", "12.0", "1234567890", "+5", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_a_number_has_to_stand_where_a_number_belongs(belief: Belief, text: str) -> None:
    assert not belief.believes(mppt(V=text))
    assert not belief.believes(mppt(V=text))


def test_labels_have_to_be_the_usual_ones_in_their_order(belief: Belief) -> None:
    block = mppt()
    assert not belief.believes(block[1:])
    assert not belief.believes((block[1], block[0], *block[2:]))
    assert not belief.believes((*block, block[-1]))
    assert belief.believes(block)


def test_a_field_that_a_new_firmware_adds_is_believed_from_the_second_time_on(belief: Belief) -> None:
    block = (*mppt(), ("Relay", "OFF"))
    assert [belief.believes(block) for _ in range(3)] == [False, True, True]


def test_a_broken_label_that_comes_again_much_later_is_not_believed(belief: Belief) -> None:
    broken = tuple(("FX" if label == "FW" else label, text) for label, text in mppt())
    assert not belief.believes(broken)
    assert all(belief.believes(mppt()) for _ in range(8))
    assert not belief.believes(broken)


def test_what_really_jumps_all_the_time_is_published_all_the_time_from_the_fourth_block_on(belief: Belief) -> None:
    chance = random.Random(1)
    believed = [belief.believes(mppt(PPV=str(chance.randrange(300, 700)))) for _ in range(200)]
    assert not any(believed[:2])
    assert sum(believed) > 180


def test_a_state_that_goes_to_and_fro_with_each_block_is_published_too(belief: Belief) -> None:
    believed = [belief.believes(mppt(MPPT=str(number % 2), PPV=str(number * 97 % 60))) for number in range(200)]
    assert sum(believed) > 180


def test_a_device_that_is_restless_from_the_beginning_is_believed_too() -> None:
    belief = Belief()
    chance = random.Random(2)
    blocks = [mppt(MPPT=str(number % 2), PPV=str(chance.randrange(900)), I=str(chance.randrange(60_000))) for number in range(400)]
    assert sum(belief.believes(block) for block in blocks) > 350


def test_a_restless_device_has_its_bounds_too(belief: Belief) -> None:
    for number in range(100):
        belief.believes(mppt(PPV=str(number % 2 * 400)))
    assert not belief.believes(mppt(PPV="0", V="19000"))
    assert belief.believes(mppt(PPV="0"))
    assert not belief.believes(mppt(PPV="0", CS="7"))
    assert not belief.believes(mppt(PPV="4000"))


def test_a_field_that_has_calmed_down_is_bounded_as_before(belief: Belief) -> None:
    for watts in ("300", "900", "300", "900"):
        belief.believes(mppt(PPV=watts))
    for _ in range(1500):
        assert belief.believes(mppt(PPV="900"))
    assert not belief.believes(mppt(PPV="800"))


def test_an_unknown_number_may_be_any(belief: Belief) -> None:
    block = mppt()
    assert not belief.believes((*block, ("X", "1")))
    assert belief.believes((*block, ("X", "1")))
    assert belief.believes((*block, ("X", "1000000")))
    assert not belief.believes((*block, ("X", "word")))
    assert fields.published("X", "1") == {"X": "1"}


@pytest.mark.parametrize(("flip", "lose"), [(0.001, 0.0), (0.0, 0.001), (0.001, 0.001)])
def test_of_a_line_that_breaks_things_hardly_anything_wrong_is_believed(flip: float, lose: float) -> None:
    """30 000 blocks; tests/vedirect/bench/broken_lines.py has 10^6."""
    told = broken_lines.told(10_000, flip, lose, seed=7)
    assert told.wrong <= 2  # 50 of a million
    assert told.too_far == 0
    assert told.published >= 0.95 * told.undamaged

"""How long each halt step may take where a plug cuts the power of a machine that it does not hear: HALT_COMMAND has to be started in time.

Whoever outlasts its budget is ended, which takes ENDING_SECONDS more. As long as LEAST_SECONDS and that are left for each step,
HALT_COMMAND is started before the time is over, however long the steps would like to take; property tests prove it.
"""

from collections.abc import Sequence

from pimains.core.plan.budget import ENDING_SECONDS

CALL_OFF_SECONDS = 60.0  # several times what it takes to tell a plug that a halt is called off
LEAST_SECONDS = 1.0  # what a step gets in any case


def longest(budgets: Sequence[float]) -> float:
    """The seconds that steps with these budgets take at most."""
    return sum(budget + ENDING_SECONDS for budget in budgets)


def granted(budgets: Sequence[float], left: float) -> float:
    """What the first of the steps to come gets of `left` seconds, by the budgets of them all.

    It gets its budget where there is time for everybody's; else each gets the least, and of the rest its share.
    """
    if longest(budgets) <= left:
        return budgets[0]
    rest = left - len(budgets) * (LEAST_SECONDS + ENDING_SECONDS)
    wishes = [max(0.0, budget - LEAST_SECONDS) for budget in budgets]
    return LEAST_SECONDS + max(0.0, rest) * wishes[0] / sum(wishes) if any(wishes) else LEAST_SECONDS


def before_a_cut(wanted: float, seconds_to_cut: float) -> float:
    """How much of `wanted` seconds can be waited for HALT_COMMAND to work, so that a cut can still be called off if it does not."""
    return min(wanted, max(seconds_to_cut - CALL_OFF_SECONDS, seconds_to_cut / 2))


def patience(wanted: float, budgets: Sequence[float], left: float) -> float:
    """What is left of `left` seconds for waiting, at most `wanted`, before steps with these budgets begin."""
    return max(0.0, min(wanted, left - longest(budgets)))

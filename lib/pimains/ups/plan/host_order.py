"""In which order hosts go down and come up: one comes up after those in its AFTER, and goes down before them.

`after` is every host's name with the names in its AFTER. Hosts that do not wait for each other go side by side.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

After: TypeAlias = Mapping[str, Sequence[str]]


def cycle(after: After) -> list[str]:
    """Names that wait for each other in a circle, the first one once more at the end; none when there is no circle."""
    settled: set[str] = set()
    for start in sorted(after):
        path: list[str] = []
        rest = [iter((start,))]
        while rest:
            name = next(rest[-1], None)
            if name is None:
                rest.pop()
                if path:
                    settled.add(path.pop())
            elif name in path:
                return [*path[path.index(name) :], name]
            elif name not in settled and name in after:
                path.append(name)
                rest.append(iter(after[name]))
    return []


def with_dependents(after: After, names: Collection[str]) -> set[str]:
    """`names` and all that come up after one of them, at any remove: who has to be down before the last of `names` is ordered."""
    found = set(names)
    while more := {name for name, waits_for in after.items() if name not in found and found.intersection(waits_for)}:
        found |= more
    return found


def down_now(after: After, to_go: Collection[str], down: Collection[str]) -> list[str]:
    """Who of `to_go` may be ordered down now: everybody who comes up after it is among `down`, proved or given up.

    `to_go` without those who were ordered already; `with_dependents` has been asked before.
    """
    held = {needed for name, waits_for in after.items() if name not in down for needed in waits_for}
    return sorted(name for name in to_go if name not in held and name not in down)


def up_now(after: After, to_come: Collection[str], pending: Collection[str]) -> list[str]:
    """Who of `to_come` may be woken now: none that it comes up after is among `pending`, those who are wanted up and are not yet.

    One that stays off, or was given up, keeps nobody else off.
    """
    waited_for = {*to_come, *pending}
    return sorted(name for name in to_come if not waited_for.intersection(after.get(name, ())))


def down_order(after: After) -> list[list[str]]:
    """All hosts, those that go down side by side together, the first ones first. `after` has no circle."""
    found: list[list[str]] = []
    left = set(after)
    while left:
        found.append(down_now(after, left, set(after) - left))
        left -= set(found[-1])
    return found


def down_seconds(after: After, budgets: Mapping[str, float]) -> float:
    """How long it takes until all of `budgets` (seconds each) are down, side by side where AFTER allows."""
    ends: dict[str, float] = {}
    for together in down_order(after):
        for name in together:
            began = max((ends[other] for other in ends if name in after[other]), default=0.0)
            ends[name] = began + budgets.get(name, 0.0)
    return max(ends.values(), default=0.0)

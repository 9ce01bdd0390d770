"""All that a rule is to be given now, as a child is told it: what it has not seen yet, and nothing twice."""

from collections.abc import Iterable, Mapping
from typing import Any

from pimains.core.clock import Clock
from pimains.core.plan.sentences import clock_was_set
from pimains.rules.hosts import Hosts
from pimains.rules.listed import Listed
from pimains.rules.relays_told import RelaysTold
from pimains.rules.rule_files import RuleFile
from pimains.rules.values import Value, Values

Timers = Mapping[int, Mapping[str, tuple[float, float]]]


class Situation:
    """What is known on this machine; `timers` are those of all rules by the numbers of their relays."""

    def __init__(self, clock: Clock, values: Values, relays: RelaysTold, hosts: Hosts, listed: Listed, timers: Timers) -> None:
        self._clock = clock
        self._values, self._relays, self._hosts, self._listed, self._timers = values, relays, hosts, listed, timers

    def request(self, rule: RuleFile, seen: dict[str, object]) -> dict[str, Any]:
        """What a child is asked about a rule, when it has `seen` some of it before."""
        number, offset, wall = rule.number, self._relays.offset or 0.0, self._clock.wall()
        request: dict[str, Any] = {
            "number": number,
            "time": self._clock.monotonic() + offset,
            "wall": wall if clock_was_set(wall) else None,
            "values": self._news_of_values(seen, offset),
            "forget": _gone("value", seen, self._values.known),
            "relays": dict.fromkeys(_gone("relay", seen, map(str, self._relays.relays))),
            "timers": self._timers.get(number, {}),
            "others": {gone: {} for gone in _gone("timers", seen, map(str, self._timers))},
        }
        for each, timers in self._timers.items():
            if seen.get(f"timers {each}") != timers:
                request["others"][str(each)] = seen[f"timers {each}"] = timers
        for each, told in self._relays.relays.items():
            if seen.get(f"relay {each}") is not told:
                request["relays"][str(each)] = seen[f"relay {each}"] = told
        for what, is_now in (("hosts", dict(self._hosts.known)), ("files", self._listed.names)):
            if what not in seen or seen[what] != is_now:
                request[what] = seen[what] = is_now
        if seen.get(f"rule {number}") is not rule:
            request["rule"] = str(rule.path), rule.text
            seen[f"rule {number}"] = rule
        return request

    def _news_of_values(self, seen: dict[str, object], offset: float) -> list[tuple[str, Value, float]]:
        news: list[tuple[str, Value, float]] = []
        for name, known in self._values.known.items():
            before = seen.get(f"value {name}")
            if before != known:
                past = [each for each in self._values.chargers.get(name, []) if not isinstance(before, tuple) or each[1] > before[1]]
                news += [(name, value, at + offset) for value, at in (*past, known)]
                seen[f"value {name}"] = known
        return news


def _gone(kind: str, seen: dict[str, object], there: Iterable[str]) -> list[str]:
    """The names of this kind that a child has seen and are there no more."""
    names = {name.removeprefix(f"{kind} ") for name in seen if name.startswith(f"{kind} ")}.difference(there)
    for name in names:
        del seen[f"{kind} {name}"]
    return list(names)

"""A day of the simulated solar house in moments: its sun, clouds and battery, relays with their guards, and what rules say of them.

world = SolarWorld({"3": rule}, hour=8, clouds=[(11, 0.9), (11.2, 0.0)], **{"3": Limits(watts=1000)})
world.live_until(18)
assert world.runs("3") == [(9.5, 16.0)]
"""

import itertools
import random
import types
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from pimains.house.solar import SolarHouse
from pimains.rules.plan.answer import KEEP, ON
from pimains.rules.plan.calendar import Now, SunOf
from pimains.rules.plan.given import Given, Rule
from pimains.rules.plan.not_known import NotKnown
from pimains.rules.plan.relay_view import RelayView, Timers
from pimains.rules.ready_rule import load
from pimains.shared.relays.plan.relay import GroupLimit, Limits, Wish
from tests.kit import TOP
from tests.relays.boards import World

HOUR, DAY = 3600.0, 86400.0
MIDNIGHT = datetime(2026, 6, 24, tzinfo=UTC).timestamp()  # a Wednesday
EXAMPLES = TOP / "services/rules/examples"
READY = TOP / "services/rules/ready"
LOST_AFTER = 600.0
Clouds = Sequence[tuple[float, float]]  # from which hour on, and how dense, 0-1


class SolarWorld(World):
    """`rules` are those of the relays that have one. Values are vedirect.bmv/P and SOC, vedirect.mppt/PPV and CS, and grid/P.

    The last one is what a house with a grid would sell, less what relays draw: `surplus` tells it by the hour, or the panels could give it.
    """

    def __init__(
        self,
        rules: Mapping[str, Rule] | None = None,
        *,
        house: SolarHouse | None = None,
        clouds: Clouds = (),
        surplus: Callable[[float], float] | None = None,
        step: float = 30.0,
        group_limits: Mapping[str, GroupLimit] | None = None,
        zone: tzinfo = UTC,
        lost: float = LOST_AFTER,
        sun_of: SunOf | None = None,
        **limits: Limits,
    ) -> None:
        self.house = house or SolarHouse(hour=6)
        self.clouds = list(clouds)
        self.surplus = surplus or (lambda _: self.house.available() - self.house.load)
        self.step = step
        self.given = Given(lost, Now(zone, sun_of))
        self.rules = dict(rules or {})
        self.silent: set[str] = set()  # devices that say nothing
        self.silent_rules: set[str] = set()
        self.wishes: dict[str, tuple[str, str]] = {}
        self.lost: dict[str, str] = {}
        super().__init__(group_limits, lost=lost, zone=zone, **limits)
        self._show_relays()
        self.set_clock(MIDNIGHT + self.house.seconds)

    def _show_relays(self) -> None:
        for number, relay in self.board.relays.items():
            kept = self.given.relays.get(int(number))
            timers = Timers(self.given.moment, kept.timers.started if kept else {})
            self.given.relays.put(RelayView(relay, self.given.moment, self.given.data, timers))

    def restart(self) -> None:
        """Both services: what is kept is all that they know."""
        super().restart()
        self._show_relays()

    @property
    def hour(self) -> float:
        """Since the midnight before the first day."""
        return self.house.seconds / HOUR

    def relay_floats(self) -> bool:
        """Whether a rule that allows for a minute would say that the charger floats."""
        return self.given.relays[3].floating(within=60)

    def drawn(self) -> float:
        """W of all loads that are on."""
        return sum(self.limits[number].watts for number, relay in self.board.relays.items() if relay.is_on)

    def live(self, seconds: float) -> None:
        """So long; the rules are asked after each step."""
        end = self.house.seconds + seconds
        while self.house.seconds < end - 1e-6:
            step = min(self.step, end - self.house.seconds)
            while self.clouds and self.clouds[0][0] <= self.hour:
                self.house.clouds = self.clouds.pop(0)[1]
            self.house.live(step, self.drawn())
            self.pass_seconds(step)
            self.tell()
            self.ask()

    def live_until(self, hour: float) -> None:
        """Until it is so late, since the midnight before the first day."""
        self.live(hour * HOUR - self.house.seconds)

    def tell(self) -> None:
        """What devices say now."""
        house, put = self.house, self.put
        put("vedirect.bmv/P", house.battery_watts)
        put("vedirect.bmv/SOC", house.soc * 100)
        put("vedirect.mppt/PPV", house.panel_watts)
        put("vedirect.mppt/CS", float(house.charging))
        put("grid/P", self.surplus(self.hour) - self.drawn())

    def put(self, name: str, value: float) -> None:
        if name.partition("/")[0] not in self.silent:
            self.given.data.put(name, value, self.time)

    def ask(self) -> None:
        """Each rule once."""
        for number, rule in self.rules.items():
            if number in self.silent_rules:
                continue
            self.given.at(self.time, None if self.ahead is None else self.time + self.ahead)
            try:
                word, why = self.given.ask(rule, int(number))
            except NotKnown as unknown:
                self.lost[number] = str(unknown)
                continue
            self.lost.pop(number, None)
            self.wishes[number] = word, why
            self.say_wish(number, self.is_on(number) if word == KEEP else word == ON, why or "it stays as it is")

    def say_wish(self, number: str, is_on: bool, why: str) -> None:
        """The board decides anew if that is another wish, and else with the next step."""
        before = self.board.relays[number].wish
        if before is None or before.is_on != is_on:
            self.wish(number, is_on, why)
        else:
            self.board.relays[number].ask(Wish(is_on, why, self.time), self.time)

    def runs(self, number: str) -> list[tuple[float, float]]:
        """From which hour until which it was on; to now if it is."""
        first = self.house.seconds - self.time
        changes = [(first + time) / HOUR for time, name, _ in self.trace if name == number]
        return [(begin, end) for begin, end in itertools.zip_longest(changes[::2], changes[1::2], fillvalue=self.hour)]

    def hours_on(self, number: str) -> float:
        return sum(end - begin for begin, end in self.runs(number))

    def why_of(self, number: str) -> list[str]:
        """The reason of each of its switchings."""
        return [why for (_, name, _), why in zip(self.trace, self.why, strict=True) if name == number]


def example(world: SolarWorld, name: str) -> Rule:
    """A rule that comes with pimains, which sees what this world gives; `name` is how its file begins."""
    (path,) = EXAMPLES.glob(f"{name}-*.py")
    module = types.ModuleType("rule")
    module.__dict__.update(world.given.names())
    exec(compile(path.read_text(), path, "exec"), module.__dict__)
    rule: Rule = module.__dict__["rule"]
    return rule


def cloudy(seed: int, first: float = 6.0, last: float = 20.0, minutes: float = 6.0) -> Clouds:
    """Clouds that come and go, each some minutes long."""
    chance = random.Random(seed)
    found, hour = [], first
    while hour < last:
        found.append((hour, chance.choice((0.0, 0.0, 0.1, 0.4, 0.9))))
        hour += chance.uniform(0.2, 2.0) * minutes / 60
    return found


def ready(directory: Path, kind: str, number: str = "3", **settings: str) -> Path:
    """The directory of a ready-made rule: the files of a new one, with these settings."""
    made = directory / f"{number}.rule"
    made.mkdir(parents=True)
    for path in (READY / kind).iterdir():
        value, _, meaning = path.read_text().partition("\n")
        (made / path.name).write_text(f"{settings.pop(path.name, value)}\n{meaning}")
    assert settings == {}
    return made


def rule_of(directory: Path, kind: str, number: str = "3", files: frozenset[str] = frozenset(), **settings: str) -> Rule:
    """That rule, loaded as the service does."""
    return load(ready(directory, kind, number, **settings), {"present": files.__contains__})

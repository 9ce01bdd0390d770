"""A world of relays that checks each switching against the table of guards."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pimains.shared.relays.plan.modes import AUTO
from pimains.shared.relays.plan.relay import GroupLimit, Limits
from tests.relays.boards import STAGGER, UNSEEN, World

BERLIN = ZoneInfo("Europe/Berlin")
DAY = 86400.0
GROUPS = {"heaters": GroupLimit(1, False), "all": GroupLimit(4000, True)}


class WatchedWorld(World):
    """It goes by true time, which goes on while the machine is off; quiet hours are those from 22:00 to 6:00, at most one heater is on."""

    def __init__(self, limits: Mapping[str, Limits], **more: Any) -> None:
        self.off_seconds = 0.0
        self.spans: dict[str, list[list[float]]] = {number: [] for number in limits}  # true times of closing and opening
        self.booted = 0.0
        super().__init__(group_limits=GROUPS, zone=BERLIN, **more, **limits)

    @property
    def true(self) -> float:
        return self.time + self.off_seconds

    def carried_out(self, number: str, is_on: bool, why: str) -> None:
        super().carried_out(number, is_on, why)
        limits, relay, spans = self.limits[number], self.board.relays[number], self.spans[number]
        if why == "reboot":  # power_cut has noted it
            return
        by_rule = relay.mode.word == AUTO
        if is_on:
            assert not self.board.halted
            opened = max(self.booted, spans[-1][1] if spans else 0.0)
            assert self.true - opened >= limits.min_off - 1e-3
            others = [each[-1] for name, each in self.spans.items() if name != number and each]
            assert all(self.true - each[0] >= STAGGER - 1e-3 for each in others if each[0] > self.booted)
            on = [self.limits[name] for name in self.limits if self.board.relays[name].is_on]
            assert sum(each.group == "heaters" for each in on) <= 1
            assert sum(each.watts for each in on) <= 4000
            if by_rule:
                self.check_a_rules_on(number, limits)
            spans.append([self.true])
        else:
            if by_rule and not (self.board.halted and limits.on_halt == "off"):
                assert self.true - spans[-1][0] >= limits.min_on - 1e-3
            spans[-1].append(self.true)

    def check_a_rules_on(self, number: str, limits: Limits) -> None:
        if limits.max_switches_per_day is not None:
            assert sum(begin > self.true - DAY + 1e-3 for begin, *_ in self.spans[number]) < limits.max_switches_per_day
        if limits.quiet_hours:
            assert self.ahead is not None
            there = datetime.fromtimestamp(self.time + self.ahead, BERLIN)
            assert 6 <= there.hour < 22
        if limits.max_on_per_day is not None:
            assert self.seconds_on(number) + limits.min_on <= limits.max_on_per_day + 1e-2

    def seconds_on(self, number: str) -> float:
        ended = [(begin, end[0] if end else self.true) for begin, *end in self.spans[number]]
        return sum(max(0.0, end - max(begin, self.true - DAY)) for begin, end in ended)

    def power_cut(self, unwritten: float, off: float) -> None:
        """Time is written down with each switching, and now and then."""
        last = max([self.booted, *(each for spans in self.spans.values() for span in spans for each in span)])
        unwritten = min(unwritten, self.true - last, UNSEEN)
        before = self.true
        for number in self.limits:
            if self.is_on(number):
                self.spans[number][-1].append(before)
        self.off_seconds += unwritten + off
        self.booted = before + off
        super().reboot(unwritten)

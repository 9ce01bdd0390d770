"""Relays on a board of a test, and a small world that carries out what it decides.

world = World(boiler=Limits(min_on=600))
world.wish("boiler", True)
world.pass_seconds(60)
assert world.is_on("boiler")
"""

import json
from collections.abc import Mapping
from datetime import UTC, tzinfo

from pimains.shared.relays.plan import modes
from pimains.shared.relays.plan.board import Board, Decision, Switch
from pimains.shared.relays.plan.guards import Now
from pimains.shared.relays.plan.relay import GroupLimit, Limits, Relay, Wish
from pimains.shared.relays.plan.runs import Runs

LOST = 600.0
STAGGER = 1.0
UNSEEN = 600.0


class World:
    """A board and its time; `wall` is None until `set_clock`. What was switched is in `trace`: when, which, on or off."""

    def __init__(
        self, group_limits: Mapping[str, GroupLimit] | None = None, *, lost: float = LOST, zone: tzinfo = UTC, **limits: Limits
    ) -> None:
        self.limits, self._group_limits, self._lost, self._zone = limits, group_limits or {}, lost, zone
        self.time = 0.0
        self.ahead: float | None = None
        self.trace: list[tuple[float, str, bool]] = []
        self.why: list[str] = []
        self.board = self._new_board()
        for number, each in limits.items():
            self.board.relays[number] = Relay(number, each, Runs(self.time))
        self.last: Decision = self.board.decide(self.now)

    def _new_board(self) -> Board:
        return Board(STAGGER, self._group_limits, self._lost)

    @property
    def now(self) -> Now:
        return Now(self.time, None if self.ahead is None else self.time + self.ahead, self._zone)

    def set_clock(self, wall: float) -> None:
        self.ahead = wall - self.time
        self.settle()

    def settle(self) -> None:
        """Carry out all that is decided now."""
        for _ in range(200):
            self.last = self.board.decide(self.now)
            for switch in self.last.switches:
                self._carry_out(switch)
            if not self.last.switches:
                return
        raise AssertionError("the board never comes to rest")

    def _carry_out(self, switch: Switch) -> None:
        assert self.board.relays[switch.number].is_on != switch.is_on
        self.board.switched(switch, self.time)
        self.carried_out(switch.number, switch.is_on, switch.why)

    def carried_out(self, number: str, is_on: bool, why: str) -> None:
        self.trace.append((self.time, number, is_on))
        self.why.append(why)

    def pass_seconds(self, seconds: float) -> None:
        """Time passes; the board is asked when it wants to be, and not else."""
        end = self.time + seconds
        while self.last.look_at <= end:
            assert self.last.look_at > self.time - 1e-6, "it looks again and again"
            self.time = max(self.last.look_at, self.time + 1e-3)
            self.settle()
        self.time = max(end, self.time)
        self.settle()

    def wish(self, number: str, is_on: bool, why: str = "the sun shines") -> None:
        self.board.relays[number].ask(Wish(is_on, why, self.time), self.time)
        self.settle()

    def say(self, number: str, text: str) -> None:
        self.board.relays[number].say(modes.parse(text), self.time)
        self.settle()

    def restart(self) -> None:
        """The service: what is kept is all that it knows; wishes are read again."""
        kept = json.loads(json.dumps({number: relay.kept() for number, relay in self.board.relays.items()}))
        before, self.board = self.board, self._new_board()
        self.board.halted = before.halted
        for number, each in self.limits.items():
            relay = Relay(number, each, Runs(self.time))
            relay.recall(kept[number])
            relay.wish, relay.without_wish_since = before.relays[number].wish, before.relays[number].without_wish_since
            self.board.relays[number] = relay
        self.settle()

    def reboot(self, unwritten: float = 0.0) -> None:
        """The power went; contacts that were closed have opened. So many seconds before that, time was last written down."""
        for number, relay in self.board.relays.items():
            if relay.is_on:
                self.carried_out(number, False, "reboot")
        self.time -= unwritten
        for relay in self.board.relays.values():
            relay.boot(self.time, UNSEEN)
        self.board.halted = ""
        self.restart()

    def halt(self, why: str = "this machine halts") -> None:
        self.board.halted = why
        self.settle()

    def is_on(self, number: str) -> bool:
        return self.board.relays[number].is_on

    def reason(self, number: str) -> str:
        return self.last.verdicts[number].reason

    def next_change(self, number: str) -> float | None:
        return self.last.verdicts[number].next_change

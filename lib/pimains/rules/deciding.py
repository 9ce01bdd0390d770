"""Which rules are asked when, and what becomes of their answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pimains.core.plan import back_off
from pimains.core.plan.sentences import clock_was_set
from pimains.core.service import Instance, Readable
from pimains.core.troubles import Troubles
from pimains.rules import off_times
from pimains.rules.asking import Asking, Outcome
from pimains.rules.blocks.making import Making
from pimains.rules.child import Child, Lost
from pimains.rules.hosts import Hosts
from pimains.rules.listed import Listed, make_for_group
from pimains.rules.memory import Memory
from pimains.rules.plan.calendar import SunOf
from pimains.rules.plan.given import Answer, Given, Now, asked_host
from pimains.rules.relays_told import RelaysTold
from pimains.rules.rule_files import READY, RuleFile, RuleFiles
from pimains.rules.settings import RulesSettings
from pimains.rules.situation import Situation
from pimains.rules.told import LOST, Told
from pimains.rules.values import Values
from pimains.rules.wishes import Wishes

_QUIET_SECONDS = 1.0  # from one asking to the next
_OTHERS_SECONDS = 0.02  # what no rule asks for comes in bursts
_LATE_SECONDS_MAX = 600.0
_SETTLING_SECONDS = 0.1  # who edits a rule with echo empties its file first
_RULES_SHOWN = 12
_ROUNDS_OF_NEWS = 5  # a rule may ask for more once it knows the first


class Deciding:
    """What the service does, from files to wishes."""

    def __init__(self, me: Instance, settings: RulesSettings, sun_of: SunOf | None) -> None:
        self._me, self._settings = me, settings
        self._memory = Memory(me)
        self._values = Values(me.clock, settings.LOST_AFTER, self._memory.parts, self._memory.chargers)
        self._off_times = off_times.kept(me)
        self._relays = RelaysTold(self._off_times)
        self._hosts = Hosts(settings.HOSTS, settings.INTERVAL, me.clock)
        self._listed = Listed(settings.RULES_FILES)
        self._situation = Situation(me.clock, self._values, self._relays, self._hosts, self._listed, self._memory.timers)
        self._files = RuleFiles(settings.RULES, me.lib)
        self._making = Making(me, settings.RULES)
        self._wishes = Wishes(self._relays.top)
        self._told = Told(me)
        self._asking = Asking(
            me.clock,
            settings.RULE_SECONDS,
            lambda: Child(lambda: Given(settings.LOST_AFTER, Now(sun_of=sun_of)), settings.RULE_SECONDS),
            self._request,
            me.complain,
        )
        self._troubles = Troubles(me.complain, print)
        self._notes = Troubles(print)
        self._rules: dict[int, RuleFile] = {}
        self._uses: dict[int, frozenset[str]] = {}
        self._given: dict[int, frozenset[str]] = {}  # the names that each was given when it was last asked
        self._answers: dict[int, Answer] = {}
        self._news_rounds: dict[int, int] = {}
        self._deaths: dict[int, int] = {}
        self._not_before: dict[int, float] = {}
        self._printed: dict[int, str] = {}
        self._asked_at: dict[int, float] = {}
        self._due: set[int] = set()
        self._due_by_relays: set[int] = set()
        self._status = ""
        self._round_at = self._listen_at = self._listen_to_relays_at = self._ask_at = self._ask_by_relays_at = 0.0
        self._files_at: float | None = None
        for number in self._told.numbers():
            self._told.forget(number)
        if settings.RULES_FILES.parent == me.lib:
            make_for_group(settings.RULES_FILES)

    @property
    def now(self) -> float:
        """By the monotonic clock."""
        return self._me.clock.monotonic()

    def look(self) -> None:
        """Hear what is new, ask whom it concerns, and pass on what has been answered."""
        now = self.now
        if now >= self._round_at:
            self._begin_round(now)
        if self._files_at is None:
            if self._files.changed() | self._making.changed():
                self._files_at = now + _SETTLING_SECONDS
        elif now >= self._files_at:
            self._files_at = None
            self._look_at_rules()
        if now >= self._listen_at:
            self._listen(now)
        if now >= self._listen_to_relays_at:
            self._listen_to_relays(now)
        self._due |= {number for number in self._memory.timers if self._timer_ends(number) <= now and number in self._rules}
        if self._due and now >= self._ask_at:
            self._ask_at = self._listen_at = now + _QUIET_SECONDS
            self._ask_all(self._due, now)
        if self._due_by_relays and now >= self._ask_by_relays_at:
            self._ask_by_relays_at = now + _QUIET_SECONDS
            self._ask_all(self._due_by_relays, now)
        while outcomes := self._asking.attend():
            for outcome in outcomes:
                self._take(outcome)
        self._memory.save_if_due()
        self._say_status()

    def files(self) -> tuple[Readable, ...]:
        """What to wait for."""
        heard: list[Readable] = [*self._asking.files(), *self._hosts.files()]
        if self.now >= self._listen_at:
            heard += [self._values, *filter(None, (self._listed.watch,))]
        if self.now >= self._listen_to_relays_at:
            heard += filter(None, (self._relays.watch,))
        if self._files_at is None:
            heard += [*self._files.watches(), *self._making.watches()]
        return tuple(heard)

    def seconds_to_wait(self) -> float:
        """Until there is something to do, when nothing comes."""
        ends = [self._round_at, *filter(None, (self._files_at,))]
        ends += [at for at in (self._listen_at, self._listen_to_relays_at) if self.now < at]
        if self._due:
            ends.append(self._ask_at)
        if self._due_by_relays:
            ends.append(self._ask_by_relays_at)
        ends += [max(self._ask_at, self._timer_ends(number)) for number in self._memory.timers if number in self._rules]
        waits = (self._asking.seconds_to_wait(), self._hosts.seconds_to_wait(), self._memory.seconds_to_wait(), min(ends) - self.now)
        return max(0.0, min(waits))

    def close(self) -> None:
        """Leave all as it is: wishes last until they count as lost."""
        self._memory.save()
        self._off_times.save(self._me, at_once=True)
        self._asking.close()
        for each in (self._values, self._relays, self._hosts, self._listed, self._files, self._making):
            each.close()

    def _begin_round(self, now: float) -> None:
        """All of them, and what came without a word; it keeps no value waiting either."""
        self._round_at = now + self._settings.INTERVAL
        self._status = ""  # said again, should it not have been written
        self._relays.look()
        wall = self._me.clock.wall()
        if self._relays.offset is not None and clock_was_set(wall):
            if self._off_times.look(now + self._relays.offset, now, wall):
                self._relays.look_anew()
            self._off_times.save(self._me)
        self._values.keep_only(self._uses.values())
        self._values.look_again()
        self._listed.look()
        self._look_at_rules()
        self._ask_all(set(self._rules), now)

    def _listen(self, now: float) -> None:
        """Who is concerned by what is new."""
        names = self._values.changed()
        names |= {f"*/{name.partition('/')[2]}" for name in names}
        hosts = {asked_host(host) for host in self._hosts.changed()}
        self._due |= {number for number, uses in self._uses.items() if uses & (names | hosts)}
        if names:
            self._memory.set_parts(self._values.parts)
            self._memory.chargers_changed()
        if self._listed.changed():
            self._due |= self._rules.keys()
        if not self._due and self._values.hears_others:
            self._listen_at = now + _OTHERS_SECONDS

    def _listen_to_relays(self, now: float) -> None:
        """At most once a second by itself: what comes of a rule's answer would else keep the next value waiting."""
        if self._relays.changed():
            self._due_by_relays |= self._rules.keys()
        elif self._relays.hears_others:
            self._listen_to_relays_at = now + _OTHERS_SECONDS

    def _ask_all(self, due: set[int], now: float) -> None:
        """Those that cost a child last time come last."""
        for number in sorted(due & self._rules.keys(), key=lambda each: (self._deaths.get(each, 0), each)):
            self._ask(number, now)
        due.clear()

    def _look_at_rules(self) -> None:
        """A file may have come, changed or gone, or one is to be made of what somebody has saved."""
        self._making.look()
        found = self._files.look()
        for number in self._rules.keys() - found.keys():
            self._forget(number)
        for number, rule in found.items():
            before = self._rules.get(number)
            if before is not rule:
                if before is not None and (before.path != rule.path or (rule.path.suffix == READY and before.text != rule.text)):
                    self._memory.set_timers(number, {})  # those of another rule mean nothing to it
                self._rules[number] = rule
                self._deaths.pop(number, None)
                self._not_before.pop(number, None)
                self._due.add(number)
                self._ask_at = 0.0
                besides = f"{rule.besides} is not used: {rule.path} counts more" if rule.besides else ""
                self._notes.look(f"rule {number} twice", besides)

    def _forget(self, number: int) -> None:
        """Its file is gone."""
        del self._rules[number]
        self._asking.forget(number)
        for known in (self._uses, self._given, self._answers, self._news_rounds, self._deaths, self._not_before, self._printed):
            known.pop(number, None)
        self._due.discard(number)
        self._memory.set_timers(number, {})
        self._told.forget(number)
        self._troubles.look(f"rule {number}", "")
        self._troubles.look(f"relay {number}", "")
        self._notes.look(f"rule {number} twice", "")
        if number in self._relays.relays:
            self._pass_on(number, lambda: self._wishes.forget(number))

    def _timer_ends(self, number: int) -> float:
        """When the next timer of a rule is over, by the monotonic clock; far away if none runs."""
        now, offset = self.now, self._relays.offset or 0.0
        ends = [at + seconds - offset for at, seconds in self._memory.timers[number].values()]
        asked_at = self._asked_at.get(number, 0.0)
        return min((end for end in ends if end > asked_at), default=now + 1e6)

    def _ask(self, number: int, now: float) -> None:
        rule = self._rules[number]
        self._asked_at[number] = now
        self._news_rounds.pop(number, None)
        if rule.fault:
            self._lose(number, Lost(rule.fault, 0, rule.fault))
        elif number not in self._relays.relays:
            why = "relays does not run" if self._relays.offset is None else f"there is no relay {number}"
            self._lose(number, Lost(why, 0, why))
        elif now >= self._not_before.get(number, 0.0):
            self._asking.ask(number)

    def _request(self, number: int, seen: dict[str, object]) -> tuple[dict[str, Any], Path]:
        rule = self._rules[number]
        self._given[number] = frozenset(self._values.known)
        return self._situation.request(rule, seen), rule.path

    def _take(self, outcome: Outcome) -> None:
        """What has come of asking a rule."""
        number, reply = outcome.number, outcome.reply
        if number not in self._rules:
            return
        if outcome.has_cost_its_child:
            self._deaths[number] = self._deaths.get(number, 0) + 1
            wait = back_off.wait_seconds(self._deaths[number] - 1, first=self._settings.INTERVAL, longest=_LATE_SECONDS_MAX)
            self._not_before[number] = self.now + wait
        else:
            self._deaths.pop(number, None)
            self._uses[number] = reply.asked
            if self._learns(number, reply.asked):
                return
        if reply.timers is not None:
            self._memory.set_timers(number, reply.timers)
        if reply.printed and self._printed.get(number) != reply.printed:
            print(f"rule {number} prints: {reply.printed}")
        self._printed[number] = reply.printed
        if reply.lost is not None:
            self._lose(number, reply.lost)
        elif reply.answer is not None:
            self._say(number, Answer(*reply.answer))

    def _learns(self, number: int, uses: frozenset[str]) -> bool:
        """Whether it asked for what it was not given, and is there: it is asked once more."""
        self._hosts.want({host for host in self._hosts.known if asked_host(host) in uses})
        if self._values.want(uses):
            self._memory.set_parts(self._values.parts)
        news = self._values.known.keys() - self._given[number]  # since it was asked, also because others asked for it
        if not any(name in uses or f"*/{name.partition('/')[2]}" in uses for name in news):
            return False
        rounds = self._news_rounds[number] = self._news_rounds.get(number, 0) + 1
        if rounds > _ROUNDS_OF_NEWS:
            return False
        self._asking.ask(number)
        return True

    def _say(self, number: int, answer: Answer) -> None:
        self._troubles.look(f"rule {number}", "")
        self._answers[number] = answer
        self._told.tell(number, answer.word, answer.reason, str(self._rules[number].path), self._uses[number])
        self._pass_on(number, lambda: self._wishes.say(number, answer, is_on=self._relays.is_on(number)))

    def _lose(self, number: int, lost: Lost) -> None:
        rule = self._rules[number]
        where = f"{rule.path}{f':{lost.line}' if lost.line else ''}"
        self._answers.pop(number, None)
        self._told.tell(number, LOST, f"{lost.why} ({where})", str(rule.path), self._uses.get(number, frozenset()))
        self._troubles.look(f"rule {number}", f"rule {number} is lost: {lost.why} ({where})", kind=f"{lost.kind} {lost.line}")
        if number in self._relays.relays:
            self._pass_on(number, lambda: self._wishes.lose(number, lost.why))

    def _pass_on(self, number: int, say: Callable[[], None]) -> None:
        try:
            say()
            self._troubles.look(f"relay {number}", "")
        except OSError as error:
            why = f"relay {number} is not told what its rule says: {error.strerror}; does relays run?"
            self._troubles.look(f"relay {number}", why, "not told")

    def _say_status(self) -> None:
        count = len(self._rules)
        answers = [f"{number} {self._answers[number].word}" for number in sorted(self._answers)]
        line = f"{len(answers)} of {count} rule{'s' if count > 1 else ''} answer{'s' if count == 1 else ''}"
        if answers:
            line += f": {', '.join(answers[:_RULES_SHOWN])}{', ...' if len(answers) > _RULES_SHOWN else ''}"
        if not count:
            line = f"no rule in {self._settings.RULES} yet: {self._settings.RULES}/1.py is that of relay 1"
        troubles = self._troubles.now()
        line = "; ".join([line, *troubles, *self._notes.now()])
        if line != self._status:
            self._status = line
            self._me.status(line, well=not troubles)

"""One shutdown, from the request to HALT_COMMAND or to its cancellation."""

import math
from collections.abc import Generator, Sequence
from typing import TypeVar

from pimains.core import notify_queue, state
from pimains.core.naps import Stop, unstoppable
from pimains.core.process.program import Beside
from pimains.core.service import Instance, Nap, Naps, Readable, within
from pimains.core.supervisor import Supervisor
from pimains.halt import step_files, stopping
from pimains.halt.askers import HaltAskers, taken
from pimains.halt.budgets import HaltBudgets
from pimains.halt.leaving import HaltLeaving
from pimains.halt.ledger import HaltLedger
from pimains.halt.plan import rehearsal, short_time
from pimains.halt.programs import HaltPrograms
from pimains.halt.settings import HaltSettings
from pimains.halt.step_files import Step
from pimains.halt.undo import HaltTakenBack
from pimains.shared import halt_request, plug_cuts
from pimains.shared.halt_request import HaltRequest
from pimains.shared.plan import step_progress

_RETRY_SECONDS = (5.0, 10.0, 20.0, 60.0)
_STILL_UP_SECONDS = 300.0  # who is up so long after HALT_COMMAND was not shut down by it
_BEGINS_SECONDS = 10.0  # from HALT_COMMAND's end until systemd stops: logind waits 5 s for who wants a delay (logind.conf(5))
_CALL_OFF_AGAIN_SECONDS = (5.0, 60.0)  # while a countdown may be running; later
_COUNTDOWN_SECONDS = 600.0  # of somebody who does not leave word of it (shared.plug_cuts)
_LONGEST_COUNTDOWN_SECONDS = 3600.0  # after that, who was told to cut has cut, unless it was told again meanwhile
T = TypeVar("T")


class Halting:
    """One request, from the moment it was taken until the machine is off or somebody cancelled."""

    def __init__(self, me: Instance, settings: HaltSettings, watch: state.Watch, supervisor: Supervisor, request: HaltRequest) -> None:
        self.outcome = ""
        self.told_to_stop = False
        self.left_behind: list[str] = []  # of the progress, for the request that comes next
        self._me = me
        self._settings = settings
        self._watch = watch
        self._ledger = HaltLedger(me)
        self._askers = HaltAskers(me, watch, self._ledger, request)
        self._has_come_to = self._askers.has_come_to
        self._budgets = HaltBudgets(self._ledger.durations, me.clock, settings.STEP_SECONDS_MAX, settings.UPGRADE_SECONDS_MAX)
        beside = Beside(watch, self._askers.look_around)
        self._programs = HaltPrograms(me, lambda: self._request, beside)
        self._leaving = HaltLeaving(supervisor, me.clock, beside)
        self._taken_back = HaltTakenBack(me, self._programs, self._budgets, settings.STEP_SECONDS_MAX)

    def carry_out(self, *, is_new: bool, already: Sequence[str] = ()) -> Naps:
        """The steps, then HALT_COMMAND; of a new request, those that `already` tells as progress have run.

        Returns when somebody cancelled, when a rehearsal is over or gives way to a shutdown, when the request was removed, or when
        told to stop meanwhile.
        """
        if is_new:
            self._askers.begin(already)
            self._me.leave("rehearsed", None)
        else:
            self._askers.go_on()
        if not self._askers.stays_up:
            self._say_what_begins(is_new)
            if is_new and not self._request.is_rehearsal:
                yield from self._unstoppable(self._wait_for_second_thoughts())
            yield from self._unstoppable(self._run_steps())
            if not self._stays_up():
                yield from self._shut_down()
        if self._askers.gives_way:
            self._make_way()
            return
        if not self._askers.stays_up:
            yield from self._unstoppable(self._leave_it_to_the_next())
        if self._askers.stays_up:
            yield from self._unstoppable(self._stay_up())

    def take_back(self, why: str) -> Naps:
        """What an earlier process of this service began, whose request is gone."""
        self._askers.be_over(why)
        yield from self._unstoppable(self._stay_up())

    def _say_what_begins(self, is_new: bool) -> None:
        if self._request.is_rehearsal:
            self._ledger.note("rehearse a shutdown" if is_new else "go on rehearsing", str(self._request))
            print(f"{'rehearsing a shutdown' if is_new else 'going on with the rehearsal that was under way'}: {self._request}")
            return
        self._ledger.note("shut down" if is_new else "go on shutting down", str(self._request))
        print(f"shutting down: {self._request}" if is_new else f"going on with the shutdown that was under way: {self._request}")
        notify_queue.post(f"shutting down: {self._request.reason}", f"Asked by {self._request.requester}.", "halt", durable=False)

    def _wait_for_second_thoughts(self) -> Naps:
        if not self._settings.HALT_GRACE_SECONDS:
            return
        grace = self._budgets.grace(self._settings.HALT_GRACE_SECONDS, self._to_come(step_files.steps()))
        end = self._now() + grace
        while not self._stays_up() and self._now() < end:
            self._me.status(f"shutting down in {grace:.0f} s: {self._request}; pimains halt --cancel stops it")
            yield within(end - self._now(), self._watch)

    def _run_steps(self) -> Naps:
        steps = step_files.steps()
        for step in steps:
            if step.fault:
                self._me.complain(f"{step.name} is not run: {step.fault}")
        to_come = self._to_come(steps)
        while to_come and not self._stays_up():
            yield from self._run_step(to_come)
            to_come = to_come[1:]

    def _to_come(self, steps: list[Step]) -> list[Step]:
        return [step for step in steps if not (step.fault or step_progress.has_ended(self._progress, step.name))]

    def _run_step(self, to_come: list[Step]) -> Naps:
        """Run the first of them."""
        step = to_come[0]
        if self._request.is_rehearsal and not step.can_be_rehearsed:
            self._has_come_to(f"{step.name} {rehearsal.LEFT_OUT}")
            print(self._progress[-1])
            return
        granted = self._budgets.granted(to_come)
        if (wanted := self._budgets.of(step)) - granted >= 1:
            print(f"{step.name} gets {granted:.0f} s instead of {wanted:.0f} s: {self._budgets.why_short()}")
        self._has_come_to(f"{step.name} started")
        where = f"{self._verb}: {self._request}, step {step.name}, at most {granted:.0f} s"
        at_first = where
        if step_progress.is_upgrade(step.name):
            at_first = f"{self._verb}: {self._request}, step {step.name}: an upgrade, if one is under way, gets at most {granted:.0f} s"
        ending = yield from self._programs.run(where, step.name, [str(step.path)], granted, at_first=at_first)
        self._has_come_to(f"{step.name} {ending}")
        if self._request.is_rehearsal and step_progress.is_of_no_return(step.name):
            self._has_come_to(f"{step_progress.TAKEN_BACK} {step.name}")  # it has told nobody
        if ending.is_done:
            print(f"{step.name} {ending}")
        else:
            self._me.complain(f"{step.name} {ending}")
            self._ledger.note(f"go on without {step.name}", str(ending))
        if self._is_measured(step) and (ending.is_done or ending.was_too_short):
            # who had too little time gets all there is until it was measured again
            self._ledger.took(step, ending.seconds if ending.is_done else self._settings.STEP_SECONDS_MAX)

    def _is_measured(self, step: Step) -> bool:
        is_told_nothing = self._request.is_rehearsal and step_progress.is_of_no_return(step.name)
        return not (step_progress.is_upgrade(step.name) or is_told_nothing)

    def _shut_down(self) -> Naps:
        """Start HALT_COMMAND until the machine is down; returns as `carry_out` does."""
        if self._request.is_rehearsal:
            self._ledger.remember()
            print(f"a rehearsal: HALT_COMMAND would be started now: {' '.join(self._settings.HALT_COMMAND)}")
            self._askers.be_over("the rehearsal is over")
            return
        pauses = iter(_RETRY_SECONDS)
        pause = 0.0
        self._askers.is_command_started = step_progress.has_succeeded(self._progress, "HALT_COMMAND")
        while True:
            trouble = "" if self._askers.is_command_started else (yield from self._unstoppable(self._start_command()))
            if not trouble:
                self._me.status(f"shut down: {self._request}")
                seconds = self._before_the_cut(_STILL_UP_SECONDS)
                if (yield from self._is_called_off_within(seconds)):
                    return
                self._askers.is_command_started = False
                trouble = f"it is still up {seconds:.0f} s after HALT_COMMAND"
            pause = next(pauses, pause)
            self._has_come_to(f"{step_progress.CALLED_OFF} {trouble}")
            yield from self._unstoppable(self._taken_back.call_off(trouble, self._progress, self._has_come_to))
            self._cry(f"this machine is not shut down: {trouble}; trying again in {pause:.0f} s ({self._request})")
            if (yield from self._is_called_off_within(pause)):
                return
            yield from self._unstoppable(self._run_steps())

    def _start_command(self) -> Generator[Nap, tuple[Readable, ...], str]:
        """Start HALT_COMMAND; returns "" if it did well, else what went wrong."""
        self._askers.is_command_started = True
        stopping.begins(self._me)
        where = f"shutting down: {self._request}, HALT_COMMAND started"
        seconds = self._before_the_cut(self._settings.STEP_SECONDS_MAX)
        ending = yield from self._programs.run(where, "HALT_COMMAND", self._settings.HALT_COMMAND, seconds)
        # daemontools is stopped early in a shutdown, and with it all that was started below: also what has begun the shutdown
        words = "done: ended by the shutdown it has begun" if ending.by_another else str(ending)
        self._askers.is_command_started = ending.is_done or ending.by_another
        self._has_come_to(f"HALT_COMMAND {words}")
        self._ledger.remember()
        return "" if self._askers.is_command_started else f"HALT_COMMAND {words}"

    def _before_the_cut(self, wanted: float) -> float:
        """How much of `wanted` seconds can be waited for this machine to go down, before those who were told to cut are called off."""
        return short_time.before_a_cut(wanted, plug_cuts.seconds_to_cut(self._now()))

    def _is_called_off_within(self, seconds: float) -> Generator[Nap, tuple[Readable, ...], bool]:
        """Wait `seconds`, unless this machine is to stay up or the service was told to stop."""
        end = self._now() + seconds
        while not (self.told_to_stop or self._stays_up()):
            if self._now() >= end:
                return False
            try:
                yield within(end - self._now(), self._watch)
            except Stop:
                self.told_to_stop = True
        return True

    def _unstoppable(self, naps: Generator[Nap, tuple[Readable, ...], T]) -> Generator[Nap, tuple[Readable, ...], T]:
        """A shutdown lost half-way is worse than a service that stops late."""
        return unstoppable(naps, self._be_told_to_stop)

    def _be_told_to_stop(self) -> None:
        self.told_to_stop = True
        print("told to stop: will do so when this shutdown is carried out or cancelled")

    def _stays_up(self) -> bool:
        self._askers.look_around()
        return self._askers.stays_up or self._askers.gives_way

    def _make_way(self) -> None:
        """What a rehearsal has done is done for the shutdown that comes: it undoes it when it is cancelled."""
        print("the rehearsal is broken off: a shutdown was asked for")
        self.left_behind = step_progress.done_for_good(self._progress)
        halt_request.note_progress(self.left_behind)

    def _leave_it_to_the_next(self) -> Naps:
        """Told to stop with the request still there: nobody cuts the power of a machine that is not going down meanwhile."""
        begins_by = self._now() + _BEGINS_SECONDS
        while step_progress.still_told(self._progress) and not (yield from self._leaving.is_harmless()):
            if self._now() >= begins_by:
                why = "this service is stopped"
                self._askers.is_command_started = False
                print("told to stop, and this machine does not go down: nobody is to cut its power")
                self._has_come_to(f"{step_progress.CALLED_OFF} {why}")
                self._ledger.note("leave the power on", why)
                yield from self._leave_the_power_on(why)
                return
            yield within(1.0)

    def _stay_up(self) -> Naps:
        """Nobody cuts the power, and everything is as it was before."""
        ran = ", ".join(step_progress.what_ran(self._progress)) or "nothing"
        why = f"{step_progress.CANCELLED} {self._askers.cancelled_by}" if self._askers.cancelled_by else self._askers.over
        if not (yield from self._leave_the_power_on(why)):
            return
        undone = yield from self._taken_back.undo(why, self._progress)
        if self._request.is_rehearsal:
            self._tell_the_rehearsal(undone)
        elif self._askers.cancelled_by:
            self.outcome = "; ".join([f"the last shutdown was cancelled by {self._askers.cancelled_by}; done before that: {ran}", *undone])
            print(self.outcome)
            self._ledger.note("cancel", self.outcome)
            notify_queue.post(f"not shutting down: cancelled by {self._askers.cancelled_by}", f"{self._request}\n{self.outcome}", "halt")
        else:
            print("; ".join([f"not shutting down: {why}; done before that: {ran}", *undone]))
            self._ledger.note("stay up", why)
        halt_request.finish()
        if self.left_behind:
            halt_request.note_progress(self.left_behind)

    def _leave_the_power_on(self, why: str) -> Generator[Nap, tuple[Readable, ...], bool]:
        """Call off whoever was told to cut, until each knows it: there is no rest before. False when it is left to the next process."""
        began = self._now()
        while True:
            yield from self._taken_back.call_off(why, self._progress, self._has_come_to)
            told = step_progress.still_told(self._progress)
            if not told or not self._may_count_down(began, _LONGEST_COUNTDOWN_SECONDS):
                return True
            was_told_to_stop = self.told_to_stop
            if was_told_to_stop and (yield from self._leaving.is_harmless()):
                return False
            if taken(halt_request.waiting) and not was_told_to_stop:
                self.left_behind = step_progress.left_told(told)
                return True
            names = ", ".join(told)
            self._me.status(f"not shut down: {why}; {names} could not be called off yet: the power may be cut", well=False)
            again = self._now() + _CALL_OFF_AGAIN_SECONDS[not self._may_count_down(began, _COUNTDOWN_SECONDS)]
            while self._now() < again and self.told_to_stop == was_told_to_stop:
                if taken(halt_request.waiting) and not was_told_to_stop:
                    break
                yield within(again - self._now(), self._watch)
                self._askers.look_around()

    def _may_count_down(self, since: float, seconds: float) -> bool:
        """Whether who was told before the time `since` may still cut: a plug service leaves word of it, of others nobody knows."""
        return self._now() < since + seconds or plug_cuts.seconds_to_cut(self._now()) < math.inf

    def _tell_the_rehearsal(self, undone: Sequence[str]) -> None:
        report = rehearsal.report(
            self._progress, undone, [f"{step.name} is not run: {step.fault}" for step in step_files.steps() if step.fault]
        )
        if self._askers.cancelled_by:
            report = report._replace(troubles=[f"it was cancelled by {self._askers.cancelled_by}", *report.troubles])
        self.outcome = f"the last rehearsal ({self._request.reason}): {report}"
        print(self.outcome)
        self._ledger.note("rehearsed", self.outcome)
        self._me.leave("rehearsed", "\n".join(["unwell" if report.troubles else "well", *report.lines]))

    @property
    def _request(self) -> HaltRequest:
        return self._askers.request

    @property
    def _progress(self) -> list[str]:
        return self._askers.progress

    @property
    def _verb(self) -> str:
        return "rehearsing" if self._request.is_rehearsal else "shutting down"

    def _cry(self, line: str) -> None:
        self._me.complain(line)
        self._me.status(line, well=False)
        self._ledger.note("not shut down", line)
        notify_queue.post("this machine does not shut down", line, "halt", durable=False)

    def _now(self) -> float:
        return self._me.clock.monotonic()

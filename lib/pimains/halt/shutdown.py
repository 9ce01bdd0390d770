"""One shutdown, from the request to HALT_COMMAND or to its cancellation."""

from collections.abc import Callable, Generator
from typing import TypeVar

from pimains.core import notify_queue, state
from pimains.core.naps import unstoppable
from pimains.core.process.program import Beside
from pimains.core.service import Instance, Nap, Naps, Readable, within
from pimains.halt import step_files
from pimains.halt.budgets import HaltBudgets
from pimains.halt.ledger import HaltLedger
from pimains.halt.plan import step_progress
from pimains.halt.programs import HaltPrograms
from pimains.halt.settings import HaltSettings
from pimains.halt.step_files import Step
from pimains.halt.undo import HaltTakenBack
from pimains.shared import halt_request
from pimains.shared.halt_request import HaltRequest, NoRequest

_RETRY_SECONDS = (5.0, 10.0, 20.0, 60.0)
_STILL_UP_SECONDS = 300.0  # who is up so long after HALT_COMMAND was not shut down by it
_OTHERS_NAMED = 20
T = TypeVar("T")


def taken(take: Callable[[], HaltRequest | None]) -> HaltRequest | None:
    """What `take` returns; a request that is none is said and forgotten."""
    try:
        return take()
    except NoRequest as refused:
        print(refused)
        return None


class Halting:
    """One request, from the moment it was taken until the machine is off or somebody cancelled."""

    def __init__(self, me: Instance, settings: HaltSettings, watch: state.Watch, request: HaltRequest) -> None:
        self.outcome = ""
        self.told_to_stop = False
        self._me = me
        self._settings = settings
        self._watch = watch
        self._request = request
        self._cancelled_by = ""
        self._is_undoing = False
        self._is_command_started = False
        self._others: set[HaltRequest] = set()
        self._ledger = HaltLedger(me)
        self._budgets = HaltBudgets(self._ledger.durations, me.clock, settings.STEP_SECONDS_MAX, settings.UPGRADE_SECONDS_MAX)
        self._progress = halt_request.progress()
        self._programs = HaltPrograms(me, request, Beside(watch, self._look_around))
        self._taken_back = HaltTakenBack(me, self._programs, self._budgets, settings.STEP_SECONDS_MAX)

    def carry_out(self, *, is_new: bool) -> Naps:
        """The steps, then HALT_COMMAND. Returns when somebody cancelled, when a rehearsal is over, or when told to stop meanwhile."""
        if not is_new and (who := step_progress.who_cancelled(self._progress)):
            self._cancelled_by = who
            yield from self._unstoppable(self._be_cancelled())
            return
        self._ledger.note("shut down" if is_new else "go on shutting down", str(self._request))
        print(f"shutting down: {self._request}" if is_new else f"going on with the shutdown that was under way: {self._request}")
        notify_queue.post(f"shutting down: {self._request.reason}", f"Asked by {self._request.requester}.", "halt")
        if is_new:
            self._progress = []
            yield from self._unstoppable(self._wait_for_second_thoughts())
        yield from self._unstoppable(self._run_steps())
        if not self._is_cancelled():
            yield from self._shut_down()
        if self._cancelled_by:
            yield from self._unstoppable(self._be_cancelled())
        elif not self.told_to_stop:
            yield from self._unstoppable(self._undo("the rehearsal is over"))
            halt_request.finish()

    def _wait_for_second_thoughts(self) -> Naps:
        if not self._settings.HALT_GRACE_SECONDS:
            return
        grace = self._budgets.grace(self._settings.HALT_GRACE_SECONDS, self._to_come(step_files.steps()))
        end = self._now() + grace
        while not self._is_cancelled() and self._now() < end:
            self._me.status(f"shutting down in {grace:.0f} s: {self._request}; pimains halt --cancel stops it")
            yield within(end - self._now(), self._watch)

    def _run_steps(self) -> Naps:
        steps = step_files.steps()
        for step in steps:
            if step.fault:
                self._me.complain(f"{step.name} is not run: {step.fault}")
        to_come = self._to_come(steps)
        while to_come and not self._is_cancelled():
            yield from self._run_step(to_come)
            to_come = to_come[1:]

    def _to_come(self, steps: list[Step]) -> list[Step]:
        return [step for step in steps if not (step.fault or step_progress.has_ended(self._progress, step.name))]

    def _run_step(self, to_come: list[Step]) -> Naps:
        """Run the first of them."""
        step = to_come[0]
        granted = self._budgets.granted(to_come)
        if (wanted := self._budgets.of(step)) - granted >= 1:
            print(f"{step.name} gets {granted:.0f} s instead of {wanted:.0f} s: a plug that hears no more of this machine cuts its power")
        self._has_come_to(f"{step.name} started")
        where = f"shutting down: {self._request}, step {step.name}, at most {granted:.0f} s"
        ending = yield from self._programs.run(where, step.name, [str(step.path)], granted)
        self._has_come_to(f"{step.name} {ending}")
        if ending.is_done:
            print(f"{step.name} {ending}")
            if not step_progress.is_upgrade(step.name):
                self._ledger.took(step, ending.seconds)
        else:
            self._me.complain(f"{step.name} {ending}")
            self._ledger.note(f"go on without {step.name}", str(ending))
        if ending.was_too_short:
            # it gets all the time there is until it was measured again
            self._ledger.took(step, self._settings.STEP_SECONDS_MAX)

    def _shut_down(self) -> Naps:
        """Start HALT_COMMAND until the machine is down; returns as `carry_out` does."""
        pauses = iter(_RETRY_SECONDS)
        pause = 0.0
        self._is_command_started = step_progress.has_succeeded(self._progress, "HALT_COMMAND")
        while True:
            trouble = "" if self._is_command_started else (yield from self._unstoppable(self._start_command()))
            if not trouble:
                self._me.status(f"shut down: {self._request}")
                if (yield from self._is_called_off_within(_STILL_UP_SECONDS)):
                    return
                self._is_command_started = False
                trouble = f"it is still up {_STILL_UP_SECONDS:.0f} s after HALT_COMMAND"
            pause = next(pauses, pause)
            done_before = tuple(self._progress)
            self._has_come_to(f"{step_progress.CALLED_OFF} {trouble}")
            yield from self._unstoppable(self._taken_back.call_off(trouble, done_before))
            self._cry(f"this machine is not shut down: {trouble}; trying again in {pause:.0f} s ({self._request})")
            if (yield from self._is_called_off_within(pause)):
                return
            yield from self._unstoppable(self._run_steps())

    def _start_command(self) -> Generator[Nap, tuple[Readable, ...], str]:
        """Start HALT_COMMAND; returns "" if it did well, else what went wrong."""
        self._is_command_started = True
        where = f"shutting down: {self._request}, HALT_COMMAND started"
        ending = yield from self._programs.run(where, "HALT_COMMAND", self._settings.HALT_COMMAND, self._settings.STEP_SECONDS_MAX)
        # daemontools is stopped early in a shutdown, and with it all that was started below: also what has begun the shutdown
        words = "done: ended by the shutdown it has begun" if ending.by_another else str(ending)
        self._is_command_started = ending.is_done or ending.by_another
        self._has_come_to(f"HALT_COMMAND {words}")
        self._ledger.remember()
        return "" if self._is_command_started else f"HALT_COMMAND {words}"

    def _is_called_off_within(self, seconds: float) -> Generator[Nap, tuple[Readable, ...], bool]:
        """Wait `seconds`, unless nobody wants this shutdown any more or the service was told to stop."""
        end = self._now() + seconds
        while not (self.told_to_stop or self._is_cancelled()) and taken(halt_request.accepted):
            if self._now() >= end:
                return False
            yield within(end - self._now(), self._watch)
        return True

    def _unstoppable(self, naps: Generator[Nap, tuple[Readable, ...], T]) -> Generator[Nap, tuple[Readable, ...], T]:
        """A shutdown lost half-way is worse than a service that stops late."""
        return unstoppable(naps, self._be_told_to_stop)

    def _be_told_to_stop(self) -> None:
        self.told_to_stop = True
        print("told to stop: will do so when this shutdown is carried out or cancelled")

    def _is_cancelled(self) -> bool:
        self._look_around()
        return bool(self._cancelled_by)

    def _look_around(self) -> None:
        """Somebody may ask as well, or cancel."""
        self._watch.changed()
        if self._cancelled_by or self._is_undoing:
            halt_request.take_cancel()  # once more; who asks now is heard when everything is as it was
            return
        another = taken(halt_request.take_another)
        if another and another not in self._others and len(self._others) < _OTHERS_NAMED:
            self._others.add(another)
            print(f"also asked for: {another}; it is under way already")
        requester = halt_request.who_cancels()
        if requester and self._is_of_no_return():
            self._has_come_to(f"{step_progress.CANCEL_REFUSED} {requester}")
            self._me.complain(f"{requester} cancels, too late: the power will be cut")
        elif requester:
            self._cancelled_by = requester
            self._has_come_to(f"{step_progress.CANCELLED} {requester}")
            print(f"{requester} cancels")
        if requester:
            halt_request.take_cancel()

    def _is_of_no_return(self) -> bool:
        return self._is_command_started or step_progress.will_be_cut(self._progress)

    def _be_cancelled(self) -> Naps:
        ran = ", ".join(step_progress.what_ran(self._progress)) or "nothing"
        undone = yield from self._undo(f"{step_progress.CANCELLED} {self._cancelled_by}")
        self.outcome = "; ".join([f"the last shutdown was cancelled by {self._cancelled_by}; done before that: {ran}", *undone])
        print(self.outcome)
        self._ledger.note("cancel", self.outcome)
        notify_queue.post(f"not shutting down: cancelled by {self._cancelled_by}", f"{self._request}\n{self.outcome}", "halt")
        halt_request.finish()

    def _undo(self, why: str) -> Generator[Nap, tuple[Readable, ...], list[str]]:
        self._is_undoing = True
        return (yield from self._taken_back.undo(why, self._progress))

    def _cry(self, line: str) -> None:
        self._me.complain(line)
        self._me.status(line, well=False)
        self._ledger.note("not shut down", line)
        notify_queue.post("this machine does not shut down", line, "halt")

    def _now(self) -> float:
        return self._me.clock.monotonic()

    def _has_come_to(self, line: str) -> None:
        self._progress.append(line)
        halt_request.note_progress(self._progress)

"""The service halt: services/halt/README.md says what it is for, this how it goes about it.

It waits for a request file (pimains.core.halt_request), writes into the ledger what is about to be done and who asked for
it, runs the steps in halt.d one after the other, each within its own measured budget, and starts HALT_COMMAND.

- A step that fails is noted; one that outlasts its budget gets TERM, then KILL, and is left alone. Nothing stops the rest.
- A cancel file stops the shutdown until a step numbered 80 or above was started: after that the power will be cut. Then the
  steps that have run and know of PIMAINS_CALLED_OFF are run once more with it, the last first: each undoes what it did.
- svc -d and svc -t do not end a shutdown half-way: the service stops when it was carried out or cancelled.
- When the service itself is killed, supervise starts it again and it goes on with the same request: steps that had ended
  are not run twice, the one that was running is (so a step has to bear that).
- Neither a full disk nor a broken ledger nor a log that nobody reads keeps the machine up: what cannot be written is said.
- A HALT_COMMAND that fails or hangs is said and started again, at first after 5 s, later every minute. In between the
  steps numbered 80 and above are run with PIMAINS_CALLED_OFF, so that nobody cuts the power of a machine that stays up,
  and a cancel is possible again. Those below 80 are left as they are until then: a disk is not to be stopped and started
  every minute. The service then stops when told (svc -t), so that a wrong HALT_COMMAND can be
  corrected, and goes on with the new one.
- A HALT_COMMAND that somebody else ends by TERM has done its work: systemd does that when it stops daemontools. A machine
  that is still up after 300 s is told again.
- Where HALT_COMMAND only rehearses, removing /run/pimains/halt/accepted afterwards undoes the steps in the same way and makes
  the service ready again.
"""

from collections.abc import Callable, Generator
from typing import TypeVar

from pimains.core import halt_request, halt_steps, notify, state
from pimains.core.errors import WrongSetting
from pimains.core.halt_budgets import HaltBudgets
from pimains.core.halt_ledger import HaltLedger
from pimains.core.halt_programs import HaltPrograms
from pimains.core.halt_request import HaltRequest, NoRequest
from pimains.core.halt_steps import Step
from pimains.core.halt_taken_back import HaltTakenBack
from pimains.core.naps import unstoppable
from pimains.core.service import Instance, Nap, Naps, Readable, run, within
from pimains.core.timed import Beside
from pimains.plan import halt_progress
from pimains.settings.halt import HaltSettings

_RETRY_SECONDS = (5.0, 10.0, 20.0, 60.0)
_STILL_UP_SECONDS = 300.0  # who is up so long after HALT_COMMAND was not shut down by it
_OTHERS_NAMED = 20
T = TypeVar("T")


def halt(me: Instance, settings: HaltSettings) -> Naps:
    """Wait for a request, carry it out; if it was cancelled, wait for the next."""
    if me.run != halt_request.directory():
        raise WrongSetting(f"{me.directory}: others find this service by its name, so its directory has to be called halt")
    watch = state.Watch(me.run)
    left_over = _taken(halt_request.left_over)
    outcome = ""
    while True:
        request = left_over or _taken(halt_request.take)
        if request:
            halting = Halting(me, settings, watch, request)
            yield from halting.carry_out(is_new=not left_over)
            outcome, left_over = halting.outcome, None
            if halting.told_to_stop:
                return
        else:
            if requester := halt_request.who_cancels():
                print(f"{requester} cancels, but there is no shutdown to cancel")
                halt_request.take_cancel()
            faults = "; ".join(f"{step.name} would not be run: {step.fault}" for step in halt_steps.steps() if step.fault)
            me.status("; ".join(filter(None, ("ready", outcome, faults))), well=not faults)
            yield within(3600, watch)
            if "." in watch.changed():
                print(f"{me.run} was taken away: starting anew")
                return


def _taken(take: Callable[[], HaltRequest | None]) -> HaltRequest | None:
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
        if not is_new and (who := halt_progress.who_cancelled(self._progress)):
            self._cancelled_by = who
            yield from self._unstoppable(self._be_cancelled())
            return
        self._ledger.note("shut down" if is_new else "go on shutting down", str(self._request))
        print(f"shutting down: {self._request}" if is_new else f"going on with the shutdown that was under way: {self._request}")
        notify.post(f"shutting down: {self._request.reason}", f"Asked by {self._request.requester}.", "halt")
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
        grace = self._budgets.grace(self._settings.HALT_GRACE_SECONDS, self._to_come(halt_steps.steps()))
        end = self._now() + grace
        while not self._is_cancelled() and self._now() < end:
            self._me.status(f"shutting down in {grace:.0f} s: {self._request}; pimains halt --cancel stops it")
            yield within(end - self._now(), self._watch)

    def _run_steps(self) -> Naps:
        steps = halt_steps.steps()
        for step in steps:
            if step.fault:
                self._me.complain(f"{step.name} is not run: {step.fault}")
        to_come = self._to_come(steps)
        while to_come and not self._is_cancelled():
            yield from self._run_step(to_come)
            to_come = to_come[1:]

    def _to_come(self, steps: list[Step]) -> list[Step]:
        return [step for step in steps if not (step.fault or halt_progress.has_ended(self._progress, step.name))]

    def _run_step(self, to_come: list[Step]) -> Naps:
        """Run the first of them."""
        step = to_come[0]
        granted = self._budgets.granted(to_come)
        if (wanted := self._budgets.of(step)) - granted >= 1:
            print(f"{step.name} gets {granted:.0f} s instead of {wanted:.0f} s: a plug that hears no more of this machine cuts its power")
        self._programs.say_where(f"shutting down: {self._request}, step {step.name}, at most {granted:.0f} s")
        self._has_come_to(f"{step.name} started")
        ending = yield from self._programs.run(step.name, [str(step.path)], granted)
        self._has_come_to(f"{step.name} {ending}")
        if ending.is_done:
            print(f"{step.name} {ending}")
            if not halt_progress.is_upgrade(step.name):
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
        self._is_command_started = halt_progress.has_succeeded(self._progress, "HALT_COMMAND")
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
            self._has_come_to(f"{halt_progress.CALLED_OFF} {trouble}")
            yield from self._unstoppable(self._taken_back.call_off(trouble, done_before))
            self._cry(f"this machine is not shut down: {trouble}; trying again in {pause:.0f} s ({self._request})")
            if (yield from self._is_called_off_within(pause)):
                return
            yield from self._unstoppable(self._run_steps())

    def _start_command(self) -> Generator[Nap, tuple[Readable, ...], str]:
        """Start HALT_COMMAND; returns "" if it did well, else what went wrong."""
        self._programs.say_where(f"shutting down: {self._request}, HALT_COMMAND started")
        self._is_command_started = True
        ending = yield from self._programs.run("HALT_COMMAND", self._settings.HALT_COMMAND, self._settings.STEP_SECONDS_MAX)
        # daemontools is stopped early in a shutdown, and with it all that was started below: also what has begun the shutdown
        words = "done: ended by the shutdown it has begun" if ending.by_another else str(ending)
        self._is_command_started = ending.is_done or ending.by_another
        self._has_come_to(f"HALT_COMMAND {words}")
        self._ledger.remember()
        return "" if self._is_command_started else f"HALT_COMMAND {words}"

    def _is_called_off_within(self, seconds: float) -> Generator[Nap, tuple[Readable, ...], bool]:
        """Wait `seconds`, unless nobody wants this shutdown any more or the service was told to stop."""
        end = self._now() + seconds
        while not (self.told_to_stop or self._is_cancelled()) and _taken(halt_request.accepted):
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
        another = _taken(halt_request.take_another)
        if another and another not in self._others and len(self._others) < _OTHERS_NAMED:
            self._others.add(another)
            print(f"also asked for: {another}; it is under way already")
        requester = halt_request.who_cancels()
        if requester and self._is_of_no_return():
            self._has_come_to(f"{halt_progress.CANCEL_REFUSED} {requester}")
            self._me.complain(f"{requester} cancels, too late: the power will be cut")
        elif requester:
            self._cancelled_by = requester
            self._has_come_to(f"{halt_progress.CANCELLED} {requester}")
            print(f"{requester} cancels")
        if requester:
            halt_request.take_cancel()

    def _is_of_no_return(self) -> bool:
        return self._is_command_started or halt_progress.will_be_cut(self._progress)

    def _be_cancelled(self) -> Naps:
        ran = ", ".join(halt_progress.what_ran(self._progress)) or "nothing"
        undone = yield from self._undo(f"{halt_progress.CANCELLED} {self._cancelled_by}")
        self.outcome = "; ".join([f"the last shutdown was cancelled by {self._cancelled_by}; done before that: {ran}", *undone])
        print(self.outcome)
        self._ledger.note("cancel", self.outcome)
        notify.post(f"not shutting down: cancelled by {self._cancelled_by}", f"{self._request}\n{self.outcome}", "halt")
        halt_request.finish()

    def _undo(self, why: str) -> Generator[Nap, tuple[Readable, ...], list[str]]:
        self._is_undoing = True
        return (yield from self._taken_back.undo(why, self._progress))

    def _cry(self, line: str) -> None:
        self._me.complain(line)
        self._me.status(line, well=False)
        self._ledger.note("not shut down", line)
        notify.post("this machine does not shut down", line, "halt")

    def _now(self) -> float:
        return self._me.clock.monotonic()

    def _has_come_to(self, line: str) -> None:
        self._progress.append(line)
        halt_request.note_progress(self._progress)


if __name__ == "__main__":
    run(halt, HaltSettings, user=None, nice=-10)  # a machine that is busy is just the one whose battery runs down

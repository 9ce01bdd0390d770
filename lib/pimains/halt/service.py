"""The service halt: services/halt/README.md says what it is for, this how it goes about it.

It waits for a request file (pimains.shared.halt_request), writes into the ledger what is about to be done and who asked for
it, runs the steps in halt.d one after the other, each within its own measured budget, and starts HALT_COMMAND.

- A step that fails is noted; one that outlasts its budget gets TERM, then KILL, and is left alone. Nothing stops the rest.
- A cancel file stops the shutdown until a step numbered 80 or above was started: after that the power will be cut. Then the
  steps that have run and know of PIMAINS_CALLED_OFF are run once more with it, the last first: each undoes what it did.
- svc -d and svc -t do not end a shutdown half-way: the service stops when it was carried out or cancelled. After svc -d on a
  machine that is not going down (pimains.halt.leaving) it stops when whoever was told to cut the power was called off.
- When the service itself is killed, supervise starts it again and it goes on with the same request: steps that had ended
  are not run twice, the one that was running is (so a step has to bear that).
- Neither a full disk nor a broken ledger nor a log that nobody reads keeps the machine up: what cannot be written is said.
- A HALT_COMMAND that fails or hangs is said and started again, at first after 5 s, later every minute. In between the
  steps numbered 80 and above are run with PIMAINS_CALLED_OFF, so that nobody cuts the power of a machine that stays up,
  and a cancel is possible again. Those below 80 are left as they are until then: a disk is not to be stopped and started
  every minute. The service then stops when told (svc -t), so that a wrong HALT_COMMAND can be
  corrected, and goes on with the new one.
- A HALT_COMMAND that somebody else ends by TERM has done its work: systemd does that when it stops daemontools. A machine
  that is still up after 300 s, or a minute before a plug cuts, is told again.
- Whoever was told to cut the power is called off before the service is ready again, whatever the way to that: a cancel, a
  request that was removed (/run/pimains/halt/accepted, also while this service did not run). It is tried again until it is known.
- A rehearsal runs the steps with PIMAINS_REHEARSAL, of those numbered 80 and above only who knows of that, does not start
  HALT_COMMAND, and undoes all as a cancel does. One in earnest, asked for meanwhile, goes on from the step that runs.
"""

from contextlib import closing

from pimains.core import state
from pimains.core.errors import WrongSetting
from pimains.core.service import Instance, Naps, run, within
from pimains.core.supervisor import Supervisor
from pimains.halt import length, step_files
from pimains.halt.askers import taken
from pimains.halt.settings import HaltSettings
from pimains.halt.shutdown import Halting
from pimains.halt.step_files import Step
from pimains.shared import halt_request
from pimains.shared.halt_request import HaltRequest


def halt(me: Instance, settings: HaltSettings) -> Naps:
    """Wait for a request, carry it out; if it was cancelled, wait for the next."""
    if me.run != halt_request.directory():
        raise WrongSetting(f"{me.directory}: others find this service by its name, so its directory has to be called halt")
    halt_request.keep_files()
    supervisor = Supervisor(me.directory)
    with closing(state.Watch(me.run)) as watch:
        yield from _serve(me, settings, watch, supervisor)


def _serve(me: Instance, settings: HaltSettings, watch: state.Watch, supervisor: Supervisor) -> Naps:
    left_over = taken(halt_request.left_over)
    outcome = ""
    already: list[str] = []
    told_of: list[Step] | None = None
    if missing := settings.not_here():
        me.complain(missing)
    while True:
        request = left_over or taken(halt_request.take)
        if request:
            halting = Halting(me, settings, watch, supervisor, request)
            yield from halting.carry_out(is_new=not left_over, already=already)
            outcome, already, left_over, told_of = halting.outcome, halting.left_behind, None, None
            if halting.told_to_stop:
                return
        elif halt_request.progress():
            orphan = Halting(me, settings, watch, supervisor, HaltRequest("nobody knows any more why", "somebody"))
            yield from orphan.take_back("the request was removed")
            already = []
            if orphan.told_to_stop:
                return
        else:
            if requester := halt_request.who_cancels():
                print(f"{requester} cancels, but there is no shutdown to cancel")
                halt_request.take_cancel()
            steps = step_files.steps()
            if steps != told_of:
                length.leave(me, settings, steps)
                told_of = steps
            faults = [f"{step.name} would not be run: {step.fault}" for step in steps if step.fault]
            faults += filter(None, [settings.not_here()])
            me.status("; ".join(filter(None, ("ready", outcome, *faults))), well=not faults)
            yield within(3600, watch)
            if "." in watch.changed():
                print(f"{me.run} was taken away: starting anew")
                return


if __name__ == "__main__":
    run(halt, HaltSettings, user=None, nice=-10)  # a machine that is busy is just the one whose battery runs down

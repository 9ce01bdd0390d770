"""Who else asks for a shutdown that is under way, who cancels it, and what of that can be granted; how far it has come is noted with it."""

from collections.abc import Callable, Sequence

from pimains.core import state
from pimains.core.service import Instance
from pimains.halt.ledger import HaltLedger
from pimains.halt.plan import askers
from pimains.halt.plan.askers import Asked
from pimains.shared import halt_request
from pimains.shared.halt_request import Cancel, HaltRequest, NoRequest
from pimains.shared.plan import step_progress

_OTHERS_NAMED = 20


def taken(take: Callable[[], HaltRequest | None]) -> HaltRequest | None:
    """What `take` returns; a request that is none is said and forgotten."""
    try:
        return take()
    except NoRequest as refused:
        print(refused)
        return None


class HaltAskers:
    """Of one shutdown: `request` is whose it is now, `cancelled_by` and `over` why this machine stays up, "" while it does not."""

    def __init__(self, me: Instance, watch: state.Watch, ledger: HaltLedger, request: HaltRequest) -> None:
        self.request = request
        self.progress = halt_request.progress()
        self.cancelled_by = ""
        self.over = ""  # although nobody cancelled
        self.gives_way = False  # a rehearsal, to a shutdown
        self.is_command_started = False  # HALT_COMMAND
        self._me = me
        self._watch = watch
        self._ledger = ledger

    def begin(self, already: Sequence[str]) -> None:
        """A new one, of which `already` was done."""
        self.progress = list(already)
        halt_request.note_progress(self.progress)

    def go_on(self) -> None:
        """With one that was under way, and may have been cancelled before."""
        if asked := askers.under(self.progress):
            self._go_on_under(asked)
        self.cancelled_by, self.over = step_progress.who_cancelled(self.progress), step_progress.why_over(self.progress)

    @property
    def stays_up(self) -> bool:
        """Whether this machine does, whatever the reason."""
        return bool(self.cancelled_by or self.over)

    def has_come_to(self, *lines: str) -> None:
        """Note it, for this service when it was killed."""
        self.progress += lines
        halt_request.note_progress(self.progress)

    def be_over(self, why: str) -> None:
        """This machine stays up although nobody cancelled."""
        self.over = why
        self.has_come_to(f"{step_progress.OVER} {why}")

    def look_around(self) -> None:
        """Somebody may ask as well, or cancel, or remove the request."""
        self._watch.changed()
        if self.stays_up:
            halt_request.take_cancel()  # once more; who asks now is heard when everything is as it was
            return
        if taken(halt_request.accepted) is None:
            self.be_over("the request was removed")
            return
        self._hear_another()
        if cancel := halt_request.cancelled():
            self._hear(cancel)
            halt_request.take_cancel()

    def _hear(self, cancel: Cancel) -> None:
        """What of it can be granted: its own request is taken back, another's that came meanwhile goes on."""
        requester = cancel.requester
        if askers.was_heard(self.progress, cancel.mark):
            return
        if self._is_of_no_return():
            self.has_come_to(f"{step_progress.CANCEL_REFUSED} {requester}")
            self._me.complain(f"{requester} cancels, too late: the power will be cut")
            return
        beside = askers.others(self.progress)
        asked: list[HaltRequest | Asked] = [self.request, *beside]
        if final := next((each for each in asked if each.is_final), None):
            why = f"{final.reason} (asked by {final.requester}): other machines go down with this one"
            self.has_come_to(f"{step_progress.CANCEL_REFUSED} {requester}\t{why}")
            self._me.complain(f"{requester} cancels, too late: {why}")
            return
        left = askers.left(requester, self.request.requester, beside, only_own=cancel.only_own)
        if left.stays_up:
            self.cancelled_by = requester
            self.has_come_to(f"{step_progress.CANCELLED} {requester}")
            print(f"{requester} cancels")
            return
        before, withdrawn = self.request, askers.withdrawn(requester, cancel.mark)
        if left.under is None:
            self.has_come_to(withdrawn)
            print(f"{requester} asks no longer; it goes on: {before}")
            return
        self.has_come_to(withdrawn, askers.goes_on_under(left.under))
        self._go_on_under(left.under)
        print(f"{requester} cancels ({before}), and it goes on: {self.request}")
        self._ledger.note("go on shutting down", f"{self.request}; cancelled by {requester}: {before}")

    def _go_on_under(self, asked: Asked) -> None:
        self.request = HaltRequest(asked.reason, asked.requester, is_final=asked.is_final)
        halt_request.go_on_under(self.request)

    def _hear_another(self) -> None:
        """Nothing is begun twice; but a rehearsal keeps nobody from shutting down."""
        another = taken(halt_request.waiting)
        if another and self.request.is_rehearsal and not another.is_rehearsal:
            self.gives_way = True
            return
        if another is None:
            return
        self._note(another)
        if later := taken(halt_request.take_another):  # who has asked in between
            self._note(later)

    def _note(self, another: HaltRequest) -> None:
        kind = askers.REHEARSAL if another.is_rehearsal else askers.FINAL if another.is_final else ""
        other, known = Asked(another.reason, another.requester, kind), askers.others(self.progress)
        if other not in known and (len(known) < _OTHERS_NAMED or other.is_final):
            self.has_come_to(other.line)
            print(f"also asked for: {another}; it is under way already")

    def _is_of_no_return(self) -> bool:
        return not self.request.is_rehearsal and (self.is_command_started or step_progress.will_be_cut(self.progress))

"""The connection to one UPS's upsd as it is kept up: a look each POLL_SECONDS, logged in where that is wanted, and back after a while.

    link.begin_when_due(now, is_on_battery=...)
    yield within(link.seconds_to_wait(now), link)
    if answer := link.answer(): ...

Everything that may wait is done by a thread of its own (worker). Who wants more of upsd than a look has it `asked`, between two looks.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from pimains.core.errors import Away, WrongSetting
from pimains.ups.nut import NO_DATA, Nut, retry_seconds
from pimains.ups.plan.status import Line, line_of, words_of
from pimains.ups.replies import ErrorReply
from pimains.ups.worker import Worker

_LOGIN_AGAIN_SECONDS = 30.0
_STATUS = "ups.status"
_LIST_SECONDS = 10.0


class Answer(NamedTuple):
    """What came of a look that began at `asked_at` (monotonic seconds): its variables, None for no data and `why_not`.

    `fault` is what a person has to mend, with the file, "" for nothing; the UPS may be looked at all the same.
    """

    asked_at: float
    variables: dict[str, str] | None
    why_not: str = ""
    fault: str = ""


class Link:
    """`nut` as it is kept: `logs_in` where the UPS feeds this machine, `commands` where this machine is its primary."""

    def __init__(self, nut: Nut, poll_seconds: float, *, logs_in: bool, commands: bool) -> None:
        self.nut = nut
        self._poll_seconds = poll_seconds
        self._logs_in = self._is_fed = logs_in
        self._commands = commands
        self._worker: Worker[Answer] = Worker(nut.ups)
        self._due_at = 0.0
        self._failures = 0
        self._fault = ""
        self._login_again_at = 0.0
        self._is_primary = False
        self._asked: deque[Callable[[Nut], None]] = deque()
        self._listed: dict[str, str] = {}
        self._list_again_at = 0.0

    def fileno(self) -> int:
        """Readable when there is an answer."""
        return self._worker.fileno()

    @property
    def is_primary(self) -> bool:
        """Whether upsd takes FSD from this machine."""
        return self.nut.is_open and self._is_primary

    def seconds_to_wait(self, now: float) -> float:
        """Until the next look; an answer is told by `fileno`."""
        return float("inf") if self._worker.is_busy else max(0.0, self._due_at - now)

    def ask(self, call: Callable[[Nut], None]) -> None:
        """Have `call` done with the connection, in the thread, beside the next look, which comes at once.

        What `call` raises is for itself to catch: Away, also where upsd cannot be met now, WrongSetting and ErrorReply. None is done later.
        """
        self._asked.append(call)
        self._due_at = 0.0

    def hurry(self) -> None:
        """Try at once where upsd was away."""
        self._due_at = 0.0

    def leave(self, call: Callable[[Nut], None]) -> None:
        """Have `call` log out, and do not log in again."""
        self._logs_in = False
        self.ask(call)

    def stay_logged_in(self) -> None:
        """Log in again where that is wanted."""
        self._logs_in = self._is_fed

    def begin_when_due(self, now: float, *, is_on_battery: bool) -> None:
        """Begin to look, unless it is too early, or the look before has no answer yet. Raises nothing: it is in the answer."""
        if self._worker.is_busy or now < self._due_at:
            return
        self._due_at = max(self._due_at + self._poll_seconds, now + self._poll_seconds / 2)
        if self._fault and now >= self._login_again_at:
            self.nut.close()  # upsd takes a user once in each connection
        addresses: list[tuple[str, int]] = []
        why_not = ""
        if not self.nut.is_open:
            self._due_at = now + retry_seconds(self._failures + 1, self._poll_seconds, is_on_battery=is_on_battery)
            try:
                addresses = self.nut.address.find()  # it forks, which the thread had better not
            except Away as away:
                why_not = str(away)
        self._worker.begin(lambda: self._look(now, addresses, why_not))

    def answer(self) -> Answer | None:
        """What came of a look; None while nothing has come. Raises what nobody has foreseen."""
        if not self._worker.is_done():
            return None
        found = self._worker.result()
        if self.nut.is_open:
            if self._failures:
                self._due_at = min(self._due_at, found.asked_at + self._poll_seconds)
            self._failures = 0
        else:
            self._failures += 1
        return found

    def close(self) -> None:
        """Let go of it."""
        self._worker.close()

    def _look(self, now: float, addresses: list[tuple[str, int]], why_not: str) -> Answer:
        """In the thread."""
        answer = self._looked(now, addresses, why_not)
        self._do_what_was_asked()
        return answer

    def _do_what_was_asked(self) -> None:
        while self._asked:
            self._asked.popleft()(self.nut)

    def _looked(self, now: float, addresses: list[tuple[str, int]], why_not: str) -> Answer:
        try:
            if not self.nut.is_open:
                if why_not:
                    return Answer(now, None, why_not, self._fault)
                self._is_primary, self._fault = False, ""
                self.nut.open(addresses)
            self._log_in(now)
            self._do_what_was_asked()
            return Answer(now, self._variables(now), "", self._fault)
        except Away as away:
            return Answer(now, None, str(away), self._fault)
        except WrongSetting as wrong:
            self._has_a_fault(str(wrong), now)
            return Answer(now, None, str(wrong), self._fault)
        except ErrorReply as error:
            return Answer(now, None, str(error), self._fault)

    def _variables(self, now: float) -> dict[str, str]:
        """All of them. While the mains are there and its status stands, that alone is asked for: upsd sends each by itself, which costs.

        Numbers on line decide nothing.
        """
        listed, self._listed = self._listed, {}
        if now >= self._list_again_at or not _is_on_line(listed) or self.nut.variable(_STATUS) != listed[_STATUS]:
            listed = self.nut.variables()
            self._list_again_at = now + _LIST_SECONDS
        self._listed = listed
        return listed

    def _log_in(self, now: float) -> None:
        """As far as it is wanted, and not done; what a person has to mend keeps nobody from looking."""
        if self._fault:
            return
        try:
            if self._logs_in and not self.nut.is_logged_in:
                self.nut.log_in()
            if self._commands and not self._is_primary:
                self.nut.become_primary()
                self._is_primary = True
        except WrongSetting as wrong:
            self._has_a_fault(str(wrong), now)
        except ErrorReply as error:
            if error.word not in NO_DATA:  # those come from the look, too
                self._has_a_fault(str(error), now)

    def _has_a_fault(self, what: str, now: float) -> None:
        if not self._fault:
            self._login_again_at = now + _LOGIN_AGAIN_SECONDS
        self._fault = what


def _is_on_line(variables: dict[str, str]) -> bool:
    return line_of(words_of(variables.get(_STATUS))) is Line.ON_LINE

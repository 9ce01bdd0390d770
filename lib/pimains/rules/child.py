"""A process that answers for rules, so that whatever a rule does is done to it alone.

It is asked by a pipe and answers by another, a line of JSON each. It has the rights of user pimains and less: it may write no file, start
no process, and take so much memory. What a rule prints is handed back, a few lines of it; where it is, when it does not come to an end,
is written by a handler that needs no Python (faulthandler): a rule may be amid a long call into C.
"""

import faulthandler
import gc
import io
import json
import os
import re
import resource
import select
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from pimains.core.plan.text import one_line, shortened
from pimains.core.process.function import Forked
from pimains.rules.plan.given import KEEP, OFF, ON, Given, Nonsense, NotKnown, Rule
from pimains.rules.plan.relay_view import RelayView, Timers
from pimains.rules.rule_function import function_of
from pimains.shared.relays.plan.relay import Limits, Relay
from pimains.shared.relays.plan.runs import Runs

_MEMORY_BYTES = 64 * 1024 * 1024  # more than it begins with
_REPLY_BYTES_MAX = 256 * 1024
_PRINTED_MAX = 10_000  # characters an answer
_PRINTED_SHOWN = 300
_ASKED_MAX = 500  # names
_TIMERS_MAX = 100
_WORDS_LONGEST = 160
_WHY_LONGEST = 300
_END_SECONDS = 0.05
_GRACE_SECONDS = 5.0  # a child whose service was killed ends by itself
_FRAME = re.compile(r'File "([^"]+)", line ([0-9]+)')


class Lost(NamedTuple):
    """A rule that gave no answer: why, where (0: that cannot be told), and what stays the same while it is the same trouble."""

    why: str
    line: int
    kind: str


class Reply(NamedTuple):
    """What came of asking a rule: (ON, OFF or KEEP, why), or how it is lost; which values it asked for, its timers, what it printed.

    `is_spent`: no other rule is to be asked in that process.
    """

    answer: tuple[str, str] | None
    lost: Lost | None
    asked: frozenset[str] = frozenset()
    timers: dict[str, tuple[float, float]] | None = None
    printed: str = ""
    is_spent: bool = False


class Child:
    """One such process; readable when it has answered, or ended. Raises OSError when there is no room for it.

    `given` makes what its rules are given, empty; a rule is ended after `seconds` also when nobody waits for it any more.
    """

    def __init__(self, given: Callable[[], Given], seconds: float) -> None:
        self.seen: dict[str, object] = {}  # what it was told, by whoever asks it
        self._heard = b""
        outward, self._requests = os.pipe2(os.O_CLOEXEC)
        self._replies, inward = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._replies, False)
        try:
            self._forked = Forked(lambda: _serve(outward, inward, given(), seconds), keep=tuple(sorted((outward, inward))))
        except OSError:
            os.close(self._requests)
            os.close(self._replies)
            raise
        finally:
            os.close(outward)
            os.close(inward)

    def fileno(self) -> int:
        """For poll."""
        return self._replies

    def ask(self, request: dict[str, Any]) -> None:
        """`request` is what `_serve` takes. It has answered before. Raises OSError when it is not there any more."""
        data = memoryview(json.dumps(request).encode() + b"\n")
        while data:
            data = data[os.write(self._requests, data) :]

    def reply(self) -> Reply | None:
        """None as long as there is none; never waits. Raises EOFError when none will come: what `ending` says."""
        with suppress(BlockingIOError):
            heard = os.read(self._replies, _REPLY_BYTES_MAX)
            self._heard += heard
            if not heard or len(self._heard) > _REPLY_BYTES_MAX:
                raise EOFError
        line, end, rest = self._heard.partition(b"\n")
        if not end or not line.startswith(b"{"):
            return None
        try:
            found = _read(json.loads(line))
        except (ValueError, TypeError, KeyError):
            raise EOFError from None
        self._heard = rest
        return found

    def tell_where(self) -> None:
        """Have it write where its rule is: `ending` tells it."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._forked.fileno(), signal.SIGUSR1)

    def ending(self, path: str, late: str) -> Lost:
        """How it ended, or `late` where it has not; and where in the file at `path` it was."""
        ended = bool(select.select([self._forked], [], [], 0 if late else _END_SECONDS)[0])
        why = late
        if ended:
            try:
                self._forked.answer()
            except OSError as error:
                why = f"its process {(error.strerror or '').removeprefix('it ')}"
        with suppress(BlockingIOError, OSError):
            self._heard += os.read(self._replies, _REPLY_BYTES_MAX)
        frames = _FRAME.findall(self._heard.decode("utf-8", "replace"))
        return Lost(why, next((int(line) for file, line in frames if file == path), 0), why)

    def close(self) -> None:
        """End it, whatever it does."""
        self._forked.close()
        os.close(self._requests)
        os.close(self._replies)


def _read(found: dict[str, Any]) -> Reply:
    """Whatever a rule has made of the process, its texts are those of a line. Raises ValueError, TypeError, KeyError."""
    answer, lost, timers = found["answer"], found["lost"], found["timers"]
    if answer is not None and answer[0] not in (ON, OFF, KEEP):
        raise ValueError(answer)
    return Reply(
        None if answer is None else (answer[0], _line(answer[1])),
        None if lost is None else Lost(_line(lost[0]), int(lost[1]), _line(lost[2])),
        frozenset(name for name in found["asked"] if name.isprintable()),
        None if timers is None else {str(name): (float(at), float(seconds)) for name, (at, seconds) in timers.items()},
        _line(found["printed"]),
        bool(found["is_spent"]),
    )


def _line(text: object) -> str:
    return shortened(one_line(str(text)[: 2 * _WHY_LONGEST]), _WHY_LONGEST)


class _Printed(io.TextIOBase):
    """What a rule prints."""

    def __init__(self) -> None:
        self.text = ""
        self._count = 0

    def writable(self) -> bool:
        """It is made for that."""
        return True

    def write(self, text: str) -> int:
        """Raises Nonsense for more than anybody reads."""
        self._count += len(text)
        self.text = (self.text + text[:_PRINTED_MAX])[:_PRINTED_MAX]
        self.check()
        return len(text)

    def check(self) -> None:
        """Raises Nonsense, also for a rule that did not mind."""
        if self._count > _PRINTED_MAX:
            raise Nonsense(f"it prints more than {_PRINTED_MAX} characters")

    def take(self) -> str:
        """What there is, in one line."""
        text, self.text, self._count = self.text, "", 0
        return one_line(text[:_PRINTED_SHOWN])


class _Source(NamedTuple):
    path: str
    text: str


class _Answering:
    """What the process knows, and does for a request."""

    def __init__(self, given: Given, printed: _Printed) -> None:
        self._given, self._printed = given, printed
        self._sources: dict[int, _Source] = {}
        self._rules: dict[int, Rule] = {}
        self._others: dict[int, dict[str, list[float]]] = {}  # timers of all relays, as far as somebody has told
        self._is_spent = False  # one of these rules may have changed what others are given

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take what is new, and ask one rule."""
        number = int(request["number"])
        self._take(request)
        found: dict[str, Any] = {"answer": None, "lost": None, "timers": None}
        view = self._given.relays.get(number)
        self._given.data.asked.clear()
        try:
            if view is None:
                raise NotKnown(f"relay {number}", "relays has no such relay, or does not run")
            view.timers = self._timers(request["timers"])
            found["answer"] = self._given.ask(self._rule(number), number)
            self._printed.check()
            if len(self._given.data.asked) > _ASKED_MAX or len(view.timers.started) > _TIMERS_MAX:
                raise Nonsense(f"it asks for more than {_ASKED_MAX} values, or has more than {_TIMERS_MAX} timers")
            if view.timers.has_changed:
                found["timers"] = view.timers.started
        except BaseException as error:  # a rule may raise what it likes
            found["answer"] = None
            found["lost"] = lost(error, self._sources[number].path)
        found["printed"] = self._printed.take()
        found["asked"] = [name for name in _some(self._given.data.asked) if isinstance(name, str) and len(name) < _WORDS_LONGEST]
        found["is_spent"] = self._is_spent
        return found

    def _take(self, request: dict[str, Any]) -> None:
        given = self._given
        given.at(request["time"], request["wall"])
        for name, value, at in request["values"]:
            given.data.put(name, value, at)
        for name in request["forget"]:
            given.data.forget(name)
        for number, told in request["relays"].items():
            if told is None:
                given.relays.forget(int(number))
            else:
                given.relays.put(_view(number, told, given))
        for number, timers in request["others"].items():
            self._others[int(number)] = timers
        for view in given.relays:
            view.timers = self._timers(self._others.get(view.number, {}))
        if "hosts" in request:
            given.hosts = request["hosts"]
        if "files" in request:
            given.files = None if request["files"] is None else frozenset(request["files"])
        if "rule" in request:
            number = int(request["number"])
            self._sources[number] = _Source(*request["rule"])
            self._rules.pop(number, None)

    def _timers(self, told: dict[str, list[float]]) -> Timers:
        return Timers(self._given.moment, {name: (at, seconds) for name, (at, seconds) in told.items()})

    def _rule(self, number: int) -> Rule:
        if number not in self._rules:
            source = self._sources[number]
            self._rules[number] = function_of(source.path, source.text, self._given, self._spend)
        return self._rules[number]

    def _spend(self) -> None:
        self._is_spent = True


def _view(number: str, told: dict[str, Any], given: Given) -> RelayView:
    relay = Relay(number, Limits(**told["limits"]), Runs(given.moment.time))
    relay.recall(told["kept"])
    return RelayView(relay, given.moment, given.data)


def _some(names: Iterable[object]) -> list[object]:
    return [name for name, _ in zip(names, range(_ASKED_MAX), strict=False)]


def lost(error: BaseException, path: str) -> Lost:
    """What is to be told of what the rule in the file at `path` has raised."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename == path:
        line = error.lineno or line
    words = type(error).__name__
    with suppress(BaseException):  # also the text of an exception is the rule's
        if isinstance(error, NotKnown):
            return Lost(_line(error), line, _line(error.name))
        if isinstance(error, Nonsense):
            return Lost(_line(error), line, "nonsense")
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        words += f": {one_line(text[:_WORDS_LONGEST])}" if text else ""
    return Lost(_line(words), line, type(error).__name__)


def _serve(requests: int, replies: int, given: Given, seconds: float) -> str:
    """In the child: answer until nobody asks any more."""
    confine(replies)
    printed = _Printed()
    sys.stdout = sys.stderr = printed
    answering = _Answering(given, printed)
    with open(requests, "rb") as lines:
        for line in lines:
            signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_SECONDS)
            reply = memoryview(json.dumps(answering.answer(json.loads(line))).encode() + b"\n")
            signal.setitimer(signal.ITIMER_REAL, 0)
            while reply:
                reply = reply[os.write(replies, reply) :]
    return ""


def confine(replies: int) -> None:
    """In a child that asks rules: it may write no file but the open `replies`, start no process, and take so much memory."""
    gc.freeze()  # what it shares with the service is not looked through
    nothing = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nothing, handle)
    os.close(nothing)
    faulthandler.enable(replies, all_threads=False)
    faulthandler.register(signal.SIGUSR1, replies, all_threads=False)
    with open("/proc/self/statm", "rb") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    for what, most in (
        (resource.RLIMIT_AS, now + _MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))

"""A replay in a process of its own: whatever a rule does there is done to it alone, and one that does not come to an end is ended.

Every moment it writes at which step it is. Who stays at one is asked where it is, as the service asks its child.
"""

import json
import os
import re
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pimains.core.errors import PimainsError, Refused
from pimains.core.plan.sentences import duration
from pimains.core.process.function import Forked
from pimains.rules.child import confine
from pimains.rules.plan.replay import Asks, Lost, Played, Replay, RunOfRelay

_BEAT_SECONDS = 0.1
_TELLING_SECONDS = 0.3  # until a process that is late has written where it is
_CARD_SECONDS = 60.0  # a slow one may take as long until it has found a reading
_PIPE_BYTES = 64 * 1024
_FRAME = re.compile(r'File "([^"]+)", line ([0-9]+)')
_BEAT, _DONE = "at", "{"
_ASKS = "asks"


Watch = Callable[[Replay], None]  # hears which replay is under way


class TooLong(PimainsError):
    """The rule did not come to an end at this step; and the line of its file, 0 where that cannot be told."""

    def __init__(self, step: int, line: int, why: str) -> None:
        super().__init__(why)
        self.step, self.line, self.why = step, line, why


def apart(begin: Callable[[], Callable[[Watch], Played]], path: str, seconds: float, tell: Callable[[int], None]) -> Played:
    """What that returns which `begin` returns, done in another process; `tell` hears every moment at which step it is.

    `begin` may open files; then nothing can be written any more, as in the service's child. A rule may take `seconds`; the file at `path`
    is its own. Raises TooLong, and Refused and Asks as `begin` does.
    """
    outward, inward = os.pipe2(os.O_CLOEXEC)
    try:
        forked = Forked(lambda: _in_child(begin, inward), keep=(inward,))
    finally:
        os.close(inward)
    try:
        return _Heard(outward, path, seconds, tell).until_the_end(forked)
    finally:
        forked.close()
        os.close(outward)


class _Heard:
    def __init__(self, pipe: int, path: str, seconds: float, tell: Callable[[int], None]) -> None:
        self._pipe, self._path, self._seconds, self._tell = pipe, path, seconds, tell
        self._text = ""
        self._step = -1
        self._has_begun = False  # before, it could not be asked where it is, and would end of that

    def until_the_end(self, forked: Forked) -> Played:
        """Raises TooLong, Refused."""
        heard_at = time.monotonic()
        while True:
            if select.select([self._pipe], [], [], self._seconds + 2 * _BEAT_SECONDS)[0]:
                heard = os.read(self._pipe, _PIPE_BYTES).decode("utf-8", "replace")
                if not heard:
                    return self._result(forked)
                self._text += heard
                self._hear_beats()
                heard_at = time.monotonic()
                continue
            line = self._where(forked) if self._has_begun else 0
            if line or time.monotonic() - heard_at > _CARD_SECONDS:
                raise TooLong(self._step, line, f"it takes longer than {duration(self._seconds)}")

    def _where(self, forked: Forked) -> int:
        """The line at which its rule is; 0 where it is not in its rule."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(forked.fileno(), signal.SIGUSR1)
        while select.select([self._pipe], [], [], _TELLING_SECONDS)[0] and (heard := os.read(self._pipe, _PIPE_BYTES)):
            self._text += heard.decode("utf-8", "replace")
        line = self._line()
        self._text = "\n".join(each for each in self._text.split("\n") if each.startswith((_BEAT, _DONE)))
        return line

    def _hear_beats(self) -> None:
        while self._text.startswith(_BEAT) and "\n" in self._text:  # what follows them is the result, or how it ended
            line, _, self._text = self._text.partition("\n")
            self._has_begun = True
            self._step = int(line.removeprefix(_BEAT))
            self._tell(self._step)

    def _result(self, forked: Forked) -> Played:
        if self._text.startswith(_DONE):
            found = json.loads(self._text)
            if names := found.get(_ASKS):
                raise Asks(frozenset(names))
            return Played(
                runs=[RunOfRelay(*each) for each in found["runs"]],
                lost=[Lost(*each) for each in found["lost"]],
                gave_way=found["gave_way"],
                missing=found["missing"],
            )
        try:
            forked.answer()
        except OSError as error:
            raise TooLong(self._step, self._line(), f"its process {(error.strerror or '').removeprefix('it ')}") from None
        raise Refused("the replay ended without an answer")

    def _line(self) -> int:
        return next((int(line) for file, line in _FRAME.findall(self._text) if file == self._path), 0)


def _in_child(begin: Callable[[], Callable[[Watch], Played]], inward: int) -> str:
    under_way: list[Replay] = []
    told: list[Any] = [None]

    def beat(*_: object) -> None:
        now = (under_way[-1], under_way[-1].step) if under_way else None
        if now and now != told[0]:
            told[0] = now
            os.write(inward, f"{_BEAT}{now[1]}\n".encode())

    play = begin()
    confine(inward)
    os.write(inward, f"{_BEAT}-1\n".encode())
    signal.signal(signal.SIGALRM, beat)
    signal.setitimer(signal.ITIMER_REAL, _BEAT_SECONDS, _BEAT_SECONDS)
    try:
        found: dict[str, object] = play(under_way.append)._asdict()
    except Asks as asks:
        found = {_ASKS: sorted(asks.names)}
    signal.setitimer(signal.ITIMER_REAL, 0)
    text = memoryview(json.dumps(found).encode())
    while text:
        text = text[os.write(inward, text) :]
    return ""

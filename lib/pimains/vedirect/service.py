"""The service vedirect: services/vedirect/README.md says what it is for, this how it goes about it.

    /run/pimains/<instance>/LABEL        a field under its own label, in SI units; not there while it is not known
    /run/pimains/<instance>/LABEL.words  what the number of an enumeration means
    /var/lib/pimains/<instance>/device   which device it is

plan/framing makes blocks of bytes, plan/belief decides which are true, plan/fields what becomes of their fields.
"""

from __future__ import annotations  # the names of a module that is missing

from pimains.core import notify_queue
from pimains.core.library import Needed
from pimains.core.plan import back_off
from pimains.core.service import Instance, Naps, run, seconds, within
from pimains.core.troubles import Troubles
from pimains.vedirect import lasting_name
from pimains.vedirect.connection import Connection
from pimains.vedirect.plan import fields, identity, telling
from pimains.vedirect.plan.framing import Block
from pimains.vedirect.plan.identity import Identity
from pimains.vedirect.settings import VedirectSettings
from pimains.vedirect.values import Values

with Needed("python3-serial") as library:
    from pimains.vedirect.port import Port, PortAway

_GATHER_SECONDS = 0.1  # a block comes in a dozen pieces
_LOOK_SECONDS = 1.0
_TRY_SECONDS_MAX = 5.0


def read(me: Instance, settings: VedirectSettings) -> Naps:
    """Read the port, whenever it is there, until told to stop. What was said stays: its age tells how old it is."""
    library.must_be_there(me.directory)
    reader = Reader(me, settings)
    try:
        while True:
            reader.look()
            if reader.port is None:
                yield seconds(reader.seconds_to_wait())
            elif (yield within(reader.seconds_to_wait(), reader.port)):
                yield seconds(_GATHER_SECONDS)
                reader.take()
    finally:
        reader.close()


class Reader:
    """One port and the device at it."""

    def __init__(self, me: Instance, settings: VedirectSettings) -> None:
        self.me = me
        self.port: Port | None = None
        self._settings = settings
        self._path = settings.PORT
        self._values = Values(me)
        self._remembered = self._recall()
        self._is_other = False
        self._troubles = Troubles(me.complain, print)
        self._unknowns = Troubles(print)
        self._next_try = self._believed_at = me.clock.monotonic()
        self._failures = 0
        self._latest: dict[str, str] = {}
        self._connection = Connection()
        if advice := lasting_name.advice(self._path):
            me.complain(f"{settings.directory}/PORT: {advice}")

    def look(self) -> None:
        """Open the port when that is due; say what is lost."""
        now = self.me.clock.monotonic()
        if self.port is None and now >= self._next_try:
            self._open(now)
        self._values.drop_older(self._settings.LOST_SECONDS)
        self._connection.line.look(now, self._connection.framing)
        self._say(now)

    def seconds_to_wait(self) -> float:
        """Until there is something to look after, when nothing comes."""
        now = self.me.clock.monotonic()
        return max(0.0, self._next_try - now) if self.port is None else _LOOK_SECONDS

    def take(self) -> None:
        """Take in what has come."""
        if self.port is None:
            return
        try:
            data = self.port.read()
        except PortAway as away:
            self._lose(away)
            return
        connection = self._connection
        connection.has_spoken = connection.has_spoken or bool(data)
        for block in connection.framing.feed(data):
            if connection.belief.believes(block):
                self._take_in(block)

    def close(self) -> None:
        """Let others have the port."""
        if self.port is not None:
            self.port.close()
            self.port = None

    def _open(self, now: float) -> None:
        try:
            self.port = Port(self._path)
        except PortAway as away:
            self._lose(away)
            return
        self._troubles.look("port", "")
        self._connection = Connection()
        self._believed_at = now
        self._failures = 0

    def _lose(self, away: PortAway) -> None:
        self.close()
        self._troubles.look("port", f"{self._path} {away}", kind=away.kind)
        self._next_try = self.me.clock.monotonic() + back_off.wait_seconds(self._failures, longest=_TRY_SECONDS_MAX)
        self._failures += 1

    def _take_in(self, block: Block) -> None:
        self._believed_at = self.me.clock.monotonic()
        self._connection.heard_nothing_of()
        news = self._connection.introduction.hear(block)
        seen = self._connection.introduction.identity
        if seen is None:
            return
        if news or self._is_other:
            self._meet(seen)
        if self._is_other:
            return
        self._latest.update(block)
        values: dict[str, str | None] = {}
        for label, text in block:
            values.update(fields.published(label, text))
        self._values.put(values)

    def _meet(self, seen: Identity) -> None:
        """Somebody has said who he is: is he who was here before?"""
        if self._is_other:
            self._remembered = self._recall()  # somebody may have removed it
        before, was_other = self._remembered, self._is_other
        self._is_other = before is not None and not before.is_same(seen)
        self._latest.clear()
        if self._is_other:
            if not was_other:
                self._values.drop()
            self._tell_of_another(str(before), str(seen))
            return
        self._troubles.look("device", "")
        if seen != before:
            self._remembered = seen
            self.me.keep("device", identity.written(seen), durable=True)
        print(f"reading {seen} at {self._path}")

    def _tell_of_another(self, before: str, seen: str) -> None:
        line = f"{self._path}: another device is there, {seen} in the place of {before}: nothing of it is published; put the cables back, "
        line += f"or type: sudo rm {self.me.lib}/device"
        if line not in self._troubles.now():
            notify_queue.post(f"{self.me.name}: another device", line, "vedirect-other")
        self._troubles.look("device", line)

    def _recall(self) -> Identity | None:
        return self.me.kept("device", identity.parsed, "whichever device is there now is taken for the one that was")

    def _say(self, now: float) -> None:
        is_lost = now - self._believed_at > self._settings.LOST_SECONDS
        self._troubles.look("blocks", self._connection.why_nothing(self._path) if self.port and is_lost else "", kind="lost")
        self._troubles.look("line", self._connection.line.trouble)
        if self.port is None or is_lost or self._is_other:
            self._latest.clear()
        how = telling.told(self._latest)
        not_known = f"{self._path}: the device does not know {how.unknown} (a battery monitor does when it has seen its battery full)"
        self._unknowns.look("unknown", not_known if "---" in how.unknown else "", kind=how.unknown)
        troubles = [*filter(None, [how.wrong]), *self._troubles.now()]
        if self._latest:
            words = f"{self._connection.introduction.identity}: {how.how}" + (f" ({how.unknown})" if how.unknown else "")
            troubles.insert(0, words)
        elif not troubles:
            troubles = [f"waiting for the first blocks at {self._path}"]
        self.me.status("; ".join(troubles), well=not how.wrong and not self._troubles.now())


if __name__ == "__main__":
    run(read, VedirectSettings)

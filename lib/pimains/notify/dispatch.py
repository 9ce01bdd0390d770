"""From the queue to the addresses: messages are fetched, held back or let go, delivered, tried again, given up."""

import contextlib
import fcntl
import os
import time
from pathlib import Path

from pimains.core import clock, kept, notify_queue, state
from pimains.core.errors import WrongSetting
from pimains.core.instance import Instance
from pimains.core.process.function import Forked
from pimains.core.set_aside import unless_a_file
from pimains.core.troubles import Troubles
from pimains.notify.address import AWAY, DONE, REFUSED, SETTING, Address, Outcome, Words
from pimains.notify.outbox import Message, Outbox, set_aside
from pimains.notify.plan import Moment, Sent, Throttle, summed_up, wall_time
from pimains.notify.reports import Reports
from pimains.notify.settings import NotifySettings

_DAY = 86400.0
_LOOK_AGAIN_SECONDS = 60.0
_LATE_SECONDS = 600.0


class Dispatcher:
    """The queue, the messages held back and those on their way, and the addresses they go to."""

    def __init__(self, me: Instance, settings: NotifySettings) -> None:
        self.me = me
        self.settings = settings
        self.addresses: list[Address] = []
        notify_queue.make_queue()
        self._lock = _lock(notify_queue.directory() / "lock")
        self.outbox = Outbox(notify_queue.directory() / "outbox")
        self.held = Outbox(notify_queue.directory() / "held")
        self.throttle = Throttle(settings.THROTTLE_SECONDS, settings.MESSAGES_PER_HOUR_MAX, _read_sent(me.run / "sent"))
        self._tell_of_damaged([*self.outbox.damaged, *self.held.damaged])
        self._counted = dict.fromkeys(self.outbox.messages, me.clock.monotonic())  # up to when a message's `waited` was counted
        self._disk_trouble = ""
        self._troubles = Troubles(me.complain)
        self._tests = Reports(me.clock, settings.SEND_SECONDS_MAX)
        # whoever wants to hear of each message has as many waiting as may go out in an hour
        self._room = notify_queue.ROOM if settings.THROTTLE_SECONDS else max(notify_queue.ROOM, settings.MESSAGES_PER_HOUR_MAX)

    def now(self) -> Moment:
        """This moment, by both clocks."""
        return Moment(clock.boot_id(), self.me.clock.monotonic(), self.me.clock.wall())

    def sort(self) -> None:
        """Put each message from the queue on its way or hold it back; let go those held back long enough, give up the oldest."""
        if not self.addresses:
            return
        try:
            there_is_room = True
            for name in notify_queue.waiting():
                there_is_room = self._take(name, there_is_room=there_is_room)
            self._tell_of_dropped()
            self._disk_trouble = ""
        except OSError as error:
            self._disk_trouble = f"{notify_queue.directory()}: {error.strerror}; messages stay in the queue"
        self._troubles.look("disk", self._disk_trouble)
        for message in sorted(self.held, key=lambda message: message.since.wall):
            if self._may_go(message.event):
                self._note_sent(message.event)
                self.held.move(message.event, self.outbox, message.id)
                self._counted[message.id] = self.me.clock.monotonic()
        self._give_up()

    def _take(self, name: str, *, there_is_room: bool) -> bool:
        """Take one message out of the queue, only a test where there is no room; returns whether there still is. Raises OSError."""
        post = notify_queue.read(name)
        if not there_is_room and not (post and post.event == notify_queue.TEST):
            return False
        known = name in self.outbox.messages or any(message.id == name for message in self.held)
        if post is None:
            self._no_message(notify_queue.queue() / name)
        elif not known and (not self.settings.EVENTS or post.event in (*self.settings.EVENTS, notify_queue.TEST)):
            now = self.now()
            message = Message(name, post.event, post.subject, post.body, now, now)
            if post.event == notify_queue.TEST:
                self._tests.begin(name, [address.name for address in self.addresses])
            before = self.held.messages.get(post.event)
            if post.event == notify_queue.TEST or (before is None and self._may_go(post.event)):
                self.outbox.keep(name, message)
                self._counted[name] = now.monotonic
                self._note_sent(post.event)
            elif before:
                self.held.keep(post.event, message._replace(since=before.since, more=before.more + 1))
            elif len(self.held) < notify_queue.ROOM:
                self.held.keep(post.event, message)
            else:
                return False
        state.remove(notify_queue.queue() / name)
        return there_is_room

    def _may_go(self, event: str) -> bool:
        return len(self.outbox) < self._room and self.throttle.wait_seconds(event, self.me.clock.monotonic()) == 0

    def _note_sent(self, event: str) -> None:
        if event != notify_queue.TEST:
            self.throttle.note(event, self.me.clock.monotonic())
            with contextlib.suppress(OSError):
                state.write(self.me.run / "sent", "\n".join(f"{sent.at} {sent.event}" for sent in self.throttle.sent))

    def _no_message(self, path: Path) -> None:
        """Somebody's directory is kept; an empty file was a message, before a power cut."""
        if path.is_dir() and not path.is_symlink():
            self._tell_of_damaged([set_aside(path)])
        elif os.path.lexists(path):
            print(f"{path}: is no message, removed")
            if path.is_file():
                notify_queue.post("a message was lost on the disk", f"{path} was empty", "message-damaged")

    def _tell_of_damaged(self, found: list[str]) -> None:
        """People hear that there was something, and what can be read of it."""
        for words in found:
            self.me.complain(f"a message was damaged on the disk: {words}")
            notify_queue.post("a message was damaged on the disk", words, "message-damaged")

    def _tell_of_dropped(self) -> None:
        dropped, counted = notify_queue.directory() / "dropped", notify_queue.directory() / ".dropped"
        for each in (dropped, counted):
            if each.is_dir():
                self.me.complain(f"{each}: is a directory: kept as {kept.set_aside(each).name}")
        if dropped.exists():
            dropped.rename(counted)
        if counted.exists():
            count = counted.stat().st_size
            self.me.complain(f"the queue was full: {count} messages were dropped")
            notify_queue.put(f"{count} messages were dropped", "They were posted faster than they could be fetched.", "dropped")
            counted.unlink()

    def _give_up(self) -> None:
        busy = {address.message for address in self.addresses if address.delivery}
        for message in self.outbox:
            if message.id not in busy and self._waited(message) > self.settings.KEEP_DAYS * _DAY:
                missing = [address.name for address in self.addresses if address.id not in message.done]
                self.me.complain(f"given up after {self.settings.KEEP_DAYS:g} days, never told {', '.join(missing)}: {message.subject}")
                self._forget(message)

    def _waited(self, message: Message) -> float:
        return message.waited + self.me.clock.monotonic() - self._counted[message.id]

    def _forget(self, message: Message) -> None:
        self.outbox.drop(message.id)
        self._counted.pop(message.id, None)
        for address in self.addresses:
            address.tries.pop(message.id, None)

    def send(self) -> None:
        """Begin to deliver wherever somebody may be told something: a test at once, the rest when its time has come."""
        for address in self.addresses:
            pending = self._pending(address)
            tests = self._tests_for(address)
            if pending and not self._busy(address) and (tests or address.next_at <= self.me.clock.monotonic()):
                message = tests[0] if tests else min(pending, key=lambda message: (address.tries.get(message.id, 0), message.id))
                address.start(self._words(message), self.settings.SEND_SECONDS_MAX)

    def _tests_for(self, address: Address) -> list[Message]:
        """Those for which somebody waits, the newest first."""
        tests = [self.outbox.messages.get(test) for test in self._tests.unanswered(address.name)]
        return [test for test in tests if test and address.id not in test.done]

    def _busy(self, address: Address) -> bool:
        return bool(address.delivery) or (address.heavy and any(other.heavy and other.delivery for other in self.addresses))

    def _pending(self, address: Address) -> list[Message]:
        return [message for message in self.outbox if address.id not in message.done]

    def _words(self, message: Message) -> Words:
        now = self.now()
        posted = wall_time(message.at, now)
        body = summed_up(message.body, message.more, _time_of_day(wall_time(message.since, now), now.wall))
        if now.wall - posted > _LATE_SECONDS:
            body += f"\n\n(posted {_time_of_day(posted, now.wall)}; it could not be delivered earlier)"
        return Words(message.id, os.uname().nodename, message.subject, body.strip() or message.subject, posted)

    def deliveries(self) -> list[Forked]:
        """What to wait for: each becomes readable when a delivery has ended."""
        return [address.delivery for address in self.addresses if address.delivery]

    def collect(self) -> None:
        """Note which deliveries have ended, and how; answer those who test and have waited long enough."""
        for address in self.addresses:
            if outcome := address.ended(self.me.clock.monotonic()):
                message = self.outbox.messages.get(address.message)
                if message:
                    self._note(address, message, outcome)
                self._say(address, message.subject if message else "", outcome)
        self._tests.answer_those_that_are_due({(address.message, address.name) for address in self.addresses if address.delivery})

    def _note(self, address: Address, message: Message, outcome: Outcome) -> None:
        done = (*message.done, address.id) if outcome.kind in (DONE, REFUSED) else message.done
        message = message._replace(done=done, waited=self._waited(message))
        self._counted[message.id] = self.me.clock.monotonic()
        self.outbox.messages[message.id] = message
        if all(other.id in done for other in self.addresses):
            self._forget(message)
        else:
            try:
                self.outbox.keep(message.id, message)
            except OSError as error:
                print(f"{self.outbox.directory}: {error.strerror}; after a restart {address.name} may be told twice")
        said = {DONE: notify_queue.DELIVERED, REFUSED: f"refused: {outcome.words}", SETTING: f"waits for an edit: {outcome.words}"}
        self._tests.tell(message.id, address.name, said.get(outcome.kind, f"queued, trying again: {outcome.words}"))

    def _say(self, address: Address, subject: str, outcome: Outcome) -> None:
        about = f"address {address.id}"
        if outcome.kind in (DONE, REFUSED):
            self._troubles.look(about, "")  # it was reached
        if outcome.kind == DONE:
            print(f"told {address.name}: {subject}")
        elif outcome.kind == REFUSED:
            self.me.complain(f"{address.name} will not take it: {outcome.words}: {subject}")
        else:
            later = "trying again" if outcome.kind == AWAY else "messages wait for an edit and svc -t"
            self._troubles.look(about, f"cannot tell {address.name}: {outcome.words}; {later}")

    def seconds_to_wait(self) -> float:
        """Seconds until something is to be done, unless a message is posted or a delivery ends before."""
        now = self.me.clock.monotonic()
        waits = [_LOOK_AGAIN_SECONDS if self._disk_trouble or not self.addresses else 3600.0]
        if len(self.outbox) < self._room:
            waits += [self.throttle.wait_seconds(message.event, now) for message in self.held]
        waits += [address.next_at - now for address in self.addresses if not self._busy(address) and self._pending(address)]
        return max(0.0, min(*waits, self._tests.seconds_to_wait()))

    def how_it_is(self) -> tuple[str, bool]:
        """A line for people, and whether all is well."""
        troubled = [address for address in self.addresses if address.trouble]
        if troubled:
            waiting = len({message.id for address in troubled for message in self._pending(address)})
            others = f" (and {len(troubled) - 1} more in trouble)" if troubled[1:] else ""
            return f"{_number(waiting, 'message')} waiting; {troubled[0].name}: {troubled[0].trouble}{others}", False
        if self._disk_trouble:
            return self._disk_trouble, False
        held = sum(1 + message.more for message in self.held)
        return f"telling {_number(len(self.addresses), 'address')}" + (f"; {held} held back for now" if held else ""), True

    def close(self) -> None:
        """End what is under way, and note how long each message has been tried."""
        for address in self.addresses:
            address.close()
        for message in self.outbox:
            with contextlib.suppress(OSError):
                self.outbox.keep(message.id, message._replace(waited=self._waited(message)))
        os.close(self._lock)


def _lock(path: Path) -> int:
    """Two that deliver would deliver everything twice."""
    unless_a_file(path)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise WrongSetting("another instance of notify delivers already; one is enough (create_service --del-service)") from None
    return handle


def _read_sent(path: Path) -> list[Sent]:
    """What went out since boot, before this process was started."""
    lines = [line.split(" ") for line in (state.read(path) or "").splitlines()]
    return [Sent(line[1], float(line[0])) for line in lines if len(line) == 2 and line[0].replace(".", "", 1).isdigit()]


def _time_of_day(wall: float, now: float) -> str:
    then, today = time.localtime(wall), time.localtime(now)
    return time.strftime("%H:%M" if then[:3] == today[:3] else "%Y-%m-%d %H:%M", then)


def _number(number: int, thing: str) -> str:
    return f"1 {thing}" if number == 1 else f"{number} {thing}{'es' if thing.endswith('s') else 's'}"

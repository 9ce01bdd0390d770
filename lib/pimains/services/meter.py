"""meter: counts the pulses of a meter, keeps every reading, and delivers them to a collector.

    /run/pimains/<instance>/power     W (UNIT=kWh), or `flow` in m3/h (UNIT=m3); not there while it is not known
    /run/pimains/<instance>/power_is  `measured`, or `at most` while no pulse comes
    /run/pimains/<instance>/total     what the meter's face shows, in its unit
    /run/pimains/<instance>/ask       a FIFO for orders: "ID set 12345.6 WHO" or "ID save"
    /run/pimains/<instance>/said      a FIFO with the answers: "ID ok TEXT" or "ID failed TEXT"

Pulses are counted by gpiozero's thread, readings are delivered by the courier's; neither waits for the other, nor for a disk.
"""

import json
import os
import socket
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pimains.core import clock as clocks
from pimains.core import notify, state
from pimains.core.journal import Broken, Journal
from pimains.core.ledger import Reading as Input
from pimains.core.service import Instance, Naps, Stop, run, seconds, within
from pimains.devices import gpio
from pimains.devices.courier import Courier, Load
from pimains.devices.tally import Tally
from pimains.plan import boot_time
from pimains.plan.delivery import Boot, Face, Reading
from pimains.plan.pulses import Contact, Flow, FlowMeter
from pimains.settings.meter import MeterSettings

if TYPE_CHECKING:
    from pimains.devices.http import Collector

_SAVE_SECONDS = 120.0
_QUIET_SECONDS = 1.0  # an edge that is this old has reached us
_GOODBYE_SECONDS = 3.0
_WITHOUT_GPIO_SECONDS = 60.0
_HELD_MAX = 20_000  # readings in memory while no disk takes them: a day at 5 s
_COMPLAIN_ABOUT_IGNORED = 20
_KILOWATT = 1000


def count(me: Instance, settings: MeterSettings) -> Naps:
    """Count, take a reading every INTERVAL, answer orders, until told to stop."""
    meter = Meter(me, settings)
    try:
        try:
            meter.begin()
        except gpio.GpioError as error:
            me.complain(str(error))
            me.status(str(error), well=False)
            yield seconds(_WITHOUT_GPIO_SECONDS)
            return
        with Orders(me, meter) as orders:
            while True:
                meter.attend()
                yield within(meter.seconds_to_wait(), orders)
                orders.carry_out()
    except Stop:
        meter.take_reading()
        meter.save()
        meter.finish()
    finally:
        meter.close()


class Count:
    """Pulses as the pin tells them: called by gpiozero's thread, and by ours for a contact that stays closed."""

    def __init__(self, settings: MeterSettings, me: Instance, tally: Tally) -> None:
        self._lock = threading.Lock()
        self._closed_is_high = settings.EDGE == "rising"
        self._tally = tally
        self._clock = me.clock
        self.pin = gpio.Contact(settings.PIN, settings.PULL, me.clock, self._edge, me.run)
        is_closed = self.pin.is_high == self._closed_is_high
        # a contact that was open when we were killed and is closed now has begun a pulse
        had_closed = is_closed if tally.had_closed is None else tally.had_closed
        self.contact = Contact(settings.BOUNCE_MS / 1000, had_closed)
        self._settle_if(self.contact.edge(me.clock.monotonic(), is_closed))
        self.pin.listen()

    def _edge(self, at: float, is_high: bool) -> None:
        with self._lock:
            self._settle_if(self.contact.edge(at, is_high == self._closed_is_high))

    def settle(self) -> None:
        """Count a pulse that has begun and goes on."""
        with self._lock:
            self._settle_if(self.contact.settle(self._clock.monotonic() - _QUIET_SECONDS))

    def _settle_if(self, pulse: bool) -> None:
        if pulse or self.contact.is_closed != self._tally.had_closed:
            self._tally.had_closed = self.contact.is_closed
            self._tally.contact(self.contact.is_closed, pulse, self.contact.pulse_at)


class Keeper:
    """The journal, and what it could not take yet."""

    def __init__(self, me: Instance, source: str) -> None:
        self.trouble = ""
        self.boot = Boot(None)
        self._me = me
        self._source = source
        self._held: list[Reading] = []
        self._id = self._sequence = 0
        self.journal: Journal | None = None
        self.open()

    def open(self) -> None:
        """Open the journal, if it is not; one that is broken is put aside."""
        path, recent = self._me.lib / "journal.sqlite", self._me.run / "recent.sqlite"
        for _ in range(3):
            try:
                self.journal = self.journal or Journal(path, recent)
                self._id = self.journal.boot(self._source, clocks.boot_id(), self.boot)
                self._sequence = max(self._sequence, self.journal.last_sequence(self._id))
                return
            except sqlite3.Error as error:
                self.trouble = f"{path}: {error}"
                return
            except Broken as error:
                aside = error.path.with_name(f"{error.path.name}.broken")
                error.path.rename(aside)
                self._me.complain(f"{error}: put aside as {aside.name}, a new one is begun")

    def keep(self, uptime: float, pulses: int) -> None:
        """Keep a reading, in memory if nothing else is to be had."""
        self._sequence += 1
        self._held.append(Reading(clocks.boot_id(), self._sequence, None, uptime, pulses))
        if len(self._held) > _HELD_MAX:
            del self._held[1:-1:2]
        try:
            self.date()
            while self._held and self.journal:
                self.journal.note(self._id, self._held[0])
                del self._held[0]
            self.trouble = ""
        except sqlite3.Error as error:
            self.trouble = f"{self._me.lib}/journal.sqlite: {error}"

    def date(self) -> None:
        """Believe the clock if there is a reason to; the readings of this boot move with it."""
        clock = self._me.clock
        better = boot_time.judged(self.boot, clock.wall(), clock.monotonic(), clock.is_synchronised())
        if better != self.boot or self.journal is None:
            self.boot = better
            self.open()

    def save(self, bytes_max: float) -> None:
        """Put everything where a power cut does not hurt it."""
        if self.journal is None:
            return
        try:
            self.journal.save()
            left_out = self.journal.thin(int(bytes_max))
        except sqlite3.Error as error:
            self.trouble = f"{self._me.lib}/journal.sqlite: {error}"
            return
        if left_out:
            line = f"MAX_JOURNAL_MB is reached: {left_out} of the oldest readings were left out; every total stays"
            print(line)
            notify.post(f"{self._source}: old readings are kept in less detail", line, "journal-thinned")


class Meter:
    """Everything that is known of the meter."""

    def __init__(self, me: Instance, settings: MeterSettings) -> None:
        self.me = me
        self._settings = settings
        self._impulses = settings.impulses_per_unit or 1.0
        self._source = settings.SOURCE or f"{socket.gethostname().partition('.')[0]}.{me.name}"
        self._keeper = Keeper(me, self._source)
        at_least = self._keeper.journal.pulses() if self._keeper.journal else 0
        self._tally = Tally(me.run / "count", me.lib / "count", clocks.boot_id(), at_least)
        self._load = Load(self._source, settings.unit, self._impulses)
        self._load.face = self._face_at_start()
        now = me.clock.monotonic()
        self._flow = FlowMeter(self._impulses, now, self._tally.pulses, self._tally.pulse_at, self._tally.per_hour)
        self._next_reading = self._next_commit = now
        self._next_save = now + _SAVE_SECONDS
        self._count: Count | None = None
        self._courier: Courier | None = None
        self._troubles: dict[str, str] = {}

    def begin(self) -> None:
        """Take the pin. Raises GpioError."""
        self._count = Count(self._settings, self.me, self._tally)
        told = f"GPIO {self._settings.PIN} by pin factory {self._count.pin.factory}, {self._impulses:g} pulses per {self._settings.unit}"
        print(f"counting {self._source} at {told}, from {self.total():.3f} {self._settings.unit}")
        if (self._settings.COLLECTOR or "").startswith("http://"):
            print(f"{self._settings.COLLECTOR}: the token travels in the clear; https:// would hide it")

    def seconds_to_wait(self) -> float:
        """Until there is something to attend to."""
        return min(self._next_reading, self._next_commit, self._next_save) - self.me.clock.monotonic()

    def attend(self) -> None:
        """Do what is due."""
        now = self.me.clock.monotonic()
        if now >= self._next_reading:
            self.take_reading()
            late = now - self._next_reading > self._settings.INTERVAL
            self._next_reading = (now if late else self._next_reading) + self._settings.INTERVAL
        if now >= self._next_commit:
            self._commit()
            self._next_commit = now + self._settings.COMMIT_SECONDS
        if now >= self._next_save:
            self.save()
            self._next_save = now + _SAVE_SECONDS

    def take_reading(self) -> None:
        """One row for the journal, and the state files."""
        if self._count is None:
            return
        now = self.me.clock.monotonic()
        self._count.settle()
        pulses = self._tally.pulses
        flow = self._flow.look(now, pulses, self._tally.pulse_at)
        self._tally.per_hour = self._flow.per_hour
        self._keeper.keep(now, pulses)
        self._send()
        self._show(flow)

    def save(self) -> None:
        """Everything would survive a power cut then."""
        self._commit()
        self._keeper.save(self._settings.MAX_JOURNAL_MB * 1e6)

    def finish(self) -> None:
        """Give the last readings time to be delivered."""
        if self._courier:
            self._courier.finish(_GOODBYE_SECONDS)
            self._keeper.save(self._settings.MAX_JOURNAL_MB * 1e6)

    def close(self) -> None:
        """Leave the pin and the files."""
        if self._count:
            self._count.pin.close()
        if self._keeper.journal:
            self._keeper.journal.close()
        self._tally.close()

    def total(self) -> float:
        """What the meter's face shows, in its unit."""
        face = self._load.face or Face(0, 0.0)
        return face.total + (self._tally.pulses - face.pulses) / self._impulses

    def set_total(self, total: float, who: str) -> str:
        """The meter's face shows `total` now; returns what that changes, in words. Raises OSError or sqlite3.Error."""
        was, unit = self.total(), self._settings.unit
        pulses = self._tally.pulses
        self.me.ledger.record(
            self.me.name,
            f"set its total to {total:.3f} {unit}",
            f"{who} read it from the meter",
            {"total before": Input(f"{was:.3f} {unit}", 0.0)},
        )
        self._write_face(Face(pulses, total))
        words = f"{self._source}: total is {total:.3f} {unit} now, was {was:.3f} {unit}"
        print(f"{words} ({who})")
        self._next_reading = self.me.clock.monotonic()
        return words

    def _face_at_start(self) -> Face | None:
        """What was remembered, unless START_TOTAL was edited since."""
        start = self._settings.START_TOTAL
        with suppress(ValueError, TypeError):
            pulses, total, start_then = json.loads(state.read(self.me.lib / "face") or "")
            if start is None or start == start_then:
                return Face(int(pulses), float(total))
        if start is None:
            return None
        self.me.ledger.record(self.me.name, f"set its total to {start:.3f} {self._settings.unit}", "START_TOTAL says so", {})
        self._write_face(Face(self._tally.pulses, start))
        return self._load.face

    def _write_face(self, face: Face) -> None:
        state.write(self.me.lib / "face", json.dumps([face.pulses, face.total, self._settings.START_TOTAL]), durable=True)
        self._load.face = face

    def _commit(self) -> None:
        try:
            self._tally.commit()
            self._tell("count", "")
        except OSError as error:
            self._tell("count", f"{self.me.lib}/count: {error.strerror}; a power cut would cost pulses")

    def _send(self) -> None:
        if not self._settings.COLLECTOR or not self._keeper.journal:
            return
        if self._courier is None:
            self._courier = Courier(self._collector, self._keeper.journal, self._load, self.me.clock)
        self._courier.bring()

    def _collector(self) -> "Collector":
        from pimains.devices.http import Collector  # requests costs 12 MB, and not everybody has a collector

        given = self._settings
        return Collector(given.COLLECTOR or "", given.TOKEN, given.CA, given.FINGERPRINT)

    def _show(self, flow: Flow | None) -> None:
        name, factor, unit = ("flow", 1, "m3/h") if self._settings.unit == "m3" else ("power", _KILOWATT, "W")
        amount = None if flow is None else flow.per_hour * factor
        is_what = "at most" if flow and flow.is_bound else "measured"
        self.me.leave(name, None if amount is None else f"{amount:.4g}")
        self.me.leave(f"{name}_is", None if amount is None else is_what)
        self.me.leave("total", f"{self.total():.3f}")
        now = "no pulse yet" if amount is None else f"{'at most ' if is_what == 'at most' else ''}{amount:.4g} {unit}"
        self._tell("journal", self._keeper.trouble and f"{self._keeper.trouble}; readings are held in memory")
        self._tell("contact", self._about_contact())
        delivery = self._about_delivery()
        line = "; ".join([f"{now}, {self.total():.3f} {self._settings.unit}{delivery}", *filter(None, self._troubles.values())])
        self.me.status(line, well=not any(self._troubles.values()))

    def _about_contact(self) -> str:
        contact = self._count.contact if self._count else None
        if contact and contact.pulse_at is None and contact.ignored >= _COMPLAIN_ABOUT_IGNORED:
            return f"{self._settings.directory}/BOUNCE_MS: {contact.ignored} closings did not last that long, and no pulse did"
        if contact and contact.too_short >= _COMPLAIN_ABOUT_IGNORED and self._settings.BOUNCE_MS:
            return f"{contact.too_short} pulses or pauses were shorter than the 30 ms of S0: look at BOUNCE_MS and the wire"
        return ""

    def _about_delivery(self) -> str:
        if self._courier is None or self._keeper.journal is None:
            return ""
        trouble = self._courier.trouble
        where = f"{self._settings.directory}/{self._courier.setting}" if self._courier.setting else str(self._settings.COLLECTOR)
        self._tell("collector", trouble and f"{where}: {trouble}")
        with suppress(sqlite3.Error):
            waiting = self._keeper.journal.waiting()
            return f", {waiting} readings wait" if trouble else ", delivered"
        return ""

    def _tell(self, what: str, trouble: str) -> None:
        """Said once, and once when it is over."""
        before = self._troubles.get(what, "")
        if trouble and not before:
            self.me.complain(trouble)
        elif before and not trouble:
            print(f"{what}: well again")
        self._troubles[what] = trouble


class Orders:
    """What others ask for, one line each."""

    def __init__(self, me: Instance, meter: Meter) -> None:
        self._meter = meter
        self._paths = me.run / "ask", me.run / "said"
        self._asked, self._said = (self._fifo(path) for path in self._paths)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for path in self._paths:
            state.remove(path)

    @staticmethod
    def _fifo(path: Path) -> int:
        state.remove(path)
        os.mkfifo(path, 0o660)
        path.chmod(0o660)
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int:
        """For poll."""
        return self._asked

    def carry_out(self) -> None:
        """Do everything that was asked for, and say so."""
        try:
            lines = os.read(self._asked, 4096).decode("utf-8", "replace").splitlines()
        except BlockingIOError:
            return
        for line in lines:
            id_, _, order = line.partition(" ")
            try:
                answer = f"{id_} ok {self._carry_out(order)}\n"
            except (ValueError, OSError, sqlite3.Error) as error:
                answer = f"{id_} failed {error}\n"
            with suppress(BlockingIOError):  # nobody reads the answers
                os.write(self._said, answer.encode()[:4096])

    def _carry_out(self, order: str) -> str:
        verb, _, rest = order.partition(" ")
        if verb == "save":
            started = time.monotonic()
            self._meter.take_reading()
            self._meter.save()
            return f"saved in {time.monotonic() - started:.1f} s"
        if verb == "set":
            total, _, who = rest.partition(" ")
            value = float(total)
            if not 0 <= value <= 1e9:
                raise ValueError(f"{total} is no total from 0 to 1000000000")
            return self._meter.set_total(value, who or "somebody")
        raise ValueError(f"{verb!r} is no order: save, set TOTAL WHO")


if __name__ == "__main__":
    run(count, MeterSettings)

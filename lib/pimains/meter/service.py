"""The service meter: services/meter/README.md says what it is for, this how it goes about it.

    /run/pimains/<instance>/power     W (UNIT=kWh), or `flow` in m3/h (UNIT=m3); not there while it is not known
    /run/pimains/<instance>/power_is  `measured`, or `at most` while no pulse comes
    /run/pimains/<instance>/total     what the meter's register shows, in its unit
    /run/pimains/<instance>/orders/   where orders are given: save, set 12345.6 WHO, or replace 0.0 800 WHO (shared/orders)

Pulses are counted by a thread of the pin's, readings are delivered by another; neither waits for the other, nor for a disk.
"""

import socket
import sqlite3
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from pimains.core import clock as clocks
from pimains.core import notify_queue, service, state
from pimains.core.service import Instance, Naps, Stop, run, seconds, within
from pimains.core.troubles import Troubles
from pimains.meter.delivery import BATCH_ROWS, Delivery
from pimains.meter.measure import IMPULSES_MAX, IMPULSES_MIN, Measure
from pimains.meter.own_journal import OwnJournal
from pimains.meter.plan import Flow, FlowMeter
from pimains.meter.pulse_count import PulseCount
from pimains.meter.pulse_counter import PulseCounter
from pimains.meter.register import TOTAL_MAX, Register
from pimains.meter.settings import MeterSettings
from pimains.shared.gpio.pin import GpioError
from pimains.shared.orders.service_end import Order, Orders

if TYPE_CHECKING:
    from pimains.meter.collector import Collector

_SAVE_SECONDS = 600.0
_GOODBYE_SECONDS = 3.0
_WITHOUT_GPIO_SECONDS = 60.0
_COMPLAIN_ABOUT_IGNORED = 20
_WORD_SECONDS = 1.5  # what is said of a delivery that is under way is hardly older
_KILOWATT = 1000
_NEVER = float("inf")
_DELIVERED = ", delivered"
_WORDS = {"save": "", "set": "TOTAL WHO", "replace": "TOTAL IMPULSES WHO"}


def count(me: Instance, settings: MeterSettings) -> Naps:
    """Count, take a reading every INTERVAL, answer orders, until told to stop."""
    service.share_one_heap()
    meter = Meter(me, settings)
    try:
        try:
            meter.begin()
            with Orders(me.run, _WORDS) as orders:
                while True:
                    meter.attend()
                    yield within(meter.seconds_to_wait(), orders)
                    meter.obey(orders)
        except GpioError as error:
            meter.go_without_pin(error)
            yield seconds(_WITHOUT_GPIO_SECONDS)
    except Stop:
        with suppress(GpioError):
            meter.take_reading()
        meter.save()
        meter.finish()
    finally:
        meter.close()


class Meter:
    """Everything that is known of the meter."""

    def __init__(self, me: Instance, settings: MeterSettings) -> None:
        self.me = me
        self._settings = settings
        self._wanted = Measure(settings.unit, settings.impulses_per_unit or 1.0)
        self._source = settings.SOURCE or f"{socket.gethostname().partition('.')[0]}.{me.name}"
        self._own_journal = OwnJournal(me, self._source, self._wanted)
        self._measure = self._own_journal.before or self._wanted
        at_least = self._own_journal.pulses()
        self._pulse_count = PulseCount(me.run / "count", me.lib / "count", clocks.boot_id(), at_least)
        pulses, run = self._pulse_count.pulses, self._own_journal.run
        if self._pulse_count.damage:
            self._tell(f"goes on from the count {pulses}", self._pulse_count.damage, True, "count-damaged")
        self._register = Register(me, self._source, *self._measure, settings.START_TOTAL, pulses, run)
        now = me.clock.monotonic()
        shown = self._measure if self._own_journal.refusal else self._wanted
        self._flow = FlowMeter(shown.impulses, now, pulses, self._pulse_count.pulse_at, self._pulse_count.per_hour)
        self._next_reading = self._next_commit = now
        self._next_save = now + _SAVE_SECONDS
        self._next_word = _NEVER
        self._said_of_delivery = ""
        self._counter: PulseCounter | None = None
        self._delivery: Delivery | None = None
        self._troubles = Troubles(me.complain, print)

    def begin(self) -> None:
        """Take the pin. Raises GpioError."""
        given = self._settings
        before = self._pulse_count.pulses
        self._counter = PulseCounter(
            given.PIN,
            given.PULL,
            closed_is_high=given.EDGE == "rising",
            bounce=given.BOUNCE_MS / 1000,
            count=self._pulse_count,
            clock=self.me.clock,
            scratch=self.me.run,
        )
        if not self._own_journal.refusal and self._measure != self._wanted:
            self._measure_anew(before)
        self._own_journal.keep(self.me.clock.monotonic(), before)  # where this run begins to count
        self.me.leave("without-pin", None)
        told = f"GPIO {self._settings.PIN} by {self._counter.pin.factory}, {self._measure}"
        print(f"counting {self._source} at {told}, from {self._total()}")
        if (self._settings.COLLECTOR or "").startswith("http://"):
            print(f"{self._settings.COLLECTOR}: the token travels in the clear; https:// would hide it")

    def _measure_anew(self, pulses: int) -> None:
        """A pulse is another thing from now on; what was counted until now stays what it was."""
        before, self._measure = self._measure, self._wanted
        total = self._register.total(pulses) if self._register.is_known else None
        is_other = before.unit != self._measure.unit
        if is_other:  # of another source: that one's face is not this one's
            pulses = pulses if self._own_journal.begun is None else self._own_journal.begun
            total = self._settings.START_TOTAL or 0.0
        cause = f"it counts {self._measure} from now on, and counted {before} until then"
        self._register.counts_on(self._measure, pulses, total, cause, self._own_journal.run)

    def seconds_to_wait(self) -> float:
        """Until there is something to attend to."""
        return min(self._next_reading, self._next_commit, self._next_save, self._next_word) - self.me.clock.monotonic()

    def attend(self) -> None:
        """Do what is due."""
        now = self.me.clock.monotonic()
        if now >= self._next_reading:
            self.take_reading()
            late = now - self._next_reading > self._settings.INTERVAL
            self._next_reading = (now if late else self._next_reading) + self._settings.INTERVAL
        elif now >= self._next_word:
            self._say_how_delivery_goes(now)
        if now >= self._next_commit:
            self._commit()
            self._next_commit = now + self._settings.COMMIT_SECONDS
        if now >= self._next_save:
            self.save()
            self._next_save = now + _SAVE_SECONDS

    def _say_how_delivery_goes(self, now: float) -> None:
        """It may be over before the next reading."""
        self._next_word = now + _WORD_SECONDS
        if self._about_delivery() != self._said_of_delivery:
            self._show(self._flow.look(now, self._pulse_count.pulses, self._pulse_count.pulse_at))

    def take_reading(self) -> None:
        """One row for the journal, and the state files. Raises GpioError when the pin is gone."""
        if self._counter is None:
            return
        now = self.me.clock.monotonic()
        self._counter.settle()
        pulses = self._pulse_count.pulses
        flow = self._flow.look(now, pulses, self._pulse_count.pulse_at)
        self._pulse_count.per_hour = self._flow.per_hour
        self._own_journal.keep(now, pulses)
        self._send()
        self._show(flow)

    def save(self) -> None:
        """Everything would survive a power cut then."""
        self._commit()
        self._own_journal.save(self._settings.MAX_JOURNAL_MB * 1e6)

    def finish(self) -> None:
        """Give the last readings time to be delivered."""
        if self._delivery:
            self._delivery.finish(_GOODBYE_SECONDS)
            self._own_journal.save(self._settings.MAX_JOURNAL_MB * 1e6)

    def go_without_pin(self, error: GpioError) -> None:
        """Say why nothing is counted; what was counted is saved."""
        told = f"{self._settings.directory}/{error.setting}: {error}" if error.setting else str(error)
        self._leave_pin()
        if told != state.read(self.me.run / "without-pin"):  # it starts anew every minute, and says it once
            self.me.complain(told)
            self.me.leave("without-pin", told)
        self.me.status(told, well=False)
        self.save()

    def close(self) -> None:
        """Leave the pin and the files."""
        self._leave_pin()
        if self._own_journal.journal:
            self._own_journal.journal.close()
        self._pulse_count.close()

    def _leave_pin(self) -> None:
        """How much flows is not known from now on."""
        for name in ("power", "flow"):
            self.me.leave(name, None)
            self.me.leave(f"{name}_is", None)
        if self._counter:
            self._counter.pin.close()
            self._counter = None

    def obey(self, orders: Orders) -> None:
        """Do everything that was asked for, and say so."""
        for order in orders.take():
            try:
                orders.answer(order.id, self._carry_out(order))
            except (ValueError, OSError, sqlite3.Error) as error:
                orders.answer(order.id, str(error), ok=False)

    def _carry_out(self, order: Order) -> str:
        if order.word == "save":
            started = time.monotonic()
            self.take_reading()
            self.save()
            return f"saved in {time.monotonic() - started:.1f} s"
        if self._own_journal.refusal:
            raise ValueError(f"{self._settings.directory}/UNIT: {self._own_journal.refusal}")
        if order.word == "replace":
            return self._replace(*order.rest.split(" ", 2))
        total, _, who = order.rest.partition(" ")
        self._next_reading = self.me.clock.monotonic()
        return self._register.set(float(total), self._pulse_count.pulses, who or "somebody")

    def _replace(self, total: str, impulses: str, who: str) -> str:
        """Another meter hangs at the pin: what it counts is added, and its face is shown."""
        shows, measure = float(total), Measure(self._measure.unit, float(impulses) or self._measure.impulses)
        if not (0 <= shows <= TOTAL_MAX and IMPULSES_MIN <= measure.impulses <= IMPULSES_MAX):
            raise ValueError(f"{shows:g} is no total, or {measure} is nothing that a meter has")
        self.take_reading()
        now, pulses = self.me.clock.monotonic(), self._pulse_count.pulses
        self._own_journal.begin_run(measure)
        cause = f"{who} has replaced the meter; the new one counts {measure}"
        words = self._register.counts_on(measure, pulses, shows, cause, self._own_journal.run)
        self._measure = self._wanted = measure
        self._own_journal.keep(now, pulses)
        self._flow = FlowMeter(measure.impulses, now, pulses, None, None)
        self._next_reading = now
        return words

    def _commit(self) -> None:
        try:
            self._pulse_count.commit()
            self._look("count", "")
        except OSError as error:
            self._look("count", f"{self.me.lib}/count: {error.strerror}; a power cut would cost pulses")

    def _send(self) -> None:
        if not self._settings.COLLECTOR or not self._own_journal.journal or self._own_journal.refusal:
            return
        if self._delivery is None:
            self._delivery = Delivery(self._collector, self._own_journal.journal, self._register, self.me.clock, self._tell)
        if (broken := self._delivery.broken) and self._own_journal.journal is self._delivery.journal:
            self._own_journal.fails(broken)
        if self._own_journal.journal:
            self._delivery.goes_on_with(self._own_journal.journal)
            self._delivery.bring()

    def _tell(self, action: str, cause: str, people: bool, event: str = "readings-lost") -> None:
        line = f"{self._source}: {action}: {cause}"
        print(line)
        self.me.with_ledger(lambda ledger: ledger.record(self.me.name, action, cause))
        if people:
            notify_queue.post(f"{self._source}: {cause}", line, event)

    def _collector(self) -> "Collector":
        from pimains.meter.collector import Collector  # requests costs 12 MB, and not everybody has a collector

        given = self._settings
        return Collector(given.COLLECTOR or "", given.TOKEN, given.CA, given.FINGERPRINT)

    def _show(self, flow: Flow | None) -> None:
        name, factor, unit = ("flow", 1, "m3/h") if self._measure.unit == "m3" else ("power", _KILOWATT, "W")
        amount = None if flow is None else flow.per_hour * factor
        is_what = "at most" if flow and flow.is_bound else "measured"
        self.me.leave(name, None if amount is None else f"{amount:.4g}")
        self.me.leave(f"{name}_is", None if amount is None else is_what)
        total = self._total()
        self.me.leave("total", total.partition(" ")[0] if self._register.is_known else None)
        now = f"{name} not known yet" if amount is None else f"{'at most ' if is_what == 'at most' else ''}{amount:.4g} {unit}"
        self._look("journal", self._own_journal.trouble and f"{self._own_journal.trouble}; readings are held in memory")
        self._look("face", "" if self._register.is_known else f"{self.me.lib}/face: what the meter showed is lost")
        self._look("unit", self._own_journal.refusal and f"{self._settings.directory}/UNIT: {self._own_journal.refusal}")
        self._look("contact", self._about_contact())
        self._said_of_delivery = delivery = self._about_delivery()
        is_under_way = delivery not in ("", _DELIVERED)
        self._next_word = self.me.clock.monotonic() + _WORD_SECONDS if is_under_way else _NEVER
        troubles = self._troubles.now()
        self.me.status("; ".join([f"{now}, {total}{delivery}", *troubles]), well=not troubles)

    def _total(self) -> str:
        if not self._register.is_known:
            return "total not known: pimains meter set TOTAL"
        return f"{self._register.total(self._pulse_count.pulses):.3f} {self._measure.unit}"

    def _look(self, about: str, trouble: str) -> None:
        """One trouble of each is told until it is over, whatever its words have become meanwhile: numbers in them grow."""
        self._troubles.look(about, trouble, kind=about)

    def _about_contact(self) -> str:
        contact = self._counter.contact if self._counter else None
        if self._counter and self._counter.pin.missed:
            return f"{self._counter.pin.missed} edges were lost: this machine was too busy to read them"
        if contact and contact.pulse_at is None and contact.ignored >= _COMPLAIN_ABOUT_IGNORED:
            return f"{self._settings.directory}/BOUNCE_MS: {contact.ignored} closings did not last that long, and no pulse did"
        if contact and contact.too_short >= _COMPLAIN_ABOUT_IGNORED and self._settings.BOUNCE_MS:
            return f"{contact.too_short} pulses or pauses were shorter than the 30 ms of S0: look at BOUNCE_MS and the wire"
        return ""

    def _about_delivery(self) -> str:
        if self._delivery is None or self._own_journal.journal is None:
            return ""
        trouble = self._delivery.trouble
        where = f"{self._settings.directory}/{self._delivery.setting}" if self._delivery.setting else str(self._settings.COLLECTOR)
        self._look("collector", trouble and f"{where}: {trouble}")
        with suppress(sqlite3.Error):
            waiting = self._own_journal.journal.waiting()
            if not trouble and (self._delivery.has_caught_up or not waiting):
                return _DELIVERED
            return f", {waiting} readings wait" if trouble or waiting > BATCH_ROWS else f", {waiting} readings on their way"
        return ""


if __name__ == "__main__":
    run(count, MeterSettings)

"""meter: counts the pulses of a meter, keeps every reading, and delivers them to a collector.

    /run/pimains/<instance>/power     W (UNIT=kWh), or `flow` in m3/h (UNIT=m3); not there while it is not known
    /run/pimains/<instance>/power_is  `measured`, or `at most` while no pulse comes
    /run/pimains/<instance>/total     what the meter's face shows, in its unit
    /run/pimains/<instance>/orders/   where orders are given: save, or set 12345.6 WHO (shared/orders)

Pulses are counted by a thread of the pin's, readings are delivered by the courier's; neither waits for the other, nor for a disk.
"""

import socket
import sqlite3
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from pimains.core import clock as clocks
from pimains.core import service
from pimains.core.service import Instance, Naps, Stop, run, seconds, within
from pimains.core.troubles import Troubles
from pimains.meter.delivery import Courier, Load
from pimains.meter.own_journal import Keeper
from pimains.meter.pin import GpioError
from pimains.meter.plan import Flow, FlowMeter
from pimains.meter.pulse_count import Tally
from pimains.meter.pulse_counter import PulseCounter
from pimains.meter.register import RememberedFace
from pimains.meter.settings import MeterSettings
from pimains.shared.orders.service_end import Order, Orders

if TYPE_CHECKING:
    from pimains.meter.collector import Collector

_SAVE_SECONDS = 600.0
_GOODBYE_SECONDS = 3.0
_WITHOUT_GPIO_SECONDS = 60.0
_COMPLAIN_ABOUT_IGNORED = 20
_KILOWATT = 1000
_WORDS = {"save": "", "set": "TOTAL WHO"}


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
        self._impulses = settings.impulses_per_unit or 1.0
        self._source = settings.SOURCE or f"{socket.gethostname().partition('.')[0]}.{me.name}"
        self._keeper = Keeper(me, self._source)
        at_least = self._keeper.journal.pulses() if self._keeper.journal else 0
        self._tally = Tally(me.run / "count", me.lib / "count", clocks.boot_id(), at_least)
        self._face = RememberedFace(me, self._source, settings.unit, self._impulses, settings.START_TOTAL, self._tally.pulses)
        now = me.clock.monotonic()
        self._flow = FlowMeter(self._impulses, now, self._tally.pulses, self._tally.pulse_at, self._tally.per_hour)
        self._next_reading = self._next_commit = now
        self._next_save = now + _SAVE_SECONDS
        self._counter: PulseCounter | None = None
        self._courier: Courier | None = None
        self._troubles = Troubles(me)

    def begin(self) -> None:
        """Take the pin. Raises GpioError."""
        given = self._settings
        self._counter = PulseCounter(
            given.PIN,
            given.PULL,
            closed_is_high=given.EDGE == "rising",
            bounce=given.BOUNCE_MS / 1000,
            tally=self._tally,
            clock=self.me.clock,
            scratch=self.me.run,
        )
        told = f"GPIO {self._settings.PIN} by {self._counter.pin.factory}, {self._impulses:g} pulses per {self._settings.unit}"
        print(f"counting {self._source} at {told}, from {self._face.total(self._tally.pulses):.3f} {self._settings.unit}")
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
        """One row for the journal, and the state files. Raises GpioError when the pin is gone."""
        if self._counter is None:
            return
        now = self.me.clock.monotonic()
        self._counter.settle()
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

    def go_without_pin(self, error: GpioError) -> None:
        """Say why nothing is counted; what was counted is saved."""
        told = f"{self._settings.directory}/{error.setting}: {error}" if error.setting else str(error)
        self._leave_pin()
        self.me.complain(told)
        self.me.status(told, well=False)
        self.save()

    def close(self) -> None:
        """Leave the pin and the files."""
        self._leave_pin()
        if self._keeper.journal:
            self._keeper.journal.close()
        self._tally.close()

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
        total, _, who = order.rest.partition(" ")
        self._next_reading = self.me.clock.monotonic()
        return self._face.set(float(total), self._tally.pulses, who or "somebody")

    def _commit(self) -> None:
        try:
            self._tally.commit()
            self._troubles.look("count", "")
        except OSError as error:
            self._troubles.look("count", f"{self.me.lib}/count: {error.strerror}; a power cut would cost pulses")

    def _send(self) -> None:
        if not self._settings.COLLECTOR or not self._keeper.journal:
            return
        if self._courier is None:
            load = Load(self._source, self._settings.unit, self._impulses, self._face)
            self._courier = Courier(self._collector, self._keeper.journal, load, self.me.clock)
        self._courier.bring()

    def _collector(self) -> "Collector":
        from pimains.meter.collector import Collector  # requests costs 12 MB, and not everybody has a collector

        given = self._settings
        return Collector(given.COLLECTOR or "", given.TOKEN, given.CA, given.FINGERPRINT)

    def _show(self, flow: Flow | None) -> None:
        name, factor, unit = ("flow", 1, "m3/h") if self._settings.unit == "m3" else ("power", _KILOWATT, "W")
        amount = None if flow is None else flow.per_hour * factor
        is_what = "at most" if flow and flow.is_bound else "measured"
        self.me.leave(name, None if amount is None else f"{amount:.4g}")
        self.me.leave(f"{name}_is", None if amount is None else is_what)
        total = f"{self._face.total(self._tally.pulses):.3f}"
        self.me.leave("total", total)
        now = f"{name} not known yet" if amount is None else f"{'at most ' if is_what == 'at most' else ''}{amount:.4g} {unit}"
        self._troubles.look("journal", self._keeper.trouble and f"{self._keeper.trouble}; readings are held in memory")
        self._troubles.look("contact", self._about_contact())
        delivery = self._about_delivery()
        troubles = self._troubles.now()
        self.me.status("; ".join([f"{now}, {total} {self._settings.unit}{delivery}", *troubles]), well=not troubles)

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
        if self._courier is None or self._keeper.journal is None:
            return ""
        trouble = self._courier.trouble
        where = f"{self._settings.directory}/{self._courier.setting}" if self._courier.setting else str(self._settings.COLLECTOR)
        self._troubles.look("collector", trouble and f"{where}: {trouble}")
        with suppress(sqlite3.Error):
            waiting = self._keeper.journal.waiting()
            return ", delivered" if self._courier.has_delivered and not trouble else f", {waiting} readings wait"
        return ""


if __name__ == "__main__":
    run(count, MeterSettings)

"""One UPS that is watched: its link, how it stands, its battery, and what is kept of it.

/run/pimains/<instance>/known.<ups>   how it stood, for a service that was restarted since this boot
/var/lib/pimains/<instance>/pasts.<ups>     how fast earlier outages emptied its battery
/var/lib/pimains/<instance>/address.<ups>   where its upsd was met last, for when there is no name server
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from pimains.core import machine, notify_queue, paths, state
from pimains.core.instance import Instance
from pimains.core.troubles import Troubles
from pimains.shared.host_address import Address
from pimains.ups import memory, texts
from pimains.ups.link import Answer, Link
from pimains.ups.nut import Credentials, Encryption, Nut
from pimains.ups.plan import battery as batteries
from pimains.ups.plan import standing as standings
from pimains.ups.plan.telling import Message, OfAShutdown, tell
from pimains.ups.settings import Ups, UpsSettings
from pimains.ups.shown import Shown


class Watched:
    """`ups` of the settings, `name` as people call it; `power` supplies of this machine hang on it."""

    def __init__(self, me: Instance, settings: UpsSettings, ups: Ups, link: Link | None = None) -> None:
        self.ups = ups
        self.name = settings.called(ups)
        self.power = settings.power_of(ups)
        self._kept = state.read(me.run / f"known.{self.name}") or ""
        self.standing, self.battery, self._matters = memory.read(self._kept)
        self.variables: dict[str, str] = {}  # as they were last
        self.words = "no data yet"
        self.why_not = ""  # why no data come, "" while they do
        self.pasts = batteries.read(state.read(me.lib / f"pasts.{self.name}") or "")
        self._me = me
        self._settings = settings
        self._is_first = ups == settings.UPS[0]
        self._shown = Shown(me, "" if self._is_first else f"{self.name}.")
        self._troubles = Troubles(me.complain, print)
        self.link = link or Link(self._nut(), settings.POLL_SECONDS, logs_in=self.power > 0, commands=settings.commands(ups))

    def judge(self, answer: Answer, now: float) -> tuple[str, ...]:
        """Take an answer in; returns the events of NUT's that it is."""
        before, was = self.standing, self.battery
        self.why_not = answer.why_not
        self._troubles.look(self.name, answer.fault)
        self.standing, events = standings.look(before, answer.variables, now, self._settings.to_judge)
        if answer.variables is not None and self.standing.fresh_at == now:
            self.variables = answer.variables
        self.battery = batteries.follow(was, self.standing, now)
        if was.began is not None and self.battery.began is None and (past := batteries.spent(was)):
            self.pasts = (*self.pasts, past)[-batteries.PASTS :]
            self._me.keep(f"pasts.{self.name}", batteries.written(self.pasts).rstrip("\n"), durable=True)
        return events

    def after_sleep(self, now: float) -> tuple[str, ...]:
        """This machine slept: what was read before decides nothing."""
        self.standing, events = standings.after_sleep(self.standing, now)
        self.battery = batteries.follow(self.battery, self.standing, now)
        return events

    def tell(self, events: Sequence[str], now: float) -> None:
        """Have people told of events, and of earlier ones whose time has come."""
        for event in events:
            print(f"{self.name}: {event}")
        self._matters, messages = tell(self._matters, events, now)
        for message in messages:
            self._post(message, now)

    def show(self, words: str, now: float) -> None:
        """Leave for others how it stands, `words` in a sentence, and for the next one of this service."""
        self.words = words
        ending = self.ends(now)
        self._shown.show(self.standing, self.variables, words, None if ending is None else ending.at, now)
        kept = memory.written(memory.Known(self.standing, self.battery, self._matters))
        if kept != self._kept:
            self._kept = kept
            self._me.leave(f"known.{self.name}", kept)

    def faults(self) -> list[str]:
        """What a person has to mend."""
        return self._troubles.now()

    def ends(self, now: float) -> batteries.End | None:
        """When its battery will be empty."""
        return batteries.end(self.battery, self.standing, self.pasts, now)

    def charge_by_now(self, now: float) -> float | None:
        """Percent, also without data."""
        return batteries.charge_by_now(self.battery, self.standing, self.pasts, now)

    def due_at(self, limits: batteries.Limits, need_seconds: float, now: float) -> float | None:
        """When those that it feeds have to begin to shut down, None where that is not known."""
        return batteries.due_at(self.battery, self.standing, self.pasts, limits, need_seconds, now)

    def tell_of_a_shutdown(self, event: OfAShutdown, upses: Sequence[str], about: str, now: float) -> None:
        """Have people told of what happens to all of `upses`, with the numbers of this one, without waiting for the disk."""
        subject, body = self._written(Message(event), now, ups=", ".join(upses), about=about)
        notify_queue.post(subject, body, _event(event), durable=False)

    def _post(self, message: Message, now: float) -> None:
        subject, body = self._written(message, now, ups=self.name)
        notify_queue.post(subject, body, _event(message.event) + ("" if self._is_first else f".{self.name}"))

    def _written(self, message: Message, now: float, *, ups: str, about: str = "") -> tuple[str, str]:
        numbers, wall = self.standing.numbers, self._me.clock.wall()
        began = "" if message.since is None else f"{datetime.fromtimestamp(wall - now + message.since):%H:%M}"
        facts = texts.Facts(
            host=machine.own_name(),
            ups=ups,
            event=message.event,
            status=self.variables.get("ups.status", ""),
            charge=numbers.charge,
            runtime=numbers.runtime,
            load=numbers.load,
            alarm=self.variables.get("ups.alarm", ""),
            minutes=round(message.for_seconds / 60),
            times=message.times,
            since=began,
            about=about,
        )
        own = paths.etc() / self._me.name
        try:
            return texts.written(facts, self._settings.LANGUAGE, own)
        except OSError as error:
            self._troubles.look("texts", f"{own / message.event}: {error.strerror}; the shipped text is told")
            return texts.written(facts, self._settings.LANGUAGE, None)

    def _nut(self) -> Nut:
        settings, kept_as = self._settings, f"address.{self.name}"
        host, _, kept = (state.read(self._me.lib / kept_as) or "").partition(" ")
        keep = partial(self._keep_address, kept_as)
        address = Address(self.ups.host, self.ups.port, kept if host == self.ups.host else "", keep)
        credentials = Credentials(settings.USERNAME or "", settings.PASSWORD or "")
        return Nut(self.ups.name, address, credentials, Encryption(settings.TLS, settings.CA), settings.wrong)

    def _keep_address(self, kept_as: str, address: str) -> None:
        self._me.keep(kept_as, f"{self.ups.host} {address}")


def _event(name: str) -> str:
    """What the notify service calls it."""
    return f"ups-{name.lower().replace('_', '-')}"

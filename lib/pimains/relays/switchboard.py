"""All relays, their contacts, and what is written down of them."""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pimains.core import clock as clocks
from pimains.core import state
from pimains.core.errors import WrongSetting
from pimains.core.instance import Instance
from pimains.core.ledger import Entry, Reading
from pimains.core.plan.sentences import clock_was_set
from pimains.core.troubles import Troubles
from pimains.relays.contacts import Contacts, Place
from pimains.relays.counts import Counts
from pimains.relays.ledger_ahead import LedgerAhead
from pimains.relays.lost_files import LostFiles
from pimains.relays.memory import Memory
from pimains.relays.settings import RelaysSettings
from pimains.relays.told import Told
from pimains.shared.gpio.pin import GpioError
from pimains.shared.relays import relay_settings, said
from pimains.shared.relays.plan import modes
from pimains.shared.relays.plan.board import Board, Switch, Verdict
from pimains.shared.relays.plan.guards import Now
from pimains.shared.relays.plan.relay import KEEP, Limits, Relay, Wish
from pimains.shared.relays.plan.runs import Runs
from pimains.shared.relays.said import MODE, WISH, Said

_TRY_AGAIN_SECONDS = 60.0
_ENTRIES_MADE_UP = 50  # what is switched in ten minutes, at most
_LOOK_SECONDS = 60.0  # the wall clock may be set at any moment
_ON, _OFF = "on", "off"
_WISHES = "wishes"
HALTING = "halting"  # state files: why this machine goes down;
SETTINGS = "settings"  # where those of relays are, for who stands in for the service (without_service.py)


class Switchboard:
    """What the service does."""

    def __init__(self, me: Instance, settings: RelaysSettings) -> None:
        self.me = me
        self._settings = settings
        self.contacts = Contacts(me.run)
        self._memory = Memory(me)
        self._board = Board(settings.STAGGER_SECONDS, settings.GROUP_LIMITS, settings.LOST_SECONDS)
        self._told = Told(me)
        self._counts = Counts(me)
        self._ahead = LedgerAhead(me)
        self._troubles = Troubles(me.complain, print)
        # what was heard last of each relay: what is written twice within a tick of the kernel's clock has one mtime
        self._said_modes: dict[str, Said] = {}
        self._said_wishes: dict[str, Said] = {}
        self._wishes_before = _heard_before(me)
        self._rated: dict[str, int | None] = {}
        self._deaf: set[str] = set()  # to rules: what their settings are is not known
        self._without_pin: dict[str, float] = {}
        self._lost_files = LostFiles(self._look)
        self._look_at = 0.0
        self._heard_mode = self._has_loaded = False
        why = _why_it_halts(me)
        self._board.halted = f"this machine halts: {why}" if why else ""

    @property
    def now(self) -> float:
        """The time of the board."""
        return self._memory.now()

    @property
    def relays(self) -> dict[str, Relay]:
        """Those that can be switched."""
        return self._board.relays

    def begin(self, numbers: Iterable[str]) -> None:
        """Take all pins. Raises OSError."""
        relays = self._settings.RELAYS
        self.me.leave(SETTINGS, str(relays))
        self._look("settings", relay_settings.unreadable(relays) if relays.exists() else "")
        self._ahead.begin()
        self.contacts.begin()
        numbers = list(numbers)
        for number in sorted(numbers, key=lambda each: (each not in self.contacts.left, int(each))):
            self.load(number)  # who held his pin until now is asked first
        for number in self.contacts.left:
            self.load(number)
        self.save(durable=True)

    def begin_with_kept(self) -> None:
        """Take the pins alone that the keeper has, in place of a service. Raises OSError."""
        self._ahead.begin()
        self.contacts.begin()
        for number in self.contacts.left:
            self.load(number)

    def load(self, number: str) -> None:
        """Take up the settings of a relay, which may be new, or gone."""
        directory = self._settings.RELAYS / number
        before = self._board.relays.get(number)
        self._has_loaded = True
        if unreadable := relay_settings.unreadable(directory.parent):
            self._load_without_settings(number, before, unreadable)
            return
        self._look("settings", "")
        if not directory.is_dir():
            self._remove(number, self._held(number, Limits()) if before is None and number in self.contacts.left else before)
            return
        try:
            given = relay_settings.read(directory)
        except WrongSetting as wrong:
            self._load_without_settings(number, before, str(wrong))
            return
        self._look(number, "")
        self._rated[number] = given.RATED_SWITCHES
        self._deaf.discard(number)
        place = Place(given.pin, given.ACTIVE_LOW)
        if before and self.contacts.place_of(number) == place:
            before.limits = given.limits
            return
        if number in self.contacts.left and self.contacts.place_of(number) != place:  # edited while no service ran
            before = self._held(number, given.limits)
        if before:
            self._leave_pin(before, f"its pin is {place.pin} from now on")
        self._take(number, given.limits, place, directory)

    def _load_without_settings(self, number: str, before: Relay | None, wrong: str) -> None:
        """Nothing that runs is stopped: the settings of before hold, or, after a restart, it stays as it is until a person says else."""
        held = self.contacts.place_of(number)
        self._look(number, f"{wrong}; it stays as it is until then" if held else wrong)
        if held is None:
            self._told.fault(number, wrong)
        elif before is None:
            self._deaf.add(number)
            self._take(number, Limits(on_lost=KEEP), held, self._settings.RELAYS / number)

    def _held(self, number: str, limits: Limits) -> Relay:
        """A relay whose line the keeper has, taken as it is, to be left."""
        relay = Relay(number, limits, Runs(self.now))
        self._memory.recall(relay)
        self.contacts.takes_over(number)
        self._board.relays[number] = relay
        return relay

    def _take(self, number: str, limits: Limits, place: Place, directory: Path) -> None:
        try:
            if other := next(
                (each for each in self._board.relays if getattr(self.contacts.place_of(each), "pin", None) == place.pin), None
            ):
                raise GpioError(f"'{place.pin}' is the pin of relay {other} already", "PIN")
            was_held = self.contacts.take(number, place)
            is_on = self.contacts.is_on(number)
        except (GpioError, OSError) as error:
            self.contacts.drop(number)
            setting = getattr(error, "setting", "")
            line = f"{directory / setting}: {error}" if setting else f"relay {number}: {error}"
            self._look(f"pin {number}", line)
            self._told.fault(number, line)
            self._without_pin[number] = self.now + _TRY_AGAIN_SECONDS
            return
        self._look(f"pin {number}", "")
        self._without_pin.pop(number, None)
        since_boot = self._memory.at(clocks.boot_id(), 0.0) or 0.0
        relay = Relay(number, limits, Runs(since_boot), without_wish_since=self.now)
        kept = self._memory.recall(relay)
        self._make_up(relay, is_on, was_held)
        self._board.relays[number] = relay
        self._begin_to_listen(relay, kept.get("mode_written"))

    def _make_up(self, relay: Relay, is_on: bool, was_held: bool) -> None:
        """What was done, or promised by the ledger, and could not be written down any more."""
        entries = self.me.with_ledger(lambda ledger: ledger.entries(f"relay.{relay.number}", _ENTRIES_MADE_UP)) or []
        promised = [entry for entry in reversed(entries) if entry.action in (_ON, _OFF) and self._is_unaccounted(relay, entry)]
        for entry in promised:
            if entry.boot != clocks.boot_id():
                _account(relay, entry.action == _ON, self._memory.at(entry.boot, entry.monotonic) or 0.0)
        if self._memory.has_booted(relay.number):
            self._memory.boot(relay)
        if was_held and promised and promised[-1].boot == clocks.boot_id() and (promised[-1].action == _ON) != relay.is_on:
            with suppress(GpioError):
                is_on = promised[-1].action == _ON
                self.contacts.set(relay.number, is_on)
                _account(relay, is_on, self.now)
                if is_on:
                    self._counts.closed(relay, self._rated.get(relay.number))
                return
        if relay.is_on and not is_on:
            self._record(relay, _OFF, "its pin was let go while no service ran", None)
            relay.runs.open(self.now)
        elif is_on and not relay.is_on:
            self._record(relay, _ON, "it was found on", None)
            relay.runs.close(self.now)

    def _is_unaccounted(self, relay: Relay, entry: Entry) -> bool:
        """Whether an entry of the ledger is newer than all that is known."""
        at = self._memory.at(entry.boot, entry.monotonic)
        return at is not None and at > max(relay.runs.opened_at, relay.runs.closed_at)

    def _begin_to_listen(self, relay: Relay, mode_written: int | None) -> None:
        for path, text in ((self.path_of(relay.number, MODE), modes.AUTO), (self.path_of(relay.number, WISH), "")):
            try:
                said.make(path, text)
            except OSError as error:
                self._look(str(path), f"{path}: {error.strerror}")
        heard = said.read(self.path_of(relay.number, MODE))
        if heard and heard.written_ns == mode_written:
            self._said_modes[relay.number] = heard
        elif heard:
            waits = relay.waits_for_person
            self.hear_mode(relay.number)
            if mode_written is None:
                relay.waits_for_person = waits
                if relay.mode.seconds or relay.mode.until is not None:  # since when is not known any more
                    relay.end_mode()
        self.hear_wish(relay.number, is_news=False)

    def path_of(self, number: str, what: str) -> Path:
        """The file in which people or rules say what they want of it."""
        return (self.me.lib if what == MODE else self.me.run) / f"{number}.{what}"

    def hear_mode(self, number: str) -> None:
        """A person may have said something."""
        relay, path = self._board.relays.get(number), self.path_of(number, MODE)
        heard = said.read(path)
        if relay:
            self._lost_files.look(path, heard is not None, self.now)
        if relay is None or heard is None or heard == self._said_modes.get(number):
            return
        self._said_modes[number] = heard
        try:
            relay.say(said.mode(heard), self.now)
            self._look(str(path), "")
        except ValueError as wrong:
            self._look(str(path), f"{path}: {wrong}")
        self._heard_mode = True

    def _make_again(self, path: Path) -> None:
        """So that people, keys and rules can go on saying what they want."""
        number, _, what = path.name.partition(".")
        if relay := self._board.relays.get(number):
            text = modes.in_words(relay.mode) if what == MODE else ""
            try:
                said.make(path, text)
            except OSError as error:
                self._look(path.name, f"{path}: {error.strerror}")
                return
            print(f"{path} was gone, and is made again")
            if what == MODE and (heard := said.read(path)) and heard.text == text:  # which is no news
                self._said_modes[number], self._heard_mode = heard, True

    def hear_wish(self, number: str, *, is_news: bool = True) -> None:
        """A rule may have said something; if that is no news, it is as old as its file."""
        relay, path = self._board.relays.get(number), self.path_of(number, WISH)
        if relay is None or number in self._deaf:
            return
        heard = said.read(path)
        self._lost_files.look(path, heard is not None, self.now)
        if heard and is_news and heard == self._said_wishes.get(number):  # only its mode or owner has changed
            return
        try:
            wish = said.wish(heard) if heard else None
            self._look(str(path), "")
        except ValueError as wrong:
            self._look(str(path), f"{path}: {wrong}")
            return
        age = 0.0
        if heard:
            self._said_wishes[number] = heard
            if not is_news:
                age = self._age(number, heard.written_ns)
        is_on, why = wish or (None, "")
        relay.ask(None if is_on is None else Wish(is_on, why, self.now - age), self.now, why)

    def _age(self, number: str, written_ns: int) -> float:
        """Of a wish that was written before the service began: as it was heard then, else by a wall clock that may have been set since."""
        monotonic = self.me.clock.monotonic()
        before = self._wishes_before.get(number)
        if before and before[0] == written_ns:
            return max(0.0, monotonic - before[1])
        return min(max(0.0, self.me.clock.wall() - written_ns / 1e9), monotonic)

    def leave_word(self) -> None:
        """For who comes next: when wishes were heard, whatever becomes of the wall clock."""
        ahead = self.me.clock.monotonic() - self.now
        heard = {
            number: (self._said_wishes[number].written_ns, relay.wish.at + ahead)
            for number, relay in self._board.relays.items()
            if relay.wish and number in self._said_wishes
        }
        self.me.leave(_WISHES, json.dumps(heard))

    def attend(self) -> None:
        """Switch what is to be switched, and tell how all stand."""
        for number in [number for number, at in self._without_pin.items() if at <= self.now]:
            self.load(number)
        for path in self._lost_files.due(self.now):
            self._make_again(path)
        for _ in range(4 * len(self._board.relays) + 4):
            now = self.now
            wall = self.me.clock.wall()
            decision = self._board.decide(Now(now, wall if clock_was_set(wall) else None))
            for switch in decision.switches:
                self._carry_out(switch)
            if not decision.switches:
                break
        self._ahead.deliver()  # before anybody sees what was done
        self._look_at = min(decision.look_at, now + _LOOK_SECONDS)
        if self._has_loaded:
            self._has_loaded = False
            self._look("limits", "; ".join(self._board.faults()))
        for number, verdict in decision.verdicts.items():
            if relay := self._board.relays.get(number):
                due = self._told.tell(relay, verdict, modes.in_words(relay.mode), self._counts.of(number), now)
                self._look_at = min(self._look_at, due or self._look_at)
        if self._heard_mode or now >= self._memory.due_at:
            self._heard_mode = False
            self.save()
        self._say_status()

    def seconds_to_wait(self) -> float:
        """Until there is something to attend to."""
        return max(0.0, min(self._look_at, self._memory.due_at, self._lost_files.due_at, *self._without_pin.values()) - self.now)

    def halt(self, why: str) -> str:
        """This machine goes down; which relays were switched off for it."""
        before = {number for number, relay in self._board.relays.items() if relay.is_on}
        self.me.leave(HALTING, why)
        self._board.halted = f"this machine halts: {why}"
        self.attend()
        self.save(durable=True)
        off = [relay.title for number, relay in self._board.relays.items() if number in before and not relay.is_on]
        return f"switched off: {', '.join(off)}" if off else "nothing to switch off"

    def rehearse(self) -> str:
        """What a halt would switch off."""
        off = [relay.title for relay in self._board.relays.values() if relay.is_on and relay.limits.on_halt != KEEP]
        return f"would switch off: {', '.join(off)}" if off else "nothing to switch off"

    def stay(self) -> str:
        """The halt is called off."""
        was = self._board.halted
        self.me.leave(HALTING, None)
        self._board.halted = ""
        self.attend()
        return "relays are as people and rules want them again" if was else "nothing to take back"

    def stop(self, why: str, *, all_of_them: bool) -> None:
        """The service ends: switch off what is not to outlast it."""
        ending = [relay for relay in self._board.relays.values() if relay.is_on and (all_of_them or relay.limits.on_stop == _OFF)]
        for relay in ending:
            self._carry_out(Switch(relay.number, False, why, None))
        self._ahead.deliver()
        for relay in ending:
            if not relay.is_on:
                verdict = Verdict(False, why, None)
                self._told.tell(relay, verdict, modes.in_words(relay.mode), self._counts.of(relay.number), self.now)
        self.save(durable=True)

    def save(self, *, durable: bool = False) -> None:
        """What has to be known after a restart; `durable`: also after a power cut."""
        self._memory.save({number: self._kept(relay) for number, relay in self._board.relays.items()}, durable=durable)

    def _kept(self, relay: Relay) -> dict[str, Any]:
        return {**relay.kept(), "mode_written": heard.written_ns if (heard := self._said_modes.get(relay.number)) else None}

    def _carry_out(self, switch: Switch) -> None:
        relay = self._board.relays[switch.number]
        next_change = None if switch.next_change is None else max(0.0, switch.next_change - self.now)
        self._record(relay, _ON if switch.is_on else _OFF, switch.why, next_change, is_ahead=True)
        try:
            self.contacts.set(switch.number, switch.is_on)
        except GpioError as error:
            self._lose_pin(relay, error)
            return
        self._board.switched(switch, self.now)
        print(f"{relay.title} {_ON if switch.is_on else _OFF}: {switch.why}")
        if switch.is_on:
            self._counts.closed(relay, self._rated.get(switch.number))
        self._memory.save({switch.number: self._kept(relay)})

    def _record(self, relay: Relay, action: str, why: str, may_change_in: float | None, *, is_ahead: bool = False) -> None:
        """On the disk when this returns; `is_ahead`: the ledger itself gets it with `deliver`."""
        inputs = {"mode": Reading(modes.in_words(relay.mode))}
        if relay.wish:
            inputs["wish"] = Reading(_ON if relay.wish.is_on else _OFF, self.now - relay.wish.at)
        row = self.me.ledger.row(f"relay.{relay.number}", action, why, inputs, may_change_in)
        if is_ahead and self._ahead.note(row):
            return
        self._ahead.write_down(row)

    def _lose_pin(self, relay: Relay, error: GpioError) -> None:
        """It is open, as far as anybody knows."""
        line = f"relay {relay.number}: {error}"
        self._record(relay, "lost", str(error), None)
        if relay.is_on:
            relay.runs.open(self.now)
        self.save()
        del self._board.relays[relay.number]
        self.contacts.drop(relay.number)
        self._look(f"pin {relay.number}", line)
        self._told.fault(relay.number, line)
        self._without_pin[relay.number] = self.now + _TRY_AGAIN_SECONDS

    def _leave_pin(self, relay: Relay, why: str) -> None:
        with suppress(GpioError):
            if self.contacts.is_on(relay.number):
                self._record(relay, _OFF, why, None)
                self.contacts.set(relay.number, False)
        if relay.is_on:
            relay.runs.open(self.now)
        self.save()
        self._board.relays.pop(relay.number, None)
        self.contacts.drop(relay.number)
        self._without_pin = dict.fromkeys(self._without_pin, self.now)  # one of them may have waited for it

    def tend_keeper(self) -> None:
        """The keeper has ended: another one is to hold the lines, which are still ours."""
        try:
            self.contacts.tend()
            self._look("keeper", "")
        except (GpioError, OSError) as error:
            self._look("keeper", f"the keeper of the pins does not start: {error}; a restart of this service would switch relays off")

    def _remove(self, number: str, relay: Relay | None) -> None:
        if relay:
            self._leave_pin(relay, "it was removed")
        self._without_pin.pop(number, None)
        for about in (
            number,
            f"pin {number}",
            *(about for what in (MODE, WISH) for about in (str(self.path_of(number, what)), f"{number}.{what}")),
        ):
            self._look(about, "")
        self._told.forget(number)
        self._memory.forget(number)
        self._said_modes.pop(number, None)
        self._said_wishes.pop(number, None)
        self.me.keep(f"{number}.{MODE}", None)  # the next one of this number is auto, and nobody's
        self.me.leave(f"{number}.{WISH}", None)
        self.save()

    def _look(self, about: str, trouble: str) -> None:
        self._troubles.look(about, trouble)

    def _say_status(self) -> None:
        on = [relay.limits.name or number for number, relay in self._board.relays.items() if relay.is_on]
        count = len(self._board.relays)
        line = f"{len(on)} of {count} relays on{': ' if on else ''}{', '.join(on[:12])}{', ...' if len(on) > 12 else ''}"
        if not count and not self._troubles.now():
            line = f"no relay in {self._settings.RELAYS} yet: pimains relay add 1 --pin=17 --name=boiler"
        if self._board.halted:
            line += f"; {self._board.halted}"
        if how := self.contacts.how:
            line += f"; they go off whenever this service ends ({how})"
        troubles = self._troubles.now()
        self.me.status("; ".join([line, *troubles]), well=not troubles)


def _heard_before(me: Instance) -> dict[str, tuple[int, float]]:
    """When each wish was written, and heard by the monotonic clock of this boot, as the service before has left word."""
    with suppress(ValueError, TypeError, AttributeError):
        heard = json.loads(state.read(me.run / _WISHES) or "{}")
        return {number: (int(written_ns), float(at)) for number, (written_ns, at) in heard.items()}
    return {}


def _why_it_halts(me: Instance) -> str:
    """Why this machine was going down when the service last ran in this boot; '' if it was not."""
    return state.read(me.run / HALTING) or ""


def _account(relay: Relay, is_on: bool, at: float) -> None:
    if is_on and not relay.is_on:
        relay.runs.close(at)
    elif relay.is_on and not is_on:
        relay.runs.open(at)

"""The service relays: services/relays/README.md says what it is for, this how it goes about it.

People and rules write files, and it hears of it (said.py); what may be switched when is decided in plan/; each switching stands in
the ledger before it is done. What is told of each relay is in told.py, who keeps the pins meanwhile in keeper.py.
"""

from contextlib import suppress
from pathlib import Path

from pimains.core import state
from pimains.core.service import Instance, Naps, Readable, Stop, run, within
from pimains.core.supervisor import Supervisor
from pimains.relays.settings import RelaysSettings
from pimains.relays.switchboard import Switchboard
from pimains.shared.orders.service_end import Orders
from pimains.shared.relays import relay_settings
from pimains.shared.relays.said import MODE, WISH

_WORDS = {"relays-halt": "REASON", "relays-stay": "REASON", "relays-rehearse": "REASON"}
_SETTLING_SECONDS = 0.1  # who edits a setting with echo empties its file first
_TOGETHER_SECONDS = 0.01  # what is said within this is heard at once
_WITHOUT_DIRECTORY_SECONDS = 5.0


def switch(me: Instance, settings: RelaysSettings) -> Naps:
    """Switch relays as people and rules want it and their guards allow."""
    supervisor = Supervisor(me.directory)
    board = Switchboard(me, settings)
    ears = Ears(board, me, settings.RELAYS)
    is_removed = False
    try:
        board.begin(_numbers(settings.RELAYS))
        with Orders(me.run, _WORDS) as orders:
            while True:
                ears.hear()
                board.attend()
                started = me.clock.monotonic()
                ready = yield within(min(board.seconds_to_wait(), ears.seconds_to_wait()), orders, *ears.files())
                _obey(orders, board)
                if board.contacts.keeper in ready:
                    board.tend_keeper()
                if ready and orders not in ready and me.clock.monotonic() - started < _TOGETHER_SECONDS:
                    yield within(_TOGETHER_SECONDS)
    except Stop:
        is_removed = _is_removed()
        if is_removed:
            board.stop("the service is removed", all_of_them=True)
        elif not (yield from supervisor.starts_again()):
            board.stop("the service is stopped (ON_STOP)", all_of_them=False)
    finally:
        ears.close()
        board.leave_word()
        board.contacts.close(for_good=is_removed)


def _numbers(relays: Path) -> list[str]:
    """The relays there; those that run stay as they are where that cannot be told."""
    return [] if relay_settings.unreadable(relays) else relay_settings.numbers(relays)


def _is_removed() -> bool:
    """Whether create_service removes this instance, which it hides before, or dpkg the package, which leaves a file that says so."""
    here = Path.cwd()
    return here.name.startswith(".") or (here / "removed").exists()


def _obey(orders: Orders, board: Switchboard) -> None:
    for order in orders.take():
        if order.word == "relays-halt":
            orders.answer(order.id, board.halt(order.rest))
        elif order.word == "relays-stay":
            orders.answer(order.id, board.stay())
        else:
            orders.answer(order.id, board.rehearse())


class Ears:
    """Hears what people and rules write, and who edits settings."""

    def __init__(self, board: Switchboard, me: Instance, relays: Path) -> None:
        self._board, self._me, self._relays = board, me, relays
        self._files = state.Watch(me.lib)
        self._files.also(me.run, "")
        self._settings: state.Watch | None = None
        self._edited: dict[str, float] = {}
        self._look_for_directory()

    def files(self) -> tuple[Readable, ...]:
        """What to wait for."""
        keeper = self._board.contacts.keeper
        return tuple(each for each in (self._files, self._settings, keeper) if each is not None)

    def seconds_to_wait(self) -> float:
        """Until a setting that was edited is looked at."""
        now = self._me.clock.monotonic()
        return max(0.0, min(self._edited.values(), default=now + _WITHOUT_DIRECTORY_SECONDS if self._settings is None else now + 1e6) - now)

    def hear(self) -> None:
        """What has been said since the last time."""
        for name in self._files.changed():
            number, _, what = name.partition(".")
            if what == MODE:
                self._board.hear_mode(number)
            elif what == WISH:
                self._board.hear_wish(number)
        self._look_at_settings()

    def _look_at_settings(self) -> None:
        now = self._me.clock.monotonic()
        if self._settings is None:
            self._look_for_directory()
            if self._settings:
                self._edited |= dict.fromkeys([*_numbers(self._relays), *self._board.relays], now)
        elif changed := self._settings.changed():
            numbers = {name.partition("/")[0] for name in changed}
            self._edited |= {number: now + _SETTLING_SECONDS for number in numbers if relay_settings.is_number(number)}
            if "." in changed:
                self._settings.close()
                self._settings = None
                self._edited |= dict.fromkeys(self._board.relays, now + _SETTLING_SECONDS)
        for number in [number for number, at in self._edited.items() if at <= now]:
            del self._edited[number]
            self._watch(number)
            self._board.load(number)

    def _look_for_directory(self) -> None:
        with suppress(OSError):  # it is not there, or may not be read
            self._settings = state.Watch(self._relays, new_directories=True)
            for number in _numbers(self._relays):
                self._watch(number)

    def _watch(self, number: str) -> None:
        if self._settings:
            with suppress(OSError):  # it is gone
                self._settings.also(self._relays / number, f"{number}/")

    def close(self) -> None:
        """Hear nothing more."""
        self._files.close()
        if self._settings:
            self._settings.close()


if __name__ == "__main__":
    run(switch, RelaysSettings, nice=-10)  # what is to be switched, or is told to go off, does not wait on a busy machine

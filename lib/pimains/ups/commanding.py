"""What this machine says to its UPSes in a shutdown: FSD, again until it is answered, the cut and the return, logging in and out.

/run/pimains/<instance>/forced   the names of those where its FSD stands

Each thing is said over the UPS's own link, in its thread (forcing.Forcing); what came of it is seen at the next look.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pimains.core import state
from pimains.core.instance import Instance
from pimains.ups.clients import Clients
from pimains.ups.forcing import Forcing
from pimains.ups.settings import UpsSettings
from pimains.ups.watched import Watched


class Returned(NamedTuple):
    """What a UPS made of the order to cut and to return, in words; `runs_empty`: why it does not, "" where it does."""

    ups: str
    words: str
    runs_empty: str


class Commanding:
    """Of all UPSes of one instance; `clients` are the others that are logged in there."""

    def __init__(self, me: Instance, settings: UpsSettings, upses: Mapping[str, Watched]) -> None:
        self._me, self._upses = me, upses
        self._forcing = {name: Forcing() for name in upses}
        self._forced = set((state.read(me.run / "forced") or "").split())
        self.clients = Clients(me, settings, self._forcing)

    def has_forced(self, name: str) -> bool:
        """Whether this machine has set FSD there, and it stands there still."""
        return name in self._forced

    def stands_no_more(self, name: str) -> None:
        """Its upsd was restarted."""
        self._forced.discard(name)
        self._keep_forced()

    def force(self, names: Sequence[str]) -> None:
        """Set FSD."""
        self._forced.update(names)
        self._keep_forced()
        for name in names:
            forcing = self._forcing[name] = Forcing()
            self._upses[name].link.ask(forcing.force)
            self._upses[name].link.hurry()

    def say_again(self, name: str, *, is_forced: bool) -> None:
        """FSD, where that is not answered yet; else look who is logged in."""
        forcing = self._forcing[name]
        forcing.is_to_stand = is_forced
        self._upses[name].link.ask(forcing.force if is_forced and not forcing.is_over else forcing.look)

    def refused(self, names: Sequence[str]) -> str:
        """Why none of them takes FSD, in words; "" where one does or may, or there is none."""
        refused = [self._forcing[name].refused for name in names]
        return "; ".join(dict.fromkeys(refused)) if all(refused) else ""

    def return_load(self, name: str) -> None:
        """Have it cut its output, and give it back with the mains."""
        self._upses[name].link.ask(self._forcing[name].return_load)

    def wants_return(self, name: str, *, wants: bool) -> None:
        """Whether that is still to be said, as its upsd was not there to hear it."""
        self._forcing[name].wants_return = wants

    def wanting_return(self) -> list[str]:
        """Those that could not be told to cut and to return."""
        return [name for name, forcing in self._forcing.items() if forcing.wants_return]

    def returned(self) -> Iterator[Returned]:
        """What came of it, once."""
        for name, forcing in self._forcing.items():
            if forcing.returned:
                yield Returned(name, forcing.returned, forcing.runs_empty)
                forcing.returned = forcing.runs_empty = ""

    def log_in(self) -> None:
        """Everywhere where this machine is fed."""
        for name, ups in self._upses.items():
            self._forcing[name].is_logged_out = not ups.link.nut.is_logged_in
            ups.link.stay_logged_in()

    def log_out(self) -> None:
        """No primary waits for this machine any longer."""
        for name, ups in self._upses.items():
            self._forcing[name].is_logged_out = not ups.link.nut.is_logged_in
            ups.link.leave(self._forcing[name].log_out)

    @property
    def is_logged_out(self) -> bool:
        """Whether it is, everywhere."""
        return all(forcing.is_logged_out for forcing in self._forcing.values())

    def _keep_forced(self) -> None:
        self._me.leave("forced", " ".join(sorted(self._forced)) or None)

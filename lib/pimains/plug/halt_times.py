"""How long this machine's halts take: from being told to having stopped, learned from the plug's meter or the kept journal and
remembered in the ledger; what comes before that is what the halt service left.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pimains.core import clock as clocks
from pimains.core import state
from pimains.core.instance import Instance
from pimains.core.ledger import Ledger
from pimains.plug.plan import countdown
from pimains.plug.systemd_journal import end_of_boot
from pimains.shared import halt_length

if TYPE_CHECKING:
    from pimains.plug.device import Plug


class HaltTimes:
    """For one plug; /var/lib/pimains/<instance>/told holds the boot and the time when it was told of a halt."""

    def __init__(self, me: Instance, unmeasured_seconds: float, say: Callable[[str], None]) -> None:
        self._me = me
        self._unmeasured_seconds = unmeasured_seconds
        self._say = say
        self._subject = f"{me.name}: halt"
        self._halts: list[float] = []

    def countdown_seconds(self) -> int:
        """From the plug's confirmation to the cut."""
        return countdown.countdown_seconds(self._halts, self._unmeasured_seconds)

    def measured_seconds(self) -> float:
        """From the request to the end: what the steps took, as far as they were measured, and the countdown."""
        return halt_length.read().measured + self.countdown_seconds()

    def longest_seconds(self) -> float:
        """From the request to the end, if each step uses up its budget; but for an upgrade that is waited for."""
        return halt_length.read().longest + self.countdown_seconds()

    def upgrade_seconds(self) -> float:
        """How long a halt may wait for an upgrade."""
        return halt_length.read().upgrade

    def remember(self, ledger: Ledger) -> None:
        """What earlier halts took."""
        self._halts = ledger.durations(self._subject)

    def begins(self) -> None:
        """The plug is about to be told of a halt: the next boot will want to know when."""
        self._me.keep("told", f"{clocks.boot_id()} {time.monotonic():.1f}")

    def has_begun(self) -> bool:
        """Whether the plug was told of a halt in this boot, and that was not called off."""
        return (state.read(self._me.lib / "told") or "").startswith(f"{clocks.boot_id()} ")

    def does_not_begin(self) -> None:
        """It was called off."""
        self._me.keep("told", None)

    async def learn(self, plug: "Plug") -> None:
        """How long the last halt took, from the plug's own meter or the journal of its boot."""
        told = self._me.kept("told", str, "how long the last shutdown took is not learned")
        boot, _, told_at = (told or "").partition(" ")
        if not boot or boot == clocks.boot_id():
            return
        seconds = plug.value(plug.last_halt)
        if not seconds:
            end = await end_of_boot(boot)
            seconds = end - (state.number(told_at) or 0) if end else None
        if seconds and 0 < seconds <= countdown.LONGEST_SECONDS:
            took = seconds
            self._say(f"the last shutdown took {took:.0f} s")
            self._me.with_ledger(lambda ledger: ledger.took(self._subject, took))
            self._halts.append(took)
        self._me.keep("told", None)

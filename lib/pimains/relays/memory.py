"""What relays has to know after a restart or a reboot: a file `<n>.history` of each, and `time`, which never jumps.

A history is written with each switching below /run, ten seconds later below /var/lib, and within ten minutes so that it survives a power
cut; the ledger has what was switched in between. Time goes on where it was last written down: after a power cut a contact that
was closed counts as if it had been so for ten minutes longer.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pimains.core import clock as clocks
from pimains.core import state
from pimains.core.instance import Instance
from pimains.shared.relays.plan.relay import Relay
from pimains.shared.relays.told_files import HISTORY

_SAVE_SECONDS = 600.0
_SOON_SECONDS = 10.0
_UNSEEN_SECONDS = _SAVE_SECONDS + 60.0  # and what the kernel had not written yet
_TIME = "time"
_WHAT_THEN = "contacts count as open since the boot, and a day's switchings from now"
NEVER = float("inf")


class Memory:
    """The histories of all relays."""

    def __init__(self, me: Instance) -> None:
        self._me = me
        self._kept: dict[str, dict[str, Any]] = {}
        for path in sorted(me.lib.glob(f"*{HISTORY}")):
            if kept := self._of_this_boot(path.name) or me.kept(path.name, _parsed, _WHAT_THEN):
                self._kept[path.name.removesuffix(HISTORY)] = kept
        for path in sorted(me.run.glob(f"*{HISTORY}")):
            if kept := self._of_this_boot(path.name):
                self._kept[path.name.removesuffix(HISTORY)] = kept
        self._offsets: dict[str, float] = {each["boot"]: each["time"] - each["monotonic"] for each in self._abouts()}
        self._last_seen: float = max((each["time"] for each in self._abouts()), default=0.0)
        self._offset = self._offsets.setdefault(clocks.boot_id(), self._last_seen)
        self._written: dict[str, tuple[str, str, bool]] = {}  # below /run, below /var/lib, and whether that is on the disk
        self._write_at, self._durable_at = NEVER, self.now()

    def _abouts(self) -> list[dict[str, Any]]:
        last = self._me.kept(_TIME, lambda text: _about(json.loads(text)), "it goes on from what the histories say")
        return [*self._kept.values(), *([last] if last else [])]

    def now(self) -> float:
        """The time."""
        return self._offset + self._me.clock.monotonic()

    def at(self, boot: str, monotonic: float) -> float | None:
        """When something was that the ledger has; None if that was in a boot of which nothing is known."""
        return self._offsets[boot] + monotonic if boot in self._offsets else None

    def recall(self, relay: Relay) -> dict[str, Any]:
        """What is known of it, taken up; a reboot is still to be told to it. {} when nothing is."""
        kept = self._kept.get(relay.number, {})
        try:
            if kept:
                relay.recall(kept)
        except (KeyError, TypeError, ValueError):
            self._me.complain(f"what was known of {relay.title} makes no sense: {_WHAT_THEN}")
            return {}
        return kept

    def has_booted(self, number: str) -> bool:
        """Whether it was in another boot that it was last heard of."""
        return number in self._kept and self._kept[number]["boot"] != clocks.boot_id()

    def boot(self, relay: Relay) -> None:
        """It was in another boot that it was last heard of."""
        relay.boot(self._last_seen, _UNSEEN_SECONDS + self._last_seen - self._kept[relay.number]["time"])

    @property
    def due_at(self) -> float:
        """When all are to be saved, if nothing is switched until then."""
        return min(self._write_at, self._durable_at)

    def save(self, relays: Mapping[str, dict[str, Any]], *, durable: bool = False) -> None:
        """Write down what is known of some relays; what is written already is not written again."""
        now = self.now()
        is_due = durable or now >= self.due_at
        durable = durable or now >= self._durable_at
        about = {"boot": clocks.boot_id(), "time": now, "monotonic": self._me.clock.monotonic()}
        for number, kept in relays.items():
            self._write(number, json.dumps(kept), {**about, **kept}, is_due, durable)
        if durable:
            self._me.keep(_TIME, json.dumps(about), durable=True)
            self._durable_at = now + _SAVE_SECONDS
        self._write_at = NEVER if is_due else min(self._write_at, now + _SOON_SECONDS)

    def _write(self, number: str, text: str, kept: dict[str, Any], is_due: bool, durable: bool) -> None:
        in_run, in_lib, is_durable = self._written.get(number, ("", "", False))
        name = f"{number}{HISTORY}"
        if text != in_run:
            self._kept[number] = kept
            self._me.leave(name, json.dumps(kept))
        if is_due and (text != in_lib or (durable and not is_durable)) and self._me.keep(name, json.dumps(kept), durable=durable):
            in_lib, is_durable = text, durable
        self._written[number] = text, in_lib, is_durable

    def forget(self, number: str) -> None:
        """That relay is no more."""
        for known in (self._kept, self._written):
            known.pop(number, None)
        self._me.leave(f"{number}{HISTORY}", None)
        self._me.keep(f"{number}{HISTORY}", None)

    def _of_this_boot(self, name: str) -> dict[str, Any] | None:
        with suppress(ValueError, TypeError, KeyError):
            kept = _parsed(state.read(self._me.run / name) or "")
            return kept if kept["boot"] == clocks.boot_id() else None
        return None


def _parsed(text: str) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(text)
    return {**kept, **_about(kept)}


def _about(kept: dict[str, Any]) -> dict[str, Any]:
    return {"boot": str(kept["boot"]), "time": float(kept["time"]), "monotonic": float(kept["monotonic"])}

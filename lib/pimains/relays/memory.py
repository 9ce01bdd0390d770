"""What relays has to know after a restart or a reboot: the file `history`, by a time that never jumps.

That time goes on where it was last written down. It is written with each switching, and every ten minutes: after a power cut a contact
that was closed counts as if it had been so for that much longer.
"""

import json
from typing import Any

from pimains.core import clock as clocks
from pimains.core.instance import Instance
from pimains.relays.plan.relay import Relay

SAVE_SECONDS = 600.0
_UNSEEN_SECONDS = SAVE_SECONDS + 60.0  # and what the kernel had not written yet
_NAME = "history"
_WHAT_THEN = "contacts count as open since the boot, and a day's switchings from now"


class Memory:
    """The history of all relays. `has_booted` since it was last written."""

    def __init__(self, me: Instance) -> None:
        self._me = me
        self._kept: dict[str, Any] = me.kept(_NAME, _parsed, _WHAT_THEN) or {}
        self.was_there = bool(self._kept)
        self._offset = float(self._kept.get("time", 0.0))
        self.last_seen = self._offset
        self.has_booted = self._kept.get("boot") != clocks.boot_id()
        self.boot_before = str(self._kept.get("boot", ""))
        self.offset_before = self._offset - float(self._kept.get("monotonic", 0.0))
        if not self.has_booted:
            self._offset = self.offset_before

    def now(self) -> float:
        """The time."""
        return self._offset + self._me.clock.monotonic()

    def at(self, boot: str, monotonic: float) -> float | None:
        """When something was that the ledger has; None if that was in a boot before the last one."""
        if boot == clocks.boot_id():
            return self._offset + monotonic
        return self.offset_before + monotonic if boot == self.boot_before else None

    def recall(self, relay: Relay) -> dict[str, Any]:
        """What is known of it, taken up; the reboot is still to be told to it. {} when nothing is."""
        kept = self._kept.get("relays", {}).get(relay.number)
        if not isinstance(kept, dict):
            return {}
        try:
            relay.recall(kept)
        except (KeyError, TypeError, ValueError):
            self._me.complain(f"what was known of {relay.title} makes no sense: {_WHAT_THEN}")
            return {}
        return kept

    def boot(self, relay: Relay) -> None:
        """It was in another boot that it was last heard of."""
        relay.boot(self.last_seen, _UNSEEN_SECONDS)

    def save(self, relays: dict[str, dict[str, Any]], *, durable: bool) -> None:
        """Write all down; relays that are not among these, such as one whose settings are wrong, stay known as they were."""
        self._kept["relays"] = {**self._kept.get("relays", {}), **relays}
        now = {"boot": clocks.boot_id(), "time": self.now(), "monotonic": self._me.clock.monotonic()}
        self._me.keep(_NAME, json.dumps({**now, "relays": self._kept["relays"]}), durable=durable)

    def forget(self, number: str) -> None:
        """That relay is no more."""
        self._kept.get("relays", {}).pop(number, None)


def _parsed(text: str) -> dict[str, Any]:
    kept = json.loads(text)
    if not isinstance(kept, dict) or not isinstance(kept["relays"], dict):
        raise ValueError
    float(kept["time"]), float(kept["monotonic"])
    return kept

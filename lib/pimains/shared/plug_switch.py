"""Switching the plug that another machine hangs on: a plug service with FEEDS another does it when it is asked by an order.

on REASON, off REASON    answered when the plug has confirmed; off asks the machine behind it to shut down, as its button does
power                    "on" or "off": whether the plug lets power through now
"""

from pathlib import Path

from pimains.core.errors import Away, PimainsError, Refused
from pimains.shared.orders.asker_end import ask, understood

ON, OFF, POWER = "on", "off", "power"
WORDS = {ON: "REASON", OFF: "REASON", POWER: ""}


def give(run: Path, word: str, reason: str, seconds: float) -> str:
    """Have the plug service whose /run/pimains/<instance> is `run` carry out one of WORDS; returns what it says.

    Raises Away where the service or its plug does not answer, Refused where its plug is that of this machine.
    """
    words = understood(run)
    if not words:
        raise Away(f"the plug service {run.name} does not run (pimains status)")
    if word not in words:
        raise Refused(f"the plug service {run.name} is that of this machine: it switches another one only with FEEDS another")
    try:
        return ask(run, f"{word} {reason}".rstrip(), seconds)
    except (PimainsError, OSError) as error:
        raise Away(f"the plug service {run.name}: {error}") from None

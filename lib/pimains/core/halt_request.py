"""Asking the halt service to shut this machine down: a request file with a reason and a requester.

    /run/pimains/halt/request   line 1 the reason, line 2 who asks (any text a person will read)
    /run/pimains/halt/cancel    written by `pimains halt --cancel`: taken as long as nothing irreversible was done

Anybody in group pimains may write them, also with echo.
"""

from pathlib import Path
from typing import NamedTuple

from pimains.core import paths, state


class HaltRequest(NamedTuple):
    """Why this machine is to be shut down, and who wants it."""

    reason: str
    requester: str


def directory() -> Path:
    """Where requests are put; it exists while the halt service was started since boot."""
    return paths.run() / "halt"


def ask(reason: str, requester: str) -> None:
    """Ask for a shutdown.

    Raises FileNotFoundError when no halt service was started since boot, PermissionError outside group pimains.
    """
    state.write(directory() / "request", f"{one_line(reason)}\n{one_line(requester)}")


def cancel(requester: str) -> None:
    """Ask to forget the shutdown; raises as `ask` does."""
    state.write(directory() / "cancel", one_line(requester))


def pending() -> HaltRequest | None:
    """The request that waits or is being carried out."""
    lines = state.read(directory() / "request")
    if lines is None:
        return None
    reason, _, requester = lines.partition("\n")
    return HaltRequest(one_line(reason) or "no reason given", one_line(requester) or "somebody")


def one_line(text: str) -> str:
    """`text` as one printable line of at most 300 characters: it goes into logs, mails and environments."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]

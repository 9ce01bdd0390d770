"""What the last look at a host found: /run/pimains/<instance>/host.NAME, "up 1234.5", the second in seconds since boot."""

from pathlib import Path
from typing import NamedTuple

from pimains.core import state
from pimains.ups.plan.proving import LOOKS


class LastLook(NamedTuple):
    """One of plan/proving, and when it was, in seconds since boot."""

    look: str
    at: float


def leave(run: Path, name: str, look: str, at: float) -> None:
    """Keep it for others to read. Raises OSError."""
    path, line = file(name, look, at)
    state.write(run / path, line)


def file(name: str, look: str, at: float) -> tuple[str, str]:
    """What it is called in the directory of the instance, and what stands in it."""
    return f"host.{name}", f"{look} {at:.1f}"


def read(run: Path, name: str) -> LastLook | None:
    """What was left; None while nothing was, in this boot."""
    look, _, at = (state.read(run / f"host.{name}") or "").partition(" ")
    when = state.number(at)
    return LastLook(look, when) if look in LOOKS and when is not None else None


def forget(run: Path, name: str) -> None:
    """Of a host that is one no more. Raises OSError."""
    state.remove(run / f"host.{name}")

"""The outage on the disk: written before each act, so that a restart goes on from there.

/var/lib/pimains/<instance>/outage   JSON of one outage (pimains.shared.plan.outage), written aside, fsynced, renamed; not there without one

A disk that is full or read-only keeps nobody from shutting down: it is said once, and /run/pimains/<instance>/outage, which lasts until the
next boot, takes its place. What cannot be read is set aside under another name, and the first look at the UPSes decides.
"""

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pimains.core import state
from pimains.core.instance import Instance
from pimains.core.plan.text import short_line
from pimains.shared.plan.outage import Outage, Phase, Role

VERSION = 1
_NAME = "outage"
_CLOSED = "null"  # of JSON


class _Unreadable(Exception):
    """It is no outage; the text says why."""


class OutageFile:
    """Of one instance."""

    def __init__(self, me: Instance) -> None:
        self._me = me
        self._lasting, self._fleeting = me.lib / _NAME, me.run / _NAME
        self._trouble = ""

    def read(self) -> Outage | None:
        """The outage that was under way; None when there was none, or none can be made out."""
        for path in (self._fleeting, self._lasting):  # what the disk did not take is newer than what is there
            is_there, outage = self._read(path)
            if is_there:
                return outage
        return None

    def write(self, outage: Outage | None) -> None:
        """As it is from now on; returns when it would survive a power cut, or when that cannot be had."""
        try:
            if outage is None:
                state.remove(self._lasting, durable=True)
            else:
                state.write(self._lasting, _text(outage), durable=True)
            self._forget_fleeting()
            self._trouble = ""
        except OSError as error:
            if not self._trouble:
                self._trouble = f"{self._lasting}: {error.strerror}: a crash now would forget the outage"
                self._me.complain(self._trouble)
            with suppress(OSError):  # of a /run that is full: it goes on in memory
                state.write(self._fleeting, _CLOSED if outage is None else _text(outage))

    def _forget_fleeting(self) -> None:
        with suppress(OSError):
            state.remove(self._fleeting)

    def _read(self, path: Path) -> tuple[bool, Outage | None]:
        """Whether something can be made out there, and what."""
        try:
            text = state.read(path)
        except OSError as error:
            self._me.complain(f"{path}: {error.strerror}: whether there was an outage is not known")
            return False, None
        if text is None or text == _CLOSED:
            return text == _CLOSED, None
        try:
            return True, _outage(text)
        except _Unreadable as unreadable:
            self._me.complain(f"{path} is no outage ({unreadable}), and kept as {path.name}.unreadable")
            with suppress(OSError):
                path.rename(path.with_name(f"{path.name}.unreadable"))
            return False, None


def seen_by_others(run: Path, lib: Path) -> Outage | None:
    """The outage of an instance in whose /run/pimains/<instance> and /var/lib/pimains/<instance> it is, as far as it can be read."""
    for path in (run / _NAME, lib / _NAME):
        with suppress(OSError, _Unreadable):
            text = state.read(path)
            if text is not None:
                return None if text == _CLOSED else _outage(text)
    return None


def _text(outage: Outage) -> str:
    return json.dumps({"version": VERSION, **_fields(outage)}, separators=(",", ":"))


def _fields(outage: Outage) -> dict[str, object]:
    return {**outage._asdict(), "apart": {name: _fields(each) for name, each in outage.apart.items()}}


def _outage(text: str) -> Outage:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _Unreadable("torn or empty") from None
    if not isinstance(found, dict):
        raise _Unreadable("no object")
    if found.get("version") != VERSION:
        raise _Unreadable(f"version {short_line(str(found.get('version')))[:20]}, this is {VERSION}")
    return _of(found, is_apart=False)


def _of(found: Mapping[str, Any], *, is_apart: bool) -> Outage:
    try:
        apart = {} if is_apart else found["apart"]
        return Outage(
            id=_words(found["id"]),
            boot=_words(found["boot"]),
            began_wall=_seconds(found["began_wall"]),
            began=_seconds(found["began"]),
            phase=Phase(found["phase"]),
            since=_seconds(found["since"]),
            role=Role(found["role"]),
            why=_words(found["why"]),
            low_at=None if found["low_at"] is None else _seconds(found["low_at"]),
            upses=tuple(_words(each) for each in found["upses"]),
            told_of_cut=bool(found["told_of_cut"]),
            hosts={_words(name): dict(each) for name, each in found["hosts"].items()},
            is_called_off=bool(found.get("is_called_off", False)),
            apart={_words(name): _of(each, is_apart=True) for name, each in apart.items()},
        )
    except KeyError as missing:
        raise _Unreadable(f"without {missing.args[0]!r}") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise _Unreadable(short_line(str(error))) from None


def _words(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError(f"{found!r} in place of words")
    return short_line(found)


def _seconds(found: object) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise TypeError(f"{found!r} in place of seconds")
    return float(found)

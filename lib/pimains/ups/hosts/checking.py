"""Looking at the hosts as the service would: logging in and doing nothing, PROOF, and what is missing for waking them."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from pimains.core.clock import SystemClock
from pimains.core.errors import PimainsError
from pimains.core.naps import poll, within
from pimains.core.privileges import become
from pimains.ups.hosts import last_look, plug, proof, ssh
from pimains.ups.hosts.settings import HostSettings
from pimains.ups.hosts.talk import Talk
from pimains.ups.plan.proving import LOOKS, SILENT, UP

_USER = "pimains"


class Checked(NamedTuple):
    """One host: what is `well`, and what somebody has to look after, one line each."""

    host: str
    well: list[str]
    faults: list[str]


def check(hosts: Iterable[HostSettings], run: Path) -> list[Checked]:
    """All side by side; what PROOF found is left in `run`, the instance's /run/pimains/<instance>."""
    begun = [(host, *_begin(host, run)) for host in hosts]
    return [_ended(host, login, look) for host, login, look in begun]


def _begin(host: HostSettings, run: Path) -> tuple[Talk | None, Talk]:
    login = Talk(host, _as_the_service(lambda: ssh.look(host)), ssh.LOGIN_SECONDS) if host.SSH else None

    def look() -> str:
        found = plug.look(host) if host.PLUG else proof.look(host.address, host.PROOF)
        if run.is_dir() and os.access(run, os.W_OK):
            last_look.leave(run, host.name, found, time.monotonic())
        return found

    return login, Talk(host, _as_the_service(look), plug.SECONDS if host.PLUG else proof.LOOK_SECONDS)


def _ended(host: HostSettings, login: Talk | None, look: Talk) -> Checked:
    well, faults = [], []
    is_there = False
    if login:
        try:
            boot_id = _answer(login)
            is_there = True
            tells = "and tells its boot id" if boot_id else "and tells no boot id, as its line in authorized_keys has it do"
            well.append(f"{host.SSH} takes our key {tells}")
        except PimainsError as error:
            faults.append(str(error))
    asked = f"port {host.PROOF}" if host.PROOF else "ping"
    try:
        found = _answer(look)
        if host.PLUG:
            well.append(f"its plug {host.PLUG} {'has cut the power' if found == SILENT else 'gives it power'}")
        elif found == UP:
            well.append(f"{asked} answers")
        elif found == SILENT and is_there:
            faults.append(f"{asked} does not answer, though it is up: it could never be proved (--proof=PORT names one that does)")
        else:
            faults.append(f"{asked}: {LOOKS[found]}")
    except PimainsError as error:
        faults.append(str(error))
    if host.WAKE != "no" and not host.can_be_woken:
        faults.append(f"WAKE is {host.WAKE}, and MAC is empty: nothing wakes it when power is back (--mac=..., or --wake=no)")
    return Checked(host.name, well, faults)


def _as_the_service(function: Callable[[], str]) -> Callable[[], str]:
    """In the child: what root may read, the service need not."""

    def as_its_user() -> str:
        if os.geteuid() == 0:
            become(_USER)
        return function()

    return as_its_user


def _answer(talk: Talk) -> str:
    while not talk.has_ended():
        poll(within(60.0, talk), SystemClock())
    return talk.answer()

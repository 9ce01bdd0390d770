"""How long a shutdown took from HALT_COMMAND on, by what a journalctl says in the next boot. With a real one: test_ups_machine.py."""

import json
import os
from pathlib import Path

import pytest

from pimains.core.clock import boot_id
from pimains.core.instance import Instance
from pimains.halt import stopping
from pimains.halt.plan.length import shutdown_seconds

BOOT = "01234567-89ab-cdef-0123-456789abcdef"
STOPPED = "d93fb3c9c24d451a97cea615ce59c00b"


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    me = Instance("halt", tmp_path / "etc/service/halt")
    for directory in (me.run, me.lib):
        directory.mkdir(parents=True)
    return me


def learned(me: Instance, *, told: str, said: str) -> list[float]:
    """What is known after a boot whose journal says that of the one before."""
    (me.lib / "stopping").write_text(f"{told}\n")
    program = me.lib.parents[3] / "journalctl"
    program.write_text(f"#!/bin/sh\n[ $1 = --boot={BOOT.replace('-', '')} ] && echo '{said}'\n")
    program.chmod(0o755)
    stopping.learn(me)
    return list(stopping.took(me))


def last(seconds: float, message: str = STOPPED) -> str:
    return json.dumps({"__MONOTONIC_TIMESTAMP": f"{seconds * 1e6:.0f}", "MESSAGE_ID": message, "MESSAGE": "Journal stopped"})


def test_it_is_the_time_until_the_journal_was_stopped(me: Instance) -> None:
    assert learned(me, told=f"{BOOT} 1000.0", said=last(1004.5)) == [4.5]
    assert not (me.lib / "stopping").exists()
    stopping.learn(me)
    assert stopping.took(me) == [4.5]


@pytest.mark.parametrize(
    "said",
    [last(1004.5, "something else"), last(999), last(1301), "", "no journal files were found", "[]", '{"MESSAGE": "x"}'],
    ids=["cut off", "before", "too long after", "nothing", "words", "a list", "no time"],
)
def test_what_tells_nothing_is_not_learned_from(me: Instance, said: str) -> None:
    assert learned(me, told=f"{BOOT} 1000.0", said=said) == []
    assert not (me.lib / "stopping").exists()


@pytest.mark.parametrize("told", [f"{BOOT} soon", BOOT, "another 1000.0"])
def test_a_note_that_makes_no_sense_is_forgotten(me: Instance, told: str) -> None:
    assert learned(me, told=told, said=last(1004.5)) == []
    assert not (me.lib / "stopping").exists()


def test_of_this_boot_nothing_is_known_yet(me: Instance) -> None:
    stopping.begins(me)
    stopping.learn(me)
    assert stopping.took(me) == ()
    assert (me.lib / "stopping").read_text().startswith(f"{boot_id()} ")


def test_what_is_left_of_the_battery_for_it_is_what_it_took_and_a_margin() -> None:
    assert shutdown_seconds([], 30) == 30
    assert shutdown_seconds([4.0], 30) == 4 + 5 + 13
    assert 9 <= shutdown_seconds([4.0] * 19, 30) <= 4 + 5 + 2
    assert shutdown_seconds([90.0], 30) == 180, "nothing is cut off for having been taken for shorter"

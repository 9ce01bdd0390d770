"""The outage on the disk: read again as it was, on whatever disk, and a machine that crashed goes on from each phase."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.core.instance import Instance
from pimains.shared.outage_file import OutageFile
from pimains.shared.plan.outage import Outage, Phase, Role
from pimains.ups.plan.outage import Act, Event, Moment, decide

APART = Outage("", "boot", 0.0, 5.0, Phase.RETURNING, 6.0, Role.APART, upses=("cellar",))
OUTAGE = Outage(
    "1", "boot", 1.79e9, 10.0, Phase.FORCED, 20.5, Role.PRIMARY, "UPS eaton: low", None, ("eaton",), True, {"nas": {"was_up": True}}
)
OUTAGES = [OUTAGE, OUTAGE._replace(apart={"cellar": APART}, hosts={}, low_at=3.5), *[OUTAGE._replace(phase=phase) for phase in Phase]]


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    me = Instance("ups", tmp_path / "ups")
    me.lib.mkdir(parents=True)
    me.run.mkdir(parents=True)
    return me


@pytest.fixture
def small_disk(me: Instance) -> Iterator[Path]:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", me.lib], capture_output=True, check=False).returncode:
        pytest.skip("tmpfs cannot be mounted here")
    yield me.lib
    subprocess.run(["umount", me.lib], check=True)


@pytest.mark.parametrize("outage", OUTAGES)
def test_it_is_read_as_it_was_written(me: Instance, outage: Outage) -> None:
    OutageFile(me).write(outage)
    assert OutageFile(me).read() == outage
    OutageFile(me).write(None)
    assert OutageFile(me).read() is None
    assert os.listdir(me.lib) == []


TEXT = json.dumps({"version": 1, **OUTAGE._asdict()})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "torn or empty"),
        (TEXT[:50], "torn or empty"),
        ("[" * 60000, "torn or empty"),
        ("[]", "no object"),
        (TEXT.replace('"version": 1', '"version": 2'), "version 2, this is 1"),
        (TEXT.replace('"forced"', '"flooded"'), "flooded"),
        (TEXT.replace('"since": 20.5', '"since": NaN'), "nan in place of seconds"),
        (TEXT.replace('"since"', '"sinc"'), "without 'since'"),
        (TEXT.replace('"upses": ["eaton"]', '"upses": 5'), "not iterable"),
        (TEXT.replace('["eaton"]', "[7]"), "7 in place of words"),
        (TEXT.replace('"hosts": {"nas": {"was_up": true}}', '"hosts": []'), "items"),
    ],
)
def test_what_is_none_is_said_and_kept_and_keeps_nobody_from_the_next(
    me: Instance, text: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (me.lib / "outage").write_text(text)
    assert OutageFile(me).read() is None
    said = capsys.readouterr().out
    assert f"{me.lib / 'outage'} is no outage (" in said
    assert why in said
    assert (me.lib / "outage.unreadable").read_text() == text
    OutageFile(me).write(OUTAGE)
    assert OutageFile(me).read() == OUTAGE


def test_torn_at_any_byte_it_is_whole_or_none(me: Instance) -> None:
    OutageFile(me).write(OUTAGE)
    whole = (me.lib / "outage").read_bytes()
    for length in range(len(whole)):
        (me.lib / "outage").write_bytes(whole[:length])
        found = OutageFile(me).read()
        assert found is None or (found == OUTAGE and length == len(whole) - 1)  # without the end of its line


def test_it_is_on_the_disk_before_anything_is_done_about_it(me: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(str(Path(f"/proc/self/fd/{handle}").readlink())))
    OutageFile(me).write(OUTAGE)
    file, directory = synced
    assert Path(file).parent == Path(directory) == me.lib
    OutageFile(me).write(None)
    assert synced[2:] == [str(me.lib)]


def test_on_a_full_disk_a_restart_goes_on_all_the_same(me: Instance, small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = OutageFile(me)
    kept.write(OUTAGE._replace(phase=Phase.ON_BATTERY))
    with (small_disk / "filler").open("wb") as filler, pytest.raises(OSError, match="No space left"):
        filler.write(bytes(100_000))
    kept.write(OUTAGE)
    kept.write(OUTAGE._replace(phase=Phase.ASKED))
    assert capsys.readouterr().out.count("No space left on device: a crash now would forget the outage") == 1
    assert OutageFile(me).read() == OUTAGE._replace(phase=Phase.ASKED)
    (small_disk / "filler").unlink()
    kept.write(OUTAGE._replace(phase=Phase.CUTTING))
    assert os.listdir(me.run) == ["error"]
    assert OutageFile(me).read() == OUTAGE._replace(phase=Phase.CUTTING)


def test_on_a_disk_that_is_read_only_an_outage_that_is_over_stays_over_until_the_next_boot(me: Instance, small_disk: Path) -> None:
    OutageFile(me).write(OUTAGE)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    OutageFile(me).write(OUTAGE._replace(phase=Phase.DELAYED))
    assert OutageFile(me).read() == OUTAGE._replace(phase=Phase.DELAYED)
    OutageFile(me).write(None)
    assert OutageFile(me).read() is None


FOLLOWS = {  # after a crash or the cut, with another boot id
    Phase.ON_BATTERY: Phase.ON_BATTERY,
    Phase.SHEDDING: Phase.SHEDDING,
    Phase.FORCED: Phase.RETURNING,
    Phase.DELAYED: Phase.RETURNING,
    Phase.ASKED: Phase.RETURNING,
    Phase.CUTTING: Phase.RETURNING,
    Phase.RETURNING: Phase.RETURNING,
    Phase.WAKING: Phase.WAKING,
}


@pytest.mark.parametrize("phase", FOLLOWS)
@pytest.mark.parametrize("event", [Event.OL, Event.LOW])
def test_after_a_crash_at_a_phase_boundary_the_next_boot_goes_on_from_there(me: Instance, phase: Phase, event: Event) -> None:
    OutageFile(me).write(OUTAGE._replace(phase=phase, hosts={}))
    found = OutageFile(me).read()
    booted, acts = decide(found, Event.BOOTED, Moment(1.0, Role.PRIMARY, boot="another"))
    assert booted
    assert (booted.phase, booted.boot, booted.began, booted.since, acts) == (FOLLOWS[phase], "another", 1.0, 1.0, ())
    OutageFile(me).write(booted)
    after, acts = decide(OutageFile(me).read(), event, Moment(2.0, Role.PRIMARY, "low", ("eaton",)))
    if event is Event.LOW:  # still without mains: once more, with nobody's FSD left in upsd
        assert after
        assert (after.phase, acts) == (Phase.FORCED, (Act.FORCE, Act.TELL_HOSTSYNC))
    elif phase not in (Phase.SHEDDING, Phase.WAKING):  # nobody to be woken
        assert after is None

"""When the battery will be empty, as an ups service leaves it and halt and update find it."""

import math
from pathlib import Path

import pytest

from pimains.core.instance import Instance
from pimains.shared import battery_end


@pytest.fixture
def me(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Instance:
    monkeypatch.setenv("PIMAINS_ROOT", str(tmp_path))
    me = Instance("ups", tmp_path / "ups")
    me.run.mkdir(parents=True)
    return me


def test_it_stands_as_long_as_the_machine_is_on_battery(me: Instance) -> None:
    assert (battery_end.on_battery(), battery_end.seconds_left(100)) == ("", math.inf)
    battery_end.leave(me, 1000.4)
    assert (battery_end.on_battery(), battery_end.seconds_left(100)) == ("ups", 870)
    assert battery_end.seconds_left(2000) == -1030
    battery_end.leave(me, None)
    assert (battery_end.on_battery(), battery_end.seconds_left(100)) == ("ups", math.inf)
    battery_end.forget(me)
    assert battery_end.on_battery() == ""


def test_the_first_battery_that_is_empty_counts_and_what_is_no_number_does_not(me: Instance) -> None:
    battery_end.leave(me, 1000)
    for name, text in (("cellar", "500"), ("attic", "nan"), ("shed", "soon")):
        (me.run.parent / name).mkdir()
        (me.run.parent / name / "battery_end").write_text(text)
    (me.run.parent / "barn/battery_end").mkdir(parents=True)
    assert (battery_end.on_battery(), battery_end.seconds_left(100)) == ("cellar", 370)


def test_it_is_written_only_when_it_changes(me: Instance) -> None:
    battery_end.leave(me, 1000)
    before = (me.run / "battery_end").stat().st_ino
    battery_end.leave(me, 1000.2)
    assert (me.run / "battery_end").stat().st_ino == before


def test_what_the_shutdown_itself_takes_is_left_by_halt_and_is_half_a_minute_where_it_is_not(me: Instance) -> None:
    battery_end.leave(me, 1000)
    (me.lib.parent / "halt").mkdir(parents=True)
    for text, seconds in (("8.5\n", 8.5), ("soon\n", 30), ("nan\n", 30), ("-1\n", 30), ("", 30)):
        (me.lib.parent / "halt/shutdown").write_text(text)
        assert battery_end.seconds_left(100) == 900 - seconds

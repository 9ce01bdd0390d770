"""What ready-made rules may be told, in files that say what they mean."""

from pathlib import Path

import pytest

from pimains.core.errors import WrongSetting
from pimains.rules import ready_rule
from pimains.rules.plan.ready import day_spans
from pimains.rules.ready_settings import KINDS
from tests.rules.solar_world import READY, ready

NEEDED = {
    "surplus": {"VALUE": "grid/P", "START_WATTS": "900"},
    "float": {},
    "daily": {"MINUTES": "60", "VALUE": "grid/P", "START_WATTS": "900"},
    "after": {"RELAY": "1"},
    "schedule": {"TIMES": "6:30-8:00"},
    "file": {"FILE": "guests"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kinds_settings_are_exactly_the_files_of_a_new_one_each_with_its_meaning(kind: str) -> None:
    files = {path.name: path.read_text() for path in (READY / kind).iterdir()}
    assert sorted(files) == sorted(KINDS[kind].declared())
    assert files["KIND"].splitlines()[0] == kind
    assert [name for name, text in files.items() if len(text.partition("\n")[2]) < 20] == []


def test_there_are_files_for_each_kind() -> None:
    assert sorted(path.name for path in READY.iterdir()) == sorted(KINDS) == sorted(NEEDED)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_one_needs_no_more_than_this(tmp_path: Path, kind: str) -> None:
    rule = ready_rule.load(ready(tmp_path, kind, **NEEDED[kind]), {"present": {}.__contains__})
    assert callable(rule)
    for name in NEEDED[kind]:
        (tmp_path / "3.rule" / name).write_text("\n")
        with pytest.raises(WrongSetting, match=rf"3\.rule/{name}: is empty; "):
            ready_rule.read(tmp_path / "3.rule")
        (tmp_path / "3.rule" / name).write_text(f"{NEEDED[kind][name]}\n")


@pytest.mark.parametrize(
    ("kind", "name", "value", "said"),
    [
        ("surplus", "VALUE", "a b", "'a b' is no value (INSTANCE/NAME such as vedirect.bmv/P; a - before it where positive is import)"),
        ("surplus", "START_WATTS", "much", "'much' is no power in W (-999999-999999)"),
        ("surplus", "STOP_WATTS", "901", "is more than START_WATTS 900: it would stop at once"),
        ("surplus", "STOP_SECONDS", "2d", "'2d' is no time (seconds, or such as 10min or 2h; at most 1d)"),
        ("surplus", "SOC_MIN", "101", "'101' is no state of charge in % (0-100)"),
        ("float", "STATE", "bulk", "'bulk' is no choice (absorption or float)"),
        ("daily", "MINUTES", "0", "'0' is no number of minutes (1-1440)"),
        ("daily", "MINUTES", "721", "are more than there are from FROM 08:00 to TO 20:00"),
        ("daily", "FROM", "dawn", "'dawn' is no time of day (such as 6:30, 24:00, sunrise or sunset-30min)"),
        ("daily", "TO", "8:00", "is not after FROM 08:00: a day goes from 0:00 to 24:00"),
        ("daily", "STOP_WATTS", "901", "is more than START_WATTS 900: it would stop at once"),
        ("after", "RELAY", "0", "'0' is no relay's number (1-999)"),
        ("after", "RELAY", "3", "3 is the relay of this rule: it is to come after another one"),
        ("schedule", "TIMES", "8:00", "'8:00' is no list of times (such as 6:30-8:00 17:00-sunset)"),
        ("schedule", "DAYS", "funday", "'funday' is no list of days (such as mon-fri sun, or empty)"),
        ("schedule", "MONTHS", "13", "'13' is no list of months (such as 4-9, or 10-3, or empty)"),
        ("file", "FILE", "../x", "'../x' is no file's name (a name without / below RULES_FILES, not beginning with a dot)"),
        ("file", "KIND", "surpluss", "'surpluss' is no kind of rule (surplus, float, daily, after, schedule, file)"),
        ("file", "KIND", "", "is empty or not there; it needs a kind of rule (surplus, float, daily, after, schedule, file)"),
        ("file", "START_WATTS", "1", "is no setting of KIND file (KIND, FILE, SOC, SOC_MIN)"),
    ],
)
def test_what_is_wrong_is_one_line_with_what_is_allowed(tmp_path: Path, kind: str, name: str, value: str, said: str) -> None:
    made = ready(tmp_path, kind, **NEEDED[kind])
    (made / name).write_text(f"{value}\n")
    with pytest.raises(WrongSetting) as wrong:
        ready_rule.read(made)
    assert str(wrong.value) == f"{made}/{name}: {said}"


@pytest.mark.parametrize("kind", ["surplus", "float", "file"])
def test_soc_min_needs_the_value_that_it_is_compared_with(tmp_path: Path, kind: str) -> None:
    with pytest.raises(WrongSetting, match=r"/SOC: is empty; SOC_MIN needs the value"):
        ready_rule.read(ready(tmp_path, kind, **NEEDED[kind], SOC_MIN="80"))


def test_what_editors_leave_beside_a_setting_is_none(tmp_path: Path) -> None:
    made = ready(tmp_path, "file", FILE="guests")
    for name in ("FILE~", ".FILE.swp", "notes.txt"):
        (made / name).write_text("x\n")
    assert ready_rule.read(made).values["FILE"] == "guests"


def test_a_directory_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(WrongSetting, match=r"/9\.rule/KIND: is empty or not there"):
        ready_rule.read(tmp_path / "9.rule")
    (tmp_path / "9.rule/KIND").mkdir(parents=True)
    with pytest.raises(WrongSetting, match=r"/9\.rule/KIND: is a directory; a setting is a plain file"):
        ready_rule.read(tmp_path / "9.rule")


@pytest.mark.parametrize("text", ["6:30", "24:00", "sunrise", "sunset-30min", "sunrise+90min"])
def test_a_time_of_day_is_said_as_it_is_written(text: str) -> None:
    assert str(day_spans.parse_moment(text)).removeprefix("0") == text


def test_days_and_months_go_over_the_end_of_the_week_and_of_the_year() -> None:
    assert day_spans.parse_days("fri-mon") == {5, 6, 7, 1}
    assert day_spans.parse_days("1-5 sun") == {1, 2, 3, 4, 5, 7}
    assert day_spans.parse_months("10-3") == {10, 11, 12, 1, 2, 3}


@pytest.mark.parametrize("text", ["8:00-8:00", "8-9", "sunset", "sunset-", "6:30-8:00,9:00-10:00", "8:00-25:00", "sunset-5-22:00"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        day_spans.parse_spans(text)


def test_hours_before_the_sun_set_are_told_apart_from_a_span() -> None:
    (span,) = day_spans.parse_spans("sunset-1h-22:00")
    assert str(span) == "sunset-60min-22:00"

"""What a CCU is to show of the UPSes, into which of its variables that goes, and when it is told."""

from hypothesis import given
from hypothesis import strategies as st

from pimains.ups.plan.homematic import Rounds, Seen, Value, Variable, Wanted, When, choose, wanted

EATON = {
    "battery.charge": "41",
    "battery.runtime": "3723",
    "battery.voltage": "13.6",
    "ups.load": "20",
    "ups.status": "OB DISCHRG",
    "device.model": 'Eaton 3S 700 "für Büro" ##',
    "words": "on battery for 3 min, 41 %",
    "alarm": "1",
}
KINDS = {float: "NUMBER", bool: "ALARM", str: "STRING"}


def values(files: dict[str, str] = EATON) -> dict[str, Value]:
    return {name: each.value for name, each in wanted([Seen("", "eaton@localhost", files)], "sv_USV_", "2026-11-27 19:00:00").items()}


def all_there(names: dict[str, Wanted]) -> dict[str, Variable]:
    return {name: Variable(KINDS[type(each.value)], (0.0, 65000.0)) for name, each in names.items()}


def chosen(files: dict[str, str] = EATON, takes_strings: bool = True, **there: Variable | None) -> tuple[dict[str, Value], list[str]]:
    """What is written of `files`, and told; `there` are variables other than they should be, None for missing, with `_` for dots."""
    names = wanted([Seen("", "eaton@localhost", files)], "sv_USV_", "now")
    changed = {f"sv_USV_{name.replace('_', '.', 1)}": variable for name, variable in there.items()}
    variables = {name: each for name, each in {**all_there(names), **changed}.items() if each}
    choice = choose(names, variables, takes_strings=takes_strings)
    return dict(choice.write), list(choice.told)


def test_the_names_are_those_of_nut_behind_the_prefix() -> None:
    assert values() == {
        "eaton@localhost-Alarm": True,
        "sv_USV_battery.charge": 41.0,
        "sv_USV_battery.runtime": 3723.0,
        "sv_USV_battery.runtime_s": "01:02:03",
        "sv_USV_battery.voltage": 13.6,
        "sv_USV_input.voltage": 0.0,
        "sv_USV_output.voltage": 0.0,
        "sv_USV_ups.load": 20.0,
        "sv_USV_device.model": 'Eaton 3S 700 "für Büro" ##',
        "sv_USV_ups.status": "OB DISCHRG",
        "sv_USV_ccu.time": "2026-11-27 19:00:00",
        "sv_USV-Monitor": "eaton@localhost: on battery for 3 min, 41 % | battery.charge 41 | battery.runtime 3723 | battery.voltage 13.6"
        ' | ups.load 20 | device.model Eaton 3S 700 "für Büro" ## | ups.status OB DISCHRG',
    }


def test_a_second_ups_has_its_name_in_them() -> None:
    upses = [Seen("", "eaton@localhost", EATON), Seen("cellar.", "cellar@nas.lan", {"battery.charge": "7", "words": "on line"})]
    found = wanted(upses, "ups_", "now")
    assert (found["ups_battery.charge"].value, found["ups_cellar.battery.charge"].value) == (41.0, 7.0)
    assert (found["eaton@localhost-Alarm"].value, found["cellar@nas.lan-Alarm"].value) == (True, False)
    assert str(found["ups-Monitor"].value).endswith("; cellar@nas.lan: on line | battery.charge 7")


def test_a_ups_that_cannot_be_read_has_0_everywhere_but_the_time() -> None:
    found = values({**EATON, "lost": "1", "words": "no data for 3 min (connection refused), was on line"})
    assert {name: value for name, value in found.items() if value not in (0.0, "0", "00:00:00")} == {
        "eaton@localhost-Alarm": True,
        "sv_USV_ccu.time": "2026-11-27 19:00:00",
        "sv_USV-Monitor": "eaton@localhost: no data for 3 min (connection refused), was on line",
    }


def test_what_is_missing_in_the_ccu_is_told_with_the_type_to_create_and_what_the_ups_has_not_is_not() -> None:
    write, told = chosen(battery_charge=None, ups_load=None, device_model=None, input_voltage=None)
    assert told == [
        "it lacks system variables; to create as number: sv_USV_battery.charge, sv_USV_ups.load; as character string: sv_USV_device.model"
    ]
    assert "sv_USV_ups.status" in write


def test_a_value_goes_only_into_a_variable_of_its_type() -> None:
    write, told = chosen(battery_charge=Variable("STRING"), ups_status=Variable("LIST"))
    assert told == [
        "sv_USV_battery.charge is a variable of type STRING and is not written: it has to be of type number",
        "sv_USV_ups.status is a variable of type LIST and is not written: it has to be of type character string",
    ]
    assert not {"sv_USV_battery.charge", "sv_USV_ups.status"} & set(write)


def test_a_number_that_its_variable_cannot_hold_is_not_written() -> None:
    write, told = chosen(battery_runtime=Variable("NUMBER", (0.0, 100.0)))
    assert told == ["sv_USV_battery.runtime takes 0 to 100 only and is not written: widen that in the CCU"]
    assert "sv_USV_battery.runtime" not in write


def test_a_ccu_without_set_string_gets_numbers_and_alarms() -> None:
    write, told = chosen(takes_strings=False, device_model=None)
    assert told == ["it takes no character strings: its firmware has no SysVar.setString; numbers and alarms are written"]
    assert {type(value) for value in write.values()} == {float, bool}


def test_a_text_with_a_backslash_is_refused_in_words() -> None:
    write, told = chosen({**EATON, "device.model": '3S \\" # dom'})
    assert "sv_USV_device.model" not in write
    assert told == [
        f"{name} is not written: its text has a backslash, with which older CCUs take the rest for a script"
        for name in ("sv_USV_device.model", "sv_USV-Monitor")
    ]


@given(st.text(max_size=5000))
def test_whatever_a_device_calls_itself_is_one_line_without_a_backslash_or_is_refused(model: str) -> None:
    write, told = chosen({**EATON, "device.model": model})
    text = str(write.get("sv_USV_device.model", ""))
    assert text.isprintable() and "\\" not in text
    assert ("\\" in model) == bool(told)


def of(**given: tuple[Value, When]) -> dict[str, Wanted]:
    return {name: Wanted(*each) for name, each in given.items()}


def test_status_and_alarm_are_written_at_once_but_each_2_s_numbers_together_and_all_again_after_ccu_seconds() -> None:
    at_first = of(status=("OL", When.AT_ONCE), load=(20.0, When.SOON), time=("19:00", When.ALONG))
    rounds = Rounds().done(at_first, 1000.0, for_all=True)
    assert rounds.next_at({**at_first, **of(time=("19:01", When.ALONG))}, 60) == 1060
    assert rounds.next_at({**at_first, **of(load=(21.0, When.SOON))}, 60) == 1005
    assert rounds.next_at({**at_first, **of(status=("OB", When.AT_ONCE))}, 60) == 1002  # or now, if that is later
    later = {**at_first, **of(status=("OB", When.AT_ONCE), time=("19:01", When.ALONG))}
    assert sorted(rounds.of(later)) == ["status", "time"]
    rounds = rounds.done(later, 1030.0, for_all=False)
    assert rounds.next_at(later, 60) == 1060
    assert not rounds.is_for_all(1059.9, 60)
    assert rounds.is_for_all(1060, 60)


def test_a_ccu_that_is_away_is_tried_again_ever_more_seldom_and_one_that_lets_nobody_in_after_ten_minutes() -> None:
    values = of(status=("OL", When.AT_ONCE))
    rounds, waits = Rounds(), []
    for _ in range(7):
        rounds = rounds.failed(1000.0)
        waits.append(rounds.next_at(values, 60) - 1000)
    assert waits == [30, 60, 120, 240, 480, 600, 600]
    assert Rounds().failed(1000.0, 600.0).next_at(values, 60) == 1600
    assert rounds.done(values, 2000.0, for_all=True).failed(3000.0).next_at(values, 60) == 3030

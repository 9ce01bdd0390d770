"""What the panel shows and what its keys do: panel/plan/."""

import unicodedata

import pytest

from pimains.panel.plan import brightness, face, segments
from pimains.panel.plan.face import Shown
from pimains.panel.plan.keys import Choices, Presses
from pimains.panel.settings import PanelSettings

EIGHT = [str(number) for number in range(1, 9)]


def bars(**modes: str | None) -> dict[str, Shown]:
    return {name.removeprefix("r"): Shown(mode=mode) for name, mode in modes.items()}


def test_a_digit_is_the_bar_of_its_relays_mode() -> None:
    shown = bars(r1="on", r2="off", r3="auto", r4=None)
    found = face.face(EIGHT, shown, None, None)
    assert found.digits == (segments.TOP, segments.BOTTOM, segments.DARK, segments.MIDDLE, 0, 0, 0, 0)


def test_an_led_is_the_state_of_its_relay() -> None:
    shown = {"1": Shown(is_on=True), "2": Shown(is_on=False), "5": Shown(is_on=True), "6": Shown(is_on=None)}
    assert face.face(EIGHT, shown, None, None).leds == (True, False, False, False, True, False, False, False)


def test_the_name_of_a_relay_stands_behind_its_number_and_mode() -> None:
    shown = {"3": Shown("Boiler", True, "on", "2000")}
    found = face.face(EIGHT, shown, "name", 2)
    assert found.digits == (*segments.written("3", 1), segments.TOP, *segments.written("boiler", 6))
    assert found.leds[2]


@pytest.mark.parametrize(("value", "digits"), [("2000", "  2000"), ("0", "     0"), (None, "   ---")])
def test_the_watts_of_a_relay_stand_at_the_right(value: str | None, digits: str) -> None:
    found = face.face(EIGHT, {"3": Shown("Boiler", True, "auto", value)}, "value", 2)
    assert found.digits == (*segments.written("3", 1), segments.DARK, *segments.written(digits, 6))


def test_a_relay_with_two_digits_leaves_less_for_its_name() -> None:
    found = face.face(["12", *[""] * 7], {"12": Shown("Dehumidifier", False, "off")}, "name", 0)
    assert found.digits == (*segments.written("12", 2), segments.BOTTOM, *segments.written("dehum", 5))


def test_modes_and_each_name_take_turns() -> None:
    places = ["1", None, "3"]
    assert [face.turn(places, "name", at).place for at in (0, 5.9, 6, 7.9, 8, 9.9, 10, 16)] == [None, None, 0, 0, 2, 2, None, 0]
    assert face.turn(places, "name", 7.5).seconds == 0.5


@pytest.mark.parametrize(("places", "text"), [(["1", "2"], None), ([None, None], "name")])
def test_without_a_text_modes_are_all_there_is(places: list[str | None], text: str | None) -> None:
    assert {face.turn(places, text, at / 10).place for at in range(300)} == {None}


def test_the_last_point_blinks() -> None:
    lit = [bool(face.blinking(face.DARK, at / 100).digits[-1] & segments.POINT) for at in (5, 15, 25, 35, 45)]
    assert lit == [True, True, False, False, True]


def test_every_letter_and_digit_can_be_shown() -> None:
    for letter in "0123456789abcdefghijklmnopqrstuvwxyz":
        assert segments.written(letter, 1) != [segments.DARK]


def test_a_point_goes_into_the_digit_before_it() -> None:
    assert segments.written("1.5", 3) == [0x06 | 0x80, 0x6D, 0]
    assert segments.at_the_right("1.5", 4) == [0, 0, 0x06 | 0x80, 0x6D]
    assert segments.written("..", 3) == [0x80, 0x80, 0]


def test_umlauts_are_written_with_two_letters() -> None:
    assert segments.written("Tür", 8) == segments.written("tuer", 8)


@pytest.mark.parametrize("name", ["Tür", "Öl", "façade", "été", "piñata"])
def test_a_letter_in_two_parts_is_shown_as_the_same_letter_in_one(name: str) -> None:
    assert segments.written(unicodedata.normalize("NFD", name), 8) == segments.written(name, 8)


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("0", {0: 0, 600: 0, None: 0}),
        ("2 22:00=0 07:00=5", {None: 2, 0: 0, 419: 0, 420: 5, 1319: 5, 1320: 0}),
        ("7 7:30=1", {None: 7, 0: 1, 450: 1, 1439: 1}),
    ],
)
def test_it_is_as_bright_as_its_time_of_day_says(text: str, levels: dict[int | None, int]) -> None:
    found = brightness.parse(text)
    assert {minute: found.at(minute) for minute in levels} == levels


@pytest.mark.parametrize("text", ["", "8", "22:00=0", "2 22:00", "2 24:00=1", "2 22:00=8", "2 22:00=0 22:00=1", "x"])
def test_what_is_no_brightness_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        brightness.parse(text)


def test_a_press_is_one_however_long_it_is_held() -> None:
    presses = Presses()
    presses.feed([], 0.0)
    assert [presses.feed([3], at / 25) for at in range(1, 500)] == [[3], *[[]] * 498]


def test_a_key_that_is_held_when_it_begins_was_not_pressed() -> None:
    presses = Presses()
    assert presses.feed([3], 0.0) == []
    assert presses.feed([3, 4], 0.04) == [4]


def test_a_contact_that_bounces_is_one_press() -> None:
    presses = Presses()
    presses.feed([], 0.0)
    told = [presses.feed(down, 0.04 * (number + 1)) for number, down in enumerate(([3], [], [3], [], [], [3]))]
    assert told == [[3], [], [], [], [], [3]]


def test_keys_are_pressed_together() -> None:
    presses = Presses()
    presses.feed([], 0.0)
    assert presses.feed(range(1, 9), 0.04) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_key_steps_from_auto_to_on_to_off_to_auto() -> None:
    choices = Choices()
    seen = []
    for number in range(4):
        choices.step("3", "auto", "said", float(number))
        seen.append(choices.mode("3", "auto", float(number)))
    assert seen == ["on", "off", "auto", "on"]
    assert choices.due_at == 5.0
    assert choices.take(5.0) == {"3": "on"}
    assert choices.due_at is None


def test_all_that_was_chosen_is_said_two_seconds_after_the_last_press_and_what_is_as_before_is_not() -> None:
    choices = Choices()
    choices.step("1", "off", None, 0.0)
    for at in (1.0, 1.5, 1.9):
        choices.step("2", "on", None, at)
    choices.step("3", "auto", None, 1.9)
    assert choices.due_at == 3.9
    assert choices.take(3.9) == {"1": "auto", "3": "on"}


@pytest.mark.parametrize(("mode", "said"), [("off", "a"), ("auto", "b"), (None, "a")])
def test_a_mode_that_somebody_else_changes_meanwhile_holds(mode: str | None, said: str) -> None:
    choices = Choices()
    choices.step("1", "auto", "a", 0.0)
    choices.step("2", "auto", "a", 0.0)
    assert not choices.look("1", "auto", "a", 1.0)
    assert choices.look("1", mode, said, 1.0)
    assert choices.take(2.0) == {"2": "on"}


def test_what_was_said_is_shown_until_it_is_told_or_nobody_has_taken_it_up() -> None:
    choices = Choices()
    choices.step("1", "auto", "a", 0.0)
    choices.take(2.0)
    assert [choices.mode("1", "auto", at) for at in (2.0, 2.9, 3.0, 3.1)] == ["on", "on", "auto", "auto"]
    choices.step("1", "auto", "b", 4.0)
    choices.take(6.0)
    assert [choices.mode("1", told, 6.1) for told in ("auto", "on", "auto")] == ["on", "on", "auto"]


def test_who_presses_again_before_it_was_taken_up_goes_on_from_what_he_sees() -> None:
    choices = Choices()
    choices.step("1", "auto", "a", 0.0)
    choices.take(2.0)
    choices.step("1", choices.mode("1", "auto", 2.1) or "", "on", 2.1)
    assert not choices.look("1", "auto", "on", 2.2)
    assert not choices.look("1", "on", "on", 2.3)
    assert choices.take(4.1) == {"1": "off"}


GIVEN = {"DIO": "19", "CLK": "13", "STBS": "26", "BRIGHTNESS": "2", "TEXT": "", "KEYS": "", "RELAYS": "/etc/pimains/relays"}


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"CLK": "19"}, "variables/CLK: 19 is the pin of DIO already"),
        ({"STBS": "13"}, "variables/STBS: 13 is the pin of CLK already"),
        ({"STBS": "6 6"}, "variables/STBS: 6 is there twice"),
        ({"STBS": "6 7 8"}, "variables/STBS: '6 7 8' is no list of GPIO numbers (one or two of 0-27, such as: 26, or 26 6)"),
        ({"DIO": "28"}, "variables/DIO: '28' is no GPIO number (0-27)"),
        ({"KEYS": "1 2 3 4 5 6 7 8 9"}, "variables/KEYS: has 9 relays for 8 keys"),
        ({"KEYS": "1 1"}, "variables/KEYS: '1 1' is no list of relays (numbers 1-999, each once, such as: 3 5 12, or empty)"),
        ({"TEXT": "names"}, "variables/TEXT: 'names' is no choice (name or value, or empty)"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_the_file(given: dict[str, str], wrong: str) -> None:
    with pytest.raises(Exception, match="variables/") as error:
        PanelSettings({**GIVEN, **given})
    assert str(error.value) == wrong


@pytest.mark.parametrize(
    ("given", "places"),
    [
        ({}, EIGHT),
        ({"STBS": "26 6"}, [str(number) for number in range(1, 17)]),
        ({"KEYS": "3 5"}, ["3", "5", *[""] * 6]),
    ],
)
def test_each_key_has_its_relay(given: dict[str, str], places: list[str]) -> None:
    assert PanelSettings({**GIVEN, **given}).places == places

"""A relay's settings, its pin at power-on, and what people may say of it."""

from pathlib import Path

import pytest

from pimains.core.errors import WrongSetting
from pimains.relays.plan import power_on
from pimains.relays.settings import RelaysSettings
from pimains.shared.relays import relay_settings
from pimains.shared.relays.plan import modes
from pimains.shared.relays.plan.modes import Mode
from pimains.shared.relays.relay_settings import RelaySettings
from tests.kit import TOP
from tests.relays.relays import TEMPLATE, make_relay


def test_a_relays_settings_are_exactly_the_files_of_a_new_one_and_stand_in_the_manual() -> None:
    names = sorted(path.name for path in TEMPLATE.iterdir())
    assert names == sorted(RelaySettings.declared())
    manual = (TOP / "services/relays/README.md").read_text()
    assert [name for name in names if f"- `{name}`: " not in manual] == []
    assert all(len((TEMPLATE / name).read_text().partition("\n")[2]) > 20 for name in names)


def test_a_new_relay_needs_no_more_than_its_pin(tmp_path: Path) -> None:
    make_relay(tmp_path / "3", PIN="17")
    given = relay_settings.read(tmp_path / "3")
    assert (str(given.pin), given.limits.on_lost, given.limits.on_halt, given.limits.max_on_per_day) == ("17", "off", "off", None)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PIN", "28", "'28' is no pin (a GPIO number 0-27, or LABEL:LINE of a GPIO chip, as gpiodetect tells its label)"),
        ("PIN", "", "is empty; it needs a pin (a GPIO number 0-27, or LABEL:LINE of a GPIO chip, as gpiodetect tells its label)"),
        ("MIN_ON", "x", "'x' is no time (seconds, or such as 10min or 2h; at most 1d)"),
        ("MIN_ON", "25h", "'25h' is no time (seconds, or such as 10min or 2h; at most 1d)"),
        ("QUIET_HOURS", "22:00", "'22:00' is no time of day (such as 22:00-06:30, or empty)"),
        ("QUIET_HOURS", "8:00-8:00", "'8:00-8:00' is no time of day (such as 22:00-06:30, or empty)"),
        ("GROUP", "two words", "'two words' is no group (one word of at most 32 letters, digits, _ and -, or empty)"),
        ("AT_START", "on", "'on' is no choice (keep or off)"),
        ("MAX_ON_PER_DAY", "10", "is longer than MAX_ON_PER_DAY: no rule could ever switch it on"),
    ],
)
def test_what_is_wrong_is_one_line_with_what_is_allowed(tmp_path: Path, name: str, value: str, said: str) -> None:
    make_relay(tmp_path / "3", **{"PIN": "17", "MIN_ON": "60", name: value})
    with pytest.raises(WrongSetting) as wrong:
        relay_settings.read(tmp_path / "3")
    where = "MIN_ON" if name == "MAX_ON_PER_DAY" else name
    assert str(wrong.value) == f"{tmp_path}/3/{where}: {said}"


def test_a_directory_in_the_place_of_a_setting_is_said(tmp_path: Path) -> None:
    make_relay(tmp_path / "3", PIN="17")
    (tmp_path / "3/NAME").unlink()
    (tmp_path / "3/NAME").mkdir()
    with pytest.raises(WrongSetting, match="3/NAME: is a directory; a setting is a plain file"):
        relay_settings.read(tmp_path / "3")


def test_only_directories_with_a_number_are_relays(tmp_path: Path) -> None:
    for name in ("10", "2", "03", "x", ".4+new", "1000"):
        (tmp_path / name).mkdir()
    (tmp_path / "5").write_text("")
    assert relay_settings.numbers(tmp_path) == ["2", "10"]
    assert relay_settings.numbers(tmp_path / "nowhere") == []


def test_group_limits_are_counts_or_watts() -> None:
    given = {"RELAYS": "/r", "STAGGER_SECONDS": "1", "LOST_SECONDS": "600"}
    limits = RelaysSettings({**given, "GROUP_LIMITS": "heaters=1 all=3000W"}).GROUP_LIMITS
    assert {group: str(limit) for group, limit in limits.items()} == {"heaters": "1", "all": "3000W"}
    assert RelaysSettings({**given, "GROUP_LIMITS": ""}).GROUP_LIMITS == {}
    for wrong in ("heaters", "heaters=1 heaters=2", "all=3kW", "=1"):
        with pytest.raises(WrongSetting, match="is no list of limits"):
            RelaysSettings({**given, "GROUP_LIMITS": wrong})


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [
        ("off", Mode("off"), "off"),
        ("ON", Mode("on"), "on"),
        ("on for 2h", Mode("on", seconds=7200), "on for 2h"),
        ("off for 90 s", Mode("off", seconds=90), "off for 90s"),
        ("on for 1.5h", Mode("on", seconds=5400), "on for 90min"),
        ("on until 6:05", Mode("on", until=365), "on until 06:05"),
        ("0", Mode("off"), "off"),
        ("1", Mode("auto"), "auto"),
        ("2", Mode("auto"), "auto"),
        ("3", Mode("on"), "on"),
    ],
)
def test_a_mode_is_said_as_people_say_it(text: str, mode: Mode, words: str) -> None:
    assert modes.parse(text) == mode
    assert modes.in_words(mode) == words
    assert modes.parse(words) == mode


@pytest.mark.parametrize(
    "text", ["", "4", "onn", "on 2h", "on for", "on for 0s", "on for 2", "on until 24:00", "auto for 2h", "on for 400d"]
)
def test_what_is_no_mode_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no mode \(off, auto or on; for 2h or until 18:00 after it; or PvMonit's 0 1 2 3\)"):
        modes.parse(text)


@pytest.mark.parametrize(
    ("line", "active_low", "said"),
    [
        (17, True, ["GPIO 17 is pulled down", "may close then", "opens it a few seconds after power-on: gpio=17=op,dh"]),
        (17, False, ["GPIO 17 is pulled down", "stays open then", "holds it open until then as well: gpio=17=op,dl"]),
        (8, False, ["GPIO 8 is pulled up", "may close then", "gpio=8=op,dl"]),
        (2, True, ["GPIO 2 is pulled up, by a resistor of the board's", "stays open then", "gpio=2=op,dh"]),
        (14, True, ["GPIO 14 is pulled down", "serial port", "gpio=14=op,dh"]),
    ],
)
def test_13_relays_click_at_boot(line: int, active_low: bool, said: list[str]) -> None:
    told = "\n".join(power_on.in_words(line, active_low))
    assert [words for words in said if words not in told] == []

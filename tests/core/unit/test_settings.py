"""Settings: what a person may write into variables/, and what they are told when it is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pimains.core.errors import WrongSetting
from pimains.core.settings import (
    Setting,
    Settings,
    choice,
    command,
    flag,
    host,
    integer,
    key,
    number,
    optional,
    path,
    port,
    text,
)


class Example(Settings):
    PIN = integer(0, 27, "GPIO number")
    WATTS = number(0, 100, "power in W")
    ON_LOST = choice("ignore", "shutdown")
    HOST = optional(host())
    POWER_OFF = flag()


GOOD = {"PIN": "24", "WATTS": "1.5", "ON_LOST": "Shutdown", "HOST": "", "POWER_OFF": "1"}


def test_values_come_in_their_types() -> None:
    settings = Example(GOOD)
    assert (settings.PIN, settings.WATTS, settings.ON_LOST, settings.HOST, settings.POWER_OFF) == (24, 1.5, "shutdown", None, True)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PIN", "x24", "/etc/service/x/variables/PIN: 'x24' is no GPIO number (0-27)"),
        ("PIN", "28", "/etc/service/x/variables/PIN: '28' is no GPIO number (0-27)"),
        ("PIN", "", "/etc/service/x/variables/PIN: is empty; it needs a GPIO number (0-27)"),
        ("WATTS", "nan", "/etc/service/x/variables/WATTS: 'nan' is no power in W (0-100)"),
        ("WATTS", "1e1", "/etc/service/x/variables/WATTS: '1e1' is no power in W (0-100)"),
        ("ON_LOST", "panic", "/etc/service/x/variables/ON_LOST: 'panic' is no choice (ignore or shutdown)"),
        ("HOST", "a b", "/etc/service/x/variables/HOST: 'a b' is no host (a name such as plug.local, or an IP address, or empty)"),
        ("POWER_OFF", "maybe", "/etc/service/x/variables/POWER_OFF: 'maybe' is no yes or no (1 or 0)"),
    ],
)
def test_a_wrong_value_gets_one_line_that_names_file_and_range(name: str, value: str, message: str) -> None:
    with pytest.raises(WrongSetting) as wrong:
        Example({**GOOD, name: value}, Path("/etc/service/x/variables"))
    assert str(wrong.value) == message


def test_a_missing_file_is_the_same_as_an_empty_one() -> None:
    with pytest.raises(WrongSetting, match="PIN: is empty"):
        Example({name: value for name, value in GOOD.items() if name != "PIN"})


def test_a_carriage_return_from_another_system_does_no_harm() -> None:
    assert Example({**GOOD, "PIN": "24\r"}).PIN == 24


def test_a_secret_is_never_repeated_in_a_message() -> None:
    with pytest.raises(ValueError, match="the secret is no key") as wrong:
        key().check("hunter2")
    assert "hunter2" not in str(wrong.value)


@pytest.mark.parametrize("value", ["plug", "plug.local", "192.168.1.20", "fe80::1", "my_plug.lan.", "a" * 63])
def test_hosts_are_names_or_addresses(value: str) -> None:
    assert host().check(value) == value


@pytest.mark.parametrize("value", ["-plug", "plug..local", "1.2.3.400", "1.2.3", "http://plug", "a" * 64, "plug;reboot", "plug:6053"])
def test_what_is_no_host_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="is no host"):
        host().check(value)


def test_a_command_is_split_into_words_without_a_shell() -> None:
    assert command().check("shutdown -P now 'all; done'") == ["shutdown", "-P", "now", "all; done"]
    with pytest.raises(ValueError, match="is no command"):
        command().check("shutdown 'now")


def test_paths_are_absolute() -> None:
    assert path().check("/dev/ttyUSB0") == Path("/dev/ttyUSB0")
    with pytest.raises(ValueError, match="is no path"):
        path().check("dev/ttyUSB0")


def test_a_long_value_is_quoted_in_part() -> None:
    with pytest.raises(ValueError, match="do not belong in a host") as wrong:
        host().check("\U0002ebe1" * 80)
    assert len(str(wrong.value)) < 200


@given(st.text())
@pytest.mark.parametrize(
    "setting", [integer(0, 9), number(0, 9), port(), choice("a", "b"), flag(), host(), key(), command(), path(), text(), optional(host())]
)
def test_no_text_at_all_gets_anything_but_a_value_or_one_line(setting: Setting[object], value: str) -> None:
    try:
        setting.check(value)
    except ValueError as wrong:
        assert str(wrong).isprintable()
        assert len(str(wrong)) < 300


def test_a_secret_that_others_may_read_is_named(tmp_path: Path) -> None:
    class WithSecret(Settings):
        SECRET = key()

    file = tmp_path / "SECRET"
    file.write_text("bXkgc2VjcmV0IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE=\n")
    file.chmod(0o600)
    settings = WithSecret({"SECRET": file.read_text().strip()}, tmp_path)
    assert settings.exposed() == []
    file.chmod(0o640)
    assert settings.exposed() == [file]

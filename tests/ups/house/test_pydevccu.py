"""The talk with a CCU against one that others have made."""

import os
from collections.abc import Iterator

import pytest

from pimains.ups.ccu import Ccu, NotDone, NotTaken
from pimains.ups.plan.homematic import Seen, Value, choose, wanted
from tests.ups.pydevccu import PYDEVCCU, TRIXIE, pydevccu

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="pydevccu runs in a root of its own: needs root"),
    pytest.mark.skipif(
        not PYDEVCCU.exists() or not TRIXIE.exists(), reason="pydevccu needs Python 3.13: tests/run puts both into the cache"
    ),
]
KINDS = {float: "FLOAT", bool: "BOOL", str: "STRING"}
SEEN = Seen("", "eaton@localhost", {"battery.charge": "41.5", "ups.status": "OB", "device.model": 'Büro "3S" ##', "alarm": "1"})
VALUES = wanted([SEEN], "sv_USV_", "2026-11-27 19:00:00")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with pydevccu({name: KINDS[type(each.value)] for name, each in VALUES.items()} | {"sv_USV_ups.load": "STRING"}) as port:
        yield port


@pytest.fixture
def ccu(port: int) -> Iterator[Ccu]:
    ccu = Ccu(f"http://127.0.0.1:{port}")
    ccu.log_in("pi", "secret")
    yield ccu
    ccu.log_out()
    assert ccu.session == ""


def test_all_values_arrive_and_none_goes_into_a_variable_of_another_type(ccu: Ccu) -> None:
    choice = choose(VALUES, ccu.variables(), takes_strings=ccu.takes_strings())
    assert choice.told == ["sv_USV_ups.load is a variable of type STRING and is not written: it has to be of type number"]
    for name, value in choice.write.items():
        ccu.write(name, value)
    found: dict[str, Value] = {name: ccu.value(name) for name in VALUES}
    assert found == {name: each.value for name, each in VALUES.items()} | {"sv_USV_ups.load": ""}


@pytest.mark.parametrize("text", ['"', "'", "##", "äöüß€", "電池", "x" * 5000], ids=lambda text: text[:4])
def test_texts_arrive_as_they_are(ccu: Ccu, text: str) -> None:
    ccu.write("sv_USV_device.model", text)
    assert ccu.value("sv_USV_device.model") == text


@pytest.mark.parametrize("value", [1.0, True, "text"])
def test_an_unknown_name_is_told(ccu: Ccu, value: Value) -> None:
    with pytest.raises(NotTaken, match="is refused by the CCU"):
        ccu.write("no such", value)


def test_a_wrong_password_is_told(port: int) -> None:
    with pytest.raises(NotDone, match="or CCU_PASSWORD is wrong: the CCU lets nobody in with them"):
        Ccu(f"http://127.0.0.1:{port}").log_in("pi", "wrong")


def test_a_session_that_is_over_is_told(port: int) -> None:
    with pytest.raises(NotDone, match="it refuses SysVar"):
        Ccu(f"http://127.0.0.1:{port}", "no such").variables()

"""What is asked of a real upsd, with a dummy UPS or two behind it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.core.clock import SystemClock
from pimains.core.errors import Away, PimainsError, WrongSetting
from pimains.ups.forcing import Forcing
from pimains.ups.nut import NO_DATA, Credentials, Nut
from pimains.ups.replies import ErrorReply
from tests.kit import to_the_end, until
from tests.ups.nut_versions import VERSIONS
from tests.ups.nuts import nut, opened
from tests.ups.upsd import VARIABLES, Upsd

BERT = Credentials("bert", "bert")


@pytest.fixture(params=VERSIONS)
def upsd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Upsd]:
    with Upsd(tmp_path, "eaton", "cellar", enter=request.param) as upsd:
        yield upsd


def error(nut: Nut) -> str:
    """Why there are no data now; "" while there are."""
    try:
        nut.variables()
    except PimainsError as away:
        return away.word if isinstance(away, ErrorReply) else type(away).__name__
    return ""


def test_all_that_a_ups_says_is_read_and_in_no_time(upsd: Upsd) -> None:
    nut = opened(upsd.port)
    assert VARIABLES.items() <= nut.variables().items()
    assert nut.variable("battery.charge") == "100"
    upsd.say("eaton", status="OB DISCHRG", charge="97")
    assert nut.variables()["ups.status"] == "OB DISCHRG"
    with pytest.raises(ErrorReply, match="VAR-NOT-SUPPORTED"):
        nut.variable("ups.alarm")
    took = []
    for _ in range(100):
        began = time.monotonic()
        nut.variables()
        took.append(time.monotonic() - began)
    assert sorted(took)[50] < 0.02  # 0.044 where upsd has to wait for each acknowledgement


def test_a_value_with_quotation_marks_is_read_whole(tmp_path: Path) -> None:
    with Upsd(tmp_path, override={"ups.id": 'the "big" one \\ #2'}) as upsd:
        nut = opened(upsd.port)
        assert nut.variable("ups.id") == nut.variables()["ups.id"] == 'the "big" one \\ #2'


def test_a_primary_logs_in_sees_its_clients_and_forces_them_down(upsd: Upsd) -> None:
    primary, secondary, other = opened(upsd.port), opened(upsd.port, who=BERT), opened(upsd.port, "cellar")
    primary.log_in()
    secondary.log_in()
    primary.become_primary()
    assert primary.clients() == ["127.0.0.1"] * 2
    primary.force_shutdown()
    assert secondary.variables()["ups.status"] == "FSD OL"
    assert other.variables()["ups.status"] == "OL"
    assert other.clients() == []
    secondary.log_out()
    assert primary.clients() == ["127.0.0.1"]
    primary.close()
    until(lambda: not other.clients())


@pytest.mark.parametrize(("is_to_stand", "status"), [(True, "FSD OL"), (False, "OL")])
def test_an_upsd_that_was_restarted_is_told_fsd_again_while_somebody_is_to_go_down_for_it(
    upsd: Upsd, is_to_stand: bool, status: str
) -> None:
    primary, forcing = opened(upsd.port), Forcing()
    forcing.force(primary)
    upsd.stop()
    upsd.start()
    primary.close()
    primary.open()
    forcing.is_to_stand = is_to_stand
    forcing.look(primary)
    assert primary.variables()["ups.status"] == status


def test_with_the_driver_dead_there_are_no_data_and_still_clients(upsd: Upsd) -> None:
    nut = opened(upsd.port)
    nut.log_in()
    upsd.kill_driver("eaton")
    until(lambda: error(nut) == "DRIVER-NOT-CONNECTED")
    assert nut.clients() == ["127.0.0.1"]
    upsd.start_driver("eaton")
    until(lambda: not error(nut) and nut.variable("ups.status") == "OL")
    assert nut.is_open
    assert nut.is_logged_in


def test_with_a_driver_that_hangs_too(tmp_path: Path) -> None:
    with Upsd(tmp_path, max_age=3) as upsd:
        nut = opened(upsd.port)
        nut.log_in()
        upsd.freeze_driver("eaton")
        until(lambda: error(nut) == "DATA-STALE")
        assert nut.clients() == ["127.0.0.1"]
        assert {"DATA-STALE", "DRIVER-NOT-CONNECTED"} == NO_DATA


def test_an_upsd_that_freezes_or_ends_is_away_in_two_seconds_and_found_again(upsd: Upsd) -> None:
    nut = opened(upsd.port)
    upsd.freeze()
    began = time.monotonic()
    with pytest.raises(Away, match="no answer in time"):
        nut.variables()
    with pytest.raises(Away, match="no answer in time"):
        nut.open()
    assert time.monotonic() - began < 2 + 1 + 1  # and what a busy machine adds
    upsd.thaw()
    nut.open()
    until(lambda: not error(nut))  # what it had from the driver has become old
    upsd.stop()
    assert error(nut) == "Away"
    with pytest.raises(Away, match="connection refused"):
        nut.open()
    upsd.start()
    nut.open()
    assert nut.variable("ups.status") == "OL"


def test_what_has_to_be_edited_is_said_by_the_file(upsd: Upsd) -> None:
    for who, call, wrong in [
        (Credentials("anna", "wrong"), Nut.log_in, r"variables/PASSWORD: .*LOGIN eaton: ERR ACCESS-DENIED; its upsd.users needs \[anna\]"),
        (Credentials("otto", "x"), Nut.log_in, r"variables/PASSWORD: .*needs \[otto\] with this password and: upsmon secondary"),
        (BERT, Nut.become_primary, r"variables/PASSWORD: .*needs \[bert\] with this password and: upsmon primary"),
        (BERT, Nut.force_shutdown, r"variables/PASSWORD: .*FSD eaton: ERR ACCESS-DENIED"),
        (BERT, lambda nut: nut.command("load.off"), r"variables/PASSWORD: .*instcmds = load.off"),
        (Credentials(), Nut.log_in, "variables/USERNAME: is empty"),
    ]:
        with pytest.raises(PimainsError, match=wrong) as raised:
            call(opened(upsd.port, who=who))  # type: ignore[operator]
        assert isinstance(raised.value, WrongSetting)
    with pytest.raises(WrongSetting, match=r"variables/UPS: there is no 'attic' at 127\.0\.0\.1; it has: cellar, eaton"):
        opened(upsd.port, "attic").variables()


def test_a_name_is_looked_up_and_every_address_of_it_tried(upsd: Upsd) -> None:
    """Localhost may be ::1 first, where this upsd does not listen."""
    made = nut(upsd.port, host="localhost")
    to_the_end(made.address.first(SystemClock()))
    made.open()
    assert made.variable("ups.status") == "OL"

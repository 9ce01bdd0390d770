"""TLS to an upsd: the certificate is verified, and nobody who is not trusted is told the password."""

from pathlib import Path

import pytest

from pimains.core.clock import SystemClock
from pimains.core.errors import Away, WrongSetting
from pimains.ups.nut import Nut
from tests.kit import to_the_end
from tests.notify.mail_server import certificate
from tests.ups.liar import Liar, saying
from tests.ups.nuts import nut, opened
from tests.ups.upsd import VARIABLES, Upsd


def known(host: str, port: int, *, tls: str, ca: Path | None) -> Nut:
    """Not open yet; the address of its host is known."""
    made = nut(port, host=host, tls=tls, ca=ca)
    to_the_end(made.address.first(SystemClock()))
    return made


def test_tls_is_verified_and_required_where_that_is_set(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path / "right")
    other, _ = certificate(tmp_path / "wrong")
    named, named_key = certificate(tmp_path / "named", "nas.lan")
    with Liar(certificate=(cert, key)) as liar:
        for tls in ("try", "require"):
            made = known("localhost", liar.port, tls=tls, ca=cert)
            made.open()
            assert made.variable("ups.status") == "OL"
            made.log_out()
        for ca in (other, None):
            made = known("localhost", liar.port, tls="try", ca=ca)
            with pytest.raises(WrongSetting, match="variables/CA: the certificate of upsd at localhost is not trusted: "):
                made.open()
            assert not made.is_open
        with pytest.raises(WrongSetting, match=f"variables/CA: {tmp_path}/none: No such file"):
            nut(liar.port, tls="try", ca=tmp_path / "none").open()
        with pytest.raises(WrongSetting, match=f"variables/CA: {key}: holds no certificate"):
            nut(liar.port, tls="try", ca=key).open()
    assert liar.said[10:] == ["STARTTLS"] * 4  # nobody who is not trusted is told the password
    with Liar(certificate=(named, named_key)) as liar, pytest.raises(WrongSetting, match=r"variables/CA: .*not valid for '127\.0\.0\.1'"):
        nut(liar.port, tls="require", ca=named).open()
    with Liar() as liar:
        with pytest.raises(WrongSetting, match=r"variables/TLS: is require, and upsd at 127\.0\.0\.1 offers none"):
            nut(liar.port, tls="require", ca=cert).open()
        assert liar.said == ["STARTTLS"]
        made = nut(liar.port, tls="try", ca=cert)
        made.open()
        assert made.variable("ups.status") == "OL"


def test_what_comes_in_plain_text_after_starttls_is_not_believed(tmp_path: Path) -> None:
    cert, _ = certificate(tmp_path)
    with Liar({"STARTTLS": saying(b'OK STARTTLS\nVAR eaton ups.status "OB LB"\n')}) as liar, pytest.raises(Away, match="plain text"):
        nut(liar.port, tls="require", ca=cert).open()


def test_tls_with_upsd_and_its_certificate(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path / "right")
    other, _ = certificate(tmp_path / "wrong")
    with Upsd(tmp_path, certificate=(cert, key)) as upsd:
        for tls in ("try", "require"):
            made = known("localhost", upsd.port, tls=tls, ca=cert)
            made.open()
            made.log_in()
            assert VARIABLES.items() <= made.variables().items()
            made.log_out()
        made = known("localhost", upsd.port, tls="try", ca=other)
        with pytest.raises(WrongSetting, match="variables/CA: the certificate of upsd at localhost is not trusted"):
            made.open()
        plain = opened(upsd.port)
        assert plain.variable("ups.status") == "OL"


def test_an_upsd_without_tls_is_used_without_it_unless_that_is_required(tmp_path: Path) -> None:
    with Upsd(tmp_path) as upsd:
        made = nut(upsd.port, tls="try")
        made.open()
        assert made.variable("ups.status") == "OL"
        with pytest.raises(WrongSetting, match=r"variables/TLS: is require, and upsd at .* offers none .*FEATURE-NOT-CONFIGURED"):
            nut(upsd.port, tls="require").open()

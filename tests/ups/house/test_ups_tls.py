"""ups with TLS to two real upsds: what is wrong with one certificate is said with the file to edit, and the other UPS is looked at."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit import House, TestInstance, until
from tests.notify.mail_server import certificate
from tests.ups.nut2_library import NUT2
from tests.ups.upsd import PASSWORD, Upsd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")
Signed = Callable[[int], tuple[Path, Path]]


@pytest.fixture
def readable(house: House) -> Path:
    """Where user pimains may read certificates."""
    made = house.root / "certificates"
    made.mkdir()
    return made


@pytest.fixture
def signed(readable: Path, tmp_path: Path) -> Signed:
    """Makes a certificate for localhost that the CA in `readable` has signed, for so many days, and its key."""
    ca, ca_key = certificate(readable, "ca")

    def sign(days: int) -> tuple[Path, Path]:
        cert, key = tmp_path / f"signed {days}.pem", tmp_path / f"signed {days}.key"
        asking, names = tmp_path / "asking", tmp_path / "names"
        names.write_text("subjectAltName=DNS:localhost\n")
        words = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"]
        subprocess.run([*words, "-keyout", key, "-out", asking], check=True, capture_output=True)
        words = ["openssl", "x509", "-req", "-CAcreateserial", "-days", str(days)]
        by = ["-CA", str(ca), "-CAkey", str(ca_key), "-extfile", str(names)]
        subprocess.run([*words, *by, "-in", asking, "-out", cert], check=True, capture_output=True)
        return cert, key

    return sign


def watching(house: House, eaton: Upsd, cellar: Upsd, tls: str, ca: Path) -> TestInstance:
    upses = f"eaton@localhost:{eaton.port} cellar@localhost:{cellar.port}"
    given = {"UPS": upses, "USERNAME": "anna", "PASSWORD": PASSWORD, "POLL_SECONDS": "0.5", "TLS": tls, "CA": str(ca)}
    return house.add("ups", pythonpath=str(NUT2), **given)


def is_looked_at(ups: TestInstance, cellar: Upsd, charge: str) -> None:
    """While the other one is not."""
    cellar.say("cellar", charge=charge)
    until(lambda: ups.read("cellar.battery.charge") == charge, 10, ups.story)


def test_with_the_right_certificate_it_is_as_without_tls(house: House, readable: Path, signed: Signed, tmp_path: Path) -> None:
    with Upsd(tmp_path, "eaton", certificate=signed(2)) as eaton, Upsd(tmp_path, "cellar", certificate=signed(3)) as cellar:
        ups = watching(house, eaton, cellar, "require", readable / "ca.pem")
        house.until(lambda: ups.status == "eaton on line, 100 %; cellar on line, 100 %", what=ups.story)
        assert ups.read("unwell") == ""
        with eaton.talk() as ask:
            assert ask("GET NUMLOGINS eaton") == "NUMLOGINS eaton 1"  # it is logged in as well


@pytest.mark.parametrize("tls", ["try", "require"])
def test_a_wrong_certificate_is_said_with_the_file_to_edit(house: House, readable: Path, signed: Signed, tmp_path: Path, tls: str) -> None:
    with Upsd(tmp_path, "eaton", certificate=certificate(tmp_path)) as eaton, Upsd(tmp_path, "cellar", certificate=signed(2)) as cellar:
        ups = watching(house, eaton, cellar, tls, readable / "ca.pem")
        what = "variables/CA: the certificate of upsd at localhost is not trusted: self-signed certificate"
        house.until(lambda: ups.status.endswith(what), what=ups.story)
        assert ups.read("unwell") == ups.status
        is_looked_at(ups, cellar, "81")
        assert ups.read("line") == ""  # of the one that nobody vouches for
        both = readable / "both.pem"
        both.write_text((readable / "ca.pem").read_text() + (tmp_path / "localhost.pem").read_text())
        ups.set("CA", str(both))  # what the line asks for is all that has to be done
        house.until(lambda: ups.status == "eaton on line, 100 %; cellar on line, 81 %", what=ups.story)


def test_an_upsd_without_tls_is_said_with_the_setting_that_requires_it(
    house: House, readable: Path, signed: Signed, tmp_path: Path
) -> None:
    with Upsd(tmp_path, "eaton") as eaton, Upsd(tmp_path, "cellar", certificate=signed(2)) as cellar:
        ups = watching(house, eaton, cellar, "require", readable / "ca.pem")
        house.until(lambda: "variables/TLS: is require, and upsd at localhost offers none" in ups.read("unwell"), what=ups.story)
        is_looked_at(ups, cellar, "81")
        assert ups.read("line") == ""
        ups.set("TLS", "try")
        house.until(lambda: ups.status == "eaton on line, 100 %; cellar on line, 81 %", what=ups.story)


def test_a_certificate_that_has_expired_meanwhile_is_said_and_a_new_one_is_found(
    house: House, readable: Path, signed: Signed, tmp_path: Path
) -> None:
    with Upsd(tmp_path, "eaton", certificate=signed(2)) as eaton, Upsd(tmp_path, "cellar", certificate=signed(3)) as cellar:
        ups = watching(house, eaton, cellar, "require", readable / "ca.pem")
        house.until(lambda: ups.status == "eaton on line, 100 %; cellar on line, 100 %", what=ups.story)
        eaton.stop()
        eaton.show_certificate(signed(-1))
        eaton.start()
        what = "variables/CA: the certificate of upsd at localhost is not trusted: certificate has expired"
        house.until(lambda: ups.status.endswith(what), what=ups.story)
        is_looked_at(ups, cellar, "81")
        assert ups.read("line") == "on line"  # as it stood
        eaton.stop()
        eaton.show_certificate(signed(4))
        eaton.start()
        house.until(lambda: ups.status == "eaton on line, 100 %; cellar on line, 81 %", what=ups.story)

"""The secret of a file server is made for it, and handed to its clients."""

import base64
import re
from pathlib import Path

import pytest

from pimains.core import templates
from pimains.core.errors import WrongSetting
from pimains.create_service import arguments
from pimains.fserver.settings import FserverSettings
from tests.core.lamp import Checkout


def test_a_new_fserver_gets_a_secret_of_its_own_and_says_the_command_for_its_clients(checkout: Checkout) -> None:
    said = [checkout.create_service("--service_name=fserver", f"--instance={name}", "--port=5556", "--add-service").out for name in "ab"]
    secrets = [re.findall(r"echo (\S+) \|", text)[0] for text in said]
    assert secrets[0] != secrets[1]
    assert len(base64.b64decode(secrets[0])) == 32
    file = Path(checkout.servicedir) / "a/variables/SECRET"
    assert file.read_text().splitlines()[0] == secrets[0]
    assert file.stat().st_mode & 0o777 == 0o600
    command = re.findall(r"sudo create_service (.*)", said[0])[0]
    words = arguments.parse(command.replace("@-", secrets[0]).split())
    given = arguments.settings_given(templates.all_of_them()["fclient"], words)
    assert given["SECRET"] == secrets[0]
    assert given["PORT"] == "5556"


def test_a_given_secret_stays_and_a_change_makes_no_new_one(checkout: Checkout) -> None:
    secret = base64.b64encode(bytes(32)).decode()
    assert secret in checkout.create_service("--service_name=fserver", f"--secret={secret}", "--add-service").out
    assert "echo" not in checkout.create_service("--service_name=fserver", "--port=5557", "--add-service").out
    assert (Path(checkout.servicedir) / "fserver/variables/SECRET").read_text().splitlines()[0] == secret


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"MDRIVE": "/"}, "MDRIVE: '/' is no drive: it is this machine's own file system"),
        ({"USB_LOCATION": "2"}, "USB_LOCATION: needs MDRIVE"),
        ({"MDRIVE": "/MDrive", "USB_PORTS": "2"}, "USB_PORTS: needs USB_LOCATION"),
        ({"MDRIVE": "/MDrive", "USB_LOCATION": "2; reboot"}, "USB_LOCATION: '2; reboot' is no location of a USB hub (such as 2 or 1-1.4"),
        ({"MDRIVE": "/MDrive", "USB_LOCATION": "1 2 -f"}, "USB_LOCATION: '1 2 -f' is no location of a USB hub (such as 2 or 1-1.4"),
        ({"MDRIVE": "/MDrive", "USB_LOCATION": "1-1", "USB_PORTS": "-f"}, "USB_PORTS: '-f' is no list of ports (such as 2 or 1,3 or 1-4"),
    ],
)
def test_a_drive_and_its_hub_are_looked_at_before_anything_depends_on_them(given: dict[str, str], fault: str) -> None:
    defaults = {each.name: each.default for each in templates.all_of_them()["fserver"].variables().values()}
    good = {**defaults, "SECRET": base64.b64encode(bytes(32)).decode()}
    for hubs in ("1-1.4", "1 2 3 4", "2  4-1 "):
        checked = FserverSettings({**good, "MDRIVE": "/MDrive", "USB_LOCATION": hubs, "USB_PORTS": "1,3-4"})
        assert hubs.split() == checked.USB_LOCATION
    with pytest.raises(WrongSetting, match=re.escape(fault)):
        FserverSettings({**good, **given})

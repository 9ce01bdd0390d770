"""The secret of a file server is made for it, and handed to its clients."""

import base64
import re
from pathlib import Path

from lamp import Checkout

from pimains.cli import create_words
from pimains.core import templates


def test_a_new_fserver_gets_a_secret_of_its_own_and_says_the_command_for_its_clients(checkout: Checkout) -> None:
    said = [checkout.create_service("--service_name=fserver", f"--instance={name}", "--port=5556", "--add-service").out for name in "ab"]
    secrets = [re.findall(r"echo (\S+) \|", text)[0] for text in said]
    assert secrets[0] != secrets[1]
    assert len(base64.b64decode(secrets[0])) == 32
    file = Path(checkout.servicedir) / "a/variables/SECRET"
    assert file.read_text().splitlines()[0] == secrets[0]
    assert file.stat().st_mode & 0o777 == 0o600
    command = re.findall(r"sudo create_service (.*)", said[0])[0]
    words = create_words.parse(command.replace("@-", secrets[0]).split())
    given = create_words.settings_given(templates.all_of_them()["fclient"], words)
    assert given["SECRET"] == secrets[0]
    assert given["PORT"] == "5556"


def test_a_given_secret_stays_and_a_change_makes_no_new_one(checkout: Checkout) -> None:
    secret = base64.b64encode(bytes(32)).decode()
    assert secret in checkout.create_service("--service_name=fserver", f"--secret={secret}", "--add-service").out
    assert "echo" not in checkout.create_service("--service_name=fserver", "--port=5557", "--add-service").out
    assert (Path(checkout.servicedir) / "fserver/variables/SECRET").read_text().splitlines()[0] == secret

"""The files that users edit are valid for ESPHome, as they are shipped and with what their comments offer."""

import base64
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.kit import CACHE, TOP
from tests.plug.firmware import VERSIONS

BOARDS = sorted(
    path.name for path in (TOP / "esphome").glob("*.yaml") if not path.name.startswith("pimains-") and path.name != "secrets.yaml"
)
KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(params=VERSIONS)
def esphome(request: pytest.FixtureRequest) -> Path:
    """The command, of each version."""
    program = CACHE / f"esphome-{request.param}/bin/esphome"
    if not program.exists():
        pytest.skip(f"ESPHome {request.param} is not here: it needs Python 3.12 or newer")
    return program


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The firmware as a user has it who has edited the secrets."""
    shutil.copytree(TOP / "esphome", tmp_path / "esphome", ignore=shutil.ignore_patterns("secrets.yaml"))
    secrets = (TOP / "esphome/secrets.yaml.example").read_text()
    (tmp_path / "esphome/secrets.yaml").write_text(secrets.replace("what openssl printed", KEY))
    return tmp_path / "esphome"


def config(esphome: Path, file: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([esphome, "config", file], capture_output=True, text=True, check=False)


def section(text: str, name: str) -> str:
    """What belongs to that key of the whole configuration."""
    match = re.search(rf"^{name}:\n((?:[ -].*\n)*)", text, re.MULTILINE)
    assert match, f"no {name} in {text[:200]}"
    return match[1]


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_is_valid_and_keeps_the_power_on(esphome: Path, directory: Path, board: str) -> None:
    found = config(esphome, directory / board)
    assert found.returncode == 0, found.stdout + found.stderr
    api, wifi, esp8266, switches = (section(found.stdout, name) for name in ("api", "wifi", "esp8266", "switch"))
    assert re.search("^  reboot_timeout: 0s$", api, re.MULTILINE)
    assert re.search("^  reboot_timeout: 0s$", wifi, re.MULTILINE)
    assert "early_pin_init: false" in esp8266
    assert "restore_from_flash: true" in esp8266
    assert sorted(re.findall("restore_mode: (.*)", switches)) == ["DISABLED"] * 3 + ["RESTORE_DEFAULT_ON"]


@pytest.mark.parametrize("clock", ["sntp", "homeassistant"])
@pytest.mark.parametrize("board", BOARDS)
def test_the_schedule_is_valid_with_each_clock(esphome: Path, directory: Path, board: str, clock: str) -> None:
    file = directory / board
    text = file.read_text()
    edited = text.replace("  # schedule: !include", "  schedule: !include").replace("platform: sntp", f"platform: {clock}")
    assert edited.count("schedule: !include") == 1 and f"platform: {clock}" in edited
    file.write_text(edited)
    found = config(esphome, file)
    assert found.returncode == 0, found.stdout + found.stderr
    assert re.search(r"switch.turn_on:\s+id: delay_switch\b", section(found.stdout, "time"))
    assert re.search(r"switch.turn_off:\s+id: delay_switch\b", section(found.stdout, "time"))


@pytest.mark.parametrize("board", BOARDS)
def test_secrets_that_were_not_edited_are_refused(esphome: Path, directory: Path, board: str) -> None:
    shutil.copy(TOP / "esphome/secrets.yaml.example", directory / "secrets.yaml")
    found = config(esphome, directory / board)
    assert found.returncode != 0
    assert "encryption" in found.stdout + found.stderr

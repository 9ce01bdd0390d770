"""What a plug's failure is called: one short line in our words, for every error that the library can raise."""

import json
import os
import subprocess

import pytest

from tests.kit import TOP
from tests.plug.plugs import NEWEST, OLDEST, aioesphomeapi

ASK = """
import errno, inspect, json, socket
from types import SimpleNamespace
import aioesphomeapi.core as core
from pimains.core.errors import Away
from pimains.plug.esphome import Address, _explained
LONG = "Error connecting to [AddrInfo(family=<AddressFamily.AF_INET: 2>, type=<SocketKind.SOCK_STREAM: 1>, sockaddr=" + "x" * 300
def made(kind):
    for given in ((LONG,), (), (LONG, "name"), (LONG, "name", "mac"), (1, 2), (SimpleNamespace(address=1, handle=2, error=3),)):
        try:
            return kind(*given)
        except Exception:
            pass
kinds = [kind for _, kind in inspect.getmembers(core, inspect.isclass) if issubclass(kind, core.APIConnectionError)]
said = {}
for kind in kinds:
    said[kind.__name__] = made(kind)
    assert said[kind.__name__] is not None, kind
for number in sorted(errno.errorcode):
    error = core.SocketAPIError(LONG)
    error.__cause__ = OSError(number, LONG)
    said[f"SocketAPIError by {errno.errorcode[number]}"] = error
    said[errno.errorcode[number]] = OSError(number, LONG)
texts = ["Error resolving IP address: " + LONG, "Incompatible API version (APIVersion(major=9, minor=0))."]
for error in (socket.gaierror(-2, LONG), ValueError(LONG), UnicodeError(LONG), OSError(LONG), *map(core.APIConnectionError, texts)):
    said[f"{type(error).__name__} {len(said)}"] = error
ours = core.ReadFailedAPIError(LONG)
ours.__cause__ = Away("more than 64 kB at once: that is no plug")
said["ours"] = ours
print(json.dumps({name: str(_explained(error, Address("sonoffs26.local"))) for name, error in said.items()}))
"""


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_error_of_the_library_is_a_short_line_in_our_words(version: str) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{TOP / 'lib'}:{aioesphomeapi(version)}"}
    asked = subprocess.run(["/usr/bin/python3", "-Pc", ASK], env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert asked.returncode == 0, asked.stderr
    said: dict[str, str] = json.loads(asked.stdout)
    assert len(said) > 250
    for name, line in said.items():
        assert 10 < len(f"sonoffs26.local is away: {line}") <= 120, (name, line)
        assert "xxx" not in line
        assert "AddrInfo" not in line
        assert line.isprintable()
    assert said["SocketAPIError by ECONNREFUSED"] == "nothing listens there: check HOST and PORT, and that its yaml has api:"
    assert said["ResolveAPIError"] == "no address found for it: write its IP address into HOST"
    assert said["ours"] == "more than 64 kB at once: that is no plug"
    assert said["InvalidAuthAPIError"] == "this is not the password of that plug"
    unknown = [name for name, line in said.items() if "LOG_LEVEL=debug" in line and not name.startswith("E")]
    assert len(unknown) < 8, unknown

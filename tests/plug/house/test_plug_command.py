"""pimains plug: from any machine, and with the settings of this one's plug service."""

import json
import os
import subprocess
from pathlib import Path

from tests.kit import TOP, House
from tests.plug.plugs import KEY, aioesphomeapi, house_plug


def pimains_plug(*words: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{TOP / 'lib'}:{aioesphomeapi()}"}
    return subprocess.run(
        ["/usr/bin/python3", "-P", "-m", "pimains.cli", "plug", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_plug_is_switched_off_and_on_and_says_how_it_is(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    with house_plug("--key", KEY) as device:
        where = ("--host=127.0.0.1", f"--port={device.port}", f"--key-file={tmp_path / 'key'}", f"--servicedir={tmp_path}")
        asked = pimains_plug("off", *where)
        assert (asked.returncode, asked.stderr) == (0, "")
        assert asked.stdout == "House plug (127.0.0.1): power on; the Pi is asked to shut down, then the power is cut\n"
        assert "the Pi was asked to shut down" in pimains_plug("status", *where).stdout
        device.tell("press press")
        device.until_said("relay off")
        assert pimains_plug("on", *where).stdout == "House plug (127.0.0.1): power on, cut 120 s after a shutdown\n"
        device.until_said("relay on")
        state = json.loads(pimains_plug("status", "--json", *where).stdout)
        assert (state["relay"], state["delay_switch"], state["counting_down"]) == (True, True, False)


def test_the_local_service_says_which_plug_it_is(house: House) -> None:
    with house_plug("--metering") as device:
        plug = house.add("plug", pythonpath=aioesphomeapi(), HOST="127.0.0.1", PORT=device.port)
        house.until(lambda: plug.status.startswith("connected to"))
        said = pimains_plug("status", f"--servicedir={house.scan}")
        assert said.stdout == "House plug (127.0.0.1): power on, 4.0 W, cut 240 s after a shutdown\n"


def test_trouble_is_one_line_that_says_what_to_do(house: House, tmp_path: Path) -> None:
    with house_plug("--key", KEY) as device:
        line = "the plug wants a key: the one in its yaml, below api: encryption: key:"
        said = pimains_plug("on", "--host=127.0.0.1", f"--port={device.port}", f"--servicedir={tmp_path}")
        assert (said.returncode, said.stderr) == (1, f"pimains: --key-file: {line}\n")
        plug = house.add("plug", HOST="127.0.0.1", PORT=device.port)
        said = pimains_plug("on", f"--servicedir={house.scan}")
        assert said.stderr == f"pimains: {plug.directory}/variables/ENCRYPTION_KEY: {line}\n"
        port = device.port
    gone = pimains_plug("on", "--host=127.0.0.1", f"--port={port}", f"--servicedir={tmp_path}")
    assert gone.returncode == 1
    assert gone.stderr.startswith("pimains: 127.0.0.1: ")
    assert gone.stderr.count("\n") == 1


def test_which_plug_has_to_be_clear(tmp_path: Path) -> None:
    for words, line in (
        (["on"], "pimains: which plug? There is no plug service on this machine: --host=NAME\n"),
        (["on", "--instance=attic"], f"pimains: {tmp_path} has no plug service 'attic'\n"),
        (["on", "--host=a b"], "pimains: --host: 'a b' is no host (a name such as plug.local, or an IP address)\n"),
        (["on", "--host=a", "--port=x"], "pimains: --port: 'x' is no port (1-65535)\n"),
        (["on", "--host=a", "--key-file=/nowhere"], "pimains: /nowhere: no such file or directory\n"),
    ):
        said = pimains_plug(*words, f"--servicedir={tmp_path}")
        assert (said.returncode, said.stderr) == (1, line)

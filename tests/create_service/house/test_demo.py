"""create_service --demo, as somebody would run it who wants to see before they trust; the packages are tested elsewhere."""

import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

from tests.kit import TOP, until
from tests.plug.plugs import aioesphomeapi


def demo(temporary: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [TOP / "create_service", "--demo", "--no-install"],
        env={**os.environ, "PYTHONPATH": aioesphomeapi(), "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def supervised_in(directory: Path) -> list[str]:
    """What still runs with something of `directory` in its command line or as its working directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(directory) in (process / "cmdline").read_text(errors="replace") or str(directory) in str((process / "cwd").readlink()):
                found.append((process / "cmdline").read_text(errors="replace").replace("\0", " "))
        except OSError:
            continue
    return found


def test_the_demo_switches_a_plug_off_shuts_a_pi_down_tells_why_and_leaves_nothing() -> None:
    with tempfile.TemporaryDirectory(prefix="pimains-demo-test-") as temporary:
        Path(temporary).chmod(0o755)
        said, _ = demo(Path(temporary)).communicate(timeout=300)
        assert "halt: shut down, because Delay Switch of House plug was switched off" in said
        assert re.search("plug: cut the power in [0-9]+ s, because Delay Switch of House plug was switched off", said)
        assert re.search(r"A year of readings, and pulses as they come: look at http://127.0.0.1:[0-9]+/", said)
        assert re.search(r"collector +collector +up .* http://127.0.0.1:[0-9]+, 1 source, last reading", said)
        assert re.search(r"meter +meter +up", said)
        assert re.search(r"house +[▁-█]{12}\nmonth +kWh +€\n", said)
        assert re.search(r"vedirect.mppt +vedirect +up .* solar charger HQ9999ABCDE: bulk, [0-9]+ W from the panels", said)
        assert re.search(r"vedirect.bmv +vedirect +up .* BMV-712 Smart: [0-9.]+ %", said)
        assert "last error" not in said
        assert "relay off: idle for 10 s" in said
        assert said.index("somebody switches the plug off") < said.index("why halt") < said.index("That was it")
        assert list(Path(temporary).iterdir()) == []
        assert supervised_in(Path(temporary)) == []


def test_the_demo_cleans_up_when_it_is_interrupted() -> None:
    with tempfile.TemporaryDirectory(prefix="pimains-demo-test-") as temporary:
        Path(temporary).chmod(0o755)
        process = demo(Path(temporary))
        until(lambda: list(Path(temporary).glob("*/run/pimains/plug/status")), what="plug to start")
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=200)
        assert process.returncode == 130
        assert "Stopped and cleaned up" in said
        assert list(Path(temporary).iterdir()) == []
        assert supervised_in(Path(temporary)) == []

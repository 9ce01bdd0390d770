"""What libraries warn other authors of reaches neither the log of a service nor the terminal of a command."""

import subprocess
from pathlib import Path

import pytest

from tests.core.lamp import Checkout

WARNS = """
import warnings

for each in (FutureWarning, DeprecationWarning, UserWarning, RuntimeWarning, ResourceWarning):
    warnings.warn(f"a {each.__name__} of a library", each, stacklevel=1)
"""


@pytest.fixture
def warning(checkout: Checkout) -> Checkout:
    """With a lamp whose library warns while it is imported."""
    path = checkout.top / "lib/pimains/lamp/settings.py"
    path.write_text(path.read_text() + WARNS)
    checkout.add("--host=lamp.lan")
    return checkout


def service(checkout: Checkout, **environment: str) -> str:
    """What it says until it has found a wrong setting."""
    (checkout.root / "run/pimains").mkdir(parents=True, exist_ok=True)
    settings = {"PYTHONPATH": str(checkout.top / "lib"), "PIMAINS_ROOT": str(checkout.root), "PATH": "/usr/bin:/bin", **environment}
    with subprocess.Popen(
        ["/usr/bin/python3", "-Pu", "-m", "pimains.lamp.service"],
        cwd=checkout.servicedir / "lamp",
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as started:
        lines = []
        for line in started.stdout or ():
            lines.append(line)
            if "PORT" in line:
                started.terminate()
        return "".join(lines)


def test_a_service_logs_none_of_them(warning: Checkout) -> None:
    path: Path = warning.servicedir / "lamp/variables/PORT"
    assert service(warning, HOST="h", PORT="x", ON_LOST="ignore") == f"{path}: 'x' is no port (1-65535)\n"


def test_a_service_logs_them_where_debug_is_asked_for(warning: Checkout) -> None:
    assert "FutureWarning: a FutureWarning of a library" in service(warning, HOST="h", PORT="x", ON_LOST="ignore", LOG_LEVEL="debug")


def test_a_command_shows_none_of_them(warning: Checkout) -> None:
    said = warning.create_service("--show=lamp")
    assert (said.code, said.err) == (0, "")

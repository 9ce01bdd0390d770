"""Tab completion, in a real bash."""

import contextlib
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from pimains.cli.verbs import VERBS
from pimains.core import templates
from pimains.create_service import arguments
from tests.core.lamp import Checkout
from tests.kit import TOP, until

COMPLETIONS = TOP / "debian/bash-completion"


def completed(line: str, file: str = "create_service", **environment: str) -> list[str]:
    """What bash offers when TAB is pressed at the end of `line`."""
    press = 'source "$1/$2"; COMP_WORDBREAKS=$\' \\t\\n"=:\'; COMP_LINE=$3 COMP_POINT=${#3}; "_$2"; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "--norc", "-c", press, "bash", COMPLETIONS, file, line],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_the_options_of_create_service_are_all_there(checkout: Checkout) -> None:
    offered = {word.rstrip("=") for word in completed(f"{checkout.top}/create_service ")}
    names = (*arguments.ACTIONS, *arguments.WITH_A_VALUE, *arguments.WITHOUT_A_VALUE)
    assert offered == {f"--{name}" for name in names}
    assert "--down" in completed(f"{checkout.top}/create_service --d")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("--service_name=l", ["lamp"]),
        ("--service-name l", ["lamp"]),
        ("--service_name=lamp --h", ["--help", "--host="]),
        ("--service_name=lamp --LCD", []),
        ("--service_name=lamp --lcd", ["--lcd_host="]),
        ("--service_name lamp --on_lost ", ["ignore", "shutdown"]),
        ("--service_name=lamp --on-lost=s", ["shutdown"]),
        ("--service_name=lamp --stubborn=", ["0", "1"]),
        ("--service_name=lamp --down --lcd", ["--lcd_host="]),
        ("--service_name=lamp --host=", []),
        ("--user=", ["pimains"]),
        ("--servicedir=SCAN --instance=h", ["hall"]),
        ("--servicedir=SCAN --show=h", ["hall", "halt"]),
        ("--servicedir=SCAN --instance=hall --on", ["--on_lost="]),
        ("--servicedir=/usr/shar", ["/usr/share"]),
        ("--service_name=lamp --encryption_key=@SCAN/hall/ru", ["@SCAN/hall/run"]),
    ],
)
def test_what_is_offered_comes_from_the_templates(checkout: Checkout, typed: str, offered: list[str]) -> None:
    assert checkout.add("--instance=hall", "--host=h").code == 0
    scan = str(checkout.servicedir)
    assert completed(f"{checkout.top}/create_service {typed.replace('SCAN', scan)}") == [word.replace("SCAN", scan) for word in offered]


@pytest.mark.parametrize("service", list(templates.all_of_them()))
def test_every_choice_of_every_service_is_offered(service: str) -> None:
    for name, setting in templates.all_of_them()[service].settings().declared().items():
        words = re.split(r", | or ", setting.allowed.removesuffix(", or empty")) if setting.kind == "choice" else []
        assert completed(f"{TOP}/create_service --service_name={service} --{name.lower()}=") in (words, sorted(words), ["0", "1"]), name


def test_pimains_offers_its_verbs_and_what_they_may_be_told(checkout: Checkout) -> None:
    pimains = f"{TOP}/debian/bin/pimains"
    assert set(completed(f"{pimains} ", "pimains")) == {*VERBS, "--help", "--version"}
    assert completed(f"{pimains} sta", "pimains") == ["status"]
    checkout.add("--instance=hall", "--host=h")
    assert "hall" in completed(f"{pimains} status --servicedir={checkout.servicedir} ", "pimains")
    for verb in VERBS:
        told = subprocess.run([pimains, verb, "--help"], capture_output=True, text=True, check=False).stdout
        options = set(re.findall(r"(?<=[ \[])--[a-z][a-z-]*", told))
        assert options - set(completed(f"{pimains} {verb} --", "pimains")) == set(), verb


def test_pimains_offers_what_a_verb_does_and_files_to_import(tmp_path: Path) -> None:
    (tmp_path / "power.rrd").touch()
    assert completed(f"{TOP}/debian/bin/pimains energy import {tmp_path}/po", "pimains") == [f"{tmp_path}/power.rrd"]
    assert completed(f"{TOP}/debian/bin/pimains energy f", "pimains") == ["forget-import"]
    assert {"on", "off"} <= set(completed(f"{TOP}/debian/bin/pimains plug o", "pimains"))


def test_pimains_why_offers_what_the_ledger_knows(tmp_path: Path) -> None:
    write = "from pimains.core.ledger import Ledger; Ledger().record('lamp', 'off', 'somebody asked')"
    environment = {"PIMAINS_ROOT": str(tmp_path), "PYTHONPATH": str(TOP / "lib")}
    subprocess.run(["/usr/bin/python3", "-c", write], check=True, env={**os.environ, **environment})
    assert completed(f"{TOP}/debian/bin/pimains why l", "pimains", **environment) == ["lamp"]


def test_a_person_at_a_terminal_presses_tab(checkout: Checkout) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], {**os.environ, "PS1": "> ", "TERM": "dumb", "INPUTRC": "/dev/null"})
    os.set_blocking(terminal, False)
    screen = ""

    def shows(text: str) -> bool:
        nonlocal screen
        with contextlib.suppress(BlockingIOError):
            screen += os.read(terminal, 65536).decode()
        return text in screen

    try:
        os.write(terminal, f"source {COMPLETIONS}/create_service; cd {checkout.top}\n".encode())
        os.write(terminal, b"./create_service --service_n\tla\t--on\tsh\t--down")
        until(lambda: shows("./create_service --service_name=lamp --on_lost=shutdown --down"), what="the line to be completed")
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)

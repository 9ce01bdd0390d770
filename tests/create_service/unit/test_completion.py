"""Tab completion, in a real bash."""

import contextlib
import importlib.util
import os
import pty
import re
import shutil
import subprocess
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from pimains.cli.verbs import VERBS
from pimains.core import templates
from pimains.create_service import arguments
from tests.core.lamp import Checkout
from tests.kit import TOP, until

SOURCES = TOP / "debian/bash-completion"
FILES = ("create_service", "pimains")
Completed = Callable[..., list[str]]


def made(checkout: Checkout, directory: Path) -> subprocess.CompletedProcess[str]:
    """What debian/bash-completion/make of this checkout said, once it has written into `directory`."""
    shutil.copytree(SOURCES, checkout.top / "debian/bash-completion", dirs_exist_ok=True)
    return subprocess.run([checkout.top / "debian/bash-completion/make", directory], capture_output=True, text=True, check=False)


def load_make() -> ModuleType:
    loader = SourceFileLoader("make_completion", str(SOURCES / "make"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("make_completion", loader))  # type: ignore[arg-type]
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def completions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both files, made from a checkout with the lamp that is gone when TAB is pressed: nothing of it can be read then."""
    top = tmp_path_factory.mktemp("completions")
    checkout = Checkout(top)
    done = made(checkout, top / "complete")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    shutil.rmtree(checkout.top)
    return top / "complete"


@pytest.fixture
def completed(completions: Path) -> Completed:
    """What bash offers when TAB is pressed at the end of a line."""
    return partial(offered_by, completions)


def offered_by(completions: Path, line: str, file: str = "create_service", **environment: str) -> list[str]:
    # bash-completion reads a file from within a function, too, where what is declared is local unless it says otherwise
    load = 'load() { source "$1/$2"; }; load "$@"; '
    press = 'COMP_WORDBREAKS=$\' \\t\\n"=:\'; COMP_LINE=$3 COMP_POINT=${#3}; "_$2"; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "--norc", "-c", load + press, "bash", completions, file, line],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    assert done.stderr == ""
    return done.stdout.split()


def help_of(verb: str) -> str:
    words = [TOP / "debian/bin/pimains", verb, "--help"]
    environment = {**os.environ, "PYTHONPATH": str(TOP / "lib")}
    return subprocess.run(words, capture_output=True, text=True, check=True, env=environment).stdout


def test_the_options_of_create_service_are_all_there(checkout: Checkout, completed: Completed) -> None:
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
def test_what_is_offered_comes_from_the_templates(checkout: Checkout, completed: Completed, typed: str, offered: list[str]) -> None:
    assert checkout.add("--instance=hall", "--host=h").code == 0
    scan = str(checkout.servicedir)
    assert completed(f"{checkout.top}/create_service {typed.replace('SCAN', scan)}") == [word.replace("SCAN", scan) for word in offered]


@pytest.mark.parametrize("service", list(templates.all_of_them()))
def test_every_choice_of_every_service_is_offered(completed: Completed, service: str) -> None:
    for name, setting in templates.all_of_them()[service].settings().declared().items():
        words = re.split(r", | or ", setting.allowed.removesuffix(", or empty")) if setting.kind == "choice" else []
        assert completed(f"{TOP}/create_service --service_name={service} --{name.lower()}=") in (words, sorted(words), ["0", "1"]), name
        yes_or_no = completed(f"{TOP}/create_service --service_name={service} --{name.lower()} ") == ["0", "1"]
        assert yes_or_no == (setting.kind == "yes or no"), name


def test_pimains_offers_its_verbs_and_what_they_may_be_told(checkout: Checkout, completed: Completed) -> None:
    pimains = f"{TOP}/debian/bin/pimains"
    assert set(completed(f"{pimains} ", "pimains")) == {*VERBS, "--help", "--version"}
    assert completed(f"{pimains} sta", "pimains") == ["status"]
    checkout.add("--instance=hall", "--host=h")
    assert "hall" in completed(f"{pimains} status --servicedir={checkout.servicedir} ", "pimains")
    for verb in VERBS:
        told = help_of(verb)
        options = set(re.findall(r"(?<=[ \[])--[a-z][a-z_-]*", told))
        assert options - set(completed(f"{pimains} {verb} --", "pimains")) == set(), verb


def test_every_choice_of_a_verb_and_of_its_options_is_offered(completed: Completed) -> None:
    pimains, found = f"{TOP}/debian/bin/pimains", set()
    for verb in VERBS:
        told = help_of(verb)
        for option, listed in re.findall(r"^  (--[a-z-]+) \{([^}]+)\}", told, re.MULTILINE):
            words = listed.split(",")
            assert completed(f"{pimains} {verb} {option} ", "pimains") == words
            assert completed(f"{pimains} {verb} {option}={words[0][0]}", "pimains") == [words[0]]
            found.add(f"{verb} {option}")
        for listed in re.findall(r"^  \{?([a-z-]+(?:[|,][a-z-]+)+)\b", told, re.MULTILINE):
            assert [word for word in completed(f"{pimains} {verb} ", "pimains") if word[0] != "-"] == re.split("[|,]", listed)
            found.add(verb)
    assert {"backup", "energy", "energy --unit", "meter", "plug"} <= found


def test_what_subcommands_of_a_verb_may_be_told_is_among_its_words() -> None:
    parser = ArgumentParser()
    inner = parser.add_subparsers()
    inner.add_parser("show").add_argument("--as", choices=("text", "json"))
    inner.add_parser("set").add_argument("level", choices=(0, 1))
    make = load_make()
    assert make.words(parser) == ["--help", "show", "set", "--as", "0", "1"]
    assert make.choices(parser) == {"--as": ["text", "json"]}


def test_pimains_offers_what_a_verb_does_and_files_to_import(completed: Completed, tmp_path: Path) -> None:
    (tmp_path / "power.rrd").touch()
    assert completed(f"{TOP}/debian/bin/pimains energy import {tmp_path}/po", "pimains") == [f"{tmp_path}/power.rrd"]
    assert completed(f"{TOP}/debian/bin/pimains energy f", "pimains") == ["forget-import"]
    assert {"on", "off"} <= set(completed(f"{TOP}/debian/bin/pimains plug o", "pimains"))
    assert completed(f"{TOP}/debian/bin/pimains help co", "pimains") == ["collector"]


def test_pimains_ups_host_offers_what_it_does_and_the_hosts_there_are(completed: Completed, tmp_path: Path) -> None:
    (tmp_path / "ups/hosts/nas").mkdir(parents=True)
    (tmp_path / "ups/hosts/pc").mkdir()
    (tmp_path / "ups/hosts/.tv+new").mkdir()
    assert completed("pimains ups host ", "pimains") == ["add", "remove", "list", "check"]
    assert completed("pimains ups host re", "pimains") == ["remove"]
    for word in ("add", "remove", "list", "check"):
        assert completed(f"pimains ups --servicedir={tmp_path} host {word} ", "pimains") == ["nas", "pc"]
    assert completed(f"pimains ups --servicedir={tmp_path} host check p", "pimains") == ["pc"]
    assert "--accept" in completed("pimains ups host add nas --", "pimains")
    assert completed(f"pimains ups --servicedir={tmp_path} host add tv --after=", "pimains") == ["nas", "pc"]
    (tmp_path / "ups/variables").mkdir()
    (tmp_path / "ups/variables/UPS").write_text("eaton@localhost cellar@nas.lan:3493 *\nIn words.\n")
    assert completed(f"pimains ups --servicedir={tmp_path} host add tv --ups=", "pimains") == ["eaton", "cellar", "\\*"]
    assert completed(f"pimains ups --servicedir={tmp_path} host add tv --ups=c", "pimains") == ["cellar"]


def test_pimains_why_offers_what_the_ledger_knows(completed: Completed, tmp_path: Path) -> None:
    write = "from pimains.core.ledger import Ledger; Ledger().record('lamp', 'off', 'somebody asked')"
    environment = {"PIMAINS_ROOT": str(tmp_path), "PYTHONPATH": str(TOP / "lib")}
    subprocess.run(["/usr/bin/python3", "-c", write], check=True, env={**os.environ, **environment})
    assert completed(f"{TOP}/debian/bin/pimains why l", "pimains", **environment) == ["lamp"]


def test_a_name_that_a_shell_would_run_is_offered_in_quotes(completed: Completed, tmp_path: Path) -> None:
    name, quoted = "$(echo>$RAN)", r"\$\(echo\>\$RAN\)"
    (tmp_path / "scan" / name).mkdir(parents=True)
    (tmp_path / "scan" / name / "run").symlink_to("/usr/share/pimains/services/halt/run")
    write = "import sys; from pimains.core.ledger import Ledger; Ledger().record(sys.argv[1], 'off', 'somebody asked')"
    environment = {"PIMAINS_ROOT": str(tmp_path), "PYTHONPATH": str(TOP / "lib"), "RAN": str(tmp_path / "ran")}
    subprocess.run(["/usr/bin/python3", "-c", write, name], check=True, env={**os.environ, **environment})
    assert quoted in completed("pimains why ", "pimains", **environment)
    assert quoted in completed(f"pimains status --servicedir={tmp_path}/scan ", "pimains", **environment)
    assert completed(f"create_service --servicedir={tmp_path}/scan --instance=", **environment) == [quoted]
    assert quoted in completed(f"create_service --servicedir={tmp_path}/scan --show ", **environment)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("file", FILES)
def test_bash_and_shellcheck_find_nothing_in_what_is_made(completions: Path, file: str) -> None:
    for words in (["bash", "-n"], ["shellcheck"]):
        found = subprocess.run([*words, completions / file], capture_output=True, text=True, check=False)
        assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_no_python_source_is_read_and_python_runs_for_the_ledger_alone(completions: Path) -> None:
    texts = [path.read_text() for path in (*SOURCES.iterdir(), *completions.iterdir()) if path.is_file()]
    assert len(texts) >= 6
    assert [text for text in texts if re.search(r"\.py\b|dist-packages", text)] == []
    assert [(completions / file).read_text().count("python") for file in FILES] == [0, 1]


def test_make_says_where_there_is_no_place_for_what_is_declared(checkout: Checkout, tmp_path: Path) -> None:
    assert made(checkout, tmp_path).returncode == 0
    bash = checkout.top / "debian/bash-completion/pimains"
    bash.write_text(bash.read_text().replace("_pimains_choices=()\n", "_pimains_choices=\n"))
    done = subprocess.run([checkout.top / "debian/bash-completion/make", tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "debian/bash-completion/pimains has no line _pimains_choices=()\n")


def test_a_person_at_a_terminal_presses_tab(checkout: Checkout, completions: Path) -> None:
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
        os.write(terminal, f"source {completions}/create_service; cd {checkout.top}\n".encode())
        os.write(terminal, b"./create_service --service_n\tla\t--on\tsh\t--down")
        until(lambda: shows("./create_service --service_name=lamp --on_lost=shutdown --down"), what="the line to be completed")
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)

"""README and man pages name every service, setting, verb and option, and their commands are understood as written."""

import argparse
import importlib
import importlib.util
import re
import shlex
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from pimains.cli.main import VERBS, module_of
from pimains.core import templates
from pimains.create_service import arguments
from tests.kit import TOP

README = (TOP / "README.md").read_text()
SERVICES = templates.all_of_them()
SETTINGS = [(service, name) for service, template in SERVICES.items() for name in template.variables()]


def load_make() -> ModuleType:
    loader = SourceFileLoader("make_man", str(TOP / "debian/man/make"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("make_man", loader))  # type: ignore[arg-type]
    loader.exec_module(module)
    return module


PAGES: dict[str, str] = load_make().pages()


def section_of(service: str) -> str:
    return re.split(r"^##", README.partition(f"\n### {service}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_a_section_in_the_readme_and_a_man_page(service: str) -> None:
    assert section_of(service), f"README.md has no section ### {service}"
    assert f"pimains-{service}.8" in PAGES, f"debian/man/pimains-{service}.8 is missing"


@pytest.mark.parametrize(("service", "setting"), SETTINGS)
def test_every_setting_is_in_the_readme_and_in_its_man_page(service: str, setting: str) -> None:
    hint = f"put <!-- settings of {service} --> there and run debian/man/make --readme"
    assert f"| `{setting}` |" in section_of(service), hint
    assert f".B {setting}\n" in PAGES[f"pimains-{service}.8"], f'the page needs a line .\\" settings of {service}'


def test_the_tables_of_settings_in_the_readme_are_as_the_variables_say() -> None:
    assert load_make().readme(README) == README, "run debian/man/make --readme"
    assert README.count("| Setting | Default | What it says |") == len(SERVICES), "a table is there twice"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_in_the_readme_and_in_the_man_page(verb: str) -> None:
    assert f"pimains {verb}" in README
    assert re.search(rf"^\.B(R?) pimains {verb}$", PAGES["pimains.1"], re.MULTILINE)
    assert f"\n.B {verb}\n" in PAGES["pimains.1"]


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_of_a_verb_is_in_the_man_page(verb: str) -> None:
    parser = argparse.ArgumentParser()
    importlib.import_module(module_of(verb)).arguments(parser)
    options = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    assert {option for option in options if option.replace("-", r"\-") not in PAGES["pimains.1"]} == set()


@pytest.mark.parametrize("option", [*arguments.ACTIONS, *arguments.WITH_A_VALUE, *arguments.WITHOUT_A_VALUE])
def test_every_option_of_create_service_is_in_its_man_page(option: str) -> None:
    written = "--".replace("-", r"\-") + option.replace("-", r"\-")
    assert re.search(rf"^\.BI? {re.escape(written)}\b", PAGES["create_service.8"], re.MULTILINE)


def commands(program: str) -> list[str]:
    """Every command of `program` that the README shows, in a block or in a table."""
    blocks = "\n".join(re.findall(r"^ *```sh\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)).splitlines()
    inline = [cell for line in README.splitlines() if line.startswith("|") for cell in re.findall(r"`([^`]+)`", line)]
    found = [re.sub(r"^ *(sudo )?(\./)?", "", line) for line in (*blocks, *inline)]
    return sorted({line for line in found if line.split()[:1] == [program]})


def test_commands_are_found_in_the_readme() -> None:
    assert len(commands("pimains")) >= 5
    assert len(commands("create_service")) >= 5


TOKENS = "/etc/pimains/tokens/"  # README's commands read from there, too


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the files of secrets that the README speaks of."""
    monkeypatch.chdir(tmp_path)
    for name in re.findall(rf"=@(?:{TOKENS})?([a-z.-]+)", README):
        (tmp_path / name).write_text("qwvQ5x3p0Hq3n1k1Fz5kXJgqkU2oJ2Zr2dQ1v7s6bXo=\n")
    return tmp_path


@pytest.mark.parametrize("command", commands("pimains"))
def test_every_pimains_command_in_the_readme_is_understood(command: str) -> None:
    _, verb, *words = shlex.split(command)
    module = importlib.import_module(module_of(verb))
    parser = argparse.ArgumentParser(prog=f"pimains {verb}")
    module.arguments(parser)
    parser.parse_args(words)


@pytest.mark.parametrize("command", commands("create_service"))
def test_every_create_service_command_in_the_readme_is_understood(command: str, here: Path) -> None:
    words = arguments.parse(shlex.split(command.replace(f"@{TOKENS}", "@"))[1:])
    service = words.own.get("service_name")
    if service is None:
        assert not words.others
        return
    template = SERVICES[service]
    given = arguments.settings_given(template, words)
    if "add-service" in words.own and "apply" not in words.own:
        defaults = {each.name: each.default for each in template.variables().values()}
        arguments.check_all(template, {**defaults, **template.settings().made_up(given), **given})


def test_every_file_that_the_readme_links_to_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (TOP / target).exists(), target


def is_understood(check: Callable[[], object]) -> bool:
    try:
        check()
    except (SystemExit, Exception):
        return False
    return True


def test_a_command_with_a_mistake_would_be_found(here: Path) -> None:
    halt = SERVICES["halt"]
    assert not is_understood(lambda: arguments.settings_given(halt, arguments.parse(["--halt_comand=x"])))

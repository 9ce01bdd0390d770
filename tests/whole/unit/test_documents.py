"""README, manuals and man pages name every service, setting, verb and option, once, and their commands are understood as written."""

import argparse
import importlib
import importlib.util
import re
import shlex
import subprocess
from collections import defaultdict
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

from pimains.cli.verbs import VERBS, module_of
from pimains.core import templates
from pimains.create_service import arguments
from tests.fserver.music import AUTO_MAP, AUTO_MASTER
from tests.kit import TOP

SERVICES = templates.all_of_them()
SETTINGS = [(service, name) for service, template in SERVICES.items() for name in template.variables()]
README = (TOP / "README.md").read_text()
MANUALS = {service: (TOP / "services" / service / "README.md").read_text() for service in SERVICES}
DOCUMENTS = {"README.md": README, **{f"services/{service}/README.md": text for service, text in MANUALS.items()}}


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """The man pages as they are installed, by name."""
    loader = SourceFileLoader("make_man", str(TOP / "debian/man/make"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("make_man", loader))  # type: ignore[arg-type]
    loader.exec_module(module)
    made: dict[str, str] = module.pages()
    return made


def test_the_readme_is_a_page_of_at_most_300_lines() -> None:
    assert len(README.splitlines()) <= 300


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_a_manual_a_man_page_and_a_line_in_the_readme(service: str, pages: dict[str, str]) -> None:
    assert f"| [{service}](services/{service}/README.md) |" in README
    chapters = re.findall(r"^## (.+)", MANUALS[service], re.MULTILINE)
    assert {"How to begin", "Examples", "Files", "What goes wrong"} - set(chapters) == set()
    assert f"\n.BR pimains\\-{service} (8),\n" in pages["pimains.1"]
    page = pages[f"pimains-{service}.8"]
    assert f"pimains-{service} \\- {SERVICES[service].purpose()}\n" in page
    titles = {line.removeprefix(".SH").strip() for line in re.findall(r"^\.SH(?: .+|\n.+)", page, re.MULTILINE)}
    assert {"NAME", "SYNOPSIS", "DESCRIPTION", "SETTINGS", *(chapter.upper() for chapter in chapters)} - titles == set()


@pytest.mark.parametrize(("service", "setting"), SETTINGS)
def test_every_setting_is_in_the_man_page_with_what_its_variable_says(service: str, setting: str, pages: dict[str, str]) -> None:
    settings = pages[f"pimains-{service}.8"].partition("SETTINGS\n")[2]
    plain = re.sub(r"\\f(?:\(CR|.)|\\&", "", settings).replace(r"\e", "\\").replace(r"\(dq", '"')
    _, _, meaning = plain.partition(f"\n{setting}\n")
    expected = " ".join(SERVICES[service].variables()[setting].meaning.split())
    assert expected in " ".join(meaning.split())[: len(expected) + 100]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_in_the_readme_and_in_the_man_page(verb: str, pages: dict[str, str]) -> None:
    assert f"pimains {verb}" in README
    assert re.search(rf"^\.B(R?) pimains {verb}$", pages["pimains.1"], re.MULTILINE)
    assert f"\n.B {verb}\n" in pages["pimains.1"]


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_of_a_verb_is_in_the_man_page(verb: str, pages: dict[str, str]) -> None:
    parser = argparse.ArgumentParser()
    module_of(verb).arguments(parser)
    options = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    assert {option for option in options if option.replace("-", r"\-") not in pages["pimains.1"]} == set()


@pytest.mark.parametrize("option", [*arguments.ACTIONS, *arguments.WITH_A_VALUE, *arguments.WITHOUT_A_VALUE])
def test_every_option_of_create_service_is_in_its_man_page(option: str, pages: dict[str, str]) -> None:
    written = "--".replace("-", r"\-") + option.replace("-", r"\-")
    assert re.search(rf"^\.BI? {re.escape(written)}\b", pages["create_service.8"], re.MULTILINE)


def without_commands(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```\n", "", text, flags=re.MULTILINE | re.DOTALL)


def commands(program: str) -> list[str]:
    """Every command of `program` that a document shows, in a block or within a sentence."""
    found = []
    for text in DOCUMENTS.values():
        found += "\n".join(re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)).splitlines()
        found += [" ".join(words.split()) for words in re.findall(r"`([^`]+)`", without_commands(text))]
    plain = [re.sub(r"^ *(sudo )?(\./)?", "", line) for line in found]
    return sorted({line for line in plain if line.split()[:1] == [program] and line != program})


def test_commands_are_found_in_the_documents() -> None:
    assert len(commands("pimains")) >= 40
    assert len(commands("create_service")) >= 25


TOKENS = "/etc/pimains/tokens/"  # the collector's commands read from there, too


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the files of secrets that the documents speak of."""
    monkeypatch.chdir(tmp_path)
    for name in re.findall(rf"=@(?:{TOKENS})?([a-z.-]+)", "".join(DOCUMENTS.values())):
        (tmp_path / name).write_text("qwvQ5x3p0Hq3n1k1Fz5kXJgqkU2oJ2Zr2dQ1v7s6bXo=\n")
    return tmp_path


@pytest.mark.parametrize("command", commands("pimains"))
def test_every_pimains_command_in_the_documents_is_understood(command: str) -> None:
    _, verb, *words = shlex.split(re.sub(r" > \S+$", "", command))
    module = module_of(verb)
    parser = argparse.ArgumentParser(prog=f"pimains {verb}")
    module.arguments(parser)
    if words == ["--help"]:
        assert parser.format_help()
        return
    parser.parse_intermixed_args(words)


@pytest.mark.parametrize("command", commands("create_service"))
def test_every_create_service_command_in_the_documents_is_understood(command: str, here: Path) -> None:
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


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_links_to_is_there(document: str) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", DOCUMENTS[document]):
        assert ((TOP / document).parent / target).exists(), target


def test_every_program_that_measured_something_is_there() -> None:
    programs = re.findall(r"(?<=`)tests/[a-z_./]+", (TOP / "tests/README.md").read_text())
    assert len(set(programs)) > 15
    assert [program for program in programs if not (TOP / program).exists()] == []


def is_understood(check: Callable[[], object]) -> bool:
    try:
        check()
    except (SystemExit, Exception):
        return False
    return True


def test_a_command_with_a_mistake_would_be_found(here: Path) -> None:
    halt = SERVICES["halt"]
    assert not is_understood(lambda: arguments.settings_given(halt, arguments.parse(["--halt_comand=x"])))


def sentences(text: str) -> set[str]:
    """The sentences of a document that are long enough to be nobody's idiom: seven words or more, without their marks."""
    plain = re.sub(r"\\f(?:\(CR|.)|\\[&c]|\]\([^)]*\)", "", without_commands(text)).replace(r"\-", "-")
    plain = re.sub(r"^(?:\.[A-Z]+|[-|>#*]|\d+\.)+ ?", "", plain, flags=re.MULTILINE)
    found = (" ".join(re.findall(r"[\w'/.-]*\w", each)).lower() for each in re.split(r"[.:;|](?=\s)|\n\n", plain))
    return {each for each in found if len(each.split()) >= 7}


def test_a_description_does_not_stand_twice() -> None:
    written = {name: sentences(text) for name, text in DOCUMENTS.items()}
    written |= {name: sentences((TOP / name).read_text()) for name in ("tests/README.md", "esphome/README.md")}
    written |= {page.name: sentences(page.read_text()) for page in (TOP / "debian/man").glob("*.[1-9]")}
    for service, template in SERVICES.items():
        told = (sentences(f"{variable.meaning}\n") for variable in template.variables().values())
        written.setdefault("variables/", set()).update(*told)
        written[f"lib: {service}"] = sentences(importlib.import_module(f"pimains.{service}.service").__doc__ or "")
    places = defaultdict(list)
    for name, found in written.items():
        for each in found:
            places[each].append(name)
    assert {each: names for each, names in places.items() if len(names) > 1} == {}


def test_no_table_of_settings_is_in_git() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=TOP, capture_output=True, check=True
    )
    texts = {name: (TOP / name).read_text() for name in listed.stdout.decode().splitlines() if (TOP / name).is_file()}
    assert len(texts) > len(SERVICES)
    of_its_own = {
        name: re.findall(r"^\|? *`?([A-Z][A-Z0-9_]+)`? *\| *`?[^|]*`? *\| *[A-Z0-9].{30}", text, re.MULTILINE)
        for name, text in texts.items()
    }
    assert {name: found for name, found in of_its_own.items() if set(found) & {setting for _, setting in SETTINGS}} == {}


def test_the_maps_of_autofs_in_the_manual_are_those_that_machines_are_booted_with() -> None:
    manual = (TOP / "services/fclient/README.md").read_text()
    assert f"/etc/auto.master.d/mpd.autofs    {AUTO_MASTER}\n" in manual
    assert f"/etc/autofs.mounts    {AUTO_MAP}\n" in manual

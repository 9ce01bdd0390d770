"""pimains help: the manual of a service as text, from its README.md and its variables/."""

import os
import subprocess
from pathlib import Path

import pytest

from pimains.cli.verbs import VERBS
from pimains.core import templates
from tests.core.lamp import Checkout
from tests.kit import TOP

SERVICES = templates.all_of_them()


def pimains_help(*words: str, top: Path = TOP) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(top / "lib")}
    words = (str(TOP / "debian/bin/pimains"), "help", *words)
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_of_a_service_is_told_with_what_it_means(service: str) -> None:
    told = pimains_help(service)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith(f"{service}: {SERVICES[service].purpose()}\n\n")
    for name, variable in SERVICES[service].variables().items():
        _, _, meaning = told.stdout.partition(f"\n{name}\n    ")
        assert " ".join(meaning.split()).startswith(" ".join(variable.meaning.split())), name


@pytest.mark.parametrize("service", SERVICES)
def test_every_chapter_of_its_readme_is_told_and_no_link_of_the_web(service: str) -> None:
    told = pimains_help(service).stdout
    chapters = [line for line in (TOP / "services" / service / "README.md").read_text().splitlines() if line.startswith("## ")]
    shown = [line for line in told.splitlines() if line.startswith("## ")]
    assert [line for line in shown if line != "## Settings"] == chapters
    assert shown.index("## Settings") + 1 == shown.index("## Files")
    assert "README.md)" not in told
    assert "![" not in told


def test_a_picture_is_left_out_and_a_link_becomes_words(checkout: Checkout) -> None:
    told = pimains_help("lamp", top=checkout.top).stdout
    before, settings, after = told.partition("## Settings\n\n")
    assert before == (
        "lamp: lights the hall\n\nLights the pimains-halt(8) for whoever\ncomes in.\n\n## How to begin\n\nPress the button.\n\n"
    )
    assert settings
    assert "PORT\n    TCP port, 1-65535. Default: 6053.\n" in after
    assert "HOST\n    The lamp: a name or an IP address. Default: empty.\n" in after
    assert after.endswith("\n\n## Files\n\n- the hall\n")


def test_without_a_name_services_and_verbs_are_listed() -> None:
    told = [line.split(maxsplit=1) for line in pimains_help().stdout.splitlines() if line.startswith("  ")]
    assert told == [[name, meaning] for name, meaning in [*((name, each.purpose()) for name, each in SERVICES.items()), *VERBS.items()]]


def test_of_a_verb_that_is_no_service_the_options_are_told() -> None:
    told = pimains_help("why")
    assert (told.returncode, told.stdout.splitlines()[0]) == (0, "usage: pimains why [-h] [--limit N] [--json] [SUBJECT]")
    assert "pimains meter --help" in pimains_help("meter").stdout
    assert "pimains update --help" not in pimains_help("update").stdout


def test_an_unknown_name_is_answered_in_one_line_with_what_there_is() -> None:
    told = pimains_help("plugg")
    assert (told.returncode, told.stdout, len(told.stderr.splitlines())) == (1, "", 1)
    for name in (*SERVICES, *VERBS):
        assert name in told.stderr

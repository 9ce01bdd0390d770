"""Every service template is complete: nothing undeclared, nothing unexplained, nothing different from its siblings."""

import os

import pytest

from pimains.core import templates
from pimains.core.templates import Template
from pimains.create_service import arguments

ALL = templates.all_of_them()
every_template = pytest.mark.parametrize("template", ALL.values(), ids=list(ALL))


@every_template
def test_the_files_in_variables_are_just_the_declared_settings(template: Template) -> None:
    assert sorted(template.settings().declared()) == sorted(template.variables())


@every_template
def test_each_default_is_valid_or_an_empty_one_that_has_to_be_given(template: Template) -> None:
    for name, setting in template.settings().declared().items():
        default = template.variables()[name].default
        if default or setting.may_be_empty:
            setting.check(default)


@every_template
def test_each_setting_is_explained_where_it_is_edited(template: Template) -> None:
    for variable in template.variables().values():
        assert len(variable.meaning) > 20, variable.name


@every_template
def test_a_template_has_no_secret_in_it(template: Template) -> None:
    assert [name for name in template.secrets() if template.variables()[name].default] == []


@every_template
def test_run_is_the_same_everywhere_but_for_the_last_word(template: Template) -> None:
    expected = f"#!/bin/sh\nexec 2>&1\nexec envdir ./variables /usr/bin/python3 -Pu -m pimains.{template.service}.service\n"
    assert (template.directory / "run").read_text() == expected


@every_template
def test_log_run_is_the_same_everywhere(template: Template) -> None:
    assert (template.directory / "log/run").read_text() == (ALL["halt"].directory / "log/run").read_text()


@every_template
def test_what_supervise_starts_is_executable(template: Template) -> None:
    for name in ("run", "log/run", "../multilog"):
        assert os.access(template.directory / name, os.X_OK), name


@every_template
def test_each_service_says_in_one_sentence_what_it_does(template: Template) -> None:
    assert len(template.purpose()) > 10
    assert (template.directory / "README.md").read_text().startswith(f"# {template.service}: {template.purpose()}\n\n")
    assert not template.purpose().endswith(".")


@every_template
def test_no_setting_is_hidden_by_an_option_of_create_service(template: Template) -> None:
    own = {arguments.plain(name) for name in (*arguments.ACTIONS, *arguments.WITH_A_VALUE, *arguments.WITHOUT_A_VALUE)}
    names = [arguments.plain(name) for name in template.variables()]
    assert set(names) & (own - {"user"}) == set()
    assert len(names) == len(set(names))

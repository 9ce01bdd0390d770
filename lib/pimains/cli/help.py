"""The manual of a service: what it does, how to begin, its settings, what goes wrong and what to do."""

import argparse
import pydoc
import textwrap

from pimains.cli.verbs import VERBS, parser_of
from pimains.core import templates
from pimains.core.errors import PimainsError
from pimains.core.templates import Template


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `pimains help` may be told."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="a service, or a verb of pimains (default: which there are)")


def run(options: argparse.Namespace) -> int:
    """Print the manual, page by page where a person reads; raises PimainsError for a name that is neither service nor verb."""
    services = templates.all_of_them()
    if options.name is None:
        print(_listed("services, pimains help NAME tells all about one:", {name: each.purpose() for name, each in services.items()}))
        print(_listed("verbs, pimains VERB --help tells their options:", VERBS))
    elif options.name in services:
        pydoc.pager(manual(services[options.name], has_a_verb=options.name in VERBS))
    elif options.name in VERBS:
        parser_of(options.name).print_help()
    else:
        there = ", ".join([*services, *(verb for verb in VERBS if verb not in services)])
        raise PimainsError(f"there is no service or verb {options.name!r} (there are: {there})")
    return 0


def manual(template: Template, *, has_a_verb: bool) -> str:
    """All there is to tell about a service, as text."""
    verb = f"\nThe options of its verb: pimains {template.service} --help\n" if has_a_verb else ""
    return f"{template.service}: {template.purpose()}\n\n{template.manual(_settings(template))}{verb}"


def _settings(template: Template) -> str:
    lines = []
    for variable in template.variables().values():
        meaning = f"{' '.join(variable.meaning.split())} Default: {variable.default or 'empty'}."
        lines += [variable.name, *textwrap.wrap(meaning, 100, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)]
    return "\n".join(lines)


def _listed(title: str, meanings: dict[str, str]) -> str:
    width = max(len(name) for name in meanings)
    return "\n".join([title, *(f"  {name:{width}}  {meaning}" for name, meaning in meanings.items())])

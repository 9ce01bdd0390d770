"""The pimains command: finds the verb's module and lets it speak.

A verb is a module beside this one with `arguments(parser)`, which adds its options, and `run(options)`, which returns the
exit code: 0 well, 1 not well, 2 asked wrongly. Errors for a person are PimainsError; they become one line.
"""

import argparse
import importlib
import sys

from pimains import __version__
from pimains.core.errors import PimainsError

VERBS = {
    "status": "how every instance is: up or down, since when, its status line, its last error",
    "why": "why something was switched, from the ledger",
    "halt": "shut this machine down in order, or cancel that",
    "notify": "tell people something, or test whether they can be told",
    "plug": "switch a plug on or off, or ask how it is",
    "backup": "back up now, list the backups there are, restore from one",
    "energy": "how much it was each day, month or year; import what another program recorded",
    "meter": "what the meters show, or set one to what its face shows",
    "help": "what a service does, how to begin, its settings, what goes wrong",
}


def main(words: list[str] | None = None) -> int:
    """Carry out `pimains WORDS`; returns the exit code."""
    words = sys.argv[1:] if words is None else words
    listed = "\n".join(f"  {verb:8} {meaning}" for verb, meaning in VERBS.items())
    parser = argparse.ArgumentParser(
        prog="pimains",
        usage="pimains [-h] [--version] VERB ...",
        description="The power of a house of Raspberry Pis.",
        epilog=f"verbs:\n{listed}\n\npimains VERB --help tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"pimains {__version__}")
    parser.add_argument("verb", metavar="VERB", choices=VERBS)
    verb = parser.parse_args(words[:1] or ["--help"]).verb
    module = importlib.import_module(f"pimains.cli.{verb}")
    verb_parser = argparse.ArgumentParser(prog=f"pimains {verb}", description=module.__doc__)
    module.arguments(verb_parser)
    options = verb_parser.parse_args(words[1:])
    try:
        return int(module.run(options))
    except PimainsError as error:
        print(f"pimains: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130

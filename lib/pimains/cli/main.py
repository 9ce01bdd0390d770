"""The pimains command: lets the module of a verb speak. Errors for a person are PimainsError; they become one line."""

import argparse
import sys

from pimains import __version__
from pimains.cli.verbs import VERBS, module_of, parser_of
from pimains.core.errors import PimainsError


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
    parser = parser_of(verb)
    # an option may stand between two words; --help is told before these have lost their defaults for that
    parse = parser.parse_args if {"-h", "--help"} & set(words) else parser.parse_intermixed_args
    options = parse(words[1:])
    try:
        return int(module_of(verb).run(options))
    except PimainsError as error:
        print(f"pimains: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130

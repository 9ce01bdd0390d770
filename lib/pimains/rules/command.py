"""Tell what rules say of relays, check one, play one over what was, make one that is ready, begin with an example, or remove one.

pimains rule                                                                    all of them
pimains rule check 3                                                            what is wrong with one, or what it would say now; or a FILE
pimains rule replay 3 --since=30d                                               when it would have been on, by what a collector has recorded
pimains rule add 3 --kind=surplus --value=vedirect.bmv/P --start_watts=900      settings are files in a directory
pimains rule kinds                                                              the kinds of those that are ready; with a kind its settings
pimains rule compile FILE                                                       the Python of what an editor of blocks has saved
pimains rule example                                                            the rules that come with pimains; with a name its text
pimains rule remove 3                                                           a ready-made one and its settings go
"""

import argparse
from pathlib import Path

from pimains.core import scan_directory
from pimains.core.errors import Misused
from pimains.rules import add_command, check_command, compile_command, kinds_command, list_command, places, replay_command
from pimains.shared.relays import relay_settings

_ADD, _LIST, _REMOVE, _EXAMPLE, _CHECK, _REPLAY, _KINDS, _COMPILE = (
    "add", "list", "remove", "example", "check", "replay", "kinds", "compile",
)  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `pimains rule` may be told."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="list, check N or FILE, replay N [FILE], add N, remove N, kinds [KIND], compile FILE, or example [NAME]",
    )
    add_command.arguments(parser)
    check_command.arguments(parser)
    replay_command.arguments(parser)
    parser.add_argument("--servicedir", type=Path, default=scan_directory.SCAN_DIRECTORY, help="where services are (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="the same for programs")


def run(options: argparse.Namespace) -> int:
    """Do it."""
    verb, *words = options.words or [_LIST]
    if verb != _ADD and add_command.is_used(options):
        raise Misused("--kind and settings are for add: pimains rule add 3 --kind=schedule --times=6:30-8:00")
    if verb != _REPLAY and replay_command.is_used(options):
        raise Misused("--since, --until, --every, --all and --collector are for replay: pimains rule replay 3 --since=30d")
    if verb != _CHECK and options.pretend:
        raise Misused("--pretend is for check: pimains rule check 3 --pretend=pretended.json")
    if verb == _KINDS:
        kinds_command.show(words, options.json)
    elif verb == _COMPILE:
        return compile_command.run(words, as_json=options.json)
    elif verb == _EXAMPLE:
        list_command.example(words)
    elif verb == _REPLAY:
        replay_command.run(words, options)
    elif verb in (_ADD, _REMOVE):
        if len(words) != 1 or not relay_settings.is_number(words[0]):
            raise Misused(f"pimains rule {verb} wants the relay's number, 1-999")
        there = places.found(options.servicedir)
        if verb == _ADD:
            add_command.add(there, words[0], options)
        else:
            add_command.remove(there, words[0])
    elif verb == _CHECK:
        if len(words) != 1:
            raise Misused("pimains rule check wants a relay's number, or a file: pimains rule check 3")
        return check_command.check(places.found(options.servicedir), words[0], as_json=options.json, pretend=options.pretend)
    elif verb == _LIST and not words:
        list_command.show(places.found(options.servicedir), options.json)
    else:
        there_are = "list, check N, replay N, add N, remove N, kinds [KIND], compile FILE and example [NAME]"
        raise Misused(f"{' '.join(options.words)!r} is none of {there_are}")
    return 0

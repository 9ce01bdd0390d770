"""The verbs of the pimains command, and where the module of each is.

It is the module `command` of its room, or one beside this where it has none, with `arguments(parser)`, which adds its options,
and `run(options)`, which returns the exit code: 0 well, 1 not well, 2 asked wrongly.
"""

import argparse
import importlib
from types import ModuleType

VERBS = {
    "status": "how every instance is: up or down, since when, its status line, its last error",
    "why": "why something was switched, from the ledger",
    "halt": "shut this machine down in order, or cancel that",
    "notify": "tell people something, or test whether they can be told",
    "plug": "switch a plug on or off, or ask how it is",
    "backup": "back up now, list the backups there are, restore from one",
    "energy": "how much it was each day, month or year; import what another program recorded",
    "meter": "what the meters show, or set one to what its face shows",
    "relay": "how the relays are, switch one, make or remove one",
    "rule": "what the rules say of relays; check one, play one over what was, make, remove or begin one",
    "ups": "how the UPSes are; check NUT's files, cancel an outage, import an upsmon.conf, keep the hosts",
    "rehearse": "what an outage would do, step by step: the real plan in virtual time; nothing is touched",
    "help": "what a service does, how to begin, its settings, what goes wrong",
}
_OF_NO_ROOM = ("status", "why", "help")
# of verbs that are not called like theirs
_ROOMS = {"energy": "collector", "relay": "relays", "rule": "rules", "rehearse": "ups.rehearsal"}


def module_of(verb: str) -> ModuleType:
    """The module that carries it out."""
    room = f"pimains.cli.{verb}" if verb in _OF_NO_ROOM else f"pimains.{_ROOMS.get(verb, verb)}.command"
    return importlib.import_module(room)


def parser_of(verb: str) -> argparse.ArgumentParser:
    """What understands the words after it."""
    module = module_of(verb)
    parser = argparse.ArgumentParser(prog=f"pimains {verb}", description=module.__doc__)
    module.arguments(parser)
    return parser

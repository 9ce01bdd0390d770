"""The words after create_service: options of its own, and one for each setting of the service."""

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pimains.core.errors import Misused, PimainsError
from pimains.core.settings import Setting
from pimains.core.templates import Template, first_line

ACTIONS = {
    "add-service": "make the instance; if it is there, change the settings that are given and no others",
    "del-service": "stop and remove the instance; a copy of its settings is kept",
    "list": "the services there are, and the instances with their state and status line",
    "show": "--show=NAME: the settings of an instance or a service: value, default, meaning",
    "refresh": "give every instance the settings and links its service has by now (done by the package when it is upgraded)",
    "demo": "a simulated house on this machine, with a page to look at, until ^C; where nobody watches, its story, told in two minutes",
    "help": "this; with --service_name=NAME the settings of that service",
}
WITH_A_VALUE = {
    "service_name": "the service, one of those above",
    "instance": "its name below the service directory; the service's own name unless given",
    "servicedir": "where svscan looks for services; /etc/service unless given",
    "restore": "a directory of settings that --del-service kept: they are given again",
    "root": "keep run, var/lib, var/log and etc of the instance below this directory, for tests and rehearsals",
    "user": "for pistop's sake; a service knows itself whether it becomes pimains or stays root",
}
WITHOUT_A_VALUE = {
    "down": "do not start it, now or at boot, until svc -u",
    "apply": "restart the changed instance (svc -t), so that it reads its settings",
    "no-install": "--demo with what is installed, or with this checkout as it is, without building and installing the packages",
    "story": "--demo told as a story, with an outage and a shutdown that is only written down, also at a terminal",
    "json": "--list and --show for programs",
}
_LONGEST_BYTES = 64 * 1024
_NO_PLAIN_FILE = "it is no plain file"
_MEANS_SOMETHING_WITH = {
    "add-service": {"service_name", "instance", "servicedir", "restore", "root", "user", "down", "apply"},
    "del-service": {"service_name", "instance", "servicedir"},
    "list": {"servicedir", "json"},
    "show": {"service_name", "instance", "servicedir", "json"},
    "refresh": {"servicedir"},
    "demo": {"no-install", "story"},
}


class Words(NamedTuple):
    """`own` are create_service's options by name, `others` all the rest: as typed, with their values."""

    own: dict[str, str]
    others: list[tuple[str, str]]


def plain(name: str) -> str:
    """A name as options are compared: in lower case, without - and _, so that --lcdhost is LCD_HOST."""
    return name.lower().replace("-", "").replace("_", "")


def parse(words: list[str]) -> Words:
    """Sort the words; --x=y and --x y are the same. Raises Misused."""
    own_names = {plain(name): name for name in (*ACTIONS, *WITH_A_VALUE, *WITHOUT_A_VALUE)}
    own, others, rest = {}, [], list(words)
    while rest:
        word = rest.pop(0)
        if word == "-h":
            word = "--help"
        if not word.startswith("--") or word == "--":
            raise Misused(f"{word!r} is no option: they all begin with --, as in --service_name=plug")
        typed, equals, value = word[2:].partition("=")
        name = own_names.get(plain(typed))
        takes_none = name in WITHOUT_A_VALUE or (name in ACTIONS and name != "show")
        if takes_none and equals:
            raise Misused(f"--{typed} takes no value")
        if not takes_none and not equals:
            if rest and not rest[0].startswith("--"):
                value = rest.pop(0)
            elif name != "show":
                raise Misused(f"--{typed} needs a value: --{typed}=VALUE")
        if name in WITH_A_VALUE and not value.strip():
            raise Misused(f"--{typed} is empty: give it a value, or leave it out ({WITH_A_VALUE[name]})")
        if name is None:
            others.append((typed, value))
        else:
            own[name] = value
    return Words(own, others)


def check_meaning(action: str, words: Words) -> None:
    """Raises Misused for an option that means nothing with the action."""
    others = [] if action == "add-service" else [typed for typed, _ in words.others]
    for word in (*others, *words.own):
        if word != action and word not in _MEANS_SOMETHING_WITH[action]:
            raise Misused(f"--{word} means nothing with --{action}")


def settings_given(template: Template, words: Words) -> dict[str, str]:
    """The settings among the words, each checked for itself. Raises Misused for an unknown one and for a wrong value."""
    declared = template.settings().declared()
    names = {plain(name): name for name in template.variables()}
    given = _restored(words.own["restore"], set(names.values())) if "restore" in words.own else {}
    for typed, value in words.others:
        name = names.get(plain(typed))
        if name is None:
            raise unknown(f"--{typed}", f"{template.service} has no such setting", [option(each) for each in names.values()])
        given[name] = _secret(typed, value) if declared[name].secret else value.rstrip()
    if "user" in words.own:
        _accept_user(words.own["user"], names, given)
    for name, value in given.items():
        _check(declared[name], value)
    return given


def check_all(template: Template, values: dict[str, str]) -> None:
    """Whether a service would start with these settings. Raises Misused, naming the options to give."""
    declared = template.settings().declared()
    missing = [name for name, setting in declared.items() if not values[name] and not setting.may_be_empty]
    if missing:
        needed = ", ".join(f"{option(name)}=... ({declared[name].allowed})" for name in missing)
        raise Misused(f"{template.service} needs {needed}")
    for name, setting in declared.items():
        _check(setting, values[name])
    wrong = ""
    try:
        wrong = template.settings()(values, Path()).not_here()
    except PimainsError as error:
        wrong = str(error)
    if wrong:
        name, _, what = wrong.partition(": ")
        raise Misused(f"{option(name)}: {what}")


def option(name: str) -> str:
    """How a setting is written on the command line."""
    return f"--{name.lower()}"


def unknown(what: str, wrong: str, allowed: Iterable[str]) -> Misused:
    """The error for a name that does not exist: what is close to it, and what there is."""
    import difflib  # only needed when something went wrong

    allowed = list(allowed)
    close = difflib.get_close_matches(what, allowed, 1, 0.6)
    return Misused(f"{what}: {wrong}{f'; did you mean {close[0]}?' if close else ''} (there are: {', '.join(allowed) or 'none'})")


def _check(setting: Setting[object], value: str) -> None:
    try:
        setting.check(value)
    except ValueError as wrong:
        raise Misused(f"{option(setting.name)}: {wrong}") from None


def _secret(typed: str, value: str) -> str:
    if not value.startswith("@"):
        return value.rstrip()
    try:
        if value == "@-" and sys.stdin.isatty():
            import getpass  # what is typed is not shown

            return getpass.getpass(f"{typed}: ").rstrip()
        return first_line(_bounded(sys.stdin.readline(_LONGEST_BYTES + 1), "a line") if value == "@-" else _read(Path(value[1:])))
    except (OSError, ValueError) as error:
        raise Misused(f"--{typed}: cannot read {value[1:]}: {_why(error)}") from None


def _read(path: Path) -> str:
    """The text in a plain file. Raises OSError, and ValueError for what is none or too long."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # nobody may ever write into a FIFO
    with open(handle, encoding="utf-8") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError(_NO_PLAIN_FILE)
        return _bounded(file.read(_LONGEST_BYTES + 1), "a file")


def _bounded(text: str, what: str) -> str:
    if len(text.encode(errors="replace")) > _LONGEST_BYTES:
        raise ValueError(f"{what} with more than 64 kB holds no setting")
    return text


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, IsADirectoryError):
        return _NO_PLAIN_FILE
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "it is no text" if isinstance(error, UnicodeDecodeError) else str(error)


def _restored(directory: str, names: set[str]) -> dict[str, str]:
    where = Path(directory)
    try:
        found = {}
        for where in sorted(each for each in Path(directory).iterdir() if each.name in names):
            text = _read(where)
            if not text.endswith("\n"):  # one that is unset is an empty line
                raise ValueError("it ends in the middle" if text.strip("\0") else "it is empty")
            found[where.name] = first_line(text)
    except (OSError, ValueError) as error:
        raise Misused(f"--restore: cannot read {where}: {_why(error)}") from None
    if missing := sorted(names - found.keys()):
        print(f"{directory} has no {', '.join(missing)}: what is not given is as it comes", file=sys.stderr)
    return found


def _accept_user(user: str, names: dict[str, str], given: dict[str, str]) -> None:
    if "user" in names:
        given[names["user"]] = user
    elif user != "pimains":
        raise Misused(f"--user: {user!r} cannot be chosen: services run as pimains, or as root where their job needs it (pimains)")

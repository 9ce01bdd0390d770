"""The files of rules: <n>.py of root's in RULES, a ready-made <n>.rule there, or one made from blocks in /var/lib/pimains/rules.

The first counts more.
"""

import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pimains.core import state
from pimains.core.errors import WrongSetting
from pimains.rules import ready_rule
from pimains.shared.blocks.workspace import Wrong
from pimains.shared.relays import relay_settings

_NAME = re.compile(r"([1-9][0-9]{0,2})\.(?:py|rule)")
READY, _OF_BLOCKS = ".rule", ".json"
_LONGEST = 64 * 1024
_NO_TEXT = "it is no text in UTF-8"
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class RuleFile(NamedTuple):
    """The rule of a relay: its text, or why it cannot be used; and `besides`, a file that it wins over, if there is one.

    ready_rule.py makes the text of one that is ready-made. `block` is the id of the one that is to blame, in what an editor has saved.
    """

    number: int
    path: Path
    text: str
    fault: str
    besides: Path | None = None
    block: str = ""


class _Unusable(Exception):
    """Why a file is not taken for a rule."""


class RuleFiles:
    """All rules that there are; `look` again when something has changed in one of the directories."""

    def __init__(self, *directories: Path) -> None:
        self._directories = directories  # those who count more come first
        self._read: dict[Path, tuple[tuple[int, ...], RuleFile]] = {}
        self._watches: dict[Path, state.Watch] = {}

    def watches(self) -> tuple[state.Watch, ...]:
        """What to wait for: the directories, or, where one is not there, that in which it is to be."""
        for directory in self._directories:
            if directory not in self._watches:
                with suppress(OSError):
                    there = directory if directory.is_dir() else directory.parent
                    self._watches[directory] = state.Watch(there, new_directories=True)
        return tuple(self._watches.values())

    def changed(self) -> bool:
        """Whether a rule may be another one now; never waits."""
        found = False
        for directory, watch in list(self._watches.items()):
            names = watch.changed()
            found = found or any(_NAME.fullmatch(name.partition("/")[0]) for name in names)
            if names & {".", directory.name}:
                watch.close()
                del self._watches[directory]
                found = True
        return found

    def look(self) -> dict[int, RuleFile]:
        """By their relays; one that has not changed is the same object as before."""
        self.watches()  # before it is read: nothing that comes amid this is missed
        found: dict[int, RuleFile] = {}
        besides: dict[int, Path] = {}
        before, self._read = self._read, {}
        for directory in self._directories:
            for path in _files(directory):
                number = int(path.stem)
                if path.suffix == READY and directory in self._watches:
                    with suppress(OSError):
                        self._watches[directory].also(path, f"{path.name}/")
                if number in found:
                    besides.setdefault(number, path)
                    continue
                found_stamp = stamp(path)
                known = before.get(path)
                if known is None or known[0] != found_stamp:
                    known = found_stamp, read(path)
                found[number], self._read[path] = known[1], known
        for number, first in found.items():
            if first.besides != besides.get(number):
                found[number] = first._replace(besides=besides.get(number))
                self._read[first.path] = self._read[first.path][0], found[number]
        return found

    def close(self) -> None:
        """Watch nothing more."""
        for watch in self._watches.values():
            watch.close()


def _files(directory: Path) -> list[Path]:
    with suppress(OSError):
        return [directory / name for name in sorted(os.listdir(directory)) if _NAME.fullmatch(name)]
    return []


def stamp(path: Path) -> tuple[int, ...]:
    """Another one once the rule was changed there, or has come or gone."""
    try:
        about = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    if path.suffix == READY and stat.S_ISDIR(about.st_mode):
        with suppress(OSError):
            return tuple(part for name in sorted(os.listdir(path)) for part in (hash(name), *stamp(path / name)))
    return about.st_mtime_ns, about.st_ctime_ns, about.st_size, about.st_ino


def number_of(path: Path) -> int:
    """The relay whose rule is called so; 0 for another file."""
    return int(match[1]) if (match := _NAME.fullmatch(path.name)) else 0


def read(path: Path) -> RuleFile:
    """A rule's file, or the directory of one that is ready-made, whatever is wrong with it."""
    number = number_of(path)
    try:
        return RuleFile(number, path, ready_rule.text_of(path) if path.suffix == READY else _text(path), "")
    except WrongSetting as wrong:
        return RuleFile(number, path, "", str(wrong).removeprefix(f"{path}/"))
    except UnicodeDecodeError:
        return RuleFile(number, path, "", _NO_TEXT)
    except _Unusable as why:
        return RuleFile(number, path, "", str(why))
    except OSError as error:
        return RuleFile(number, path, "", (error.strerror or str(error)).lower())


def _text(path: Path) -> str:
    """Raises OSError, UnicodeDecodeError, and _Unusable."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise _Unusable("it is no plain file")
        if about.st_uid not in (0, os.geteuid()) or about.st_mode & _OTHERS:
            raise _Unusable("others than root may write it: chown root, chmod 644")
        text = file.read(_LONGEST + 1)
    return _decoded(text)


def draft(path: Path) -> RuleFile:
    """One that is only tried, whoever may write it; also one of blocks, as an editor would save it. Raises OSError."""
    with path.open("rb") as file:
        text = file.read(_LONGEST + 2)
    if path.suffix == _OF_BLOCKS:
        return _of_blocks(path, text)
    try:
        return RuleFile(number_of(path), path, _decoded(text), "")
    except UnicodeDecodeError:
        return RuleFile(number_of(path), path, "", _NO_TEXT)
    except _Unusable as why:
        return RuleFile(number_of(path), path, "", str(why))


def _of_blocks(path: Path, data: bytes) -> RuleFile:
    from pimains.rules.blocks import drafts  # half a megabyte that the service need not have

    number = int(path.stem) if relay_settings.is_number(path.stem) else 0
    try:
        found = drafts.of(data, path.parent, number)
    except Wrong as wrong:
        return RuleFile(number, path, "", str(wrong), block=wrong.block)
    return RuleFile(number, path.with_suffix(READY) if found.is_ready else path, found.text, "")


def _decoded(text: bytes) -> str:
    """Raises UnicodeDecodeError, and _Unusable."""
    if len(text) > _LONGEST:
        raise _Unusable(f"it is longer than {_LONGEST // 1024} KiB")
    return text.decode("utf-8-sig")  # an editor may begin it with a mark

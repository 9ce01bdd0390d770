"""The files of rules that were made of what an editor has saved, and whether somebody has edited one by hand since.

Each carries the digest of all the rest of it: <n>.py in its second line, <n>.rule in a file `.made`.
"""

import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from pimains.core import paths, state
from pimains.core.errors import PimainsError, WrongSetting
from pimains.rules import ready_settings
from pimains.rules.ready_rule import KIND
from pimains.rules.ready_settings import KINDS
from pimains.shared import settings_directory
from pimains.shared.blocks.workspace import Wrong

_HEAD = "# Made of blocks. Whoever saves those again has it written anew; once it was edited here, he is asked before.\n"
_DIGEST = "# sha256 of what follows: "
_SEALED = re.compile(re.escape(_HEAD + _DIGEST) + r"([0-9a-f]{64})\n")
_LONGEST = 128 * 1024
_MADE = ".made"
_FILES_MAX = 100


def of(directory: Path, number: int) -> list[Path]:
    """Those that there are, whatever they are: <n>.py, <n>.rule."""
    return [path for path in (directory / f"{number}.py", directory / f"{number}.rule") if os.path.lexists(path)]


def is_as_made(path: Path) -> bool:
    """Whether nobody has edited it since it was made here."""
    try:
        if path.suffix == ".rule":
            return not path.is_symlink() and _read(path / _MADE).decode().strip() == _digest_of_settings(path)
        text = _read(path).decode()
    except (OSError, UnicodeDecodeError):
        return False
    match = _SEALED.match(text)
    return match is not None and match[1] == _digest(text[match.end() :].encode())


def write_python(directory: Path, number: int, text: str) -> None:
    """The rule of this relay from now on. Raises OSError."""
    state.write(directory / f"{number}.py", _sealed(text).removesuffix("\n"), durable=True)
    _remove(directory / f"{number}.rule")


def _sealed(text: str) -> str:
    return f"{_HEAD}{_DIGEST}{_digest(text.encode())}\n{text}"


def has_python(directory: Path, number: int, text: str) -> bool:
    """Whether that is what `write_python` has written. Raises OSError."""
    path = directory / f"{number}.py"
    return path.exists() and _read(path) == _sealed(text).encode()


def has_settings(directory: Path, number: int, given: Mapping[str, str]) -> bool:
    """Whether that is what `write_settings` has written. Raises Wrong."""
    values = checked_settings(directory, number, given)
    try:
        return settings_directory.read(directory / f"{number}.rule", values) == values
    except WrongSetting:
        return False


def checked_settings(directory: Path, number: int, given: Mapping[str, str]) -> dict[str, str]:
    """All settings of a ready-made rule, those that were not given as they come. Raises Wrong, naming the setting."""
    kind = given.get(KIND, "")
    if kind not in KINDS:
        raise Wrong(f"{KIND}: {kind[:60]!r} is no kind of rule ({', '.join(KINDS)})")
    declared = KINDS[kind].declared()
    if strangers := [name for name in given if name not in declared]:
        raise Wrong(f"{strangers[0]}: is no setting of KIND {kind} ({', '.join(declared)})")
    place = directory / f"{number}.rule"
    template = ready_settings.template(paths.service_templates(), kind)
    values = {**settings_directory.defaults(template, declared), **given}
    try:
        KINDS[kind](values, place)
    except WrongSetting as wrong:
        raise Wrong(str(wrong).removeprefix(f"{place}/")) from None
    return values


def write_settings(directory: Path, number: int, values: Mapping[str, str]) -> None:
    """A ready-made rule with settings that were checked is that of this relay from now on. Raises OSError, PimainsError."""
    place = directory / f"{number}.rule"
    template = ready_settings.template(paths.service_templates(), values[KIND])

    def seal(made: Path) -> None:
        state.write(made / _MADE, _digest_of_settings(made))

    aside = place.with_name(f".{place.name}+old.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    with suppress(FileNotFoundError):
        place.rename(aside)
    try:
        settings_directory.make(place, template, values, seal)
    except PimainsError:
        with suppress(FileNotFoundError):
            aside.rename(place)
        raise
    _remove(aside)
    _remove(directory / f"{number}.py")


def remove(directory: Path, number: int) -> None:
    """This relay has no rule that was made here. Raises OSError."""
    for path in of(directory, number):
        _remove(path)
    state.sync_directory(directory)


def clean(directory: Path) -> None:
    """What was under way when the service was killed goes; a rule that was to make room for another comes back until that is there."""
    with suppress(OSError):
        for name in os.listdir(directory):
            if (aside := re.fullmatch(r"\.([1-9][0-9]{0,2})\.rule\+old\.[0-9]+", name)) and not of(directory, int(aside[1])):
                (directory / name).rename(directory / f"{aside[1]}.rule")
            if re.fullmatch(r"\.[1-9][0-9]{0,2}\.rule(\+(new|old)\.[0-9]+)?(\.gone)?", name):
                _drop(directory / name)


def _drop(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:  # rmtree would wait for a FIFO's writer
        path.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        aside = path.with_name(f".{path.name.removeprefix('.')}.gone")  # all at once
        shutil.rmtree(aside, ignore_errors=True)
        path.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        with suppress(FileNotFoundError):
            path.unlink()


def _digest(content: bytes) -> str:
    import hashlib  # brings OpenSSL along, two megabytes that a service without blocks need not have

    return hashlib.sha256(content).hexdigest()


def _digest_of_settings(directory: Path) -> str:
    """Raises OSError."""
    return _digest(b"".join(f"{name} {len(content)}\n".encode() + content for name, content in _settings(directory)))


def _settings(directory: Path) -> Iterator[tuple[str, bytes]]:
    for name in sorted(os.listdir(directory))[:_FILES_MAX]:
        if not name.startswith("."):
            yield name, _read(directory / name)


def _read(path: Path) -> bytes:
    """Raises OSError, also for what is no plain file."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(f"{path} is no plain file")
    with open(handle, "rb") as file:
        return file.read(_LONGEST)

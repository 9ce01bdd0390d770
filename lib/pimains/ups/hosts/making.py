"""Making, changing and removing hosts/NAME: whole or not at all."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from pimains.core import state
from pimains.core.errors import PimainsError
from pimains.core.machine import own_name
from pimains.shared import variable_file
from pimains.ups.hosts import directories, keys
from pimains.ups.hosts.keys import HostKey
from pimains.ups.hosts.settings import HostSettings


def write(instance: Path, host: HostSettings, values: Mapping[str, str], key: HostKey | None) -> list[str]:
    """Put `values` in the place of those that `host` has, and pin `key`; returns the names of what is there now and was not before.

    A new one is built aside and put in place by one rename. Raises OSError and PimainsError; then nothing is half done in a new one.
    """
    if host.directory.is_dir():
        before = directories.values(host.directory)
        return _fill(instance, host, host.directory, {name: value for name, value in values.items() if before.get(name) != value}, key)
    aside = host.directory.with_name(f".{host.name}+new")
    _make(host.directory.parent)
    shutil.rmtree(aside, ignore_errors=True)
    _make(aside)
    try:
        done = _fill(instance, host, aside, values, key)
        state.sync_directory(aside)
        aside.rename(host.directory)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    state.sync_directory(host.directory.parent)
    return done


def remove(instance: Path, name: str) -> None:
    """Take it away with its keys. Raises PimainsError where another one waits for it, or it is not there, and OSError."""
    directory = instance / directories.HOSTS / name
    if directory not in directories.directories(instance):
        there = ", ".join(each.name for each in directories.directories(instance)) or "none"
        raise PimainsError(f"{instance.name} has no host {name} (there are: {there})")
    waiting = [each.name for each in directories.directories(instance) if name in directories.values(each).get("AFTER", "").split()]
    if waiting:
        raise PimainsError(
            f"{waiting[0]} comes up after {name}: give it another AFTER first (pimains ups host add {waiting[0]} --after=...)"
        )
    aside = directory.with_name(f".{name}+removed")
    shutil.rmtree(aside, ignore_errors=True)
    directory.rename(aside)
    state.sync_directory(directory.parent)
    shutil.rmtree(aside)


def _fill(instance: Path, host: HostSettings, directory: Path, values: Mapping[str, str], key: HostKey | None) -> list[str]:
    done = []
    known = directories.variables()
    if host.SSH and not host.KEY and not (directory / "key").exists():
        keys.make_pair(directory / "key", f"pimains-{instance.name}@{own_name()}")
        done.append("key")
    for name, value in values.items():
        variable_file.write(directory / name, value, known[name].meaning)
        done.append(name)
    if key and keys.pinned(directory / "known_hosts") != [key]:
        keys.pin(directory / "known_hosts", host.name, key)
        done.append("known_hosts")
    return done


def _make(directory: Path) -> None:
    """Where user pimains may read, whatever umask this is done with."""
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)

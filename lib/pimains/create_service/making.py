"""Making and changing instances: links to the template and copies of its variables, whole or not at all."""

import contextlib
import fcntl
import os
import pwd
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from pimains.core import paths, state, templates
from pimains.core.errors import Misused, PimainsError
from pimains.core.scan_directory import ServiceDirectory
from pimains.core.templates import Template
from pimains.create_service import beside
from pimains.shared import variable_file

LOG_USER = "pimains-log"
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
_ASIDE = "+new"  # in no instance's name: .NAME is one that is being removed
_TAKEN = ("removed", "supervise", paths.SERVICES_LEDGER)  # supervise's own directory, where removed settings and a ledger are kept


def check_name(name: str) -> None:
    """Raises Misused if an instance cannot be called `name`."""
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise Misused(
            f"an instance cannot be called {name!r}: up to 40 of a-z 0-9 _ . -, first a letter or digit, none of {' '.join(_TAKEN)}"
        )


def is_aside(path: Path) -> bool:
    """Whether `path` is what a making that was interrupted has left."""
    return path.name.endswith(_ASIDE)


@contextlib.contextmanager
def locked(servicedir: Path) -> Iterator[None]:
    """Nobody else changes `servicedir` meanwhile; raises PimainsError when there is none."""
    try:
        handle = os.open(servicedir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise PimainsError(
            f"there is no directory {servicedir}: apt install daemontools-run makes /etc/service, --servicedir=DIR names another"
        ) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another create_service in {servicedir}", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def create(
    template: Template, servicedir: Path, name: str, values: Mapping[str, str], *, down: bool = False, kept: Path | None = None
) -> ServiceDirectory:
    """Make the instance `name`: built aside, put in place by one rename, on the disk when this returns.

    It stays down when `down` says so or the template has a file `down`.
    `values` replace defaults; names that are no settings of the service (PYTHONPATH, PIMAINS_ROOT) are added. `kept` is a directory of
    settings: what it has beside them (beside.py) is given back.
    Raises OSError when it cannot be written and PimainsError when the log user is missing; then nothing is left.
    """
    aside = servicedir / f".{name}{_ASIDE}"
    discard(aside)
    aside.mkdir()
    try:
        (aside / "log").mkdir()
        (aside / "variables").mkdir()
        _link(aside, template)
        secrets = template.secrets()
        for variable in template.variables().values():
            path, value = aside / "variables" / variable.name, values.get(variable.name, variable.default)
            variable_file.write(path, value, variable.meaning, is_secret=variable.name in secrets)
        for extra in values.keys() - template.variables().keys():
            variable_file.write(aside / "variables" / extra, values[extra], "")
        for directory in beside.kept(kept, template.settings().beside) if kept else ():
            beside.copy(directory, aside / directory.name)
        if down or template.stays_down:
            (aside / "down").touch()
        instance = ServiceDirectory(name, template.service, servicedir / name)
        _make_log_directory(paths.log(instance._replace(path=aside).root) / name)
        for directory in (aside / "log", aside / "variables", aside):
            state.sync_directory(directory)
        aside.rename(instance.path)
    except BaseException:
        discard(aside)
        raise
    state.sync_directory(servicedir)
    return instance


def change(instance: ServiceDirectory, values: Mapping[str, str]) -> list[str]:
    """Write the values that differ, keeping each file's explanation; returns their names."""
    present = instance.variables()
    changed = [name for name, value in values.items() if value != present.get(name)]
    template = templates.all_of_them().get(instance.service)
    secrets = template.secrets() if template else set()
    meanings = {name: variable.meaning for name, variable in template.variables().items()} if template else {}
    for name in changed:
        path = instance.path / "variables" / name
        meaning = variable_file.meaning(path) if path.exists() else meanings.get(name, "")
        variable_file.write(path, values[name], meaning, is_secret=name in secrets)
    return changed


def keep_down(instance: ServiceDirectory) -> None:
    """Let supervise leave it down whenever supervise starts; what runs now goes on."""
    (instance.path / "down").touch()


def refresh(instance: ServiceDirectory, template: Template) -> list[str]:
    """Give an instance what its template has now and it lacks; returns what was done, one line each."""
    done = []
    for path, target in _links(instance.path, template):
        if not path.is_symlink() or path.readlink() != target:
            done.append(f"{path} links to {target} now")
    for name in ("log", "variables"):
        (instance.path / name).mkdir(exist_ok=True)
    _link(instance.path, template)
    present = instance.variables()
    secrets = template.secrets()
    for variable in template.variables().values():
        if variable.name not in present:
            path = instance.path / "variables" / variable.name
            variable_file.write(path, variable.default, variable.meaning, is_secret=variable.name in secrets)
            done.append(f"new setting {instance.path}/variables/{variable.name}, default {variable.default or 'empty'}")
    _make_log_directory(paths.log(instance.root) / instance.name)
    return done


def environment(root: Path | None) -> dict[str, str]:
    """What an instance needs beside its settings: where the code is, when this is a checkout; its root, in a rehearsal.

    Raises PimainsError when user pimains could not read the checkout: a home directory, for example, is its owner's alone.
    """
    top = paths.checkout()
    found = {}
    if top:
        closed = [each for each in (top / "lib", *(top / "lib").parents) if not each.stat().st_mode & 0o001]
        if closed and os.geteuid() == 0:
            raise PimainsError(f"services run as user pimains, who may not enter {closed[-1]}: move the checkout, or install the package")
        found = {"PYTHONPATH": os.environ.get("PYTHONPATH") or str(top / "lib")}
    return {**found, "PIMAINS_ROOT": str(root)} if root else found


def discard(directory: Path) -> None:
    """Remove a directory with what is in it, the link `run` last: until then it is known as ours."""
    if not directory.is_dir():
        return
    import shutil  # brings every packer along: ten milliseconds

    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != "run":
            path.unlink()
    (directory / "run").unlink(missing_ok=True)
    directory.rmdir()


def _links(directory: Path, template: Template) -> list[tuple[Path, Path]]:
    return [(directory / "run", template.directory / "run"), (directory / "log/run", template.directory / "log/run")]


def _link(directory: Path, template: Template) -> None:
    for path, target in _links(directory, template):
        if path.is_symlink() and path.readlink() == target:
            continue
        aside = path.with_name(f".{path.name}.new")
        aside.unlink(missing_ok=True)
        aside.symlink_to(target)
        aside.rename(path)


def _make_log_directory(directory: Path) -> None:
    """Where multilog writes; as root it is given to multilog's user."""
    if os.geteuid() != 0:
        directory.mkdir(parents=True, exist_ok=True)
        return
    try:
        user = pwd.getpwnam(LOG_USER).pw_uid
    except KeyError:
        raise PimainsError(
            f"this machine has no user {LOG_USER}: install the package, or run adduser --system --group --no-create-home {LOG_USER}"
        ) from None
    directory.mkdir(parents=True, exist_ok=True)
    # the group is that of /var/log/pimains, which is the log user's: what is put there as a link is not followed
    os.chown(directory, user, -1, follow_symlinks=False)

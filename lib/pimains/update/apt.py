"""apt and dpkg of this machine: what is newer of just the packages that are named, and how an upgrade of them went.

Everything here waits for apt and may take minutes: do it in a process of its own (pimains.core.process.function).
"""

import os
import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from pimains.core.errors import PimainsError
from pimains.core.plan.text import short_line

ONLY_UPGRADE = ("--only-upgrade", "--no-remove", "--no-install-recommends")
_LOCK_LOOK_SECONDS = 5.0
_LOCKED = re.compile(r"Could not get lock \S+?\.?(?: It is held by (process [0-9]+ \([^)]*\)))?(?:\s|$)")
_STEP = re.compile(r"^(Inst|Conf) (\S+) (?:\[([^]\s]+)\] )?\((\S+) ", re.MULTILINE)
_DPKG_FAILED = re.compile(r"^dpkg: error processing (?:package|archive) (\S+).*:\n\s*(.+)$", re.MULTILINE)
_FETCH_FAILED = re.compile(r"^E: Failed to fetch \S*?/([^/\s]+)_\S+\.deb\s+(.+)$", re.MULTILINE)
_ERROR = re.compile(r"^E: (.+)$", re.MULTILINE)
_UNMET = re.compile(r"^ (\S+ : .+)$", re.MULTILINE)


class AptError(PimainsError):
    """apt or dpkg did not do it; the text is what it said about it."""


class Change(NamedTuple):
    """One package, from a version to another.

    `old` is "" for one that is newly needed, and the same as `new` for one that was left half installed.
    """

    name: str
    old: str
    new: str

    def __str__(self) -> str:
        if self.old == self.new:
            return f"{self.name} {self.new} (was half installed)"
        return f"{self.name} {self.old} to {self.new}" if self.old else f"{self.name} {self.new} (new)"


class Installed(NamedTuple):
    """What dpkg knows of a package: `state` is "installed", "held", or anything else for one that is not or not wholly there."""

    version: str
    state: str


def refresh(wait_seconds: float, say: Callable[[str], None]) -> None:
    """Fetch the lists of all repositories; waits at most `wait_seconds` for apt's lock, and says who has it. Raises AptError."""
    deadline = time.monotonic() + wait_seconds
    while True:
        code, said = _run(["apt-get", "update", "-qq", "-o", "APT::Update::Error-Mode=any"])
        if code == 0:
            return
        locked = _LOCKED.search(said)
        if not locked or time.monotonic() >= deadline:
            raise AptError(_reason(said, code))
        say(f"waiting for {locked[1] or 'another process'}, which uses apt")
        time.sleep(_LOCK_LOOK_SECONDS)


def installed(names: Iterable[str]) -> dict[str, Installed]:
    """Those of `names` that dpkg knows of this machine's own architecture; raises AptError."""
    names = list(names)
    code, native = _run(["dpkg", "--print-architecture"])
    wanted = ["dpkg-query", "-W", "-f", r"${Package}\t${Architecture}\t${Version}\t${db:Status-Want} ${db:Status-Status}\n", "--", *names]
    code, said = _run(wanted) if code == 0 else (code, native)
    if code not in (0, 1):  # 1: some are not known
        raise AptError(_reason(said, code))
    found = {}
    for line in said.splitlines():
        name, architecture, version, state = (*line.split("\t"), "", "", "")[:4]
        if architecture in (native.strip(), "all"):
            wants, _, status = state.partition(" ")
            found[name] = Installed(version, "held" if wants == "hold" and status == "installed" else status)
    return found


def newer(names: Sequence[str]) -> tuple[list[Change], dict[str, str]]:
    """What has to be done to bring `names`, which are installed, to their newest versions, and for which of them that cannot be and why."""
    try:
        return _simulated(names), {}
    except AptError as error:
        if len(names) <= 1:
            return [], dict.fromkeys(names, str(error))
    # together it cannot be: leave out those that are in the way
    changes: list[Change] = []
    fitting: list[str] = []
    failing: dict[str, str] = {}
    for name in names:
        try:
            changes = _simulated([*fitting, name])
            fitting.append(name)
        except AptError as error:
            failing[name] = str(error)
    return changes, failing


def outcome(planned: Sequence[Change], output: str) -> tuple[list[Change], dict[str, str]]:
    """How an upgrade went whose `output` this is: what was done of what was planned, and what was not and why. Raises AptError."""
    now = installed(change.name for change in planned)
    said = {_plain(name): short_line(why) for pattern in (_FETCH_FAILED, _DPKG_FAILED) for name, why in pattern.findall(output)}
    errors = _ERROR.findall(output)
    done, failed = [], {}
    for change in planned:
        there = now.get(change.name, Installed("", "not-installed"))
        if there.state in ("installed", "held") and (there.version != change.old or change.old == change.new):
            done.append(change._replace(new=there.version))
        else:
            failed[change.name] = said.get(_plain(change.name)) or (short_line(errors[0]) if errors else "it was interrupted")
    names = {_plain(change.name) for change in planned}
    return done, {**failed, **{name: why for name, why in said.items() if name not in names}}


def _plain(name: str) -> str:
    """`name` of a package or of its file, without path, version and architecture."""
    return name.rpartition("/")[2].partition("_")[0].partition(":")[0]


def _simulated(names: Sequence[str]) -> list[Change]:
    if not names:
        return []
    code, said = _run(["apt-get", "install", "-s", "-q", "-y", *ONLY_UPGRADE, *names])
    if code:
        raise AptError(_reason(said, code))
    changes: dict[str, Change] = {}
    for what, name, old, new in _STEP.findall(said):
        changes.setdefault(name, Change(name, old if what == "Inst" else new, new))
    return list(changes.values())


def _run(words: list[str]) -> tuple[int, str]:
    """Exit code and all output of a program, in English."""
    import subprocess  # not in a service that waits for tomorrow

    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, check=False
        )
    except OSError as error:
        raise AptError(f"{words[0]}: {(error.strerror or str(error)).lower()}") from None
    return done.returncode, done.stdout.decode("utf-8", "replace")


def _reason(said: str, code: int) -> str:
    found = _UNMET.search(said) or _ERROR.search(said)
    return short_line(found[1]) if found else f"exit code {code}"

"""Keys: the pair that this machine logs in with at a host, and the host's own, which is pinned once a person has agreed.

Source: ssh-keygen(1), ssh-keyscan(1), sshd(8) SSH_KNOWN_HOSTS FILE FORMAT.
"""

import base64
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from pimains.core import state
from pimains.core.errors import Away, PimainsError
from pimains.core.plan.text import short_line
from pimains.ups.hosts.settings import Target

_KINDS = {"ssh-ed25519": "ED25519", "ecdsa-sha2-nistp256": "ECDSA", "ssh-rsa": "RSA"}  # the best one first
_FILES = {"ED25519": "ed25519", "ECDSA": "ecdsa", "RSA": "rsa"}
_SCAN_SECONDS = 5
_USER = "pimains"


class HostKey(NamedTuple):
    """What a host proves with that it is itself: `kind` as ssh has it, `key` in base64."""

    kind: str
    key: str

    @property
    def fingerprint(self) -> str:
        """As ssh-keygen -l shows it: the SHA-256 of the key in base64 without padding. Raises ValueError for what is no base64."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(base64.b64decode(self.key, validate=True)).digest()).decode().rstrip("=")

    @property
    def shown_there(self) -> str:
        """The command that shows it on the host itself."""
        return f"ssh-keygen -lf /etc/ssh/ssh_host_{_FILES[_KINDS[self.kind]]}_key.pub"

    def __str__(self) -> str:
        return f"{self.fingerprint} ({_KINDS[self.kind]})"


def scan(target: Target) -> list[HostKey]:
    """What the host shows now, the best one first. Raises Away where it shows none."""
    words = ["ssh-keyscan", "-T", f"{_SCAN_SECONDS}", "-t", "ed25519,ecdsa,rsa", "-p", f"{target.port}", "--", target.host]
    said = _run(words)
    if found := _parsed(said.stdout):
        return found
    errors = [line for line in said.stderr.splitlines() if line.strip() and not line.startswith("#")]
    raise Away(f"{target}: shows no host key: {short_line(errors[-1]) if errors else f'no answer within {_SCAN_SECONDS} s'}")


def pinned(known_hosts: Path) -> list[HostKey]:
    """What is pinned there; nothing where there is no such file."""
    return _parsed(state.read(known_hosts) or "")


def pin(known_hosts: Path, name: str, key: HostKey) -> None:
    """Have `key` be the only one that the host `name` may show. Raises OSError."""
    state.write(known_hosts, f"{name} {key.kind} {key.key}", durable=True)


def make_pair(path: Path, comment: str) -> None:
    """Make `path` and `path`.pub: the private one for user pimains alone. Raises PimainsError and OSError."""
    said = _run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)])
    if said.returncode != 0:
        raise PimainsError(f"{path}: ssh-keygen made no key: {short_line(said.stderr or said.stdout)}")
    if os.geteuid() == 0:
        shutil.chown(path, _USER, _USER)


def public(path: Path) -> str:
    """The public key to the private one at `path`, as authorized_keys has it. Raises PimainsError."""
    said = _run(["ssh-keygen", "-y", "-P", "", "-f", str(path)])
    if said.returncode != 0:
        raise PimainsError(f"{path}: is no key without a pass phrase: {short_line(said.stderr)}")
    return said.stdout.strip()


def _run(words: list[str]) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False, env=environment
        )
    except FileNotFoundError:
        raise PimainsError(f"the program {words[0]} is missing: sudo apt install openssh-client") from None


def _parsed(text: str) -> list[HostKey]:
    lines = [line.split() for line in text.splitlines() if not line.startswith("#")]
    found = {HostKey(words[1], words[2]) for words in lines if len(words) >= 3 and words[1] in _KINDS}
    return sorted(found, key=lambda each: (list(_KINDS).index(each.kind), each.key))

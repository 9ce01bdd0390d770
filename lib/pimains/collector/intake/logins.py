"""Names and passwords of old senders: a file with a line NAME:PASSWORD for each."""

import hashlib
import hmac
from pathlib import Path

from pimains.core import state

PASSWORD_LENGTH_MIN = 8
_NAME_LENGTH_MAX = 40


class Logins:
    """Those in the file `path`, read anew when it changed; `trouble` says what somebody has to look after."""

    def __init__(self, path: Path) -> None:
        self.trouble = ""
        self._path = path
        self._seen: object = None
        self._digests: dict[str, bytes] = {}

    def look(self) -> None:
        """Whether it changed."""
        try:
            now = self._path.stat()
        except OSError as error:
            self._digests, self._seen = {}, None
            self.trouble = (
                f"{self._path}: {error.strerror}; it holds a line NAME:PASSWORD for each old Pi, and user pimains must be able to read it"
            )
            return
        seen = (now.st_mtime_ns, now.st_size, now.st_mode, now.st_ino, now.st_ctime_ns)
        if seen == self._seen:
            return
        self._seen = seen
        self._digests, self.trouble = {}, ""
        for number, line in enumerate((state.read(self._path) or "").splitlines(), 1):
            name, _, password = line.strip().partition(":")
            if not line.strip() or line.startswith("#"):
                continue
            if not name.isprintable() or not 0 < len(name) <= _NAME_LENGTH_MAX or "/" in name or len(password) < PASSWORD_LENGTH_MIN:
                self.trouble = f"{self._path} line {number}: no NAME:PASSWORD with {PASSWORD_LENGTH_MIN} characters of password at least"
                continue
            self._digests[name] = _digest(f"{name}:{password}")
        if now.st_mode & 0o077:
            self.trouble = f"{self._path}: holds secrets that others may read (chmod 600)"
        elif not self._digests and not self.trouble:
            self.trouble = f"{self._path}: holds no line NAME:PASSWORD that user pimains can read"

    def name_of(self, login: str) -> str | None:
        """Who proves itself with `login`, NAME:PASSWORD; takes as long for a wrong one as for a right one."""
        self.look()
        digest = _digest(login)
        found = [name for name, known in self._digests.items() if hmac.compare_digest(known, digest)]
        return found[0] if found else None


def _digest(login: str) -> bytes:
    return hashlib.sha256(login.encode("utf-8", "surrogateescape")).digest()

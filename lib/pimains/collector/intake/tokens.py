"""Tokens of sources: a directory with a file for each, its name the source's, its line 1 the token."""

import hashlib
import hmac
import os
from pathlib import Path

from pimains.core import state

TOKEN_LENGTH_MIN = 16


class Tokens:
    """The tokens in `directory`, read anew when it or a file in it changed; `trouble` says what somebody has to look after."""

    def __init__(self, directory: Path) -> None:
        self.trouble = ""
        self._directory = directory
        self.is_empty = True
        self._seen: object = None
        self._digests: dict[str, bytes] = {}

    def __len__(self) -> int:
        self._look()
        return len(self._digests)

    def sources_of(self, token: str) -> set[str]:
        """The sources that prove themselves with `token`; takes as long for a wrong one as for a right one."""
        self._look()
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
        return {source for source, known in self._digests.items() if hmac.compare_digest(known, digest)}

    def _look(self) -> None:
        try:
            files = {entry.name: entry.stat() for entry in os.scandir(self._directory) if not entry.name.startswith(".")}
        except OSError as error:
            self._digests, self._seen, self.is_empty = {}, None, True
            self.trouble = f"{self._directory}: {error.strerror}; it holds the sources' tokens, and user pimains must be able to read it"
            return
        now = {name: (each.st_mtime_ns, each.st_size, each.st_mode, each.st_ino, each.st_ctime_ns) for name, each in files.items()}
        if now == self._seen:
            return
        self._seen = now
        self.is_empty = not files
        self._digests = {}
        troubles = []
        for name, stat in sorted(files.items()):
            lines = (state.read(self._directory / name) or "").splitlines()
            token = lines[0].strip() if lines else ""
            if len(token) < TOKEN_LENGTH_MIN:
                troubles.append(f"{self._directory / name}: holds no token of {TOKEN_LENGTH_MIN} characters that user pimains can read")
                continue
            if stat.st_mode & 0o077:
                troubles.append(f"{self._directory / name}: holds a secret that others may read (chmod 600)")
            self._digests[name] = hashlib.sha256(token.encode()).digest()
        if not files:
            troubles.append(f"{self._directory}: holds no token yet: a file for each source, named like it")
        self.trouble = troubles[0] if troubles else ""

"""Processes of this machine, as /proc tells of them."""

import os
from pathlib import Path


def backups_by_hand() -> list[int]:
    """Each `pimains backup now` below this root (PIMAINS_ROOT) that no service has started; it obeys TERM."""
    return [
        int(name) for name in os.listdir("/proc") if name.isdigit() and _is_backup(_words(name, "cmdline")) and _is_below_our_root(name)
    ]


def _words(process: str, file: str) -> list[str]:
    try:
        return Path("/proc", process, file).read_text(encoding="utf-8", errors="replace").split("\0")
    except OSError:  # it has just ended
        return []


def _is_below_our_root(process: str) -> bool:
    """A demo that is halted stops no backup of the machine that it is shown on."""
    theirs = [word.partition("=")[2] for word in _words(process, "environ") if word.startswith("PIMAINS_ROOT=")]
    return "".join(theirs) == os.environ.get("PIMAINS_ROOT", "")


def _is_backup(words: list[str]) -> bool:
    ours = [place for place, word in enumerate(words) if word == "pimains.cli" or word.endswith("/pimains")]
    return any(words[place + 1 : place + 3] == ["backup", "now"] for place in ours) and "--until-eof" not in words

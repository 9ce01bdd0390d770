"""The NUTs that the real thing is shown with: this machine's own, bookworm's 2.8.0, and trixie's 2.8.1 out of a root of it.

The words of `enter` before a program have it run with the files of that release; its network, /tmp and processes are this machine's.
"""

import os
import tempfile

import pytest

from tests.kit import CACHE

_LAYERS = (CACHE / "root-trixie-nut/upper", CACHE / "root-trixie")  # tests/run makes them
_ENTER = """
set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o "lowerdir=$0,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
cd /mnt/root
mkdir -p ".$1"
mount --rbind "$1" ".$1"
mount --rbind /dev dev
mount -t proc proc proc
mount -t tmpfs tmpfs run
mkdir run/nut
shift
exec chroot . "$@"
"""
BOOKWORM: tuple[str, ...] = ()
TRIXIE = ("unshare", "--mount", "sh", "-c", _ENTER, ":".join(map(str, _LAYERS)), tempfile.gettempdir())
_IS_THERE = os.geteuid() == 0 and all(layer.is_dir() for layer in _LAYERS)
TRIXIES = pytest.param(
    TRIXIE, id="2.8.1", marks=pytest.mark.skipif(not _IS_THERE, reason="trixie's NUT needs root and the roots of tests/run")
)
VERSIONS = [pytest.param(BOOKWORM, id="2.8.0"), TRIXIES]

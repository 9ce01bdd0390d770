"""A count of pulses that survives kill -9 at once, and a power cut after each `commit`.

The live count is in memory that the kernel keeps for the file LIVE, on a tmpfs: as quick as a variable, and it wears
nothing out. `commit` puts it into the file SAVED in one of two sectors, in turn, so that one of them is whole at any
time. Both files have their full size from the beginning: a full disk stops neither.
"""

import contextlib
import errno
import fcntl
import json
import mmap
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from pimains.core import kept, set_aside

_SECTOR = 512
_IN_THE_WAY = (errno.EISDIR, errno.EACCES, errno.ENXIO)
_PAGE = mmap.PAGESIZE
_BOOT_ID = slice(0, 36)
_WORD = 8  # the index of the count in words of 8 bytes, after the boot id; then come pulse_at and per_hour
_NONE = -1.0


class PulseCount:
    """`pulses` since it was made; `had_closed`: the contact was closed when that was saved, and its pulse is counted.

    `damage`: what is wrong with what was saved, '' where nothing is; it is kept beside it, where there is something to be kept.
    Only this boot's: `pulse_at`, in seconds since the boot, and `per_hour`, as the service left it.
    """

    def __init__(self, live: Path, saved: Path, boot: str, at_least: int = 0) -> None:
        for path in (live, saved):
            if not path.is_dir():
                set_aside.unless_a_file(path)
        self.damage = ""
        self._saved = self._opened(saved)
        if not any(self._sectors()) and os.fstat(self._saved).st_size:
            os.close(self._saved)
            self.damage = f"{saved}: holds no count: kept as {kept.set_aside(saved).name}"
            self._saved = self._opened(saved)
        if os.fstat(self._saved).st_size < 2 * _SECTOR:
            os.pwrite(self._saved, bytes(2 * _SECTOR), os.fstat(self._saved).st_size)
        self._serial, pulses, self.had_closed = max(self._sectors(), default=(0, 0, None))
        self._committed = (pulses, self.had_closed)
        handle = self._opened(live)
        os.posix_fallocate(handle, 0, _PAGE)
        self._memory = mmap.mmap(handle, _PAGE)
        os.close(handle)
        self._counts = memoryview(self._memory).cast("Q")
        self._floats = memoryview(self._memory).cast("d")
        if self._memory[_BOOT_ID] == boot.encode().ljust(36)[:36]:
            word = self._counts[_WORD]
            pulses, self.had_closed = max(pulses, word >> 1), bool(word & 1)
        else:
            self.pulse_at = self.per_hour = None
        if at_least > pulses and not self.damage:
            self.damage = f"{saved}: it was at {pulses}, and there are readings of {at_least}"
        self._set(max(pulses, at_least), bool(self.had_closed))
        self._memory[_BOOT_ID] = boot.encode().ljust(36)[:36]
        self._aligned = mmap.mmap(-1, _PAGE)
        with contextlib.suppress(OSError):  # past the page cache: a sector of 512 bytes instead of a page
            fcntl.fcntl(self._saved, fcntl.F_SETFL, fcntl.fcntl(self._saved, fcntl.F_GETFL) | os.O_DIRECT)

    @property
    def pulses(self) -> int:
        """How many there were."""
        return int(self._counts[_WORD]) >> 1

    def contact(self, is_closed: bool, pulse: bool, pulse_at: float | None = None) -> None:
        """The contact closed or opened; count it if that was a `pulse`. One store: kill -9 finds it done or not begun."""
        if pulse and pulse_at is not None:
            self.pulse_at = pulse_at
        self._set(self.pulses + pulse, is_closed)

    @property
    def pulse_at(self) -> float | None:
        """When the last pulse began; None if not in this boot."""
        at = self._floats[_WORD + 1]
        return None if at == _NONE else float(at)

    @pulse_at.setter
    def pulse_at(self, at: float | None) -> None:
        self._floats[_WORD + 1] = _NONE if at is None else at

    @property
    def per_hour(self) -> float | None:
        """The last flow that was known; None if not in this boot."""
        flow = self._floats[_WORD + 2]
        return None if flow == _NONE else float(flow)

    @per_hour.setter
    def per_hour(self, flow: float | None) -> None:
        self._floats[_WORD + 2] = _NONE if flow is None else flow

    def commit(self) -> None:
        """Returns when the count would survive a power cut. Raises OSError."""
        word = int(self._counts[_WORD])
        now = (word >> 1, bool(word & 1))
        if now == self._committed:
            return
        text = json.dumps([self._serial + 1, *now]).encode()
        self._aligned[:_SECTOR] = (b"%08x" % zlib.crc32(text) + text + b"\n").ljust(_SECTOR)
        place = (self._serial + 1) % 2 * _SECTOR
        try:
            os.pwritev(self._saved, [memoryview(self._aligned)[:_SECTOR]], place)
        except OSError:  # a file system that takes whole blocks only, or none past its cache
            fcntl.fcntl(self._saved, fcntl.F_SETFL, fcntl.fcntl(self._saved, fcntl.F_GETFL) & ~os.O_DIRECT)
            os.pwritev(self._saved, [memoryview(self._aligned)[:_SECTOR]], place)
        os.fdatasync(self._saved)
        self._serial += 1
        self._committed = now

    def close(self) -> None:
        """Let go of the files; the count stays."""
        os.close(self._saved)
        self._counts.release()
        self._floats.release()
        self._memory.close()

    def _set(self, pulses: int, is_closed: bool) -> None:
        self._counts[_WORD] = pulses << 1 | is_closed

    def _opened(self, path: Path) -> int:
        """The file, made where there is none; what cannot be opened is set aside. Raises OSError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            return os.open(path, flags, 0o644)
        except OSError as error:
            if error.errno not in _IN_THE_WAY:
                raise
            self.damage = f"{path}: {(error.strerror or '').lower()}: kept as {kept.set_aside(path).name}"
            return os.open(path, flags, 0o644)

    def _sectors(self) -> Iterator[tuple[int, int, bool | None]]:
        for place in (0, _SECTOR):
            text = os.pread(self._saved, _SECTOR, place).rstrip()
            with contextlib.suppress(ValueError, TypeError):
                if int(text[:8], 16) == zlib.crc32(text[8:]):
                    serial, pulses, is_closed = json.loads(text[8:])
                    yield int(serial), int(pulses), bool(is_closed)

"""HMAC-SHA256 (RFC 2104, RFC 4231) without OpenSSL, whose library costs two megabytes of a small Pi's memory.

The hash is CPython's own compiled one, imported as its `random` module does for the same reason.
"""

from _operator import _compare_digest  # what hmac.compare_digest is

try:
    from _sha2 import sha256  # type: ignore[import-not-found]  # from Python 3.12 on
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found]  # Python 3.11
    except ImportError:
        from hashlib import sha256

_BLOCK = 64
_INNER = bytes(0x36 ^ byte for byte in range(256))
_OUTER = bytes(0x5C ^ byte for byte in range(256))


class Key:
    """A secret key of at most 64 bytes, prepared once for many messages."""

    def __init__(self, key: bytes) -> None:
        if len(key) > _BLOCK:
            raise ValueError("longer than a block of SHA-256")
        self._inner = sha256(key.ljust(_BLOCK, b"\0").translate(_INNER))
        self._outer = sha256(key.ljust(_BLOCK, b"\0").translate(_OUTER))

    def digest(self, message: bytes) -> bytes:
        """The 32 bytes that only who knows the key can make of `message`."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return bytes(outer.digest())

    def proves(self, message: bytes, hexadecimal: bytes) -> bool:
        """Whether `hexadecimal` is the digest of `message`; takes as long for a wrong one as for the right one."""
        return bool(_compare_digest(self.digest(message).hex().encode(), hexadecimal))

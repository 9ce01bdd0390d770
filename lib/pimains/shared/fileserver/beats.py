"""What fserver and fclient say to each other, without a socket: lines in, lines out.

    server   pimains-fserver 1 SERVER_NONCE
    client   join CLIENT_NONCE CLIENT_ID NAME PROOF
    server   welcome PROOF
    both     COUNTER WORD [TEXT] SEAL

Nonces are 32 random bytes, all binary is hexadecimal. A proof is the HMAC-SHA256, with the shared secret, of who speaks and of
both nonces, the client's id and its name: each end knows that the other has the secret now, and nothing said to one
end can be said again to another or later. From the same four come two keys, one for each direction; a seal is the HMAC-SHA256 of
all before it. The counter begins at 1 and goes up by one, so no line can be repeated, left out, moved or put in.

Words of the server: beat, leave REASON, refuse REASON. Words of a client: beat, words TEXT (how it is), left TEXT (it has
unmounted). Lines are at most LONGEST_LINE bytes of UTF-8. Whatever is not just this raises Unproven, and has had no effect.
"""

import binascii
import hmac
import os
import re
from typing import NamedTuple, Protocol

from pimains.core.errors import PimainsError
from pimains.core.plan.text import one_line

LONGEST_LINE = 512
_LONGEST_TEXT = 200
_GREETING = b"pimains-fserver 1"
_NONCE = re.compile(rb"[0-9a-f]{64}")
_ID = re.compile(rb"[0-9a-f]{16}")
_NAME = re.compile(rb"[A-Za-z0-9._-]{1,64}")
FROM_SERVER = frozenset({"beat", "leave", "refuse"})
FROM_CLIENT = frozenset({"beat", "words", "left"})


class Unproven(PimainsError):
    """A line that nobody who knows the secret, and nobody in this conversation, can have meant; the text says what is wrong with it."""


class Message(NamedTuple):
    """A word that was proven, and its text ('' for most)."""

    word: str
    text: str = ""


def nonce() -> bytes:
    """32 bytes nobody has seen before."""
    return os.urandom(32).hex().encode()


def client_id(kept: str = "") -> bytes:
    """What tells a client that comes a second time from another one of the same name: what was `kept` of the first time, or a new one."""
    known = kept.encode("utf-8", "replace")
    return known if _ID.fullmatch(known) else os.urandom(8).hex().encode()


def name_of(text: str) -> str:
    """`text` as a client's name: what does not belong in one becomes a hyphen."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:64] or "client"


class Secret:
    """The secret that server and clients share: 32 bytes in base64, as in variables/SECRET."""

    def __init__(self, base64: str) -> None:
        self._key = binascii.a2b_base64(base64, strict_mode=True)

    def proof(self, who: bytes, conversation: bytes) -> bytes:
        """The proof that `who` (client or server) knows the secret, in this conversation."""
        return _seal(self._key, b"proof of " + who + b" " + conversation)

    def proves(self, who: bytes, conversation: bytes, proof: bytes) -> bool:
        """Whether `proof` is one."""
        return hmac.compare_digest(self.proof(who, conversation), proof)

    def key(self, who: bytes, conversation: bytes) -> bytes:
        """What seals the lines of `who` in this conversation."""
        return hmac.digest(self._key, b"seal of " + who + b" " + conversation, "sha256")


def _seal(key: bytes, message: bytes) -> bytes:
    """What only who knows the key can make of `message`: HMAC-SHA256 (RFC 2104), in hexadecimal."""
    return hmac.digest(key, message, "sha256").hex().encode()


class Sealer:
    """Seals what this end says."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._counter = 0

    def line(self, word: str, text: str = "") -> bytes:
        """The line that says `word`; of `text` as much as a line may hold, on one line."""
        self._counter += 1
        body = f"{self._counter} {word}".encode()
        if text:
            body += b" " + one_line(text).encode("utf-8", "replace")[:_LONGEST_TEXT].decode("utf-8", "ignore").strip().encode()
        return body + b" " + _seal(self._key, body) + b"\n"


class Opener:
    """Opens what the other end sealed."""

    def __init__(self, key: bytes, words: frozenset[str]) -> None:
        self._key = key
        self._words = words
        self._counter = 0

    def message(self, line: bytes) -> Message:
        """What `line` says; raises Unproven."""
        body, _, seal = line.rpartition(b" ")
        if not hmac.compare_digest(_seal(self._key, body), seal):
            raise Unproven("a line with a wrong seal")
        counter, _, said = body.decode("utf-8", "replace").partition(" ")
        self._counter += 1
        if counter != str(self._counter):
            raise Unproven(f"a line out of turn: number {counter} instead of {self._counter}")
        word, _, text = said.partition(" ")
        if word not in self._words:
            raise Unproven(f"a word it should not know: {word[:20]}")
        return Message(word, text)


class ServerEnd:
    """The server's end of one conversation; `name` and `id` are set when the client has joined."""

    def __init__(self, secret: Secret, its_nonce: bytes | None = None) -> None:
        self._secret = secret
        self._nonce = its_nonce or nonce()
        self._sealer: Sealer | None = None
        self._opener: Opener | None = None
        self.name = ""
        self.id = b""

    @property
    def has_joined(self) -> bool:
        """Whether the client has proven the secret."""
        return self._opener is not None

    def greeting(self) -> bytes:
        """The first line of all."""
        return _GREETING + b" " + self._nonce + b"\n"

    def join(self, line: bytes) -> bytes:
        """Take the client's proof; returns the welcome. Raises Unproven."""
        words = line.split(b" ")
        if len(words) != 5 or words[0] != b"join":
            raise Unproven("something else than a proof")
        _, its_nonce, its_id, name, proof = words
        if not (_NONCE.fullmatch(its_nonce) and _ID.fullmatch(its_id) and _NAME.fullmatch(name)):
            raise Unproven("something else than a proof")
        conversation = b" ".join((self._nonce, its_nonce, its_id, name))
        if not self._secret.proves(b"client", conversation, proof):
            raise Unproven("a proof made with another SECRET")
        self.name, self.id = name.decode(), its_id
        self._sealer = Sealer(self._secret.key(b"server", conversation))
        self._opener = Opener(self._secret.key(b"client", conversation), FROM_CLIENT)
        return b"welcome " + self._secret.proof(b"server", conversation) + b"\n"

    def receive(self, line: bytes) -> Message:
        """What the client says; raises Unproven, always before it has joined."""
        if self._opener is None:
            raise Unproven("a word before the proof")
        return self._opener.message(line)

    def say(self, word: str, text: str = "") -> bytes:
        """The line to send; raises Unproven before the client has joined."""
        if self._sealer is None:
            raise Unproven("nothing is said before the proof")
        return self._sealer.line(word, text)


class End(Protocol):
    """A client's end of one conversation: ClientEnd, or pimains.fclient.pistop.PistopEnd."""

    has_beats: bool

    @property
    def has_proven(self) -> bool:
        """Whether this end has sent its own proof."""

    @property
    def has_joined(self) -> bool:
        """Whether the server has proven itself."""

    def join(self, line: bytes) -> bytes:
        """Take a line of the server; returns what to send."""

    def receive(self, line: bytes) -> Message:
        """What the server says."""

    def say(self, word: str, text: str = "") -> bytes:
        """The line to send."""


class ClientEnd:
    """The client's end of one conversation."""

    has_beats = True

    def __init__(self, secret: Secret, name: str, its_id: bytes, its_nonce: bytes | None = None) -> None:
        self._secret = secret
        self._name = name.encode()
        self._id = its_id
        self._nonce = its_nonce or nonce()
        self._conversation = b""
        self._sealer: Sealer | None = None
        self._opener: Opener | None = None

    @property
    def has_joined(self) -> bool:
        """Whether the server has proven the secret."""
        return self._opener is not None

    @property
    def has_proven(self) -> bool:
        """Whether this end has sent its own proof."""
        return bool(self._conversation)

    def join(self, line: bytes) -> bytes:
        """Take the server's greeting, then its welcome; returns what to send, nothing after the welcome. Raises Unproven."""
        if not self._conversation:
            return self._prove(line)
        word, _, proof = line.partition(b" ")
        if word != b"welcome" or not self._secret.proves(b"server", self._conversation, proof):
            raise Unproven("a server that does not know the SECRET")
        self._sealer = Sealer(self._secret.key(b"client", self._conversation))
        self._opener = Opener(self._secret.key(b"server", self._conversation), FROM_SERVER)
        return b""

    def _prove(self, line: bytes) -> bytes:
        greeting, _, its_nonce = line.rpartition(b" ")
        if greeting != _GREETING or not _NONCE.fullmatch(its_nonce):
            raise Unproven("something else than an fserver of pimains")
        self._conversation = b" ".join((its_nonce, self._nonce, self._id, self._name))
        proof = self._secret.proof(b"client", self._conversation)
        return b" ".join((b"join", self._nonce, self._id, self._name, proof)) + b"\n"

    def receive(self, line: bytes) -> Message:
        """What the server says; raises Unproven, always before the welcome."""
        if self._opener is None:
            raise Unproven("a word before the welcome")
        return self._opener.message(line)

    def say(self, word: str, text: str = "") -> bytes:
        """The line to send; raises Unproven before the welcome."""
        if self._sealer is None:
            raise Unproven("nothing is said before the welcome")
        return self._sealer.line(word, text)

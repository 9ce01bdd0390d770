"""pistop's own protocol, for a client whose server has not moved over yet; nobody proves anything in it."""

from pimains.shared.fileserver.beats import Message

GREETING = b"Connection from "


class PistopEnd:
    """The client's end: connected, it says `wait`, and the server says `shutdown`.

    The server's greeting comes with that or even after it, because it is buffered: nothing waits for it.
    """

    has_beats = False
    has_proven = False
    has_joined = False

    def join(self, line: bytes) -> bytes:  # noqa: ARG002  # as End has it
        """Be in, as soon as there is a connection."""
        self.has_joined = True
        return b"wait\n"

    def receive(self, line: bytes) -> Message:
        """Only one line means something."""
        return Message("leave", "the server shuts down") if line == b"shutdown" else Message("words")

    def say(self, word: str, text: str = "") -> bytes:  # noqa: ARG002  # as End has it
        """It knows no more words."""
        return b""

"""pistop's own protocol, for a client whose server has not moved over yet; nobody proves anything in it."""

from pimains.shared.fileserver.beats import Message, Unproven

GREETING = b"Connection from "


class PistopEnd:
    """The client's end: the server greets, is told `wait`, and says `shutdown`."""

    has_beats = False
    has_proven = False
    has_joined = False

    def join(self, line: bytes) -> bytes:
        """Take the greeting."""
        if not line.startswith(GREETING):
            raise Unproven("it is no fserver of pistop")
        self.has_joined = True
        return b"wait\n"

    def receive(self, line: bytes) -> Message:
        """Only one line means something."""
        return Message("leave", "the server shuts down") if line == b"shutdown" else Message("words")

    def say(self, word: str, text: str = "") -> bytes:  # noqa: ARG002  # as End has it
        """It knows no more words."""
        return b""

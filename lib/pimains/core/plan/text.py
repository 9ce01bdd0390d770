"""Text that came from somewhere else, as people get to see it."""

_LONGEST = 300  # characters


def one_line(text: str, longest: int | None = None) -> str:
    """`text` without line ends and control characters, which a device may have put there: safe on any terminal.

    At most `longest` characters of it; all for None.
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:longest]


def shortened(line: str, width: int | None) -> str:
    """`line` in at most `width` characters, ending in an ellipsis where something is missing; all of it for None."""
    if width is None or len(line) <= width:
        return line
    return line[: max(0, width - 1)].rstrip() + "…"


def short_line(text: str) -> str:
    """`text` as one printable line, no longer than what goes into logs, mails and environments."""
    return one_line(text, _LONGEST)

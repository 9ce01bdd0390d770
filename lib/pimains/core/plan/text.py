"""Text that came from somewhere else, as people get to see it."""


def one_line(text: str) -> str:
    """`text` without line ends and control characters, which a device may have put there: safe on any terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def shortened(line: str, width: int | None) -> str:
    """`line` in at most `width` characters, ending in an ellipsis where something is missing; all of it for None."""
    if width is None or len(line) <= width:
        return line
    return line[: max(0, width - 1)].rstrip() + "…"


def short_line(text: str) -> str:
    """`text` as one printable line of at most 300 characters: it goes into logs, mails and environments."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]

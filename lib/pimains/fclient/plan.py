"""What is worth a line in the log."""

import re

_PID = re.compile(r" \([0-9]+\)")


def is_news(words: str, before: str) -> bool:
    """Whether `words` say something else than those `before` them: of "kept by mpd (123) at ..." another number is nothing else."""
    return _PID.sub("", words) != _PID.sub("", before)

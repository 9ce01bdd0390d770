"""Amounts as bars of text, for a terminal."""

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(amounts: list[float | None]) -> str:
    """A bar for each; a blank where nothing is known."""
    most = max((amount for amount in amounts if amount is not None), default=0.0)
    return "".join(
        " " if amount is None else _BARS[min(len(_BARS) - 1, int(amount / most * len(_BARS)))] if most > 0 else _BARS[0]
        for amount in amounts
    )

"""What a digit of seven segments can show: bit 0 is segment a, the bar at the top, bit 6 is g, the one in the middle, bit 7 the point.

 aaa
f   b
 ggg
e   c
 ddd  point
"""

TOP, MIDDLE, BOTTOM, POINT, DARK = 0b00000001, 0b01000000, 0b00001000, 0b10000000, 0
_FONT = {
    **dict(zip("0123456789", bytes.fromhex("3f065b4f666d7d077f6f"), strict=True)),
    **dict(zip("abcdefghijklm", bytes.fromhex("777c395e79713d74301e753837"), strict=True)),
    **dict(zip("nopqrstuvwxyz", bytes.fromhex("545c7367506d783e1c2a766e5b"), strict=True)),
    "-": MIDDLE,
    "_": BOTTOM,
    "=": MIDDLE | BOTTOM,
    "'": 0b00100000,
    "°": 0b01100011,
    "?": 0b01010011,
    "/": 0b01010010,
}
_WRITTEN_AS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "è": "e", "ê": "e", "à": "a", "ç": "c", "ñ": "n", ",": "."}
    | {"\u0308": "e", **dict.fromkeys("\u0300\u0301\u0302\u0303\u0327")}  # behind the letter that they belong to, as a Mac writes them
)


def written(text: str, digits: int) -> list[int]:
    """`text` from the left in so many digits; a point goes into the digit before it, what no digit can show is dark."""
    found: list[int] = []
    for letter in text.lower().translate(_WRITTEN_AS):
        if letter == "." and found and not found[-1] & POINT:
            found[-1] |= POINT
        else:
            found.append(POINT if letter == "." else _FONT.get(letter, DARK))
    return (found + [DARK] * digits)[:digits]


def at_the_right(text: str, digits: int) -> list[int]:
    """The same at the right end, for numbers."""
    letters = len(text) - text.count(".")
    return written(" " * (digits - letters) + text, digits)

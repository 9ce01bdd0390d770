"""Numbers as spreadsheets write them: 1234.5, 1.234,5, 1 234,5, 1'234.5. Which mark is the decimal one, a whole column says."""

import re
from collections.abc import Iterable

_UNKNOWN = ("", "nan", "-nan", "u", "-", "null", "none", "unavailable", "unknown", "n/a")
_GROUPED_BY_BLANK = re.compile(r"(?<=[0-9])['\u2019\u00a0\u202f ](?=[0-9]{3}(?![0-9]))")
_GROUPS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:[.,][0-9]{3})+")  # 1.234 and 1,234,567: grouped, or with three decimals
_NUMBERS = {
    ".": re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?|[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?"),
    ",": re.compile(r"[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]*)?|[0-9]+,?[0-9]*|,[0-9]+)(?:[eE][+-]?[0-9]{1,2})?"),
}
MARKS = {"point": ".", "comma": ","}


class Numbers:
    """Those of one column. `mark`, "." or ",", is the decimal mark where it is known; `are_points_decimal`: a lone point is one."""

    def __init__(self, mark: str | None, are_points_decimal: bool) -> None:
        self._mark = mark
        self._are_points_decimal = are_points_decimal

    def learn(self, texts: Iterable[str]) -> None:
        """The first values of the column: one of them may tell what the others mean."""
        if self._mark is None:
            self._mark = next((mark for text in texts if (mark := self._told_by(_bare(text))) is not None), None)

    def value(self, text: str) -> float | None:
        """What it is; None: not known. Raises ValueError for what is no number, and for 1,234 where nothing says what it is."""
        if text.isdecimal():  # there may be millions
            return float(text)
        bare = _bare(text)
        if bare.lower() in _UNKNOWN:
            return None
        if self._mark is None:
            self._mark = self._told_by(bare)
        if self._mark is None and _GROUPS.fullmatch(bare):
            whole, part = re.sub("[.,]", "", bare), bare.replace(",", ".", 1)
            raise ValueError(
                f"{text[:40]!r} may be {whole} or {part}: --decimal=point or --decimal=comma says which mark is the decimal one"
            )
        mark = self._mark or "."
        if not _NUMBERS[mark].fullmatch(bare):
            is_other = _NUMBERS["," if mark == "." else "."].fullmatch(bare)
            raise ValueError(f"{text[:40]!r} is no number{f' whose decimal mark is {mark!r}, as above it' if is_other else ''}")
        return float(bare.replace("," if mark == "." else ".", "").replace(",", "."))

    def _told_by(self, bare: str) -> str | None:
        """The decimal mark, if this text leaves no doubt."""
        points, commas = bare.count("."), bare.count(",")
        if points and commas:
            return max(".,", key=bare.rfind)
        if points > 1 or commas > 1:
            return "," if points else "."
        if not points and not commas:
            return None
        if points and self._are_points_decimal:
            return "."
        return None if _GROUPS.fullmatch(bare) else "." if points else ","


def _bare(text: str) -> str:
    return _GROUPED_BY_BLANK.sub("", text.strip())

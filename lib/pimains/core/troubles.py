"""What is wrong now: each trouble is said once, and once when it is over."""

from collections.abc import Callable


class Troubles:
    """Each known by what it is about; `say` hears of it, and `say_over`, where somebody wants to know, that it is well again."""

    def __init__(self, say: Callable[[str], None], say_over: Callable[[str], None] | None = None) -> None:
        self._say = say
        self._say_over = say_over
        self._kinds: dict[str, str] = {}
        self._known: dict[str, str] = {}

    def look(self, about: str, trouble: str, kind: str | None = None) -> None:
        """`trouble` is what is wrong about it now, '' when nothing is; another one is said as well.

        Where the words of one and the same trouble vary, its `kind` tells whether it is another.
        """
        before, is_now = self._kinds.get(about, ""), (trouble if kind is None else kind) if trouble else ""
        self._kinds[about], self._known[about] = is_now, trouble
        if is_now and is_now != before:
            self._say(trouble)
        elif before and not is_now and self._say_over:
            self._say_over(f"{about}: well again")

    def now(self) -> list[str]:
        """Everything that is wrong."""
        return [trouble for trouble in self._known.values() if trouble]

    def forget(self) -> None:
        """Whatever is wrong from now on is said anew."""
        self._kinds.clear()
        self._known.clear()

"""What is damaged is kept, never overwritten: `face` becomes `face.corrupt-1`, and three of each at most."""

from pathlib import Path

KEPT = 3


def free_name(path: Path) -> Path | None:
    """Under which name the damaged `path` is kept; None where three are already."""
    names = (path.with_name(f"{path.name}.corrupt-{number}") for number in range(1, KEPT + 1))
    return next((name for name in names if not name.exists()), None)

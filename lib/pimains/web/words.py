"""The page's own words, in its language: words/NAME.json has each in all of them."""

import json
from pathlib import Path

_DIRECTORY = Path(__file__).parent / "words"


def words(name: str, language: str) -> dict[str, str]:
    """Those of words/NAME.json by their keys; none when there is no such file."""
    try:
        text = (_DIRECTORY / f"{name}.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    found: dict[str, dict[str, str]] = json.loads(text)
    return {key: by_language[language] for key, by_language in found.items()}

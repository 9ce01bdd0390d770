"""pimains rule list and example: the rules there are with what they say, and those that come with pimains to begin with."""

import json
import time
from pathlib import Path
from typing import Any

from pimains.core import paths, state
from pimains.core.errors import Misused
from pimains.core.plan.columns import aligned
from pimains.core.plan.sentences import ago
from pimains.core.plan.text import one_line
from pimains.rules import told
from pimains.rules.blocks import made_files
from pimains.rules.places import Places
from pimains.rules.rule_files import RuleFile, RuleFiles
from pimains.shared.relays import relay_settings

_HEADS = ("", "relay", "rule", "says", "because", "asked")
_NONE = "no rule yet: pimains rule add 1 --kind=surplus, or pimains rule example"


def show(places: Places, as_json: bool) -> None:
    """A line for each rule, with what it says now."""
    files = RuleFiles(places.rules, places.made)
    found = [_shown(places, rule) for _, rule in sorted(files.look().items())]
    files.close()
    if as_json:
        print(json.dumps(found, indent=2))
    elif not found:
        print(_NONE)
    else:
        rows = [
            (str(each["number"]), each["name"], each["kind"], each["says"] or "?", each["reason"], ago(each["age_seconds"]))
            for each in found
        ]
        print("\n".join(aligned([_HEADS, *rows])))


def _shown(places: Places, rule: RuleFile) -> dict[str, Any]:
    says, reason = (state.read(places.service.run / f"{rule.number}.{name}") for name in (told.SAYS, told.REASON))
    is_ready = rule.path.suffix == ".rule"
    kind = state.read(rule.path / "KIND") if is_ready else "blocks" if made_files.is_as_made(rule.path) else rule.path.name
    return {
        "number": rule.number,
        "name": relay_settings.name(places.relays / str(rule.number)) if places.relays else "",
        "kind": _line(kind),
        "file": str(rule.path),
        "says": says,
        "age_seconds": state.age(places.service.run / f"{rule.number}.{told.SAYS}", time.time()),
        "reason": _line(reason) or rule.fault or "the service has not asked it yet",
    }


def _line(text: str | None) -> str:
    return one_line((text or "").partition("\n")[0])


def example(words: list[str]) -> None:
    """All that come with pimains, or the text of one. Raises Misused."""
    files = sorted((paths.service_templates() / "rules/examples").glob("*.py"))
    if not words:
        print("\n".join(aligned([(path.stem, _purpose(path)) for path in files])))
        return
    found = [path for path in files if path.stem.startswith(words[0])]
    if len(found) != 1 or len(words) > 1:
        raise Misused(f"{' '.join(words)!r} is no example's name: pimains rule example tells them")
    print(found[0].read_text(encoding="utf-8"), end="")


def _purpose(path: Path) -> str:
    text = path.read_text(encoding="utf-8").split('"""')[1]
    return " ".join(text.split("\n\n")[0].split())

"""What becomes of a rule that is not saved yet: what is wrong with it, what it would say, and what it would have done.

The real rules answer, `pimains rule check` and `pimains rule replay`, each in a process of its own.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pimains.core.errors import PimainsError
from pimains.core.plan.text import one_line, shortened
from pimains.shared.blocks import table, workspace
from pimains.shared.blocks.workspace import Document, Wrong
from pimains.web.children import PREFIX, Children
from pimains.web.verbs import Done

CHECK_SECONDS, REPLAY_SECONDS = 30.0, 60.0
_RUNS_MAX = 400
_LINE_LONGEST = 300
_SETTING = re.compile(r"([A-Z][A-Z_]*): (.*)", re.DOTALL)
_PRETENDED = "pretended.json"
_DRAFT = re.compile(rf"\S*/{PREFIX}\S*?/[0-9]+\.(?:json|rule|py)(?::[0-9]+)?(?:: |/|(?=\s|$))")


class Drafts:
    """`scan` is where services are."""

    def __init__(self, children: Children, scan: Path) -> None:
        self._children, self._scan = children, scan

    async def check(
        self, who: str, number: int, draft: Document, pretended: Mapping[str, Any], is_waited_for: Callable[[], bool]
    ) -> dict[str, Any]:
        """What is wrong with it, or what it would say, with what is pretended in place of what is so. Raises PimainsError."""
        name = f"{number}.json"

        def words(directory: Path) -> list[str]:
            given = [str(directory / name), "--json", f"--servicedir={self._scan}"]
            return ["rule", "check", *given, f"--pretend={directory / _PRETENDED}"]

        files = {name: _file(draft), _PRETENDED: json.dumps(pretended)}
        found = _told(await self._children.run(f"{who} check", words, files, CHECK_SECONDS, is_waited_for))
        faults = [_without_path(fault) for fault in found["faults"]]
        at = {match[1]: match[2] for fault in faults if draft.ready and (match := _SETTING.fullmatch(fault)) and match[1] in draft.ready}
        return {
            "says": found["says"],
            "reason": found["reason"],
            "faults": faults,
            "faults_of_settings": at,
            "block": found["block"],
            "values": found["values"],
            "record": found["record"],
        }

    async def replay(self, who: str, number: int, draft: Document, since: str, is_waited_for: Callable[[], bool]) -> dict[str, Any]:
        """When it would have been on since then, by what a collector of this machine has recorded. Raises PimainsError."""
        name = f"{number}.json"

        def words(directory: Path) -> list[str]:
            return ["rule", "replay", str(number), str(directory / name), f"--since={since}", "--json", f"--servicedir={self._scan}"]

        found = _told(await self._children.run(f"{who} replay", words, {name: _file(draft)}, REPLAY_SECONDS, is_waited_for))
        runs = found["runs"]
        return {**found, "rule": "", "runs": runs[-_RUNS_MAX:], "runs_left_out": max(0, len(runs) - _RUNS_MAX)}


def checked(number: int, given: Mapping[str, Any]) -> Document:
    """What a browser has sent, as a document of shared/blocks. Raises Wrong, naming the block."""
    content = {name: value for name, value in given.items() if name in ("set", "workspace", "ready", "remove", "made_from", "overwrite")}
    found = workspace.document({"format": workspace.FORMAT, **content})
    if found.is_newer:
        raise Wrong("it is made of blocks that this pimains does not know yet")
    if found.workspace is not None:
        workspace.read(found.workspace)
    if not 1 <= number <= 999:
        raise Wrong(f"{number} is no relay's number, 1-999")
    return found


def wrong(why: Wrong) -> dict[str, Any]:
    """As a check tells it of one that is not even looked at."""
    return {
        "says": "", "reason": "", "faults": [str(why)], "faults_of_settings": {}, "block": why.block, "values": {}, "record": "",
    }  # fmt: skip


def _file(draft: Document) -> str:
    """As the editor would have it saved."""
    what: dict[str, Any] = {"ready": draft.ready} if draft.ready is not None else {"set": table.SET, "workspace": draft.workspace}
    return json.dumps({"format": workspace.FORMAT, **what})


def _told(done: Done) -> dict[str, Any]:
    """The JSON that a verb has told. Raises PimainsError with its line where it has none."""
    try:
        found: dict[str, Any] = json.loads(done.told)
    except ValueError:
        line = one_line(done.said).removeprefix("pimains: ") or f"pimains rule ended with exit code {done.code}"
        raise PimainsError(shortened(_without_path(line), _LINE_LONGEST)) from None
    return found


def _without_path(line: str) -> str:
    """Nobody has asked for a file: where it lay, in a directory that is gone, says nothing."""
    return _DRAFT.sub("", line)

"""pimains rule compile: the Python of what an editor of blocks has saved."""

import json
from pathlib import Path

from pimains.core.errors import Misused, PimainsError
from pimains.rules.blocks import drafts
from pimains.shared.blocks.workspace import BYTES_MAX, Wrong


def run(words: list[str], *, as_json: bool) -> int:
    """`words` are those after compile: a file. Raises PimainsError; for programs what is wrong, and with which block, is told as well."""
    if len(words) != 1:
        raise Misused("pimains rule compile wants a file that an editor of blocks has saved: pimains rule compile 3.json")
    path = Path(words[0])
    try:
        with path.open("rb") as file:
            draft = drafts.of(file.read(BYTES_MAX + 2), path.parent, 0)
    except OSError as error:
        raise Misused(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except Wrong as wrong:
        if not as_json:
            raise PimainsError(f"{path}: {wrong}") from None
        print(json.dumps({"fault": str(wrong), "block": wrong.block, "python": "", "loose": 0}, indent=2))
        return 1
    if as_json:
        print(json.dumps({"fault": "", "block": "", "python": "" if draft.is_ready else draft.text, "loose": draft.loose}, indent=2))
    elif draft.is_ready:
        raise PimainsError(f"{path}: a ready-made rule is made of settings, and of no Python")
    else:
        print(draft.text, end="")
    return 0

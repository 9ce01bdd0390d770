"""What an editor has saved, or would save, as the text of a rule that is only tried."""

import json
from pathlib import Path
from typing import NamedTuple

from pimains.rules.blocks import made_files
from pimains.rules.blocks.compile import python_of
from pimains.shared.blocks import table, workspace
from pimains.shared.blocks.workspace import Wrong


class Draft(NamedTuple):
    """Its text, that of a ready-made rule where `is_ready`; `loose`: so many blocks do nothing."""

    text: str
    is_ready: bool
    loose: int


def of(data: bytes, directory: Path, number: int) -> Draft:
    """Also of one to begin with, in English. Raises Wrong. The directory and the number are those that a ready-made rule would have."""
    document = workspace.document(workspace.begun_from(workspace.content_of(data.rstrip(b"\n")), "en"))
    if document.is_newer:
        raise Wrong(f"it is made of blocks that came after set {table.SET}, which this pimains knows")
    if document.is_removal:
        raise Wrong("it says that the rule is to be removed")
    if document.ready is not None:
        return Draft(json.dumps(made_files.checked_settings(directory, number, document.ready)), True, 0)
    found = workspace.read(document.workspace or {})
    return Draft(python_of(found), False, found.loose)

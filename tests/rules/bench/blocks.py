#!/usr/bin/env python3
"""So many workspaces that nobody would build, and as many damaged ones: each is compiled or refused in a line, and reaches no other name.

tests/rules/bench/blocks.py 50000 [FIRST]
"""

import json
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[3] / each) for each in ("", "lib")]

from pimains.rules.blocks.compile import python_of  # noqa: E402  # only findable now
from pimains.shared.blocks import workspace  # noqa: E402  # only findable now
from pimains.shared.blocks.workspace import Wrong  # noqa: E402  # only findable now
from tests.rules.generated_blocks import GeneratedBlocks, strangers  # noqa: E402  # only findable now


def main() -> None:
    """Print how many of each, and how long one takes."""
    count, compiled, refused, reached, longest = int(sys.argv[1]), 0, 0, 0, 0.0
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for seed in range(first, first + count):
        generated = GeneratedBlocks(seed)
        whole = generated.workspace()
        for each in (whole, generated.damaged(whole)):
            began = time.process_time()
            try:
                content = workspace.content_of(json.dumps({"format": 1, "set": 1, "workspace": each}).encode())
                python = python_of(workspace.read(workspace.document(content).workspace or {}))
            except Wrong as wrong:
                refused += 1
                if not str(wrong).isprintable() or len(str(wrong)) > 250:
                    print(f"seed {seed}: {str(wrong)!r}")
                continue
            longest = max(longest, time.process_time() - began)
            compiled += 1
            reached += bool(strangers(python))
    print(f"{compiled} compiled, {refused} refused in a line, {reached} reach other names; {1000 * longest:.0f} ms for one at most")


if __name__ == "__main__":
    main()

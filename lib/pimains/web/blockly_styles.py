"""The style elements that Blockly puts into the page of rules, as its content policy allows them: their SHA-256.

Their contents are the same in every browser, and depend on the release of Blockly, the renderer, the names of our themes (blocks.js) and
the path of its pictures alone. tests/web/house/test_rules_page.py compares them with those that a browser has met.
"""

BLOCKLY = "13.3.0"
HASHES = ("sha256-A=",)

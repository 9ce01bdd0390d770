"""The style elements that Blockly puts into the page of rules, as its content policy allows them: their SHA-256.

Their contents are the same in every browser, and depend on the release of Blockly, the renderer, the names of our themes (blocks.js) and
the path of its pictures alone. tests/web/house/test_rules_page.py compares them with those that a browser has met.
"""

BLOCKLY = "13.3.0"
HASHES = (
    "sha256-+h5SrpPoI+Xzq/I4MLQaQIfhiNaTto0RxjbLi4U4GiI=",  # blockly-common-style
    "sha256-1thyGeASDR+BbbWLKCaiO61MpiAJbCyCr7GQydsBr4E=",  # the renderer's, for the theme pimains-light
    "sha256-1B8QQ38mf7MHuMlG8MMTVW8N1qNc7crlCewMaF17HL8=",  # and for pimains-dark
)

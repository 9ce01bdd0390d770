"""Where tests/run has put nut2: for PYTHONPATH, and for the tests' own process (tests/conftest.py)."""

from tests.kit import CACHE, TOP

NUT2 = CACHE / (TOP / "debian/stdeb/nut2/sdist.txt").read_text().split()[0].replace("==", "-")

#!/usr/bin/env python3
"""The pages of web as they look in a browser, of the house that create_service --demo makes: debian/screenshots/web-*.png.

    tests/web/web_screenshots.py [PAGE ...]        (as root: the demo's kitchen has mounts of its own; chromium, pngquant)

Now, relays, history and rules, unless pages are named; each at a desk in the light and on a phone in the dark. It is noon in the demo when
they are taken, so that rules have something to do.
"""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[2] / "lib")]

from tests.create_service.demos import Watched  # noqa: E402  # only findable now
from tests.kit import TOP, until  # noqa: E402  # only findable now
from tests.web.page import Pages, new_browser  # noqa: E402  # only findable now

PAGES = ("now", "relays", "history", "rules")
LOOKS = {"desk": (1280, False), "phone-dark": (390, True)}  # pixels wide; whether the browser wants it dark
_SETTLES_MILLISECONDS = 2500
_COLOURS = "128"


def main(names: list[str]) -> None:
    """Take them."""
    directory = TOP / "debian/screenshots"
    with tempfile.TemporaryDirectory(prefix="pimains-screenshots-") as top:
        Path(top).chmod(0o755)
        demo = Watched(Path(top))
        demo.until_said(r"\^C ends it, and nothing of it is left\.", 300)
        found = re.search(r"(http://127\.0\.0\.1:[0-9]+)/   (\S+)", demo.said)
        assert found, demo.said
        (root,) = Path(top).glob("pimains-demo-*")
        until(lambda: (root / "run/pimains/relays/2.state").read_text().strip() == "on", 120, "rules to have switched boiler and pump on")
        try:
            for browser in new_browser():
                for name in names or PAGES:
                    for look, (width, is_dark) in LOOKS.items():
                        _take(Pages(browser), *found.groups(), name, width, is_dark, directory / f"web-{name}-{look}.png")
        finally:
            demo.end(signal.SIGINT)


def _take(pages: Pages, url: str, password: str, name: str, width: int, is_dark: bool, path: Path) -> None:
    page = pages.logged_in(url, "/" if name == "now" else f"/{name}", password, width=width, dark=is_dark)
    page.wait_for_timeout(_SETTLES_MILLISECONDS)  # drawn, with what has come live
    page.screenshot(path=path)
    pages.close()
    if pngquant := shutil.which("pngquant"):
        subprocess.run([pngquant, "--force", "--strip", "--speed=1", f"--output={path}", _COLOURS, path], check=True)
    shutil.chown(path, TOP.owner(), TOP.group())
    print(f"{path.relative_to(TOP)}: {path.stat().st_size / 1000:.0f} kB", *pages.errors, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

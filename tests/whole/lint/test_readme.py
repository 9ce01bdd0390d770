"""The pages that are read on the web are well-formed: every table is one, every link leads somewhere."""

import re
from pathlib import Path

import markdown
import pytest

from tests.kit import TOP

PAGES = [*TOP.glob("README.md"), *TOP.glob("*/README.md"), *sorted(TOP.glob("services/*/README.md"))]


@pytest.fixture(params=PAGES, ids=lambda path: str(path.relative_to(TOP)))
def page(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def html_of(page: Path) -> str:
    return markdown.markdown(page.read_text(encoding="utf-8"), extensions=["tables", "fenced_code", "toc"])


def test_every_page_is_looked_at() -> None:
    assert {"README.md", "esphome/README.md", "tests/README.md", "services/plug/README.md"} <= {
        str(page.relative_to(TOP)) for page in PAGES
    }


def test_every_row_is_in_a_table(page: Path) -> None:
    html = html_of(page)
    assert re.findall(r"<p>\s*(\|.{0,60})", html) == []


def test_every_link_leads_to_a_file_and_to_a_chapter_of_it(page: Path) -> None:
    links = [link for link in re.findall(r'(?:href|src)="([^"]+)"', html_of(page)) if "://" not in link]
    for link in links:
        name, _, chapter = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not chapter or f'id="{chapter}"' in html_of(target), link

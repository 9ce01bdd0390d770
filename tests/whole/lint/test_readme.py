"""The pages that are read on the web are well-formed: every table is one, every link leads somewhere."""

import re
from pathlib import Path

import markdown
import pytest

from tests.kit import TOP

PAGES = [TOP / "README.md", TOP / "esphome/README.md"]


@pytest.fixture(params=PAGES, ids=lambda path: str(path.relative_to(TOP)))
def page(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_every_row_is_in_a_table(page: Path) -> None:
    html = markdown.markdown(page.read_text(encoding="utf-8"), extensions=["tables", "fenced_code"])
    assert re.findall(r"<p>\s*(\|.{0,60})", html) == []


def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    html = markdown.markdown(page.read_text(encoding="utf-8"), extensions=["tables", "fenced_code"])
    links = [link.partition("#")[0] for link in re.findall(r'(?:href|src)="([^"]+)"', html) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []

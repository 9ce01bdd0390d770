"""Words in three languages, pages, static files and paths: the parts of the frame, as a browser gets them."""

import gzip
import json
import re
from pathlib import Path
from string import Template

import pytest
import requests

from pimains.web.assets import Assets
from pimains.web.pages import ORDER
from tests.kit import TOP
from tests.web.asking import PASSWORD, answering

ROOM = TOP / "lib/pimains/web"
PAGES = sorted(path.stem for path in (ROOM / "pages").glob("*.html"))
WORDS = sorted(path.stem for path in (ROOM / "words").glob("*.json"))


@pytest.mark.parametrize("name", WORDS)
def test_each_word_is_there_in_three_languages_with_the_same_places(name: str) -> None:
    found = json.loads((ROOM / f"words/{name}.json").read_text())
    for key, by_language in found.items():
        assert list(by_language) == ["en", "de", "fr"], key
        assert all(text.strip() for text in by_language.values()), key
        assert len({tuple(sorted(set(re.findall(r"\{\d\}", text)))) for text in by_language.values()}) == 1, key


@pytest.mark.parametrize("name", PAGES)
def test_each_page_has_a_title_a_heading_and_only_words_that_there_are(name: str) -> None:
    text = (ROOM / f"pages/{name}.html").read_text()
    known = {**json.loads((ROOM / "words/frame.json").read_text()), **json.loads((ROOM / f"words/{name}.json").read_text())}
    assert "title" in known
    assert set(Template(text).get_identifiers()) <= set(known)
    assert "<h1" in text
    assert re.findall(r"<(?:style|script)|\son\w+=|\sstyle=|https?://(?!www\.w3\.org)", text) == []


def test_each_page_has_its_place_in_the_navigation() -> None:
    assert {*PAGES} - {"login", *ORDER} == set()


@pytest.mark.parametrize("path", sorted((ROOM / "static").glob("*.js")), ids=lambda path: path.name)
def test_no_script_makes_html_of_text(path: Path) -> None:
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", path.read_text()) == []


def scripts_of(name: str) -> set[str]:
    """The script of a page, and those that it imports."""
    found, wanted = set(), {"kit.js", f"{name}.js"}
    while wanted:
        script = wanted.pop()
        path = ROOM / "static" / script
        if script in found or not path.exists():
            continue
        found.add(script)
        wanted |= set(re.findall(r"""(?:from|import) *\(?["']\./([\w./-]+\.js)["']""", path.read_text()))
    return found


@pytest.mark.parametrize("name", PAGES)
def test_each_word_that_a_pages_scripts_ask_for_is_there(name: str) -> None:
    known = {**json.loads((ROOM / "words/frame.json").read_text()), **json.loads((ROOM / f"words/{name}.json").read_text())}
    asked = {script: set(re.findall(r"\bword\(\s*\"(\w+)\"", (ROOM / "static" / script).read_text())) for script in scripts_of(name)}
    assert {script: words - set(known) for script, words in asked.items() if words - set(known)} == {}


def test_a_page_in_each_language_says_so_and_escapes_the_title(tmp_path: Path) -> None:
    for language, said in (("en", "About"), ("de", "Über"), ("fr", "À propos")):
        with answering(tmp_path, LANGUAGE=language, TITLE="<script>alert(1)</script>") as web:
            answer = web.get("/about")
            assert f'<html lang="{language}">' in answer.text
            assert f"<h1>{said}</h1>" in answer.text
            assert "<script>alert" not in answer.text
            assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text


def test_a_page_forbids_what_it_does_not_need(tmp_path: Path) -> None:
    with answering(tmp_path) as web:
        for path in ("/about", "/no-such-page"):
            headers = web.get(path, headers={"Accept": "text/html"}).headers
            assert headers["Content-Security-Policy"] == (
                "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; style-src 'self'; "
                "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
            )
            assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")
            assert headers["Cache-Control"] == "no-store"


def test_static_files_are_kept_for_good_under_their_version_and_asked_for_again_without(tmp_path: Path) -> None:
    with answering(tmp_path, PASSWORD=PASSWORD) as web:
        url = re.search(r'"(/static/\w+/style\.css)"', web.get("/login").text)
        assert url
        packed = web.get(url[1], headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert packed.headers["Content-Encoding"] == "gzip"
        plain = web.get("/static/style.css", headers={"Accept-Encoding": "identity"})
        assert plain.headers["Cache-Control"] == "no-cache"
        assert plain.text == packed.text == (ROOM / "static/style.css").read_text()
        again = web.get("/static/style.css", headers={"If-None-Match": plain.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert web.get("/static/000000000000/style.css").headers["Cache-Control"] == "no-cache", "of another version"


def test_what_comes_packed_is_sent_as_it_is_and_unpacked_for_who_cannot(tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor/library.js.gz").write_bytes(gzip.compress(b"let library;"))
    assets = Assets(tmp_path)
    assert assets.has("vendor/library.js")
    assert not assets.has("vendor/library.js.gz")
    assert assets._body("vendor/library.js", tmp_path / "vendor/library.js.gz") == (tmp_path / "vendor/library.js.gz").read_bytes()


TRAVERSALS = (
    *("/static/../service.py", "/static/..%2fservice.py", "/static/%2e%2e/service.py", "/static/....//service.py", "/static//etc/passwd"),
    *("/static/000000000000/../../service.py", "/static/style.css%00.js", "/static/", "/static/.", "/static/vendor", "/../etc/passwd"),
)


@pytest.mark.parametrize("path", TRAVERSALS)
def test_nothing_but_a_static_file_is_found_below_static(tmp_path: Path, path: str) -> None:
    with answering(tmp_path) as web:
        request = requests.Request("GET", web.url).prepare()
        request.url = web.url + path  # as it is: requests itself would tidy it up
        answer = web.send(request, timeout=30)
        assert answer.status_code == 404, answer.text
        assert "import" not in answer.text


def test_the_first_address_leads_to_the_first_page_and_a_wrong_one_says_so_to_people_and_programs(tmp_path: Path) -> None:
    with answering(tmp_path) as web:
        first = web.get("/")
        assert first.status_code == 200 or first.headers["Location"] == "/about"
        people = web.get("/nowhere", headers={"Accept": "text/html,*/*"})
        assert (people.status_code, "There is no such page here." in people.text) == (404, True)
        assert web.get("/v1/nowhere").json() == {"error": "Not Found"}
        assert web.post("/v1/about").status_code == 405

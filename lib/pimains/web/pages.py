"""The frame around each page: title, navigation, what is said aloud, the question that is asked before something is done."""

import html
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from aiohttp import web

from pimains.shared import http_server as http
from pimains.web.assets import Assets
from pimains.web.seen import Seen
from pimains.web.words import words

_DIRECTORY = Path(__file__).parent / "pages"
ORDER = ("now", "relays", "history", "rules", "events", "outage", "clients", "power", "settings", "about")  # of the navigation
NEEDS = {
    "relays": "relays",
    "outage": "ups",
    "clients": "fserver",
    "history": "collector",
    "rules": "rules",
}  # the service that a page is about
_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; {}; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # with none at all a browser does not say, either, which page a form comes from
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Page(NamedTuple):
    """One of them, as far as it is the same for everybody."""

    name: str
    path: str
    title: str
    content: str
    head: str
    policy: str


class Pages:
    """All of them, in one language, each made once."""

    def __init__(self, seen: Seen, assets: Assets, *, has_password: bool) -> None:
        self._seen = seen
        self._assets = assets
        self._has_password = has_password
        self._language = seen.settings.LANGUAGE
        self._words = words("frame", self._language)
        self._by_path: dict[str, Page] = {}
        self._login = self._made("login", "/login", words("login", self._language), _content("login"))

    def add(self, name: str, style_hashes: Sequence[str] = ()) -> Page:
        """The page `name`, from pages/NAME.html and words/NAME.json."""
        page = self._made(name, "/" if name == "now" else f"/{name}", words(name, self._language), _content(name), style_hashes)
        self._by_path[page.path] = page
        return page

    def path_of(self, path: str) -> str:
        """`path` if a page is there; else the first page's: nobody is sent to a place of a stranger's."""
        return path if path in self._by_path else "/"

    @property
    def first(self) -> str:
        """The path of the page that is shown first."""
        found = sorted(self._by_path.values(), key=_place)
        return found[0].path

    def answer(self, page: Page, csrf: str | None) -> web.Response:
        """A page for one browser; without the service that it is about, what makes one."""
        service = NEEDS.get(page.name)
        if service and not self._seen.of(service):
            command = f"sudo create_service --service_name={service} --add-service"
            missing = self._words["missing"].replace("{0}", service)
            content = f"<h1>{_text(page.title)}</h1><p>{_text(missing)}</p><pre><code>{command}</code></pre>"
            page = page._replace(content=content, head=self._head({}, "kit"))
        return self._response(page, csrf)

    def login(self, to: str, refusal: http.Refusal | None = None) -> web.Response:
        """The form, with why it was refused before."""
        why = "" if refusal is None else self._words.get(f"refused_{refusal.status}", str(refusal))
        shown = f'<p role="alert" class="bad">{_text(why)}</p>' if why else ""
        page = self._login._replace(content=self._login.content.replace("<!--why-->", shown).replace("<!--to-->", _text(to)))
        answer = self._response(page, None, with_pages=False)
        if refusal is not None:
            answer.set_status(refusal.status)
            answer.headers.update(refusal.headers)
        return answer

    def refused(self, no: http.Refusal | web.HTTPException) -> web.Response:
        """What went wrong, for people."""
        text = str(no) if isinstance(no, http.Refusal) else self._words.get(f"refused_{no.status}", no.reason)
        content = f'<h1>{_text(self._words["refused"])}</h1><p>{_text(text)}</p><p><a href="/">{_text(self._words["to_first"])}</a></p>'
        page = Page("", "", self._words["refused"], content, self._head({}, "kit"), _CONTENT_POLICY.format("style-src 'self'"))
        answer = self._response(page, None, with_pages=False)
        answer.set_status(no.status)
        if isinstance(no, http.Refusal):
            answer.headers.update(no.headers)
        elif "Allow" in no.headers:
            answer.headers["Allow"] = no.headers["Allow"]
        return answer

    def _made(self, name: str, path: str, own: dict[str, str], content: str, style_hashes: Sequence[str] = ()) -> Page:
        written = Template(content).substitute({key: _text(word) for key, word in {**self._words, **own}.items()})
        policy = _CONTENT_POLICY.format(" ".join(["style-src 'self'", *(f"'{each}'" for each in style_hashes)]))
        return Page(name, path, own["title"], written, self._head(own, name), policy)

    def _head(self, own: dict[str, str], name: str) -> str:
        """Scripts, styles and words."""
        scripts = [each for each in dict.fromkeys(("kit.js", f"{name}.js")) if self._assets.has(each)]
        styles = [each for each in ("style.css", f"{name}.css") if self._assets.has(each)]
        data = json.dumps({**self._words, **own}, ensure_ascii=False).replace("<", "\\u003c")
        return "\n".join(
            [
                *(f'<link rel="stylesheet" href="{self._assets.url(each)}">' for each in styles),
                *(f'<link rel="modulepreload" href="{self._assets.url(each)}">' for each in self._assets.imports(scripts)),
                *(f'<script type="module" src="{self._assets.url(each)}"></script>' for each in scripts),
                f'<script type="application/json" id="words">{data}</script>',
            ]
        )

    def _response(self, page: Page, csrf: str | None, *, with_pages: bool = True) -> web.Response:
        text, site = self._words, _text(self._seen.settings.TITLE)
        document = f"""<!doctype html>
<html lang="{self._language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{_text(page.title)} · {site}</title>
<meta name="csrf" content="{_text(csrf or "")}">
<meta name="logged-in" content="{"1" if csrf else ""}">
<meta name="has-password" content="{"1" if self._has_password else ""}">
<link rel="icon" href="{self._assets.url("icon.svg")}">
{page.head}
</head>
<body>
<a class="skip" href="#main">{_text(text["skip"])}</a>
<header class="top">
<a class="site" href="/">{site}</a>
{self._navigation(page) if with_pages else ""}
{self._session(page, csrf) if with_pages else ""}
</header>
<p id="live-lost" role="status" hidden></p>
<div id="said" role="status"></div>
<div id="alert" role="alert"></div>
<main id="main" tabindex="-1" class="page-{page.name}">
{page.content}
</main>
<dialog id="ask" aria-labelledby="ask-text"><form method="dialog"><p id="ask-text"></p>
<div class="row"><button value="no">{_text(text["no"])}</button><button value="yes" class="bad" id="ask-yes"></button></div></form></dialog>
</body>
</html>
"""
        return web.Response(
            text=document, content_type="text/html", charset="utf-8", headers={**_HEADERS, "Content-Security-Policy": page.policy}
        )

    def _navigation(self, page: Page) -> str:
        """The pages whose service exists."""
        there = {each.service for each in self._seen.instances()}
        shown = [each for each in sorted(self._by_path.values(), key=_place) if NEEDS.get(each.name) in (None, *there)]
        here = ' aria-current="page"'
        links = (f'<li><a href="{each.path}"{here if each.name == page.name else ""}>{_text(each.title)}</a></li>' for each in shown)
        return f'<nav aria-label="{_text(self._words["pages"])}"><ul>{"".join(links)}</ul></nav>'

    def _session(self, page: Page, csrf: str | None) -> str:
        if csrf:
            return f'<button id="log-out" class="quiet">{_text(self._words["log_out"])}</button>'
        if self._has_password:
            return f'<a class="button quiet" href="/login?to={page.path}">{_text(self._words["log_in"])}</a>'
        return ""


def _place(page: Page) -> int:
    return ORDER.index(page.name) if page.name in ORDER else len(ORDER)


def _content(name: str) -> str:
    return (_DIRECTORY / f"{name}.html").read_text(encoding="utf-8")


def _text(value: Any) -> str:
    return html.escape(str(value), quote=True)

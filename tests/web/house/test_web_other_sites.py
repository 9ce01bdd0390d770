"""A page of a stranger's site in the browser of somebody who is logged in: it reads nothing, does nothing and shows nothing of this one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.kit import House
from tests.web.page import PASSWORD, Pages, web_house

_TRIES = """
async page => {
    const said = {};
    const json = {"Content-Type": "application/json", "X-CSRF-Token": "guessed"};
    const tries = {
        read: [`${page}/v1/about`, {credentials: "include"}],
        read_blindly: [`${page}/v1/about`, {credentials: "include", mode: "no-cors"}],
        order: [`${page}/v1/logout`, {method: "POST", credentials: "include", headers: json, body: "{}"}],
        order_as_text: [`${page}/v1/logout`, {method: "POST", credentials: "include", mode: "no-cors", body: "{}"}],
    };
    for (const [name, [path, options]] of Object.entries(tries)) {
        try {
            const answer = await fetch(path, options);
            said[name] = answer.type === "opaque" ? "opaque" : await answer.text();
        } catch (error) {
            said[name] = "refused";
        }
    }
    return said;
}
"""


@contextmanager
def strangers_site(html: str) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://stranger.example:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_strangers_page_reads_nothing_does_nothing_and_frames_nothing(house: House, pages: Pages) -> None:
    web = web_house(house, PASSWORD=PASSWORD)
    here = pages.logged_in(web.url, "/about")
    form = f"""<form action="{web.url}/v1/logout" method="post" enctype="text/plain"><input name='{{"a": "' value='"}}'></form>
        <iframe src="{web.url}/about"></iframe>"""
    with strangers_site(form) as stranger:
        there = pages.open(stranger, context=here.context)
        said = there.evaluate(_TRIES, web.url)
        assert said == {"read": "refused", "read_blindly": "opaque", "order": "refused", "order_as_text": "opaque"}
        assert "About" not in there.frames[1].locator("body").inner_text()
        with there.expect_navigation():
            there.evaluate("document.forms[0].submit()")
        assert "needs a login" in there.locator("body").inner_text(), "the cookie stays at home"
    pages.errors.clear()  # the browser tells of each refusal
    here.reload()
    here.get_by_text("You are logged in").wait_for()


def test_a_strangers_name_that_is_made_to_lead_here_shows_which_names_do(house: House, pages: Pages) -> None:
    web = web_house(house)
    page = pages.open(web.url.replace("127.0.0.1", "stranger.example"), "/about")
    text = page.locator("main").inner_text()
    assert "this page does not answer to the name 'stranger.example:" in text
    assert "localhost" in text
    assert page.evaluate("fetch('/v1/about').then(answer => answer.status)") == 421
    pages.errors.clear()  # the browser tells of each refusal
    assert pages.open(web.url.replace("127.0.0.1", "localhost"), "/about").get_by_text("web").count() > 0

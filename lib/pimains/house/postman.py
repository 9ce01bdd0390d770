"""A bad line between a meter and its collector: requests go through it twice, late, out of order, or not at all.

    python3 -m pimains.house.postman --port 0 --to http://127.0.0.1:8460

Lines on its standard input: `bad 0.3` (that part of the requests has bad luck), `well`, `away` (nothing goes through), `told` (what
happened so far, as JSON), `quit`. An answer is passed on as it is or not at all, as with any other line.
"""

import argparse
import http.client
import json
import random
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias
from urllib.parse import urlsplit

_REMEMBERED = 200
_SECONDS_MAX = 100.0
Letter: TypeAlias = tuple[str, bytes, dict[str, str]]  # path, body, headers
FATES = ("twice", "late", "never", "no answer", "an old one before it", "an old one after it")


class Postman:
    """Takes requests to the collector at `address` and `port`; `bad` is the part of them that has bad luck, 1.0 and above: all are lost."""

    def __init__(self, address: str, port: int, luck: random.Random) -> None:
        self.bad = 0.0
        self.told: Counter[str] = Counter()
        self._where = address, port
        self._luck = luck
        self._old: list[Letter] = []
        self._late: list[Letter] = []
        self._lock = threading.Lock()

    def bring(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes] | None:
        """What the collector says to it; None when nothing comes back."""
        letter = (path, body, headers)
        with self._lock:
            fate = "well" if self._luck.random() >= self.bad else "never" if self.bad >= 1 else self._luck.choice(FATES)
            late, self._late = self._late, []
            old = self._luck.sample(self._old, min(len(self._old), 3))
            self._old = [*self._old[-_REMEMBERED:], letter]
            self.told[fate] += 1
            if fate == "late":
                self._late.append(letter)
        if fate in ("never", "late"):
            self._all_again(late)
            return None
        if fate == "an old one before it":
            self._all_again(old)
        answer = self._deliver(letter)
        if fate == "twice":
            answer = self._deliver(letter)
        self._all_again([*late, *(old if fate == "an old one after it" else [])])
        return None if fate == "no answer" else answer

    def _all_again(self, letters: list[Letter]) -> None:
        with self._lock:
            self._luck.shuffle(letters)
            self.told["out of order"] += len(letters)
        for letter in letters:
            self._deliver(letter)

    def _deliver(self, letter: Letter) -> tuple[int, bytes] | None:
        connection = http.client.HTTPConnection(*self._where, timeout=_SECONDS_MAX)
        path, body, headers = letter
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


def handler(postman: Postman) -> type[BaseHTTPRequestHandler]:
    """What takes one request."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            passed_on = {name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers}
            answer = postman.bring(self.path, body, passed_on)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1])

        def log_request(self, *_: object) -> None:
            return

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Whoever wrote was killed."""


def main(options: argparse.Namespace) -> None:
    """Carry until told to quit."""
    to = urlsplit(options.to)
    postman = Postman(to.hostname or "", to.port or 80, random.Random(options.seed))  # noqa: S311  # nothing secret hangs on it
    server = _Server(("127.0.0.1", options.port), handler(postman))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"LISTENING 127.0.0.1:{server.server_address[1]}", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words == ["quit"]:
            return
        if words == ["told"]:
            print(json.dumps(postman.told), flush=True)
        elif words[:1] == ["bad"]:
            postman.bad = float(words[1])
        elif words in (["well"], ["away"]):
            postman.bad = float(words == ["away"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python3 -m pimains.house.postman", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0, help="where meters send to; 0: any that is free")
    parser.add_argument("--to", required=True, metavar="URL", help="the collector")
    parser.add_argument("--seed", type=int, default=1, help="of its luck")
    main(parser.parse_args())

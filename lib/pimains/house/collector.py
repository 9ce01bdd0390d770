"""A small collector for tests and rehearsals: it takes readings as shared/plan/delivery describes, keeps them in memory, and can misbehave.

    python3 -m pimains.house.collector --port 0 --token secret [--certificate FILE]

Lines on its standard input: `totals`, `answer 503` (200 again makes it well), `forget` (it stores, but the answer is lost),
`slow 1.5` (it holds each request for so many seconds), `mute` (it never answers), `quit`.
"""

import argparse
import json
import ssl
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pimains.shared.plan import delivery


class Store:
    """What it was sent, and how it behaves."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.behaviour = "200"
        self.hold_seconds = 0.0
        self.rows: dict[tuple[str, str, int], delivery.Reading] = {}
        self.boots: dict[tuple[str, str], delivery.Boot] = {}
        self.registers: dict[str, delivery.RegisterReading | None] = {}
        self.requests = 0
        self._whole = threading.Lock()  # each request has a thread of its own

    def take(self, batch: delivery.Batch) -> dict[str, int]:
        """Store what is new, but of runs that have lost readings; what was there before of each."""
        with self._whole:
            known = dict.fromkeys(batch.runs, 0)
            for source, run, sequence in self.rows:
                if source == batch.source and run in known:
                    known[run] = max(known[run], sequence)
            for reading in batch.readings:
                if delivery.has_lost(batch, known, reading.boot):
                    continue
                self.rows.setdefault((batch.source, reading.boot, reading.sequence), reading)
            for name, boot in batch.boots.items():
                before = self.boots.get((batch.source, name), delivery.Boot(None))
                self.boots[batch.source, name] = boot if before.is_improved_by(boot) else before
            self.registers[batch.source] = batch.register
            return known

    def lose(self, keep: Callable[[tuple[str, str, int]], bool] = lambda _: False) -> None:
        """Its journal is another one, which has only what `keep` says of (source, run, sequence)."""
        with self._whole:
            self.rows = {key: row for key, row in self.rows.items() if keep(key)}

    def totals(self) -> dict[str, object]:
        """What it knows of each source."""
        with self._whole:
            return self._totals()

    def _totals(self) -> dict[str, object]:
        return {
            source: {
                "readings": sum(key[0] == source for key in self.rows),
                "count": max((row.pulses for key, row in self.rows.items() if key[0] == source), default=0),
                "times": sorted(
                    self.boots[source, row.boot].offset + row.uptime  # type: ignore[operator]  # asked for only those that have one
                    for key, row in self.rows.items()
                    if key[0] == source and self.boots[source, row.boot].offset is not None
                )[:: max(1, len(self.rows) // 5)],
                "face": self.registers[source] and tuple(self.registers[source] or ()),
            }
            for source in self.registers
        }


def handler(store: Store) -> type[BaseHTTPRequestHandler]:
    """What answers one request."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            store.requests += 1
            time.sleep(store.hold_seconds)
            status, answer = self._status(body)
            if store.behaviour == "mute":
                time.sleep(3600)
            if store.behaviour == "forget":
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _status(self, body: bytes) -> tuple[int, bytes]:
            if store.behaviour.isdigit() and store.behaviour != "200":
                return int(store.behaviour), b""
            if self.path != delivery.PATH:
                return 404, b"no such page"
            if self.headers.get("Authorization") != f"Bearer {store.token}":
                return 401, b""
            try:
                batch = delivery.read(body)
            except ValueError as error:
                return 400, json.dumps({"error": str(error)}).encode()
            return 200, delivery.acknowledged(batch, store.take(batch))

        def log_request(self, *_: object) -> None:
            return

    return Handler


def main(options: argparse.Namespace) -> None:
    """Serve until told to quit."""
    store = Store(options.token)
    server = ThreadingHTTPServer((options.host, options.port), handler(store))
    server.daemon_threads = True
    if options.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"LISTENING {options.host}:{server.server_address[1]}", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words == ["quit"]:
            return
        if words == ["totals"]:
            print(json.dumps({"requests": store.requests, "sources": store.totals()}), flush=True)
        elif words[:1] == ["answer"]:
            store.behaviour = words[1]
        elif words[:1] == ["slow"]:
            store.behaviour, store.hold_seconds = "200", float(words[1])
        elif words in (["forget"], ["mute"]):
            store.behaviour = words[0]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python3 -m pimains.house.collector", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8460, help="0: any that is free")
    parser.add_argument("--token", required=True, help="what sources prove themselves with")
    parser.add_argument("--certificate", metavar="FILE", help="certificate and key (PEM)")
    main(parser.parse_args())

"""A HomeMatic CCU for tests and demos: the system variables of its JSON-RPC 1.1, with a CCU's sessions and some of its firmwares' ways.

    python3 -m pimains.house.ccu --port 0 --user pi --password secret [--old] sv_USV_battery.charge=NUMBER eaton@localhost-Alarm=ALARM

Three sessions, which only a logout ends. Lines on its standard input: `be hanging` (well, hanging, stuck once somebody is
logged in, half an answer and then nothing, torn off amid one, trickling, garbage, away: how it answers from now on), `restart`
(its sessions are forgotten), `variables`, `quit`.
"""

import argparse
import json
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SESSIONS_MAX = 3
BEHAVIOURS = ("well", "hanging", "stuck", "half", "torn", "trickling", "garbage", "away")
_DEFAULTS: dict[str, Any] = {"NUMBER": 0.0, "ALARM": False, "LOGIC": False, "STRING": ""}
_SETTERS = {"SysVar.setFloat": "NUMBER", "SysVar.setBool": "ALARM", "SysVar.setString": "STRING"}
_READERS = ("Session.logout", "system.listMethods", "SysVar.getAll", "SysVar.getValueByName")


class Variable:
    """One system variable; numbers stay between its bounds."""

    def __init__(self, kind: str, lowest: float = 0.0, highest: float = 65000.0) -> None:
        self.kind = kind
        self.value = _DEFAULTS[kind]
        self.bounds = lowest, highest


class Firmware:
    """What differs from one CCU to the next.

    `sets_strings`: it has SysVar.setString. `is_plain`: it answers that with the text as it is, which is no JSON, as CCUs do. `charset` is
    that of its answers. `refuses_by_error`: whom it does not let in gets error 501, else an empty result.
    """

    def __init__(
        self, *, sets_strings: bool = True, is_plain: bool = True, charset: str = "iso-8859-1", refuses_by_error: bool = True
    ) -> None:
        self.sets_strings = sets_strings
        self.is_plain = is_plain
        self.charset = charset
        self.refuses_by_error = refuses_by_error


class Ccu:
    """The CCU, listening at `port` as long as its `with` lasts."""

    def __init__(
        self,
        variables: dict[str, Variable],
        firmware: Firmware | None = None,
        login: tuple[str, str] = ("pi", "secret"),
        port: int = 0,
        encryption: ssl.SSLContext | None = None,
    ) -> None:
        self.variables = variables
        self.firmware = firmware or Firmware()
        self.behaviour = "well"
        self.sessions: set[str] = set()
        self.calls: list[str] = []  # the methods
        self.sessions_most = 0
        self._login = login
        self._count = 0
        self._well = threading.Event()
        self._one_at_a_time = threading.Lock()
        ccu = self

        class Handler(_Handler):
            it = ccu

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._scheme = "https" if encryption else "http"
        if encryption:  # the handshake is the handler's, who has a thread
            self._server.socket = encryption.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    def __enter__(self) -> "Ccu":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.be("well")
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def be(self, behaviour: str) -> None:
        """Answer in that way from now on; who hangs is let go with the next one."""
        self.behaviour = behaviour
        self._well.set()
        self._well = threading.Event()

    def hang(self, seconds: float) -> bool:
        """Wait so long, or until it is to be otherwise: then True."""
        return self._well.wait(seconds)

    def answer(self, request: dict[str, Any]) -> bytes:
        """What it says to a request."""
        with self._one_at_a_time:
            method, params = str(request.get("method")), request.get("params") or {}
            self.calls.append(method)
            error, result = None, "null"
            try:
                result = self._result(method, params)
            except _Error as refused:
                error = {"name": "JSONRPCError", "code": refused.args[0], "message": refused.args[1]}
            said = f'{{"id":{request.get("id")},"version":"1.1","result":{result},"error":{json.dumps(error)}}}'
            return said.encode(self.firmware.charset, "replace")

    def _result(self, method: str, params: dict[str, Any]) -> str:
        if method == "Session.login":
            return json.dumps(self._new_session((params["username"], params["password"])))
        if params.get("_session_id_") not in self.sessions:
            raise _Error(400, "access denied ($LEVEL)")
        methods = [*_READERS, *(each for each in _SETTERS if each != "SysVar.setString" or self.firmware.sets_strings)]
        if method not in methods:
            raise _Error(401, f"Method not found ({method})")
        if method == "Session.logout":
            self.sessions.discard(params["_session_id_"])
            return "true"
        if method == "system.listMethods":
            return json.dumps([{"name": each, "level": "USER", "info": ""} for each in methods])
        if method == "SysVar.getAll":
            return json.dumps([self._described(name, each) for name, each in self.variables.items()], ensure_ascii=False)
        variable = self.variables.get(params["name"])
        if method == "SysVar.getValueByName":
            return json.dumps(variable.value if variable else "null", ensure_ascii=False)
        return self._set(method, variable, params["value"])

    def _new_session(self, login: tuple[str, str]) -> str:
        if login != self._login or len(self.sessions) >= SESSIONS_MAX:
            if self.firmware.refuses_by_error:
                raise _Error(501, "invalid credentials or too many sessions")
            return ""
        self._count += 1
        self.sessions.add(f"session{self._count}")
        self.sessions_most = max(self.sessions_most, len(self.sessions))
        return f"session{self._count}"

    def _set(self, method: str, variable: Variable | None, value: Any) -> str:
        if variable is None:
            return "-1"
        if _SETTERS[method] == "NUMBER":
            variable.value = min(max(float(value), variable.bounds[0]), variable.bounds[1])
        else:
            variable.value = bool(int(value)) if _SETTERS[method] == "ALARM" else str(value)
        return str(value) if self.firmware.is_plain else json.dumps(value, ensure_ascii=False)

    def _described(self, name: str, each: Variable) -> dict[str, str]:
        bounds = {"minValue": f"{each.bounds[0]:.6f}", "maxValue": f"{each.bounds[1]:.6f}"} if each.kind == "NUMBER" else {}
        value = str(each.value).lower() if isinstance(each.value, bool) else str(each.value)
        return {"id": "1", "name": name, "unit": "", "type": each.kind, "value": value, **bounds}


class _Error(Exception):
    """Its code and its text."""


class _Handler(BaseHTTPRequestHandler):
    it: Ccu
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """One call."""
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.it.behaviour == "hanging" or (self.it.behaviour == "stuck" and request["method"] != "Session.login"):
            self.it.hang(600)
            self.close_connection = True
            return
        if self.it.behaviour == "away":
            self.close_connection = True
            return
        said = b"<html>\0\xff no CCU [[[" if self.it.behaviour == "garbage" else self.it.answer(request)
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")  # which it says, whatever it is
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        if self.it.behaviour == "trickling":
            while not self.it.hang(1):
                self.wfile.write(b" ")
        is_whole = self.it.behaviour not in ("half", "torn")
        self.wfile.write(said if is_whole else said[: len(said) // 2])
        if self.it.behaviour == "half":
            self.it.hang(600)
        self.close_connection = self.close_connection or not is_whole

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def main() -> None:
    """Be one until told to quit."""
    parser = argparse.ArgumentParser(
        prog="python3 -m pimains.house.ccu", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--user", default="pi", help="who may log in")
    parser.add_argument("--password", default="secret", help="with what")
    parser.add_argument("--old", action="store_true", help="its firmware sets no strings")
    parser.add_argument("variables", nargs="*", metavar="NAME=TYPE", help=f"its system variables; types: {', '.join(_DEFAULTS)}")
    options = parser.parse_args()
    variables = {name: Variable(kind) for name, _, kind in (each.rpartition("=") for each in options.variables)}
    with Ccu(variables, Firmware(sets_strings=not options.old), (options.user, options.password), options.port) as ccu:
        print(f"LISTENING 127.0.0.1:{ccu.port}", flush=True)
        for line in sys.stdin:
            word, _, rest = line.strip().partition(" ")
            if word == "be" and rest in BEHAVIOURS:
                ccu.be(rest)
            elif word == "restart":
                ccu.sessions.clear()
            elif word == "variables":
                print(json.dumps({name: each.value for name, each in ccu.variables.items()}), flush=True)
            elif word == "quit":
                return
            else:
                print(f"not done: {line.strip()}", flush=True)


if __name__ == "__main__":
    main()

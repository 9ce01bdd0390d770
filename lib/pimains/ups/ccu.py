"""The system variables of a HomeMatic CCU, over its JSON-RPC 1.1 (CCU2, CCU3, RaspberryMatic, OpenCCU; eq-3/occu, WebUI/www/api).

    ccu = Ccu("http://ccu.lan")
    ccu.log_in("pi", "secret")
    try:
        ccu.write("sv_USV_battery.charge", 41.0)
    finally:
        ccu.log_out()

A CCU has about three sessions, for its web page as well, and ends none by itself. It builds a script for its logic engine out of what it
is sent; nothing here sends a script. Raises NotDone.
"""

import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import requests

from pimains.core.errors import PimainsError
from pimains.core.failure import in_words
from pimains.core.plan.text import one_line, shortened
from pimains.ups.plan.homematic import Value, Variable

_PATH = "/api/homematic.cgi"
_SECONDS = 5  # for the connection, and for each part of an answer
_CALL_SECONDS = 15.0
_ANSWER_BYTES_MAX = 2 * 1024 * 1024
_NO_LOGIN = 501
_LEAVE_ALONE_SECONDS = 600.0
_SESSIONS = "about three, which only a logout or a restart of the CCU ends"
_SURE_CHARACTERS_MAX = 200
_TRUST = "one in /usr/local/share/ca-certificates is, after update-ca-certificates"
_METHODS = {float: "SysVar.setFloat", bool: "SysVar.setBool", str: "SysVar.setString"}


class NotDone(PimainsError):
    """The CCU did not do it. `setting` is the one to look at, "" for none; it is best left alone for `leave_alone_seconds`."""

    def __init__(self, line: str, setting: str = "", leave_alone_seconds: float = 0.0) -> None:
        super().__init__(line)
        self.setting = setting
        self.leave_alone_seconds = leave_alone_seconds


class NotTaken(NotDone):
    """One variable was not written; the text says why, after its name."""


class _Unreadable(NotDone):
    """What it answers is no JSON."""


class Ccu:
    """The CCU at `url`; `session` is one that is open, "" for none. To be used in the main thread: it sets alarms (SIGALRM)."""

    def __init__(self, url: str, session: str = "") -> None:
        self._url = url + _PATH
        self.session = session
        self._http = requests.Session()
        self._http.trust_env = False  # no proxies, no .netrc: the password goes to the CCU only

    def log_in(self, user: str, password: str) -> None:
        """Open a session; whoever did has to log out."""
        self.session = ""
        try:
            session = self._call("Session.login", username=user, password=password)
        except _Refused as refused:
            if refused.code != _NO_LOGIN:
                raise
            what = f"or CCU_PASSWORD is wrong, or all sessions of the CCU are taken ({_SESSIONS})"
            raise NotDone(what, "CCU_USER", _LEAVE_ALONE_SECONDS) from None
        if not isinstance(session, str) or not session:
            raise NotDone("or CCU_PASSWORD is wrong: the CCU lets nobody in with them", "CCU_USER", _LEAVE_ALONE_SECONDS)
        self.session = session

    def log_out(self) -> None:
        """End the session, if there is one, and hang up; one that the CCU does not know any more has ended."""
        try:
            if self.session:
                with suppress(_Refused):
                    self._call("Session.logout")
                self.session = ""
        finally:
            self._http.close()

    def takes_strings(self) -> bool:
        """Whether its firmware has SysVar.setString."""
        methods = self._call("system.listMethods")
        if not isinstance(methods, list):
            raise NotDone("its list of methods is none")
        return _METHODS[str] in [each.get("name") if isinstance(each, dict) else each for each in methods]

    def variables(self) -> dict[str, Variable]:
        """All there are, by their names."""
        found = self._call("SysVar.getAll")
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise NotDone("its list of system variables is none")
        return {str(each.get("name", "")): _variable(each) for each in found}

    def value(self, name: str) -> Any:
        """What the variable `name` has."""
        return self._call("SysVar.getValueByName", name=name)

    def write(self, name: str, value: Value) -> None:
        """Set the variable `name`, which has to be of that type: a CCU takes a text for a number, too."""
        if isinstance(value, str):
            self._write_text(name, value)
            return
        answer = self._call(_METHODS[type(value)], name=name, value=int(value) if isinstance(value, bool) else value)
        if _is_no(answer) and answer != value:
            raise NotTaken("is refused by the CCU")

    def _write_text(self, name: str, text: str) -> None:
        try:
            is_sure = not _is_no(self._call(_METHODS[str], name=name, value=text)) and text.isascii() and len(text) <= _SURE_CHARACTERS_MAX
        except _Unreadable:  # CCUs answer with the text as it is, which is no JSON (sysvar/setstring.tcl)
            is_sure = False
        if is_sure:
            return
        try:
            kept = self.value(name)
        except _Refused:
            raise NotTaken("is refused by the CCU") from None
        if kept != text:
            raise NotTaken(f"was given a text and keeps another one: {shortened(one_line(str(kept)), 40)!r}")

    def _call(self, method: str, **params: object) -> Any:
        """What `method` results in."""
        given = {"_session_id_": self.session, **params} if self.session else params
        # a CCU goes by version, its simulations by jsonrpc
        request = {"version": "1.1", "jsonrpc": "1.1", "id": 1, "method": method, "params": given}
        try:
            with (
                _at_most(_CALL_SECONDS),
                self._http.post(self._url, json=request, timeout=_SECONDS, allow_redirects=False, stream=True) as answer,
            ):
                body = answer.raw.read(_ANSWER_BYTES_MAX + 1, decode_content=True)
        except Exception as error:
            if isinstance(error, OSError | ValueError) or type(error).__module__.partition(".")[0] in ("urllib3", "http"):
                words = in_words(error)
                if isinstance(error, requests.exceptions.SSLError) and "certificate" in words:
                    hint = "" if "name" in words else f" ({_TRUST})"
                    raise NotDone(f"shows a certificate that is not trusted here: {words}{hint}", "CCU") from None
                raise NotDone(words) from None
            raise
        if answer.is_redirect:
            raise NotDone(f"sends this machine elsewhere ({one_line(answer.headers['location'], 60)}): it wants https:// or http://", "CCU")
        if answer.status_code != 200:
            raise NotDone(f"it answers {answer.status_code} {one_line(answer.reason or '', 40)}".rstrip())
        if len(body) > _ANSWER_BYTES_MAX:
            raise NotDone(f"its answer to {method} has more than {_ANSWER_BYTES_MAX >> 20} MiB")
        if answer.raw.length_remaining:
            raise NotDone("the answer broke off")
        return _result(method, body)


class _Refused(NotDone):
    """An error of the protocol."""

    def __init__(self, line: str, code: object) -> None:
        super().__init__(line)
        self.code = code


def _is_no(answer: object) -> bool:
    """As CCUs say it, and their simulations."""
    return answer is False or answer == -1 or (isinstance(answer, dict) and not answer.get("success"))


def _result(method: str, body: bytes) -> Any:
    try:
        answer = json.loads(_text(body), strict=False)
    except (ValueError, RecursionError):
        raise _Unreadable(f"its answer to {method} is no JSON") from None
    if not isinstance(answer, dict):
        raise NotDone(f"its answer to {method} is none of JSON-RPC")
    if error := answer.get("error"):
        code, what = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, error)
        raise _Refused(f"it refuses {method}: {one_line(f'{code} {what}', 80)}", code)
    return answer.get("result")


def _text(body: bytes) -> str:
    """Firmwares say UTF-8, and send ISO-8859-1."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("iso-8859-1")


def _variable(said: Mapping[str, object]) -> Variable:
    kind = one_line(str(said.get("type", "")), 20).upper()
    try:
        lowest, highest = float(str(said.get("minValue"))), float(str(said.get("maxValue")))
    except ValueError:
        return Variable(kind)
    return Variable(kind, (lowest, highest) if lowest < highest else None)


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Who sends a byte now and then is not waited for longer, either. Raises TimeoutError."""

    def late(*_: object) -> None:
        raise TimeoutError

    handler = signal.signal(signal.SIGALRM, late)
    before = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)
        signal.signal(signal.SIGALRM, handler)

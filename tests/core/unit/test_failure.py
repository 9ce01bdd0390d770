"""A failure of a library in words: whatever it raises becomes one short line, without the library's own text."""

import errno
import json
import os
import re
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pimains.core.failure import LONGEST, in_words
from tests.kit import TOP

# each exception that a library declares, told of as its own code does: with objects, addresses and modules in its text, and a cause
EVERY = """
import errno, importlib, inspect, json, pkgutil, sys

NASTY = "HTTPSConnectionPool(host='pi.lan', port=8460): Max retries exceeded with url: /readings (Caused by NewConnectionError(" \\
    "'<urllib3.connection.HTTPSConnection object at 0x7f9a1c2d3e50>: Failed: [Errno 111] <AddressFamily.AF_INET: 2>'))\\n" * 5


def classes(*modules):
    for name in modules:
        try:
            module = importlib.import_module(name)
        except ImportError:
            print(f"{name} is not installed", file=sys.stderr)
            continue
        for _, each in inspect.getmembers(module, inspect.isclass):
            if issubclass(each, Exception) and not issubclass(each, (Warning, BaseExceptionGroup)):
                yield each


def raised(*modules):
    for kind in sorted(set(classes(*modules)), key=lambda kind: (kind.__module__, kind.__name__)):
        for arguments in ((), (NASTY,), (object(), NASTY), (ConnectionRefusedError(errno.ECONNREFUSED, NASTY),)):
            error = kind.__new__(kind, *(arguments if issubclass(kind, OSError) and not issubclass(kind, UnicodeError) else ()))
            error.args = arguments
            yield error
        error.__cause__ = TimeoutError(NASTY)
        yield error
    for number in errno.errorcode:
        yield OSError(number, NASTY, "/dev/gpiochip0")
    yield from MORE


MORE = globals().get("MORE", ())
told = {}
for error in raised(*MODULES):
    words = told_of(error)
    if words is not None:
        told.setdefault(type(error).__name__, []).append(words)
print(json.dumps(told))
"""
NETWORK = "'builtins', 'http.client', 'ssl', 'socket', 'requests.exceptions', 'urllib3.exceptions'"
ROOMS = {
    "meter's delivery": f"""
from pimains.meter.collector import failed
MODULES = [{NETWORK}]
def told_of(error):
    # a defect is none of the library's, and has its words from whoever delivers
    from pimains.core.failure import in_words
    found = failed(error, "CA")
    return in_words(error) if found is None else str(found)
""",
    "meter's pin": """
from pimains.core.failure import in_words
from pimains.shared.gpio.gpiozero_factory import refused
MODULES = ["builtins", "gpiozero", "gpiozero.exc", "lgpio", "pigpio", "RPi.GPIO"]
# as their modules raise them, where those are not here: it is one exception class `error` each, and RPi.GPIO has built-in ones
lgpio, pigpio = (type("error", (Exception,), {"__module__": name}) for name in ("lgpio", "pigpio"))
MORE = [
    *map(lgpio, ("'GPIO busy'", "'GPIO not allocated'", "'can not open gpiochip'", "'bad GPIO number'", "'unknown error'")),
    *map(pigpio, ("'GPIO not 0-53'", "'no permission to update GPIO'", "'connection to pigpio daemon lost'")),
    *map(
        RuntimeError,
        (
            "No access to /dev/mem.  Try running as root!",
            "Failed to add edge detection",
            "Conflicting edge detection already enabled for this GPIO channel",
            "Cannot determine SOC peripheral base address",
            "Not running on a RPi!",
            "Please set pin numbering mode using GPIO.setmode(GPIO.BOARD) or GPIO.setmode(GPIO.BCM)",
        ),
    ),
    ValueError("The channel sent is invalid on a Raspberry Pi"),
]
def told_of(error):
    return "/etc/service/meter/variables/PIN: " + str(refused(27, error))
""",
    "mail": """
import smtplib
from pimains.notify.mail import failed
MODULES = ["builtins", "smtplib", "ssl", "socket"]
def told_of(error):
    if isinstance(error, smtplib.SMTPResponseException):
        error.smtp_code, error.smtp_error = 554, b"no, not this one\\r\\nnever " * 50
    return "mail.example.org port 587: " + str(failed(error))
""",
    "lines for LCD and desktop": """
from pimains.core.failure import in_words as told_of
MODULES = ["builtins", "socket"]
""",
    "what a service did not foresee": """
import os, tempfile
from pathlib import Path
from pimains.core.instance import Instance
os.environ["PIMAINS_ROOT"] = tempfile.mkdtemp()
me = Instance("meter", Path("/etc/service/meter"))
me.run.mkdir(parents=True)
MODULES = ["builtins", "socket", "ssl", "sqlite3", "asyncio", "http.client", "requests.exceptions", "serial", "json", "subprocess"]
def told_of(error):
    me.fails(error)
    return (me.run / "status").read_text().rstrip("\\n")
""",
    "collector": """
import aiohttp
from pimains.shared.http_server import _TLS
from pimains.core.failure import in_words
MODULES = ["builtins", "ssl", "aiohttp", "aiohttp.http_exceptions", "aiohttp.web_exceptions", "rrdtool", "asyncio"]
def told_of(error):
    return in_words(error, _TLS)
""",
}
ORDINARY_WORDS = ("error", "timeout")
NOT_FOR_PEOPLE = re.compile(
    r"<[A-Za-z_]|\bobject at\b|0x[0-9a-f]{4}|\b(urllib3|requests|http|gpiozero|smtplib|aiohttp|ssl|socket)\.\w|\n|Errno|Pool\("
)


def told(room: str, **environment: str) -> dict[str, list[str]]:
    done = subprocess.run(
        ["/usr/bin/python3", "-c", ROOMS[room] + EVERY],
        env={"PYTHONPATH": str(TOP / "lib"), "PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("room", ROOMS)
def test_each_exception_that_a_library_has_is_one_short_line_for_people(room: str) -> None:
    found = told(room)
    assert len(found) > 40
    wrong = {name: words for name, all_words in found.items() for words in all_words if NOT_FOR_PEOPLE.search(words) or not words}
    assert wrong == {}
    assert {name: words for name, all_words in found.items() for words in all_words if len(words) > LONGEST} == {}
    named = {name: words for name, all_words in found.items() for words in all_words if re.search(rf"\b{name}\b", words)}
    assert {name for name in named if name not in ORDINARY_WORDS} == set()


def test_the_librarys_own_text_follows_where_debug_is_asked_for() -> None:
    assert any("Max retries exceeded" in words for words in told("meter's delivery", LOG_LEVEL="debug")["MaxRetryError"])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ECONNREFUSED, "<socket 0x7fff>"), "Connection refused"),
        (TimeoutError("timed out"), "no answer in time"),
        (KeyError("<object object at 0x7f>"), "it failed in a way that nobody has foreseen; LOG_LEVEL=debug tells more"),
        (sqlite3.OperationalError("unable to open database file"), "unable to open database file"),
        (sqlite3.OperationalError("<object object at 0x7f>" * 9), "its database cannot be used"),
        (ValueError(OSError(errno.ENETUNREACH, "x")), "Network is unreachable"),
    ],
)
def test_the_innermost_cause_that_can_be_told_is_told(error: Exception, words: str) -> None:
    assert in_words(error) == words


def said_by_rrdtool(tmp_path: Path) -> list[str]:
    """What it says to everything that can be wrong with a database."""
    (tmp_path / "no.rrd").write_text("nonsense " * 200)
    (tmp_path / "directory.rrd").mkdir()
    create = ["create", "a.rrd", "--start", "1700000000", "--step", "5", "DS:x:GAUGE:10:U:U", "RRA:AVERAGE:0.5:1:10"]
    subprocess.run(["rrdtool", *create], cwd=tmp_path, check=True)
    wrong = (
        ["update", "gone.rrd", "N:1"],
        ["update", "no.rrd", "N:1"],
        ["update", "directory.rrd", "N:1"],
        ["update", "a.rrd", "1600000000:1"],
        ["update", "a.rrd", "nonsense"],
        ["create", "/proc/no/a.rrd", *create[2:]],
        ["resize", "gone.rrd", "0", "GROW", "1"],
        ["graph", "-", "DEF:x=gone.rrd:x:AVERAGE", "LINE:x"],
        ["graph", "-", "DEF:x=a.rrd:nothing:AVERAGE", "LINE:x"],
    )
    said: list[Any] = [subprocess.run(["rrdtool", *words], cwd=tmp_path, capture_output=True, text=True, check=False) for words in wrong]
    assert all(each.returncode for each in said)
    return [each.stderr for each in said]


def test_what_rrdtool_refuses_is_one_short_line_for_people(tmp_path: Path) -> None:
    from pimains.collector.graphs.databases import refused

    for said in said_by_rrdtool(tmp_path):
        words = str(refused(said))
        assert len(words) <= LONGEST - len("graphs: ")
        assert "/" not in words
        assert "ERROR" not in words


@pytest.mark.parametrize(
    ("complaint", "words"),
    [
        ("Failed to send JSON notification: Unauthorized., error=401.", "the service does not take it: it answers 401"),
        ("A Connection error occurred sending JSON notification to <x>.", "no connection to the service"),
        ("Socket Exception: HTTPSConnectionPool(host='x')" * 9, "the service was not reached, or did not take it"),
    ],
)
def test_what_apprise_complains_of_is_one_short_line_for_people(complaint: str, words: str) -> None:
    from pimains.notify.apprise import failed

    assert failed([complaint], 1) == words
    assert failed([], 3) == "apprise failed with exit code 3"

"""Each address of a name is tried, IPv6 and IPv4, whichever comes first or is dead: by mail, LCD, desktop, a meter's delivery.

The resolver is the C library's own, with an /etc/hosts and a gai.conf of the test in a mount namespace.
"""

import contextlib
import http.server
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import TOP, free_port

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts an /etc/hosts of its own: needs root")

IPV4_FIRST = "label ::1/128 0\nprecedence ::1/128 50\nprecedence ::ffff:0:0/96 100\n"
IPV6_FIRST = "precedence ::1/128 100\nprecedence ::ffff:0:0/96 10\n"
MAIL = """
from pathlib import Path
from pimains.notify import mail
import signal
signal.alarm(6)  # as the service ends a delivery after SEND_SECONDS_MAX
server = mail.MailServer("two.test", PORT, "none", None, None, None, 6)
mail.send(server, "pi@example.org", "anna@example.org", mail.written("pi@example.org", "anna@example.org", "x", "y", 0, "1"))
"""
DELIVERY = """
from pimains.meter.collector import Collector
collector = Collector("http://two.test:PORT", "token", None, None)
collector._session.post("http://two.test:PORT/", data=b"x", timeout=(2, 5))
"""
LCD = "from pimains.shared.screens.lines import send_datagram; send_datagram('two.test', PORT, b'hello', to_each=True)"
DESKTOP = "from pimains.shared.screens.lines import send_datagram; send_datagram('two.test', PORT, b'hello')"


def told(tmp_path: Path, program: str, port: int, order: str) -> None:
    """Run a program for which two.test has both addresses of the loopback, in this order."""
    (tmp_path / "hosts").write_text("127.0.0.1 localhost two.test\n::1 two.test\n")
    (tmp_path / "gai.conf").write_text(order)
    look = "import socket; found = [each[4][0] for each in socket.getaddrinfo('two.test', 1, type=socket.SOCK_DGRAM)]\n"
    look += f"assert found == {['::1', '127.0.0.1'] if order == IPV6_FIRST else ['127.0.0.1', '::1']}, found\n"
    script = 'mount --bind "$1/hosts" /etc/hosts && { [ -e /etc/gai.conf ] || exit 99; } && mount --bind "$1/gai.conf" /etc/gai.conf && '
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", script + 'exec /usr/bin/python3 -c "$2"', "sh", tmp_path, look + program.replace("PORT", str(port))],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(TOP / "lib")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@contextlib.contextmanager
def silent(address: str, port: int) -> Iterator[None]:
    """Somebody whose packets get lost: no connection is accepted, nor refused."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(family_of(address)))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ":" in address:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        listener.listen(0)
        for _ in range(3):  # the queue is full: the kernel drops who comes now
            visitor = stack.enter_context(socket.socket(family_of(address)))
            visitor.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                visitor.connect((address, port))
        yield


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """pytest's output is for failures."""


def smtp(listener: socket.socket) -> None:
    """As much of a mail server as one mail needs."""
    connection, _ = listener.accept()
    with contextlib.suppress(ConnectionResetError), connection, connection.makefile("rwb", buffering=0) as talk:
        talk.write(b"220 two.test\r\n")
        for line in iter(talk.readline, b""):
            word = line[:4].strip().upper()
            talk.write(
                {b"DATA": b"354 go on\r\n", b".": b"250 taken\r\n", b"QUIT": b"221 bye\r\n", b"EHLO": b"250 two.test\r\n"}.get(
                    word, b"250 ok\r\n" if word in (b"MAIL", b"RCPT") else b""
                )
            )


@contextlib.contextmanager
def live(address: str, port: int, program: str) -> Iterator[None]:
    """The server that the program talks to; ends when it has been talked to."""
    with socket.socket(family_of(address)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ":" in address:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        listener.listen()
        listener.settimeout(60)

        def answer() -> None:
            if program == MAIL:
                smtp(listener)
            else:
                connection, peer = listener.accept()
                with connection:
                    Hook(connection, peer, None)  # type: ignore[arg-type]  # it asks nothing of its server

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.parametrize("dead", ["refuses", "silent"])
@pytest.mark.parametrize(
    ("order", "first", "second"), [(IPV6_FIRST, "::1", "127.0.0.1"), (IPV4_FIRST, "127.0.0.1", "::1")], ids=["IPv6 first", "IPv4 first"]
)
@pytest.mark.parametrize("alive", ["first", "second"])
@pytest.mark.parametrize("program", [MAIL, DELIVERY], ids=["mail", "delivery"])
def test_a_connection_is_made_to_the_address_that_lives(
    tmp_path: Path, program: str, alive: str, order: str, first: str, second: str, dead: str
) -> None:
    port = free_port()
    lives, other = (first, second) if alive == "first" else (second, first)
    with contextlib.ExitStack() as stack:
        if dead == "silent":
            stack.enter_context(silent(other, port))
        stack.enter_context(live(lives, port, program))
        told(tmp_path, program, port, order)


@pytest.mark.parametrize("order", [IPV6_FIRST, IPV4_FIRST], ids=["IPv6 first", "IPv4 first"])
@pytest.mark.parametrize("lives", ["::1", "127.0.0.1"])
@pytest.mark.parametrize("program", [LCD, DESKTOP], ids=["LCD", "desktop"])
def test_a_datagram_reaches_the_address_that_lives(tmp_path: Path, program: str, lives: str, order: str) -> None:
    port = free_port()
    with socket.socket(family_of(lives), socket.SOCK_DGRAM) as screen:
        screen.bind((lives, port))
        screen.settimeout(60)
        told(tmp_path, program, port, order)
        assert screen.recv(100) == b"hello"


def test_an_lcd_gets_its_line_also_where_the_first_address_takes_everything_and_shows_nothing(tmp_path: Path) -> None:
    port = free_port()
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as off, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as screen:
        off.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        off.bind(("::1", port))
        screen.bind(("127.0.0.1", port))
        screen.settimeout(60)
        told(tmp_path, LCD, port, IPV6_FIRST)
        assert screen.recv(100) == b"hello"

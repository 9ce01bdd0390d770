"""notify under a real supervise, against real servers: mail with TLS and login, apprise, datagrams, FIFOs."""

import contextlib
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pimains.core import notify_queue
from tests.kit import TOP, House, TestInstance, free_port
from tests.notify.mail_server import PASSWORD, MailServer, certificate

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="services become user pimains: needs root")


@pytest.fixture
def post(house: House, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    monkeypatch.setenv("PIMAINS_ROOT", str(house.root))

    def post(subject: str, body: str = "", event: str = "power") -> None:
        notify_queue.post(subject, body, event)

    return post


@pytest.fixture
def servers() -> Iterator[list[MailServer]]:
    running: list[MailServer] = []
    yield running
    for server in running:
        server.close()


@pytest.fixture
def mail(house: House, servers: list[MailServer]) -> MailServer:
    """With STARTTLS, a login and a certificate of its own."""
    server = MailServer(*certificate(house.root / "certs"))
    servers.append(server)
    return server


def mail_settings(house: House, server: MailServer, **more: str) -> dict[str, str]:
    return {
        "MAIL_TO": "anna@example.org",
        "MAIL_FROM": "pi@example.org",
        "MAIL_HOST": "localhost",
        "MAIL_PORT": str(server.port),
        "MAIL_USER": "pi",
        "MAIL_PASSWORD": PASSWORD,
        "MAIL_CA": str(house.root / "certs/localhost.pem"),
        "APPRISE_FILE": "",
        **more,
    }


def add(house: House, **variables: str) -> TestInstance:
    instance = house.add("notify", **{"APPRISE_FILE": "", **variables})
    house.until(lambda: instance.status not in ("", "starting"), what="notify to be ready")
    return instance


def pimains(house: House, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PIMAINS_ROOT": str(house.root), "PYTHONPATH": str(TOP / "lib")}
    return subprocess.run(
        ["/usr/bin/python3", "-Pm", "pimains.cli", *words], env=environment, capture_output=True, text=True, check=False, **options
    )  # type: ignore[call-overload,no-any-return]


def outbox(house: House) -> list[str]:
    """What each message there holds, without those that are just being written aside or dropped."""
    found = []
    for path in (house.root / "var/lib/pimains/notify/outbox").glob("[!.]*"):
        with contextlib.suppress(FileNotFoundError):
            found.append(path.read_text())
    return found


def test_mail_goes_out_encrypted_and_logged_in(house: House, mail: MailServer, post: Callable[..., None]) -> None:
    instance = add(house, **mail_settings(house, mail))
    post("Der Strom ist weg: seit 14:05", "Zeile eins\nZeile zwei ä\n.\nnach dem Punkt")
    house.until(lambda: mail.mails)
    got = mail.mails[0]
    assert got["Subject"] == f"{os.uname().nodename}: Der Strom ist weg: seit 14:05"
    assert got["From"] == "pi@example.org"
    assert got["To"] == "anna@example.org"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got.get_content().splitlines() == ["Zeile eins", "Zeile zwei ä", ".", "nach dem Punkt"]
    assert mail.logins == [("pi", True)]
    house.until(lambda: "told mail to anna@example.org" in instance.log)
    assert instance.status == "telling 1 address"
    assert not outbox(house)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # aiosmtpd does not count TLS from the first byte
def test_mail_with_tls_from_the_first_byte(house: House, servers: list[MailServer], post: Callable[..., None]) -> None:
    server = MailServer(*certificate(house.root / "certs"), tls=True)
    servers.append(server)
    add(house, **mail_settings(house, server, MAIL_SECURITY="tls"))
    post("Power is away")
    house.until(lambda: server.subjects == ["Power is away"])
    assert server.logins == [("pi", True)]


def test_mail_to_a_server_in_the_house_without_tls_and_login(house: House, servers: list[MailServer], post: Callable[..., None]) -> None:
    server = MailServer()
    servers.append(server)
    add(house, **mail_settings(house, server, MAIL_SECURITY="none", MAIL_USER="", MAIL_PASSWORD="", MAIL_CA=""))
    post("Power is away")
    house.until(lambda: server.subjects == ["Power is away"])
    assert server.logins == []


@pytest.mark.parametrize(
    ("setting", "value", "line"),
    [
        ("MAIL_PASSWORD", "wrong", "variables/MAIL_PASSWORD: localhost port PORT: 535 5.7.8 Authentication credentials invalid"),
        ("MAIL_CA", "", "variables/MAIL_CA: localhost port PORT: self-signed certificate"),
        ("MAIL_CA", "/nowhere/ca.pem", "variables/MAIL_CA: localhost port PORT: /nowhere/ca.pem: No such file or directory"),
        ("MAIL_CA", "/etc/hostname", "variables/MAIL_CA: localhost port PORT: /etc/hostname: holds no certificate"),
        ("MAIL_HOST", "127.0.0.1", "variables/MAIL_CA: 127.0.0.1 port PORT: IP address mismatch, certificate is not valid for '127.0.0.1'"),
        ("MAIL_SECURITY", "tls", "variables/MAIL_SECURITY: localhost port PORT: speaks no TLS there (WRONG_VERSION_NUMBER)"),
    ],
)
def test_what_a_person_has_to_edit_is_said_once_and_the_message_waits_for_it(
    house: House, mail: MailServer, post: Callable[..., None], setting: str, value: str, line: str
) -> None:
    instance = add(house, **{**mail_settings(house, mail), setting: value})
    post("Power is away")
    line = line.replace("PORT", str(mail.port))
    house.until(lambda: line in instance.status, what=instance.log)
    house.until(lambda: instance.read("unwell") == instance.status)
    house.until(lambda: instance.log.count(line) == 1)
    assert mail.mails == []
    assert not any(encrypted is False for _, encrypted in mail.logins)
    instance.set(setting, mail_settings(house, mail).get(setting, "starttls"))
    instance.svc("-t")
    house.until(lambda: mail.subjects == ["Power is away"])
    house.until(lambda: instance.status == "telling 1 address")


def test_a_server_that_offers_no_encryption_gets_neither_mail_nor_password(
    house: House, servers: list[MailServer], post: Callable[..., None]
) -> None:
    server = MailServer()
    servers.append(server)
    certificate(house.root / "certs")
    instance = add(house, **mail_settings(house, server))
    post("Power is away")
    house.until(lambda: f"MAIL_SECURITY: localhost port {server.port}: offers no STARTTLS" in instance.status)
    assert (server.mails, server.logins) == ([], [])


def test_a_password_is_never_to_be_sent_in_the_clear(house: House, mail: MailServer) -> None:
    instance = add(house, **mail_settings(house, mail, MAIL_SECURITY="none"))
    assert instance.status.endswith(
        "MAIL_SECURITY: 'none' would send the password in the clear; it needs starttls or tls, or no MAIL_PASSWORD"
    )


def test_a_recipient_that_is_refused_is_said_with_its_setting_and_the_others_are_told(
    house: House, mail: MailServer, post: Callable[..., None]
) -> None:
    mail.refused = {"gone@example.org": "550 no such user"}
    instance = add(house, **mail_settings(house, mail, MAIL_TO="anna@example.org, gone@example.org"))
    post("Power is away")
    house.until(lambda: mail.subjects == ["Power is away"])
    house.until(lambda: f"variables/MAIL_TO: localhost port {mail.port}: 550 no such user" in instance.status)
    house.until(lambda: "told mail to anna@example.org" in instance.log)
    instance.set("MAIL_TO", "anna@example.org bert@example.org")
    instance.svc("-t")
    house.until(lambda: [mail["To"] for mail in mail.mails] == ["anna@example.org", "bert@example.org"])
    house.until(lambda: not outbox(house))


def test_a_message_the_server_will_never_take_is_said_once_and_not_tried_again(
    house: House, mail: MailServer, post: Callable[..., None]
) -> None:
    mail.answers["DATA"] = "554 smells of spam"
    instance = add(house, **mail_settings(house, mail))
    post("Power is away")
    house.until(lambda: "mail to anna@example.org will not take it: localhost: 554 smells of spam: Power is away" in instance.log)
    house.until(lambda: not outbox(house))
    del mail.answers["DATA"]
    post("Plug is away", event="plug")
    house.until(lambda: mail.subjects == ["Plug is away"])


def test_messages_wait_while_the_network_is_away_survive_a_restart_and_are_delivered_once(
    house: House, mail: MailServer, servers: list[MailServer], post: Callable[..., None]
) -> None:
    port = mail.port
    mail.close()
    fast = mail_settings(house, mail, PIMAINS_SPEED="30", THROTTLE_SECONDS="0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as lcd:
        lcd.bind(("127.0.0.1", 0))
        lcd.settimeout(60)
        instance = add(house, **fast, LCD_HOST="127.0.0.1", LCD_PORT=str(lcd.getsockname()[1]))
        post("Power is away")
        assert lcd.recv(1000) == b"0 0 0:Power is away\n"
        house.until(lambda: instance.status.endswith("Connection refused"), what=instance.status)
        post("Power is back")
        assert lcd.recv(1000) == b"0 0 0:Power is back\n"
        house.until(lambda: len(outbox(house)) == 2 and all('"LCD-' in each for each in outbox(house)))
        instance.kill()
        back = MailServer(house.root / "certs/localhost.pem", house.root / "certs/localhost.key", port=port)
        servers.append(back)
        house.until(lambda: sorted(back.subjects) == ["Power is away", "Power is back"])
        house.until(lambda: not outbox(house))
        post("Power is away again")
        house.until(lambda: len(back.subjects) == 3)
        assert lcd.recv(1000) == b"0 0 0:Power is away again\n"
    assert instance.log.count("cannot tell mail") <= 2  # once before the restart, at most once after it


def test_a_server_that_answers_nothing_stops_neither_the_caller_nor_the_lcd(house: House, post: Callable[..., None]) -> None:
    with socket.socket() as silent, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as lcd:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        lcd.bind(("127.0.0.1", 0))
        lcd.settimeout(60)
        instance = add(
            house,
            MAIL_TO="anna@example.org",
            MAIL_FROM="pi@example.org",
            MAIL_HOST="127.0.0.1",
            MAIL_PORT=str(silent.getsockname()[1]),
            SEND_SECONDS_MAX="1",
            THROTTLE_SECONDS="0",
            LCD_HOST="127.0.0.1",
            LCD_PORT=str(lcd.getsockname()[1]),
        )
        started = time.monotonic()
        for number in range(5):
            post(str(number))
        assert time.monotonic() - started < 4  # the server would take a second for each
        assert sorted(int(lcd.recv(1000).decode().partition(":")[2]) for _ in range(5)) == list(range(5))
        house.until(lambda: "5 messages waiting; mail to anna@example.org: " in instance.status, what=instance.status)


def test_the_same_event_is_told_once_and_the_later_ones_are_summed_up(house: House, mail: MailServer, post: Callable[..., None]) -> None:
    instance = add(house, **mail_settings(house, mail, PIMAINS_SPEED="30"))  # throttled for ten seconds
    post("1st", "on battery")
    house.until(lambda: len(mail.mails) == 1)
    for number in range(2, 15):
        post(f"{number}th", "on battery")
    house.until(lambda: instance.status == "telling 1 address; 13 held back for now", what=instance.status)
    instance.svc("-t")  # what is held back survives, and so does the throttle
    house.until(lambda: len(mail.mails) == 2)
    assert mail.subjects == ["1st", "14th"]
    last = " ".join(mail.mails[1].get_content().split())
    assert re.fullmatch(r"on battery and 12 more of these since (\d{4}-\d\d-\d\d )?\d\d:\d\d", last)  # with the date after midnight
    assert not list((house.root / "var/lib/pimains/notify/held").iterdir())


def test_beyond_the_hourly_bound_messages_wait(house: House, mail: MailServer, post: Callable[..., None]) -> None:
    instance = add(house, **mail_settings(house, mail, PIMAINS_SPEED="600", MESSAGES_PER_HOUR_MAX="2"))  # an hour takes six seconds
    began = time.monotonic()
    for event in ("a", "b", "c", "d"):
        post(event, event=event)
    house.until(lambda: instance.status == "telling 1 address; 2 held back for now", what=instance.status)
    house.until(lambda: len(mail.mails) == 4)
    assert time.monotonic() - began >= 6
    assert sorted(mail.subjects) == ["a", "b", "c", "d"]


def test_only_the_events_people_asked_for_are_told(house: House, mail: MailServer, post: Callable[..., None]) -> None:
    add(house, **mail_settings(house, mail, EVENTS="plug halt"))
    post("Power is away", event="power")
    post("Plug is away", event="plug")
    house.until(lambda: mail.subjects)
    assert mail.subjects == ["Plug is away"]
    assert notify_queue.waiting() == []


def test_a_message_is_given_up_after_some_days_and_that_is_said(house: House, post: Callable[..., None]) -> None:
    instance = add(house, LCD_FIFO=str(house.root / "fifo"), KEEP_DAYS="0.01", PIMAINS_SPEED="400")
    post("Power is away")
    line = f"given up after 0.01 days, never told LCD behind {house.root}/fifo: Power is away"
    house.until(lambda: line in instance.log and not outbox(house))


def test_how_many_were_dropped_is_told(house: House, mail: MailServer, post: Callable[..., None]) -> None:
    instance = add(house, **mail_settings(house, mail))
    instance.svc("-d")
    house.until(lambda: instance.pid == 0)
    for number in range(notify_queue.QUEUE_ROOM + 3):
        post(str(number))
    instance.svc("-u")
    house.until(lambda: "3 messages were dropped" in mail.subjects)
    house.until(lambda: "the queue was full: 3 messages were dropped" in instance.log)


def test_a_fifo_gets_its_line_when_somebody_reads_it(house: House, post: Callable[..., None]) -> None:
    lcd, desktop = house.root / "lcd", house.root / "desktop"
    for fifo in (lcd, desktop):
        os.mkfifo(fifo)
        fifo.chmod(0o666)
    instance = add(house, LCD_FIFO=str(lcd), NOTIFY_FIFO=str(desktop), PIMAINS_SPEED="30")
    post("Power is away", "since 14:05\non battery")
    house.until(lambda: "nobody reads it (and 1 more in trouble)" in instance.status, what=instance.status)
    readers = [os.open(fifo, os.O_RDONLY | os.O_NONBLOCK) for fifo in (lcd, desktop)]
    house.until(lambda: instance.status == "telling 2 addresses", what=instance.status)
    assert os.read(readers[0], 1000) == b"0 0 0:Power is away\n"
    host = os.uname().nodename.encode()
    assert os.read(readers[1], 1000) == b"summary:" + host + b": Power is away\nbody:since 14:05\nbody:on battery\n"
    for reader in readers:
        os.close(reader)


def test_a_full_fifo_and_what_is_no_fifo_are_waited_for(house: House, post: Callable[..., None]) -> None:
    full, plain = house.root / "full", house.root / "plain"
    os.mkfifo(full)
    full.chmod(0o666)
    plain.write_text("")
    plain.chmod(0o666)
    reader = os.open(full, os.O_RDWR | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(reader, b"x" * 4096)
    instance = add(house, LCD_FIFO=str(full), NOTIFY_FIFO=str(plain))
    post("Power is away")
    house.until(lambda: f"{full}: is full" in instance.log and f"{plain}: is no FIFO" in instance.log, what=instance.log)
    os.close(reader)
    assert plain.read_text() == ""


def test_an_unknown_host_and_a_port_where_nobody_listens_are_waited_for(house: House, post: Callable[..., None]) -> None:
    port = free_port()
    instance = add(house, LCD_HOST="nobody.invalid", NOTIFY_HOST="127.0.0.1", NOTIFY_PORT=str(port), SEND_SECONDS_MAX="20")
    post("Power is away")
    house.until(lambda: f"cannot tell desktop at 127.0.0.1: 127.0.0.1 port {port}: Connection refused" in instance.log)
    # a resolver that answers nothing is ended after SEND_SECONDS_MAX
    house.until(lambda: re.search(r"cannot tell LCD at nobody.invalid: (nobody.invalid port 1806: |no end within 20 s)", instance.log))


class Hook(http.server.BaseHTTPRequestHandler):
    """Takes what apprise's json:// sends."""

    got: list[dict[str, Any]]
    answer = 200

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        type(self).got.append({"path": self.path, **body})
        self.send_response(type(self).answer)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Not into the test's output."""


@pytest.fixture
def hook() -> Iterator[tuple[str, type[Hook]]]:
    class Own(Hook):
        got: list[dict[str, Any]] = []  # noqa: RUF012  # one for each test

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Own) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"json://127.0.0.1:{server.server_port}", Own
        server.shutdown()
        thread.join()


def apprise_file(house: House, text: str, mode: int = 0o600) -> str:
    path = house.root / "apprise.conf"
    path.write_text(text)
    path.chmod(mode)
    shutil.chown(path, "pimains")
    return str(path)


def test_apprise_delivers_to_each_line_of_its_file_and_once_each(
    house: House, hook: tuple[str, type[Hook]], post: Callable[..., None]
) -> None:
    url, got = hook
    file = apprise_file(house, f"# mine\n{url}/secret-one\n\njson://127.0.0.1:9/secret-two\n")
    instance = add(house, APPRISE_FILE=file, PIMAINS_SPEED="30")
    post("Power is away", "since 14:05; $(reboot)")
    house.until(lambda: "cannot tell apprise (json, line 4 of apprise.conf)" in instance.log)
    house.until(lambda: instance.log.count("told apprise (json, line 2 of apprise.conf): Power is away") == 1)
    Path(file).write_text(f"# mine\n{url}/secret-one\n{url}/secret-two\n")
    post("Plug is away", event="plug")
    house.until(lambda: len(got.got) >= 4)
    house.until(lambda: not outbox(house))
    assert sorted((each["path"], each["title"].partition(": ")[2], each["message"]) for each in got.got) == [
        ("/secret-one", "Plug is away", "Plug is away"),
        ("/secret-one", "Power is away", "since 14:05; $(reboot)"),
        ("/secret-two", "Plug is away", "Plug is away"),
        ("/secret-two", "Power is away", "since 14:05; $(reboot)"),
    ]
    assert "secret" not in instance.log


def test_apprise_addresses_are_in_no_argument_and_no_environment(house: House, post: Callable[..., None]) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        file = apprise_file(house, f"json://127.0.0.1:{silent.getsockname()[1]}/very-secret?rto=60\n")
        instance = add(house, APPRISE_FILE=file, SEND_SECONDS_MAX="12")
        post("Power is away")
        connection, _ = silent.accept()  # now apprise waits for an answer
        seen = b""
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (process / "cmdline").read_bytes()
                    seen += words + ((process / "environ").read_bytes() if b"apprise" in words else b"")
        assert b"--title=" in seen
        assert b"very-secret" not in seen
        house.until(lambda: "no end within 12 s" in instance.status)
        house.until(lambda: _is_gone(connection))
        connection.close()


def _is_gone(connection: socket.socket) -> bool:
    """Whether the peer is gone: apprise was ended, too."""
    try:
        while connection.recv(1000, socket.MSG_DONTWAIT):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return True


def test_an_address_apprise_does_not_know_is_said_without_its_secret(house: House, post: Callable[..., None]) -> None:
    instance = add(house, APPRISE_FILE=apprise_file(house, "nonsense://secret\n"))
    post("Power is away")
    line = f"{house.root}/apprise.conf: apprise does not understand this address"
    house.until(lambda: line in instance.status, what=instance.log)
    assert "secret" not in instance.log


def test_without_apprise_it_is_said_once(house: House, post: Callable[..., None]) -> None:
    few = house.root / "bin"
    few.mkdir()
    for program in ("envdir", "dirname", "readlink", "id", "setuidgid", "multilog"):
        (few / program).symlink_to(shutil.which(program) or "")
    instance = add(house, APPRISE_FILE=apprise_file(house, "json://127.0.0.1:9\n"), PATH=f"{few}", PIMAINS_SPEED="60")
    post("Power is away")
    house.until(lambda: "cannot tell apprise (json, line 1 of apprise.conf): apprise is not installed" in instance.log, what=instance.log)
    post("Plug is away", event="plug")
    house.until(lambda: len(outbox(house)) == 2)
    assert instance.log.count("apprise is not installed") == 1


def test_with_nobody_to_tell_messages_stay_in_the_queue(house: House, mail: MailServer, post: Callable[..., None]) -> None:
    instance = add(house, APPRISE_FILE=str(house.root / "apprise.conf"), PIMAINS_SPEED="60")
    assert instance.status.startswith("nobody to tell: ")
    post("Power is away")
    secret = house.root / "apprise.conf"
    secret.touch(0o600)  # of root
    house.until(lambda: instance.status == f"{secret}: Permission denied; user pimains must be able to read it")
    shutil.chown(secret, "pimains")
    house.until(lambda: instance.status.startswith("nobody to tell: "))
    house.until(lambda: instance.log.count("Permission denied") == 1)
    assert instance.log.count("nobody to tell: ") <= 2
    assert len(notify_queue.waiting()) == 1
    for name, value in mail_settings(house, mail).items():
        instance.set(name, value)
    instance.svc("-t")
    house.until(lambda: mail.subjects == ["Power is away"])


def test_a_second_instance_does_not_tell_everything_twice(house: House, mail: MailServer) -> None:
    add(house, **mail_settings(house, mail))
    second = house.add("notify", "notify2", **mail_settings(house, mail))
    house.until(lambda: second.status.startswith("another instance of notify delivers already"))


def test_texts_from_devices_cannot_forge_a_header(house: House, mail: MailServer, post: Callable[..., None]) -> None:
    add(house, **mail_settings(house, mail))
    post("Power\r\nBcc: eve@example.org\r\n\r\nhello", "body\r\n.\r\nMAIL FROM:<eve@example.org>\r\n", "evil\nsubject")
    house.until(lambda: mail.mails)
    assert mail.mails[0]["Bcc"] is None
    assert mail.subjects == ["evil"] or "eve@example.org" in mail.subjects[0]
    assert len(mail.mails) == 1
    assert [envelope.rcpt_tos for envelope in mail.envelopes] == [["anna@example.org"]]


def test_rubbish_in_the_queue_is_said_and_taken_away(house: House, mail: MailServer, post: Callable[..., None]) -> None:
    instance = add(house, **mail_settings(house, mail))
    (notify_queue.queue() / "torn").write_bytes(b"")
    (notify_queue.queue() / "binary").write_bytes(os.urandom(300_000))
    os.mkfifo(notify_queue.queue() / "fifo")
    (notify_queue.directory() / "outbox/torn").write_text('["half')
    post("Power is away")
    house.until(lambda: "Power is away" in mail.subjects)
    house.until(lambda: not notify_queue.waiting())
    for name in ("torn", "fifo"):
        house.until(lambda name=name: f"queue/{name}: is no message, removed" in instance.log)


def test_a_disk_that_takes_nothing_stops_nobody(house: House, mail: MailServer, post: Callable[..., None]) -> None:
    instance = add(house, **mail_settings(house, mail, PIMAINS_SPEED="60"))
    (house.root / "var/lib/pimains/notify/outbox").chmod(0o555)
    shutil.chown(house.root / "var/lib/pimains/notify/outbox", "root")
    pid = instance.pid
    post("Power is away")
    house.until(lambda: instance.status.endswith("Permission denied; messages stay in the queue"), what=instance.log)
    assert len(notify_queue.waiting()) == 1
    (house.root / "var/lib/pimains/notify/outbox").chmod(0o777)
    house.until(lambda: mail.subjects == ["Power is away"])
    assert instance.pid == pid


def test_posting_to_a_full_disk_is_said_and_the_caller_goes_on(house: House) -> None:
    script = (
        "mount -t tmpfs -o size=8k,mode=0777 none $PIMAINS_ROOT/var/lib/pimains; mkdir -p $PIMAINS_ROOT/var/lib/pimains/notify/queue;"
        "dd if=/dev/zero of=$PIMAINS_ROOT/var/lib/pimains/fill bs=1k count=100 2>/dev/null; exec /usr/bin/python3 -c '"
        'from pimains.core import notify_queue; [notify_queue.post("Power", "away", "power") for _ in range(3)]; print("went on")\''
    )
    environment = {**os.environ, "PIMAINS_ROOT": str(house.root), "PYTHONPATH": str(TOP / "lib")}
    said = subprocess.run(["unshare", "-m", "sh", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert said.stdout == "nobody is told (No space left on device): Power\nwent on\n", said.stderr


def test_the_command_posts_and_a_test_tells_what_became_of_it(house: House, mail: MailServer) -> None:
    missing = pimains(house, "notify", "hello")
    assert (missing.returncode, missing.stderr) == (
        1,
        "pimains: there is no notify service here: create_service --service_name=notify --add-service\n",
    )
    instance = add(house, **mail_settings(house, mail, LCD_FIFO=str(house.root / "nothing")))
    assert pimains(house, "notify", "Backup done\n12 files", "--event", "backup").returncode == 0
    house.until(lambda: mail.subjects == ["Backup done"])
    assert mail.mails[0].get_content().strip() == "12 files"
    assert pimains(house, "notify", "-", "--subject", "From a pipe", input="a\nb\n").returncode == 0
    house.until(lambda: "From a pipe" in mail.subjects)
    told = pimains(house, "notify", "--test")
    assert told.stdout.splitlines()[0] == "posted; waiting for the notify service"
    assert "mail to anna@example.org: delivered" in told.stdout
    assert f"LCD behind {house.root}/nothing: queued, trying again: {house.root}/nothing: No such file or directory" in told.stdout
    assert told.returncode == 1
    instance.set("LCD_FIFO", "")
    instance.svc("-t")
    house.until(lambda: instance.status == "telling 1 address")
    assert pimains(house, "notify", "--test").returncode == 0
    assert pimains(house, "notify").returncode == 2
    instance.svc("-d")
    house.until(lambda: instance.pid == 0)
    stopped = pimains(house, "notify", "--test")
    assert "does the notify service run" in stopped.stderr


def test_a_test_is_answered_in_time_also_after_a_restart_with_older_ones_waiting(house: House) -> None:
    with contextlib.ExitStack() as waiting, socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        instance = add(
            house,
            MAIL_TO="anna@example.org",
            MAIL_FROM="pi@example.org",
            MAIL_HOST="127.0.0.1",
            MAIL_SECURITY="none",
            MAIL_PORT=str(silent.getsockname()[1]),
            SEND_SECONDS_MAX="5",
        )
        environment = {**os.environ, "PIMAINS_ROOT": str(house.root), "PYTHONPATH": str(TOP / "lib")}

        def test() -> "subprocess.Popen[str]":
            command = ["/usr/bin/python3", "-Pm", "pimains.cli", "notify", "--test"]
            started = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            waiting.callback(waiting.enter_context(started).kill)
            return started

        older = [test() for _ in range(4)]
        house.until(lambda: len(outbox(house)) == 4)
        instance.svc("-t")
        house.until(lambda: instance.log.count("cannot tell") == 1 or instance.status.startswith("telling"))
        own, began = test(), time.monotonic()
        said, complained = own.communicate(timeout=60)
        took = time.monotonic() - began
        assert re.search(r"mail to anna@example.org: (queued|under way)", said), (said, complained)
        assert own.returncode == 1
        assert took < 5 + 5  # and the time to start a Python on a busy machine, and svc -t
        for each in older:
            assert "mail to anna@example.org: " in each.communicate(timeout=60)[0]


def test_a_test_is_answered_where_the_outbox_is_full_of_others(house: House, post: Callable[..., None]) -> None:
    instance = add(house, LCD_FIFO=str(house.root / "nothing"), THROTTLE_SECONDS="1", MESSAGES_PER_HOUR_MAX="1000")
    for number in range(2 * notify_queue.ROOM + 10):
        post(str(number), event=f"event-{number}")
    house.until(lambda: len(outbox(house)) == notify_queue.ROOM and len(notify_queue.waiting()) == 10, what=instance.status)
    told = pimains(house, "notify", "--test")
    assert f"LCD behind {house.root}/nothing: queued, trying again: " in told.stdout, told.stderr


def test_without_a_throttle_each_message_is_told(house: House, post: Callable[..., None]) -> None:
    os.mkfifo(house.root / "fifo")
    instance = add(house, LCD_FIFO=str(house.root / "fifo"), THROTTLE_SECONDS="0", MESSAGES_PER_HOUR_MAX="1000")
    instance.svc("-d")
    house.until(lambda: instance.pid == 0)
    for number in range(303):
        post(f"message {number}")
    handle = os.open(house.root / "fifo", os.O_RDWR | os.O_NONBLOCK)
    shutil.chown(house.root / "fifo", "pimains")
    with open(handle, "rb", buffering=0) as fifo:
        instance.svc("-u")
        told: list[str] = []

        def has_told_each() -> bool:
            told.extend(line.partition(":")[2] for line in (fifo.read(64 * 1024) or b"").decode().splitlines())
            return len(told) >= 303

        house.until(has_told_each, what=f"{len(told)} told")
    assert sorted(told) == sorted(f"message {number}" for number in range(303))


def test_an_ordinary_user_is_told_who_may_post(house: House) -> None:
    add(house, LCD_FIFO=str(house.root / "nothing"))
    environment = {"PIMAINS_ROOT": str(house.root), "PYTHONPATH": str(TOP / "lib"), "PATH": os.environ["PATH"]}
    said = subprocess.run(
        ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "/usr/bin/python3", "-Pm", "pimains.cli", "notify", "hello"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stderr.endswith("notify/queue: Permission denied (root and members of group pimains may write there)\n"), said.stderr

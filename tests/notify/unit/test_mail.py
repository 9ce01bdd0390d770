"""Mails: whatever a device calls itself, it writes neither a header nor an address."""

import email
import email.policy

from hypothesis import example, given
from hypothesis import strategies as st

from pimains.notify import mail

HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]


@given(st.text(max_size=500), st.text(max_size=3000))
@example("Power\r\nBcc: eve@example.org\r\n\r\nhello", ".\r\nMAIL FROM:<eve@example.org>\r\n")
@example("a" * 2000, "b" * 20_000)
@example("=?utf-8?q?Bcc:_eve?=", "From here on")
def test_any_subject_and_body_make_one_message_with_its_own_headers(subject: str, body: str) -> None:
    written = mail.written("pi@example.org", "anna@example.org", subject, body, 1_790_000_000.0, "1")
    wire = written.as_bytes()
    read = email.message_from_bytes(wire, policy=email.policy.default)
    assert sorted(read.keys()) == sorted(HEADERS)
    assert read["To"] == "anna@example.org"
    assert len(str(read["Subject"]).splitlines()) <= 1
    assert all(len(line) <= 998 for line in wire.split(b"\r\n"))  # RFC 5322, 2.1.1
    assert wire.isascii()


def test_the_same_message_has_the_same_id_however_often_it_is_tried() -> None:
    first, second = (mail.written("a@example.org", "b@example.org", "x", "y", 0.0, "17") for _ in range(2))
    assert first["Message-ID"] == second["Message-ID"]

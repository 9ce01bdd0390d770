"""The authenticated lines between fserver and fclient: what is proven has an effect, nothing else has."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimains.shared.fileserver.beats import LONGEST_LINE, ClientEnd, Message, Secret, ServerEnd, Unproven, client_id, name_of

SECRET = Secret("bXkgc2VjcmV0IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE=")
ANOTHER = Secret("YW5vdGhlciBzZWNyZXQgb2YgMzIgYnl0ZXMgdG9vISE=")


def conversation(client_secret: Secret = SECRET, server_secret: Secret = SECRET) -> tuple[ServerEnd, ClientEnd]:
    server, client = ServerEnd(server_secret), ClientEnd(client_secret, "kitchen", client_id())
    client.join(server.join(client.join(server.greeting().strip()).strip()).strip())
    return server, client


def test_a_proof_is_what_every_version_so_far_has_sent() -> None:
    """RFC 2104 with SHA-256, made here by hand from its definition."""
    key = b"my secret of 32 bytes for tests!".ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + b"proof of client a conversation").digest()
    made = hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()
    assert SECRET.proof(b"client", b"a conversation") == made.encode()


@given(st.binary(max_size=80))
def test_nothing_else_is_believed_for_a_proof(proof: bytes) -> None:
    assert not SECRET.proves(b"client", b"a conversation", proof)


def test_both_ends_know_each_other_after_three_lines() -> None:
    server, client = conversation()
    assert server.has_joined
    assert client.has_joined
    assert server.name == "kitchen"
    assert server.receive(client.say("words", "mounted /x").strip()) == Message("words", "mounted /x")
    assert client.receive(server.say("leave", "halt").strip()) == Message("leave", "halt")


def test_who_does_not_know_the_secret_is_believed_by_neither_end() -> None:
    with pytest.raises(Unproven, match="another SECRET"):
        conversation(client_secret=ANOTHER)
    client = ClientEnd(SECRET, "kitchen", client_id())
    impostor = ServerEnd(ANOTHER)
    client.join(impostor.greeting().strip())
    with pytest.raises(Unproven, match="does not know the SECRET"):
        client.join(b"welcome " + ANOTHER.proof(b"server", b"whatever"))
    assert not client.has_joined


def test_a_proof_that_was_overheard_is_worth_nothing_in_another_conversation() -> None:
    overheard = ServerEnd(SECRET)
    proof = ClientEnd(SECRET, "kitchen", client_id()).join(overheard.greeting().strip()).strip()
    overheard.join(proof)
    with pytest.raises(Unproven):
        ServerEnd(SECRET).join(proof)


def test_a_servers_welcome_is_no_clients_proof() -> None:
    server = ServerEnd(SECRET)
    client = ClientEnd(SECRET, "kitchen", client_id())
    join = client.join(server.greeting().strip()).strip()
    welcome = server.join(join).strip()
    reflected = b" ".join((*join.split(b" ")[:4], welcome.split(b" ")[1]))
    with pytest.raises(Unproven):
        ServerEnd(SECRET, server.greeting().split()[-1]).join(reflected)


def test_nothing_can_be_repeated_left_out_moved_or_turned_round() -> None:
    server, client = conversation()
    first, second, third = (client.say("words", str(number)).strip() for number in range(3))
    server.receive(first)
    with pytest.raises(Unproven, match="out of turn"):
        server.receive(first)
    server, client = conversation()
    client.say("beat")
    with pytest.raises(Unproven, match="out of turn"):
        server.receive(client.say("beat").strip())
    server, client = conversation()
    with pytest.raises(Unproven, match="wrong seal"):
        client.receive(client.say("beat").strip())
    del second, third


def test_a_word_of_the_other_direction_has_no_meaning_even_with_the_right_key() -> None:
    server, client = conversation()
    with pytest.raises(Unproven, match="should not know"):
        server.receive(client.say("leave", "now").strip())


def test_words_before_the_proof_have_no_effect() -> None:
    server = ServerEnd(SECRET)
    with pytest.raises(Unproven):
        server.receive(b"1 left it " + b"0" * 64)
    with pytest.raises(Unproven):
        server.say("leave")


@settings(max_examples=300)
@given(st.lists(st.one_of(st.binary(max_size=600), st.sampled_from([b"join", b"welcome", b"1 beat", b"1 left x", b"shutdown", b"wait"]))))
def test_garbage_raises_nothing_but_unproven_and_changes_nothing(lines: list[bytes]) -> None:
    server, client = ServerEnd(SECRET), ClientEnd(SECRET, "kitchen", client_id())
    for line in lines:
        for listen in (server.join, server.receive, client.receive, client.join):
            with pytest.raises(Unproven):
                listen(line)
    assert not server.has_joined
    assert not client.has_joined


@given(st.data())
def test_a_changed_line_is_noticed_wherever_it_was_changed(data: st.DataObject) -> None:
    server, client = conversation()
    line = bytearray(client.say("words", "mounted").strip())
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Unproven):
        server.receive(bytes(line))


@given(st.text())
def test_any_text_fits_into_one_line(text: str) -> None:
    server, client = conversation()
    line = client.say("words", text)
    assert len(line) <= LONGEST_LINE
    assert line.count(b"\n") == 1
    said = server.receive(line.strip())
    assert said.word == "words"
    assert said.text.isprintable()


@given(st.text())
def test_any_host_name_becomes_a_name_that_a_server_takes(text: str) -> None:
    server, client = ServerEnd(SECRET), ClientEnd(SECRET, name_of(text), client_id())
    server.join(client.join(server.greeting().strip()).strip())
    assert server.name == name_of(text)


def test_an_id_that_was_kept_is_used_again_if_it_is_one() -> None:
    first = client_id()
    assert client_id(first.decode()) == first
    for kept in ("", "0123", first.decode() + "0", first.decode().upper() + "x", "\n" * 16):
        assert client_id(kept) != kept.encode()
        assert len(client_id(kept)) == 16

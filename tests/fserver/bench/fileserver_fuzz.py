#!/usr/bin/env python3
"""A million wrong lines for both ends of the protocol: no exception but Unproven, and no effect before the proof.

    tests/fserver/bench/fileserver_fuzz.py [MESSAGES [SEED]]

Lines are random bytes, pieces of real ones, and real ones of this or another conversation with something changed, repeated or left out.
"""

import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "lib"))

from pimains.shared.fileserver.beats import ClientEnd, Secret, ServerEnd, Unproven, client_id  # only findable now

SECRET = Secret("bXkgc2VjcmV0IG9mIDMyIGJ5dGVzIGZvciB0ZXN0cyE=")
_WORDS = (
    b"join",
    b"welcome",
    b"beat",
    b"leave",
    b"left",
    b"words",
    b"refuse",
    b"shutdown",
    b"wait",
    b"pimains-fserver 1",
    b"1",
    b"2",
    b"0",
    b"-1",
)


class Conversation:
    """Two ends that know the secret, and the lines they really said."""

    def __init__(self, *, joined: bool) -> None:
        self.server, self.client = ServerEnd(SECRET), ClientEnd(SECRET, "kitchen", client_id())
        self.said = [self.server.greeting()]
        self.said.append(self.client.join(self.said[0].strip()))
        if joined:
            self.said.append(self.server.join(self.said[1].strip()))
            self.client.join(self.said[2].strip())
            self.said += [self.client.say("words", "mounted"), self.server.say("leave", "halt")]


def wrong_line(chance: random.Random, said: list[bytes]) -> bytes:
    """Something that nobody means, or meant elsewhere."""
    kind = chance.randrange(6)
    if kind == 0:
        return chance.randbytes(chance.randrange(600))
    if kind == 1:
        return b" ".join([*chance.choices(_WORDS, k=chance.randrange(1, 6)), chance.randbytes(32).hex().encode()])
    line = bytearray(chance.choice(said).strip())
    at = chance.randrange(len(line))
    if kind == 2:
        line[at] ^= chance.randrange(1, 256)
    elif kind == 3:
        del line[at : at + chance.randrange(1, 20)]
    elif kind == 4:
        line[at:at] = chance.randbytes(chance.randrange(1, 20))
    else:
        line = line[:at] + bytearray(chance.choice(said).strip())[at:] + b" "
    return bytes(line)


def fuzz(messages: int, seed: int) -> Counter[str]:
    """How many lines met which answer; raises AssertionError for one that had an effect, and whatever else was raised."""
    chance, answers = random.Random(seed), Counter[str]()
    other = Conversation(joined=True)
    for number in range(messages):
        if number % 500 == 0:
            unproven, joined = Conversation(joined=False), Conversation(joined=True)
            lines = unproven.said[:1] + joined.said + other.said
        line = wrong_line(chance, lines)
        stranger = ServerEnd(SECRET)
        for end, listen in (
            ("server, unproven", stranger.join),
            ("server before the proof", stranger.receive),
            ("client before the welcome", unproven.client.join),
            ("server after the proof", joined.server.receive),
            ("client after the welcome", joined.client.receive),
        ):
            try:
                listen(line)
            except Unproven:
                answers[end] += 1
            else:
                raise AssertionError(f"seed {seed}, line {number}: the {end} believes {line!r}")
        assert not stranger.has_joined
        assert not unproven.client.has_joined
    return answers


def main() -> None:
    """Print the table."""
    messages, seed = int((*sys.argv[1:], 1_000_000)[0]), int((*sys.argv[2:], 1)[0])
    began = time.monotonic()
    answers = fuzz(messages, seed)
    print(f"{messages} wrong lines (seed {seed}) in {time.monotonic() - began:.0f} s: none was believed, no other exception")
    for end, count in answers.items():
        print(f"  sent away by the {end:28} {count:9}")


if __name__ == "__main__":
    main()

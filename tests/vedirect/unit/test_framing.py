"""Bytes in, blocks out: whatever stands between and within them."""

import random
import re

import pytest

from pimains.house.victron import block
from pimains.vedirect.plan.framing import Block, Framing
from tests.vedirect.devices import ALL, sent

MESSAGE = b":A0002000345\n"


def framed(data: bytes, piece: int = 0) -> list[Block]:
    framing = Framing()
    pieces = [data[start : start + piece] for start in range(0, len(data), piece)] if piece else [data]
    return [found for each in pieces for found in framing.feed(each)]


def kinds(name: str, times: int = 1) -> list[Block]:
    return [tuple(kind) for kind in ALL[name]] * times


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("piece", [0, 1, 7])
def test_every_device_is_read_in_pieces_of_any_size(name: str, piece: int) -> None:
    assert framed(sent(name, 3), piece) == kinds(name, 3)


@pytest.mark.parametrize("name", ["BMV_712_FW_0413", "MPPT_75_15_FW_150"])
@pytest.mark.parametrize("piece", [0, 1])
def test_a_hex_message_at_any_place_is_taken_out_and_not_summed(name: str, piece: int) -> None:
    data = sent(name)
    for place in range(len(data) + 1):
        behind = sent(name)
        assert framed(data[:place] + MESSAGE + data[place:] + behind, piece) == kinds(name, 2), place


def test_hex_between_the_lines() -> None:
    """Scenario 12: within a value, within a label, several right behind the checksum byte."""
    data = block(ALL["MPPT_75_15_FW_150"][0])
    torn = data.replace(b"12000", b"12" + MESSAGE + b":ADBED001A0D5C\n000").replace(b"\nCS", b"\nC" + MESSAGE + b"S")
    assert framed(torn + MESSAGE * 5 + data) == kinds("MPPT_75_15_FW_150", 2)


@pytest.mark.parametrize("garbage", [b"\xff", b"", b"\0", b"x", b"\t"])
def test_garbage_instead_of_the_end_of_a_hex_message_does_not_swallow_the_block_behind_it(garbage: bytes) -> None:
    data = block(ALL["MPPT_75_15_FW_150"][0])
    assert framed(data + MESSAGE[:-1] + garbage + data) == kinds("MPPT_75_15_FW_150", 2)


def test_a_hex_message_without_end_swallows_no_more_than_a_block() -> None:
    data = block(ALL["MPPT_75_15_FW_150"][0])
    assert framed(b":" + b"A0" * 5000 + data * 3)[-2:] == kinds("MPPT_75_15_FW_150", 2)


@pytest.mark.parametrize("byte", [b"\r", b"\n", b"\t", b":", b"\0", b"\xff", b"C"])
def test_the_checksum_byte_may_be_any(byte: bytes) -> None:
    for number in range(100_000):
        data = block([("PID", "0xA053"), ("PPV", str(number))])
        if data.endswith(byte):
            break
    found = ((("PID", "0xA053"), ("PPV", str(number))),)
    assert framed(data * 3) == framed(data * 3, 1) == list(found) * 3
    assert framed(data + MESSAGE + data) == list(found) * 2


@pytest.mark.parametrize("name", ["BMV_712_FW_0413", "MPPT_75_15_FW_150"])
def test_a_lost_byte_costs_its_own_block_and_none_besides(name: str) -> None:
    data = sent(name)
    for place in range(len(data)):
        found = framed(sent(name) + data[:place] + data[place + 1 :] + sent(name, 2))
        assert found[: len(ALL[name])] == kinds(name)
        assert found[-2 * len(ALL[name]) :] == kinds(name, 2), place


@pytest.mark.parametrize("bit", range(8))
def test_a_turned_bit_costs_its_own_block_and_none_besides(bit: int) -> None:
    name = "MPPT_75_15_FW_150"
    data = sent(name)
    for place in range(len(data)):
        turned = data[:place] + bytes((data[place] ^ 1 << bit,)) + data[place + 1 :]
        assert framed(sent(name) + turned + sent(name, 2)) == kinds(name, 3), place


def test_blocks_are_read_from_any_byte_on() -> None:
    data = sent("BMV_712_FW_0413", 2)
    whole = kinds("BMV_712_FW_0413", 2)
    for start in range(len(data)):
        found = framed(data[start:])
        assert found == whole[len(whole) - len(found) :]
        assert len(found) >= len(re.findall(b"Checksum\t", data[start + 1 :])) - 1


def test_a_sum_that_is_right_makes_no_fields_of_what_is_none() -> None:
    for label, value in (("V\tV", "12"), ("", "12"), ("V", "12\t13"), ("V", "1\x072")):
        assert framed(block([("PID", "0xA053"), (label, value)])) == []


def test_random_bytes_raise_nothing_and_fill_no_memory() -> None:
    chance = random.Random(13)
    framing = Framing()
    for _ in range(500):
        for _ in framing.feed(chance.randbytes(chance.randint(1, 2000))):
            pass
        assert len(framing._text) + len(framing._coming) < 8192
    for _ in range(500):
        for _ in framing.feed(bytes(chance.choices(b"\r\n\t:0A\xffChecksum", k=200))):
            pass
        assert len(framing._text) + len(framing._coming) < 8192

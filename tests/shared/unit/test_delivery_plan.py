"""What a meter and a collector say to each other: shared/plan/delivery.py."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pimains.shared.plan import delivery
from pimains.shared.plan.delivery import Batch, Boot, Reading, RegisterReading

BATCH = Batch(
    "house",
    "kWh",
    1000,
    RegisterReading(0, 12345.6),
    {"b-1": Boot(1_790_000_000.25, synchronised=True), "b-2": Boot(None)},
    [Reading("b-1", 1, 1_790_000_005.25, 5.0, 7), Reading("b-1", 2, None, 10.0, 9), Reading("b-2", 1, None, 5.0, 10)],
)


def test_what_is_written_is_read_again() -> None:
    assert delivery.read(delivery.written(BATCH)) == BATCH


def test_the_answer_names_the_last_row_of_each_boot() -> None:
    assert delivery.read_answer(delivery.acknowledged(BATCH)) == ({"b-1": 2, "b-2": 1}, {})


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("source", "", "source: not a name"),
        ("source", "x" * 65, "source: not a name"),
        ("source", "a\nb", "source: not a name"),
        ("unit", "Wh", "unit: not kWh or m3"),
        ("unit", ["kWh"], "unit: not kWh or m3"),
        ("impulses_per_unit", 0, "not above 0"),
        ("impulses_per_unit", True, "not a number"),
        ("face", 3, "face: not a count and a total"),
        ("boots", {"b": 3}, "boots: not an offset"),
        ("rows", [["b", 1, None, 5.0]], "rows: not"),
        ("rows", [["b", -1, None, 5.0, 7]], "sequence: not a whole number"),
        ("rows", [["b", 1, None, "5", 7]], "uptime: not a number"),
        ("rows", [["b", 1, None, 5.0, 7.5]], "count: not a whole number"),
        ("rows", [["b", 1, None, 5.0, 10**30]], "count: not a whole number"),
        ("rows", [["b", 1, None, 5.0, 7]] * 5001, "rows: not a list of at most 5000"),
    ],
)
def test_a_request_that_is_none_is_refused_in_words(name: str, value: Any, complaint: str) -> None:
    body = {**json.loads(delivery.written(BATCH)), name: value}
    with pytest.raises(ValueError, match=complaint):
        delivery.read(json.dumps(body).encode())


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"[" * 100_000, b"\xff", b'{"rows": [[1,2,3,NaN,4]]}', b"x" * 2**21])
def test_garbage_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        delivery.read(body)


@settings(max_examples=40)
@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_nothing_but_a_value_error_ever_comes_out(said: Any) -> None:
    for body in (said, {**json.loads(delivery.written(BATCH)), "rows": said}, {**json.loads(delivery.written(BATCH)), "boots": said}):
        try:
            delivery.read(json.dumps(body).encode())
        except ValueError as error:
            assert str(error)


def test_a_synchronised_clock_is_not_contradicted_by_one_that_is_not() -> None:
    synchronised, guessed, unknown = Boot(100.0, synchronised=True), Boot(50.0), Boot(None)
    assert guessed.is_improved_by(synchronised)
    assert not synchronised.is_improved_by(guessed)
    assert synchronised.is_improved_by(Boot(101.0, synchronised=True))
    assert unknown.is_improved_by(guessed)
    assert guessed.is_improved_by(Boot(60.0))
    assert not guessed.is_improved_by(unknown)
    assert not guessed.is_improved_by(guessed)

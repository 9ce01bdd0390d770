"""The orders to leave that halt's step 20-shares gives to fserver and fclient."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pimains.shared.leaving import LeaveOrders, Order


@pytest.fixture
def orders(tmp_path: Path) -> Iterator[LeaveOrders]:
    orders = LeaveOrders(tmp_path)
    yield orders
    orders.close()
    assert list(tmp_path.iterdir()) == []


def say(run: Path, text: str) -> None:
    """As the step does it."""
    handle = os.open(run / "leave", os.O_RDWR)
    os.write(handle, text.encode())
    os.close(handle)


def test_of_orders_that_were_repeated_the_last_one_counts(orders: LeaveOrders, tmp_path: Path) -> None:
    say(tmp_path, "77 30 UPS battery low\n77 29 UPS battery low\n")
    assert orders.take() == Order("77", 29, "UPS battery low")
    assert orders.take() is None


@pytest.mark.parametrize("line", ["", "x", "77", "77 soon", "² ² why", "-1 3 why", "77 1e9 why", "\x00" * 4000])
def test_what_is_no_order_is_ignored(orders: LeaveOrders, tmp_path: Path, line: str) -> None:
    say(tmp_path, f"{line}\n")
    assert orders.take() is None
    say(tmp_path, "77 30\n")
    assert orders.take() == Order("77", 30, "no reason given")


def test_of_a_thousand_answers_that_nobody_fetched_the_last_one_is_kept(orders: LeaveOrders, tmp_path: Path) -> None:
    for number in range(1000):
        orders.answer(Order(str(number), 1, "why"), "not left:\nkitchen " + "x" * 1000, ok=False)
    handle = os.open(tmp_path / "left", os.O_RDONLY | os.O_NONBLOCK)
    assert os.read(handle, 10_000).startswith(b"999 failed not left: kitchen xxx")
    os.close(handle)

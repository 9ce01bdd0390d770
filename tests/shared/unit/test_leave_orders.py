"""The orders to leave that halt's step 20-shares gives to fserver and fclient."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pimains.shared.orders.leave import Leave, LeaveOrders
from tests.shared.order_fifo import Fifo, give


@pytest.fixture
def orders(tmp_path: Path) -> Iterator[LeaveOrders]:
    orders = LeaveOrders(tmp_path)
    yield orders
    orders.close()
    assert list(tmp_path.iterdir()) == []


def test_of_orders_that_were_repeated_the_last_one_counts(orders: LeaveOrders, tmp_path: Path) -> None:
    give(tmp_path, "77 leave 30 UPS battery low\n77 leave 29 UPS battery low\n")
    assert orders.leaves() == [Leave("77", 29, "UPS battery low")]
    assert orders.leaves() == []


@pytest.mark.parametrize("line", ["", "x", "77", "77 soon", "² ² why", "-1 3 why", "77 1e9 why", "\x00" * 4000])
def test_what_is_no_order_is_ignored(orders: LeaveOrders, tmp_path: Path, line: str) -> None:
    asker, _, rest = line.partition(" ")
    for wrong in (line, f"{asker} leave {rest}"):
        give(tmp_path, f"{wrong}\n")
        assert orders.leaves() == []
    give(tmp_path, "77 leave 30\n")
    assert orders.leaves() == [Leave("77", 30, "no reason given")]


def test_who_asks_wrongly_is_told_what_is_right(orders: LeaveOrders, tmp_path: Path) -> None:
    with closing(Fifo(tmp_path, "77")) as said:
        give(tmp_path, "77 leave soon bedtime\n")
        assert orders.leaves() == []
        assert said.read() == "failed 'soon' is no number of seconds: leave SECONDS REASON\n"


def test_of_a_thousand_answers_each_is_its_askers_and_those_that_nobody_fetches_cost_nothing(orders: LeaveOrders, tmp_path: Path) -> None:
    with closing(Fifo(tmp_path, "999")) as said:
        for number in range(1000):
            orders.answer(str(number), "not left:\nkitchen " + "x" * 1000, ok=False)
        assert said.read().startswith("failed not left: kitchen xxx")
        assert said.read() == ""
    assert sorted(os.listdir(tmp_path / "orders")) == ["ask", "words"]

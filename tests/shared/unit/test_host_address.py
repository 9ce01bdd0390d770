"""Where a host is."""

import pytest

from pimains.core.clock import SystemClock
from pimains.core.errors import Away
from pimains.shared.fileserver.tcp_lines import begin_connecting
from pimains.shared.host_address import Address
from tests.kit import to_the_end, until


def found(address: Address) -> list[tuple[str, int]]:
    try:
        return address.find()
    except Away:
        return []


def test_an_ipv6_address_of_one_link_keeps_its_link() -> None:
    address = Address("fe80::1%lo", 5)
    until(lambda: found(address), 30, "an address to be found")
    assert address.find() == [("fe80::1%1", 5)]
    with pytest.raises(Away, match="unreachable"):  # without the link it is an invalid argument
        begin_connecting(address.find()[0], 512)


def test_where_a_host_was_met_last_is_kept_for_when_its_name_is_not_known() -> None:
    kept: list[str] = []
    address = Address("no-such-host.invalid", 5, keep=kept.append)
    to_the_end(address.first(SystemClock()))
    with pytest.raises(Away, match=r"no-such-host.invalid has no address \(yet\)"):
        address.find()
    address.was_good("10.0.0.1")
    address.was_good("10.0.0.1")
    assert kept == ["10.0.0.1"], "an SD card is written when there is something new"
    again = Address("no-such-host.invalid", 5, kept=kept[0])
    to_the_end(again.first(SystemClock()))
    assert again.find() == [("10.0.0.1", 5)]
    assert found(Address("no-such-host.invalid", 5, kept="some; rubbish")) == []


def test_an_address_that_its_name_does_not_stand_for_any_more_is_left_and_the_good_one_of_several_goes_first() -> None:
    address = Address("localhost", 5, kept="10.0.0.1")
    until(lambda: address.find() != [("10.0.0.1", 5)], 30, "the name to be looked up")
    assert ("10.0.0.1", 5) not in address.find()
    both = {each for each, _ in address.find()}
    for good in both:
        address.was_good(good)
        assert address.find()[0] == (good, 5)
        assert {each for each, _ in address.find()} == both

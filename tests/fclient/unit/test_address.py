"""Where a host is."""

import pytest

from pimains.core.errors import Away
from pimains.fclient.address import Address
from pimains.shared.fileserver.tcp_lines import begin_connecting
from tests.kit import until


def test_an_ipv6_address_of_one_link_keeps_its_link() -> None:
    address = Address("fe80::1%lo", 5)

    def find() -> tuple[str, int] | None:
        try:
            return address.find()
        except Away:
            return None

    until(lambda: find() is not None, 30, "an address to be found")
    assert find() == ("fe80::1%1", 5)
    with pytest.raises(Away, match="unreachable"):  # without the link it is an invalid argument
        begin_connecting(address.find(), 512)

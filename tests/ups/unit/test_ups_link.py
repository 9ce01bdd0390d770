"""The connection to one upsd as it is kept up: what is asked of it while it is away is not done later."""

import time

from pimains.core.errors import Away
from pimains.ups.link import Link
from pimains.ups.nut import Nut
from tests.kit import free_port, until
from tests.ups.liar import Liar
from tests.ups.nuts import nut


def looked(link: Link) -> None:
    """Look once, whatever comes of it."""
    link.hurry()
    link.begin_when_due(time.monotonic(), is_on_battery=True)
    until(lambda: link.answer(), 10)


def test_what_is_asked_while_upsd_is_away_learns_so_and_is_done_no_more_when_it_is_back() -> None:
    learned: list[str] = []

    def cut(nut: Nut) -> None:
        try:
            nut.command("shutdown.return")
            learned.append("cut")
        except Away:
            learned.append("away")

    with Liar() as liar:
        port = liar.port
        link = Link(nut(free_port()), 1.0, logs_in=False, commands=False)
        for _ in range(3):
            link.ask(cut)
            looked(link)
        assert learned == ["away"] * 3
        link.nut.address = nut(port).address
        looked(link)
        assert link.nut.is_open
        assert learned == ["away"] * 3
        assert "INSTCMD eaton shutdown.return" not in liar.said
        link.ask(cut)
        looked(link)
        assert learned == [*["away"] * 3, "cut"]
        link.close()

"""The connection to one upsd as it is kept up: what is asked of it and when, and that nothing of it is done later."""

import time

import pytest

from pimains.core.errors import Away
from pimains.ups import link as linking
from pimains.ups.link import Answer, Link
from pimains.ups.nut import Nut
from tests.kit import free_port, until
from tests.ups.liar import Liar, saying
from tests.ups.nuts import nut


def looked(link: Link, at: float | None = None) -> Answer:
    """Look once, whatever comes of it, at that time of its clock."""
    link.hurry()
    link.begin_when_due(time.monotonic() if at is None else at, is_on_battery=True)
    answers: list[Answer] = []
    until(lambda: answers.extend(found for found in [link.answer()] if found) or answers, 10)
    return answers[0]


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


def test_on_line_its_status_alone_is_asked_for_and_everything_as_soon_as_that_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linking, "_LIST_SECONDS", 3600.0)
    with Liar() as liar:
        link = Link(nut(liar.port), 1.0, logs_in=False, commands=False)

        def asks() -> list[str]:
            before = len(liar.said)
            assert looked(link).variables == liar.values
            return liar.said[before:]

        asks()
        assert asks() == asks() == ["GET VAR eaton ups.status"]
        for status in ("OB", "OB LB", "FSD OB LB"):
            liar.values |= {"ups.status": status, "battery.charge": "50"}
            assert "LIST VAR eaton" in asks()
            assert asks() == ["LIST VAR eaton"], status
        liar.values |= {"ups.status": "OL CHRG", "battery.charge": "30"}
        assert asks() == ["LIST VAR eaton"]
        liar.values["ups.status"] = "FSD OL CHRG"
        assert asks() == ["GET VAR eaton ups.status", "LIST VAR eaton"]
        link.close()


def test_on_line_everything_is_asked_for_each_ten_seconds_and_after_whatever_went_wrong() -> None:
    with Liar() as liar:
        link = Link(nut(liar.port), 1.0, logs_in=False, commands=False)
        looked(link, at=1000.0)
        liar.values["battery.charge"] = "98"
        assert looked(link, at=1009.0).variables == {**liar.values, "battery.charge": "100"}
        assert looked(link, at=1010.0).variables == liar.values
        liar.values["battery.charge"] = "96"
        liar.lies["GET VAR"] = saying(b"ERR DATA-STALE\n")
        assert looked(link, at=1011.0).variables is None
        liar.lies.clear()
        assert looked(link, at=1012.0).variables == liar.values
        link.close()

"""What strangers say is text on the pages Power, Outage and Clients: a model, a client, a host, a cause, a status, a reason."""

import os

import pytest
from playwright.sync_api import Page

from pimains.core import state
from pimains.core.clock import SystemClock, boot_id
from pimains.core.instance import Instance
from pimains.core.ledger import Ledger
from pimains.shared import fserver_clients, halt_request
from pimains.shared.fserver_clients import PresentClient
from pimains.shared.outage_file import OutageFile
from pimains.shared.plan import host_steps
from pimains.shared.plan.host_steps import Host, Step
from pimains.shared.plan.outage import Outage, Phase, Role
from tests.kit import House
from tests.web.household import can_be_asked, directory_of, household
from tests.web.page import Pages, axe

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the ledger's directories are root's")
XSS, NAME = "<img src=x onerror=alert(1)>", "<img/src=x/onerror=alert(1)>"


def as_text(page: Page, *texts: str) -> None:
    for text in texts:
        page.get_by_text(text).first.wait_for()
    assert page.locator("img, [onerror]").count() == 0
    assert axe(page) == []


def test_what_strangers_say_is_text(house: House, pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    with household(house, monkeypatch) as web:
        can_be_asked(house)
        for service in ("fserver", "plug", "ups"):
            house.add(service, svscan=False, **({"UPS": "eaton", "POWER": "0"} if service == "ups" else {}))
        fserver_clients.leave(directory_of(house, "fserver"), [PresentClient(NAME, XSS, 1.8e9, XSS)])
        state.write(directory_of(house, "fserver") / "backup", f"failed 21 Nov: {XSS}")
        for name in ("status", "relay"):
            state.write(directory_of(house, "plug") / name, XSS)
        for name in ("words", "device.model", f"{XSS.replace('/', '')}.words"):
            state.write(directory_of(house, "ups") / name, XSS)
        (house.root / "var/lib/pimains/ups").mkdir()
        now = SystemClock().monotonic()
        hosts = host_steps.written({XSS: Host(Step.TOLD, now, 1, why=XSS, ordered=1.8e9)})
        OutageFile(Instance("ups", house.scan / "ups")).write(
            Outage("1", boot_id(), 1.8e9, now, Phase.SHEDDING, now, Role.PRIMARY, XSS, hosts=hosts)
        )
        Ledger().record("ups ups", XSS, XSS)
        halt_request.ask(XSS, XSS)
        page = pages.logged_in(web.url, "/outage", width=390)
        as_text(page, XSS, f"ups ups: {XSS}")
        page.goto(f"{web.url}/clients")
        as_text(page, NAME, XSS, f"failed 21 Nov: {XSS}")
        page.goto(f"{web.url}/power")
        page.get_by_text("05-update").wait_for()
        as_text(page, XSS)
        page.close()

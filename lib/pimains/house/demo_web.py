"""The demo's page of the whole house, behind a password that is this demo's only."""

import secrets
from typing import NamedTuple

from pimains.house import ports
from pimains.house.demo_site import Site

SERVICE = "web"
_PORT = 8461  # its own; another one where somebody has that already
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
_GROUPS, _LENGTH = 3, 4
_LISTENS_SECONDS_MAX = 60.0


class Page(NamedTuple):
    """Where it is, and what opens it."""

    address: str
    password: str


def make(site: Site) -> Page:
    """The service."""
    port = _PORT if ports.is_free(_PORT) else ports.free_port()
    password = "-".join("".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(_GROUPS))
    kept = site.root / "web-password.txt"
    kept.touch(0o600)
    kept.write_text(f"{password}\n", encoding="ascii")
    settings = (f"--listen=127.0.0.1:{port}", f"--password=@{kept}", "--title=The demo's house")
    site.command("create_service", f"--service_name={SERVICE}", *settings, *site.create)
    kept.unlink()
    return Page(f"http://127.0.0.1:{port}/", password)


def until_it_listens(site: Site, page: Page) -> None:
    """Wait for its first answer. Raises DemoFailed."""
    port = int(page.address.rstrip("/").rpartition(":")[2])
    site.until("the page answers", lambda: ports.listens(port), _LISTENS_SECONDS_MAX)

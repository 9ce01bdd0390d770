"""Where pimains keeps what: below /, or below PIMAINS_ROOT in a rehearsal."""

import os
from pathlib import Path

LEDGER = "ledger.sqlite"  # below `lib`: root's
SERVICES_LEDGER = "ledger"  # the directory of user pimains beside it, with the ledger of the services that are no more than that


def _below_root(path: str, root: str | None = None) -> Path:
    return Path(root or os.environ.get("PIMAINS_ROOT") or "/") / path


def run(root: str | None = None) -> Path:
    """State that ends with this boot: one directory per instance, one file per value; below another's `root` if that is given."""
    return _below_root("run/pimains", root)


def halt_memory() -> Path:
    """What the halt steps of this boot have to put back; only root may look at that."""
    return _below_root("run/pimains-halt")


def lib(root: str | None = None) -> Path:
    """State that outlives a reboot: the ledger, learned times, queued notifications."""
    return _below_root("var/lib/pimains", root)


def log(root: str | None = None) -> Path:
    """What multilog keeps: one directory per instance."""
    return _below_root("var/log/pimains", root)


def etc() -> Path:
    """What the administrator adds: halt.d."""
    return _below_root("etc/pimains")


def checkout() -> Path | None:
    """The top of the checkout this library runs from; None when it was installed."""
    top = Path(__file__).resolve().parents[3]
    return top if (top / "create_service").is_file() and (top / "services").is_dir() else None


def service_templates() -> Path:
    """The service directories that instances are made of and link to."""
    top = checkout()
    return top / "services" if top else Path("/usr/share/pimains/services")


def shipped_halt_steps() -> list[Path]:
    """The directories with the halt steps that pimains brings; the administrator's are in etc()/halt.d."""
    top = checkout()
    return sorted(top.glob("services/*/halt.d")) if top else [Path("/usr/lib/pimains/halt.d")]

"""Where the rules of this machine and the settings of its relays are, as its services have it."""

from pathlib import Path
from typing import NamedTuple

from pimains.core import paths, scan_directory
from pimains.core.errors import Misused, PimainsError
from pimains.core.scan_directory import ServiceDirectory


class Places(NamedTuple):
    """`service` is the instance of rules, `rules` the directory of people's, `made` of those made from blocks, `relays` of all relays."""

    service: ServiceDirectory
    rules: Path
    made: Path
    relays: Path | None


def found(scan: Path) -> Places:
    """Those of the services there. Raises Misused where rules is none of them, and PimainsError."""
    services = {each.service: each for each in scan_directory.found(scan)}
    service, relays = services.get("rules"), services.get("relays")
    if service is None:
        raise Misused(f"{scan}: no rules service (create_service --service_name=rules --add-service)")
    rules = service.variables().get("RULES")
    if not rules:
        raise PimainsError(f"{service.path}/variables/RULES: names no directory")
    its_relays = relays.variables().get("RELAYS") if relays else None
    return Places(service, Path(rules), paths.lib(service.root) / service.name, Path(its_relays) if its_relays else None)

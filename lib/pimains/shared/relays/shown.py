"""How relays stand, as people and programs get to see them: what the service relays tells of each, with its settings."""

from pathlib import Path
from typing import Any

from pimains.core import paths, scan_directory, state
from pimains.core.errors import Misused, PimainsError
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared.relays import relay_settings, told_files
from pimains.shared.relays.said import MODE, SERVICE


def service(scan: Path = scan_directory.SCAN_DIRECTORY) -> ServiceDirectory:
    """The service of all relays here. Raises Misused where there is none."""
    found = [each for each in scan_directory.found(scan) if each.service == SERVICE]
    if not found:
        raise Misused(f"{scan}: no relays service (create_service --service_name=relays --add-service)")
    return found[0]


def directory(service: ServiceDirectory) -> Path:
    """Where the settings of its relays are. Raises PimainsError."""
    value = service.variables().get("RELAYS")
    if not value:
        raise PimainsError(f"{service.path}/variables/RELAYS: names no directory")
    return Path(value)


def there(service: ServiceDirectory, number: str) -> Path:
    """The settings of one relay. Raises Misused, with those that there are, where there is no such relay."""
    found = directory(service) / number
    if not relay_settings.is_number(number) or not found.is_dir():
        others = ", ".join(relay_settings.numbers(found.parent)) or "none"
        raise Misused(f"there is no relay {number}; there are: {others} (pimains relay add {number} --pin=17)")
    return found


def mode_file(service: ServiceDirectory, number: str) -> Path:
    """Where people say what they want of it."""
    return paths.lib(service.root) / service.name / f"{number}.{MODE}"


def all_of_them(service: ServiceDirectory) -> list[dict[str, Any]]:
    """Every relay that has settings, in their order."""
    settings = directory(service)
    return [one(service, number, settings / number) for number in relay_settings.numbers(settings)]


def one(service: ServiceDirectory, number: str, settings: Path) -> dict[str, Any]:
    """How one stands; None is what is not told."""
    values = told_files.read(service.run, number)
    switches, watts = (state.number(values[each]) for each in ("switches", "watts"))
    return {
        "number": int(number),
        "name": relay_settings.name(settings),
        "state": values["state"],
        "mode": values["mode"],
        "watts": watts,
        "switches": None if switches is None else int(switches),
        "next": values["next"],
        "reason": values["reason"] or "the service does not run",
    }

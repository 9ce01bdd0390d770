"""Which ups service a command is about."""

import argparse

from pimains.core import scan_directory
from pimains.core.errors import Misused
from pimains.core.scan_directory import ServiceDirectory


def chosen(options: argparse.Namespace) -> list[ServiceDirectory]:
    """All that --servicedir has, or the one that --instance says. Raises Misused for none."""
    services = [each for each in scan_directory.found(options.servicedir) if each.service == "ups"]
    services = [each for each in services if options.instance in (None, each.name)]
    if not services:
        which = f"no ups service {options.instance}" if options.instance else "no ups service"
        raise Misused(f"{options.servicedir}: {which} (create_service --service_name=ups --ups=NAME@HOST --add-service)")
    return services


def only_one(services: list[ServiceDirectory]) -> ServiceDirectory:
    """It. Raises Misused where there are several."""
    if len(services) > 1:
        raise Misused(f"there are {len(services)} ups services; --instance says which: {', '.join(each.name for each in services)}")
    return services[0]

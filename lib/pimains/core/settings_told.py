"""The settings of a service, or of one instance of it, as people and programs are told them: a secret is never among them."""

from typing import Any

from pimains.core.scan_directory import ServiceDirectory
from pimains.core.templates import Template


def told(template: Template, instance: ServiceDirectory | None) -> list[dict[str, Any]]:
    """Each setting: its value (that of a new instance, without one), default and meaning.

    `value` is None for a secret and for a file that only root may read; then `is_set` tells whether there is one, None: not known.
    """
    declared, variables = template.settings().declared(), template.variables()
    present: dict[str, str | None] = instance.variables() if instance else {}
    settings = []
    for name in declared:
        variable = variables[name]
        value = present.get(name, "") if instance else variable.default
        secret = declared[name].secret
        settings.append(
            {
                "name": name,
                "value": None if secret else value,
                "is_set": None if value is None else bool(value),
                "default": variable.default,
                "edited": None if value is None else value != variable.default,
                "secret": secret,
                "allowed": declared[name].allowed,
                "meaning": variable.meaning,
            }
        )
    return settings


def others(template: Template, instance: ServiceDirectory) -> dict[str, str | None]:
    """What else stands beside them, such as PYTHONPATH."""
    known = template.variables()
    return {name: value for name, value in instance.variables().items() if name not in known}

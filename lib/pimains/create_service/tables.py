"""What create_service tells: the list, the settings of one service, the help."""

import json
import textwrap
from pathlib import Path
from typing import Any

from pimains.core import scan_directory, settings_told, state, templates
from pimains.core.plan import columns, sentences, text
from pimains.core.scan_directory import ServiceDirectory, Supervised
from pimains.core.templates import Template
from pimains.create_service import making
from pimains.create_service.arguments import ACTIONS, WITH_A_VALUE, WITHOUT_A_VALUE, option


def list_of(servicedir: Path, as_json: bool) -> str:
    """The services there are, and the instances in `servicedir`."""
    services = {name: template.purpose() for name, template in templates.all_of_them().items()}
    found = _instances(servicedir) if servicedir.is_dir() else []
    supervised = scan_directory.supervised([each.path for each in found])
    rows = [_row(each, supervised[each.path]) for each in found]
    if as_json:
        return json.dumps({"services": services, "instances": rows}, indent=2)
    lines = ["services:", *_columns([[name, purpose] for name, purpose in services.items()])]
    if not found:
        return "\n".join([*lines, f"no instances in {servicedir}; --service_name=NAME --add-service makes one"])
    return "\n".join([*lines, f"instances in {servicedir}:", *_columns([_words(row) for row in rows])])


def _instances(servicedir: Path) -> list[ServiceDirectory]:
    removals = (scan_directory.at(path) for path in sorted(servicedir.glob(".*")) if not making.is_aside(path))
    return [*scan_directory.found(servicedir), *(each for each in removals if each)]


def _row(instance: ServiceDirectory, supervised: Supervised) -> dict[str, Any]:
    return {
        "instance": instance.name,
        "service": instance.service,
        "directory": str(instance.path),
        "state": "being removed" if instance.is_being_removed else supervised.state,
        "since_seconds": supervised.seconds,
        "pid": supervised.pid or None,
        "status": state.read(instance.run / "status"),
    }


def _words(row: dict[str, Any]) -> list[str]:
    since = "" if row["since_seconds"] is None else f" {sentences.duration(row['since_seconds'])}"
    words = {"unseen": "? (only root may see)", "unsupervised": "not supervised", "stopped": "supervise does not answer"}.get(
        row["state"], row["state"]
    )
    return [row["instance"], row["service"], words + since, text.one_line(row["status"] or "")]


def _columns(rows: list[list[str]]) -> list[str]:
    return [f"  {line}" for line in columns.aligned(rows)]


def settings_of(template: Template, instance: ServiceDirectory | None, as_json: bool) -> str:
    """Each setting of a service, or of one instance of it: value, default, meaning; edited ones are marked."""
    settings = settings_told.told(template, instance)
    others = settings_told.others(template, instance) if instance else {}
    title = {"service": template.service, "instance": instance.name if instance else None}
    if as_json:
        return json.dumps({**title, "settings": settings, "others": others}, indent=2)
    where = f"{instance.name}: {template.service} in {instance.path}" if instance else f"{template.service}: {template.purpose()}"
    lines = [where, *(line for setting in settings for line in _setting(setting, instance is not None))]
    lines += [f"  {name}: {value} (no setting of {template.service}, kept)" for name, value in others.items()]
    if any(setting["edited"] for setting in settings):
        lines.append("* differs from the default")
    return "\n".join(lines)


def _setting(setting: dict[str, Any], is_of_an_instance: bool) -> list[str]:
    if setting["secret"]:
        shown = {None: "secret (only root may look)", True: "set (secret)", False: "not set"}[setting["is_set"]]
    elif setting["is_set"] is None:
        shown = "only root may look"
    else:
        shown = setting["value"] or "empty"
    default = f" (default: {setting['default'] or 'empty'})" if setting["edited"] and is_of_an_instance else ""
    mark = "*" if setting["edited"] else " "
    return [f"{mark} {setting['name']}: {shown}{default}", *_meaning(setting["meaning"])]


def _meaning(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), 100, initial_indent=" " * 6, subsequent_indent=" " * 6, break_on_hyphens=False)


def help_with(template: Template | None) -> str:
    """The help; with a template, what its settings are."""
    return _help_of_a_service(template) if template else _help()


def _help() -> str:
    services = [[name, template.purpose()] for name, template in templates.all_of_them().items()]
    return "\n".join(
        [
            "create_service makes, changes, lists, shows and removes services.",
            "",
            "  create_service --service_name=plug --host=plug.lan --encryption_key=@key.txt --add-service",
            "  create_service --service_name=plug --host=192.168.1.20 --add-service --apply    change one setting, restart",
            "  create_service --list",
            "  create_service --show=plug",
            "  create_service --service_name=plug --help    the settings of plug",
            "  create_service --service_name=plug --instance=plug2 --host=plug2.lan --add-service    a second plug",
            "  create_service --service_name=plug --del-service",
            "",
            "services:",
            *_columns(services),
            "",
            "what to do:",
            *_columns([[f"--{name}", meaning] for name, meaning in ACTIONS.items()]),
            "",
            "with:",
            *_columns([[f"--{name}=...", meaning] for name, meaning in WITH_A_VALUE.items()]),
            *_columns([[f"--{name}", meaning] for name, meaning in WITHOUT_A_VALUE.items()]),
            "",
            "Every setting of a service is an option too. Upper and lower case are alike, so are - and _, --x=y and --x y.",
            *_about_secrets("--encryption_key"),
        ]
    )


def _help_of_a_service(template: Template) -> str:
    declared = template.settings().declared()
    variables = template.variables()
    needed = [name for name, setting in declared.items() if not variables[name].default and not setting.may_be_empty]
    lines = [
        *textwrap.wrap(template.introduction(), 100, break_on_hyphens=False),
        "",
        "  " + " ".join(["create_service", f"--service_name={template.service}", *(f"{option(n)}=..." for n in needed), "--add-service"]),
        "",
    ]
    for name, setting in declared.items():
        default = "needed" if name in needed else f"default: {variables[name].default or 'empty'}"
        lines += [f"  {option(name)}=... ({default}; allowed: {setting.allowed})", *_meaning(variables[name].meaning)]
    secrets = [name for name, setting in declared.items() if setting.secret]
    if secrets:
        lines += ["", *_about_secrets(option(secrets[0]))]
    return "\n".join([*lines, "", f"pimains help {template.service} tells all about it, create_service --help of the other options."])


def _about_secrets(example: str) -> list[str]:
    return [
        f"A secret on the command line can be seen in ps and stays in the shell's history: {example}=@FILE reads it",
        f"from a file, {example}=@- from standard input (line 1 of it).",
    ]

"""create_service: makes, changes, lists, shows, refreshes and removes service instances.

Exit codes: 0 done, 1 it could not be done, 2 asked wrongly; then nothing was written.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from pimains.core import paths, scan_directory, templates
from pimains.core.errors import Misused, PimainsError
from pimains.core.scan_directory import ServiceDirectory
from pimains.core.templates import Template
from pimains.create_service import arguments, beside, making, svscan
from pimains.create_service.arguments import Words


def main(words: list[str] | None = None) -> int:
    """Carry out `create_service WORDS`; returns the exit code."""
    try:
        return _carry_out(arguments.parse((sys.argv[1:] if words is None else words) or ["--help"]))
    except PimainsError as error:
        print(f"create_service: {error}", file=sys.stderr)
        return 2 if isinstance(error, Misused) else 1
    except BrokenPipeError:
        return 1
    except OSError as error:
        print(f"create_service: {_file_error(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("create_service: interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130


def _carry_out(words: Words) -> int:
    actions = [action for action in arguments.ACTIONS if action in words.own]
    if "help" in actions:
        name = words.own.get("service_name")
        from pimains.create_service import tables  # what only tells, making a service need not wait for

        print(tables.help_with(_template(name) if name else None))
        return 0
    if len(actions) != 1:
        choices = ", ".join(f"--{action}" for action in arguments.ACTIONS)
        raise Misused(f"--{actions[0]} and --{actions[1]}: one at a time" if actions else f"say what to do: one of {choices}")
    arguments.check_meaning(actions[0], words)
    if actions == ["demo"]:
        return _demo(words)
    servicedir = Path(words.own.get("servicedir") or scan_directory.SCAN_DIRECTORY).absolute()
    {"add-service": _add, "del-service": _delete, "list": _list, "show": _show, "refresh": _refresh}[actions[0]](words, servicedir)
    return 0


def _demo(words: Words) -> int:
    from pimains.house import demo  # nobody else needs it

    return demo.run(install="no-install" not in words.own, story="story" in words.own)


def _add(words: Words, servicedir: Path) -> None:
    name, template = _named(words, servicedir)
    given = arguments.settings_given(template, words)
    _need_daemontools()
    with making.locked(servicedir):
        instance = scan_directory.at(servicedir / name)
        if instance is not None:
            _change(instance, template, given, words)
            return
        if (servicedir / name).exists():
            raise PimainsError(f"{servicedir / name} is there already and was not made by create_service: choose another --instance=NAME")
        _check_place(template, name)
        given = {**template.settings().made_up(given), **given}
        settings = {each.name: given.get(each.name, each.default) for each in template.variables().values()}
        arguments.check_all(template, settings)
        _check_others(template, name, settings, servicedir)
        _finish_removal(servicedir / f".{name}")
        values = {**given, **making.environment(Path(words.own["root"]).absolute() if "root" in words.own else None)}
        kept = Path(words.own["restore"]) if "restore" in words.own else None
        instance = making.create(template, servicedir, name, values, down="down" in words.own, kept=kept)
    print(f"made {instance.path}; create_service{_in(servicedir)} --show={name} tells its settings")
    print(f"its log is {paths.log(instance.root) / name}/current")
    print(_when_it_starts(instance, servicedir, "down" in words.own or template.stays_down))
    for line in template.settings().advice(settings):
        print(line)


def _change(instance: ServiceDirectory, template: Template, given: dict[str, str], words: Words) -> None:
    if instance.service != template.service:
        raise Misused(f"--instance: {instance.name} is there already and is a {instance.service} (any other name)")
    present = {name: value or "" for name, value in instance.variables().items()}
    wanted = {name: given.get(name, present.get(name, "")) for name in template.variables()}
    if given:
        arguments.check_all(template, wanted)
        _check_others(template, instance.name, wanted, instance.path.parent)
    extra = {"PIMAINS_ROOT": str(Path(words.own["root"]).absolute())} if "root" in words.own else {}
    _give_back(instance, template, words)
    changed = making.change(instance, {**given, **extra})
    for name in changed:
        print(f"changed {instance.path}/variables/{name}")
    if "down" in words.own:
        making.keep_down(instance)
        print(f"{instance.name} stays down when supervise starts next; svc -d {instance.path} stops it now")
    if not changed:
        print(f"{instance.name} has these settings already")
    elif "apply" in words.own:
        import subprocess  # rarely needed, and slow to come

        subprocess.run(["svc", "-t", instance.path], check=False, cwd="/")  # it opens the present directory
        print(f"told {instance.name} to start again with them")
    else:
        print(f"svc -t {instance.path} applies it")


def _give_back(instance: ServiceDirectory, template: Template, words: Words) -> None:
    """What --restore has beside the settings, where the instance has nothing of that name."""
    for directory in beside.kept(Path(words.own["restore"]), template.settings().beside) if "restore" in words.own else ():
        to = instance.path / directory.name
        is_done = beside.give_back(directory, instance.path)
        print(f"made {to}" if is_done else f"{to} is there already and stays as it is; {directory} is not taken")


def _delete(words: Words, servicedir: Path) -> None:
    from pimains.create_service import removing  # nobody else needs it

    name = words.own.get("instance") or words.own.get("service_name")
    if not name:
        raise Misused("say which: --service_name=NAME or --instance=NAME")
    making.check_name(name)
    with making.locked(servicedir):
        instance = scan_directory.at(servicedir / name) or scan_directory.at(servicedir / f".{name}")
        if instance is None:
            if (servicedir / name).exists():
                raise PimainsError(f"{servicedir / name} was not made by create_service and is left alone")
            found = [each.name for each in scan_directory.found(servicedir)]
            raise arguments.unknown(name, f"no such instance in {servicedir}", found)
        root = f" --root={instance.root}" if instance.root else ""
        log, copy = paths.log(instance.root) / name, removing.remove(instance)
    print(f"removed {servicedir / name}; its log stays in {log}")
    print(f"its settings are kept in {copy}; this brings it back:")
    print(f"create_service{_in(servicedir)} --service_name={instance.service} --instance={name} --restore={copy}{root} --add-service")


def _list(words: Words, servicedir: Path) -> None:
    from pimains.create_service import tables

    print(tables.list_of(servicedir, "json" in words.own))


def _show(words: Words, servicedir: Path) -> None:
    from pimains.create_service import tables

    name = words.own["show"] or words.own.get("instance") or words.own.get("service_name")
    if not name:
        raise Misused("--show needs a name: --show=NAME, of an instance or a service")
    making.check_name(name)
    instance = scan_directory.at(servicedir / name)
    known = templates.all_of_them()
    service = instance.service if instance else name
    if service not in known:
        found = [each.name for each in scan_directory.found(servicedir)] if servicedir.is_dir() else []
        raise arguments.unknown(name, "there is no such service or instance", [*known, *(each for each in found if each not in known)])
    print(tables.settings_of(known[service], instance, "json" in words.own))


def _refresh(_words: Words, servicedir: Path) -> None:
    if not servicedir.is_dir():
        return
    known, troubles = templates.all_of_them(), []
    with making.locked(servicedir):
        for instance in scan_directory.found(servicedir):
            if (instance.path / "run").readlink().parent.parent != paths.service_templates():
                continue  # another checkout's
            if instance.service not in known:
                print(f"{instance.name}: there is no service {instance.service} any more; --del-service removes it")
                continue
            try:
                for line in making.refresh(instance, known[instance.service]):
                    print(f"{instance.name}: {line}")
            except OSError as error:
                troubles.append(f"{instance.name}: {_file_error(error)}")
    if troubles:
        raise PimainsError("; ".join(troubles))


def _named(words: Words, servicedir: Path) -> tuple[str, Template]:
    """The instance's name and its template; an existing instance need not be told its service."""
    service, name = words.own.get("service_name"), words.own.get("instance")
    if not service and name:
        instance = scan_directory.at(servicedir / name)
        service = instance.service if instance else None
    if not service:
        raise Misused(f"say which service: --service_name=NAME (there are: {', '.join(templates.all_of_them())})")
    template = _template(service)
    making.check_name(name or service)
    return name or service, template


def _check_place(template: Template, name: str) -> None:
    only_as = template.settings().only_as
    if only_as and name != only_as:
        raise Misused(f"--instance: {name!r} cannot be a {template.service}: a machine has one, called {only_as} (leave --instance out)")


def _check_others(template: Template, name: str, settings: Mapping[str, str], servicedir: Path) -> None:
    """Raises Misused where another instance has already what one of a machine has to itself."""
    why = template.settings().has_to_itself(settings)
    for each in scan_directory.found(servicedir) if why else ():
        if each.service != template.service or each.name == name:
            continue
        theirs = {setting: value or "" for setting, value in each.variables().items()}
        if template.settings().has_to_itself({**dict.fromkeys(settings, ""), **theirs}):
            setting, _, words = why.partition(": ")
            raise Misused(f"{arguments.option(setting)}: {each.name} is there already; {words}")


def _template(service: str) -> Template:
    template = templates.all_of_them().get(service)
    if template is None:
        raise arguments.unknown(service, "there is no such service", templates.all_of_them())
    return template


def _finish_removal(hidden: Path) -> None:
    leftover = scan_directory.at(hidden)
    if leftover is not None:
        from pimains.create_service import removing

        print(f"finishing the removal of the earlier {leftover.name}")
        removing.remove(leftover)


def _need_daemontools() -> None:
    if not any(os.access(Path(directory) / "multilog", os.X_OK) for directory in os.get_exec_path()):
        raise PimainsError("daemontools is not installed: apt install daemontools daemontools-run")


def _when_it_starts(instance: ServiceDirectory, servicedir: Path, down: bool) -> str:
    start = f"svc -u {instance.path} starts it" if down else "it starts within 5 s"
    if svscan.watches(servicedir):
        return start
    if servicedir == scan_directory.SCAN_DIRECTORY:
        return f"no svscan runs for {servicedir}: systemctl start daemontools-run (apt install daemontools-run); then {start}"
    return f"no svscan runs for {servicedir}: setsid svscan {servicedir} &; then {start}"


def _in(servicedir: Path) -> str:
    return "" if servicedir == scan_directory.SCAN_DIRECTORY else f" --servicedir={servicedir}"


def _file_error(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    hint = " (try it with sudo)" if isinstance(error, PermissionError) and os.geteuid() != 0 else ""
    return f"{where}{error.strerror}{hint}"


if __name__ == "__main__":
    sys.exit(main())

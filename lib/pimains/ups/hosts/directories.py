"""hosts/: a directory for each host, read all at once; one that is wrong keeps nobody from the others."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from pimains.core import templates
from pimains.core.errors import WrongSetting
from pimains.core.templates import Variable, first_line
from pimains.shared import variable_file
from pimains.ups.hosts.settings import HostSettings, is_name
from pimains.ups.plan import host_order
from pimains.ups.settings import names_of

HOSTS = "hosts"


class Hosts(NamedTuple):
    """`good` by name; `wrong`: one line for each of the others, with the file and what is allowed."""

    good: dict[str, HostSettings]
    wrong: dict[str, str]

    @property
    def after(self) -> dict[str, tuple[str, ...]]:
        """The good ones with whom they come up after, for plan/host_order; one that is wrong is waited for by nobody."""
        return {name: tuple(each for each in host.AFTER if each in self.good) for name, host in self.good.items()}


def read(instance: Path, upses: Collection[str] | None = None) -> Hosts:
    """The hosts of an instance, whose UPSes are called `upses` (None: as its settings have them); none where there is no directory."""
    good: dict[str, HostSettings] = {}
    wrong: dict[str, str] = {}
    try:
        found = directories(instance)
    except PermissionError:
        return Hosts({}, {HOSTS: f"{instance / HOSTS}: may not be read by the service's user (chmod 755)"})
    for directory in found:
        try:
            good[directory.name] = of(directory, values(directory))
        except WrongSetting as error:
            wrong[directory.name] = str(error)
    return _fitting(Hosts(good, wrong), upses_of(instance) if upses is None else upses)


def upses_of(instance: Path) -> list[str]:
    """What the UPSes of an instance are called; none where its settings are wrong."""
    try:
        return names_of(first_line((instance / "variables/UPS").read_text(encoding="utf-8", errors="replace")))
    except (OSError, ValueError):
        return []


def with_another(instance: Path, name: str, given: Mapping[str, str]) -> HostSettings:
    """The host `name` of the instance, if it had the values `given`. Raises WrongSetting also where it does not fit the others."""
    directory = instance / HOSTS / name
    host = of(directory, given)
    others = read(instance)
    known = {**others.good, name: host}
    wrong = {other: line for other, line in others.wrong.items() if other != name}
    found = _fitting(Hosts(known, wrong), upses_of(instance)).wrong
    if name in found:
        raise WrongSetting(found[name])
    return host


def of(directory: Path, given: Mapping[str, str]) -> HostSettings:
    """The host of that directory. Raises WrongSetting."""
    if not is_name(directory.name):
        raise WrongSetting(f"{directory}: {directory.name!r} is no name of a host (up to 40 of a-z 0-9 _ . -, first a letter or digit)")
    return HostSettings({**defaults(), **given}, directory)


def directories(instance: Path) -> list[Path]:
    """One for each host; what begins with a dot is one that is being made or removed."""
    there = instance / HOSTS
    found = sorted(there.iterdir()) if there.is_dir() else []
    return [each for each in found if each.is_dir() and not each.name.startswith(".")]


def values(directory: Path) -> dict[str, str]:
    """What is set there, by name. Raises WrongSetting for a file that cannot be read."""
    found = {}
    for name in HostSettings.declared():
        try:
            found[name] = first_line((directory / name).read_text(encoding="utf-8", errors="replace"))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise WrongSetting(f"{directory / name}: {(error.strerror or str(error)).lower()}") from None
    return found


def variables() -> dict[str, Variable]:
    """What a host may be told: default and meaning of each setting, by name."""
    return {name: _variable(name) for name in HostSettings.declared()}


def defaults() -> dict[str, str]:
    """The values of a host of which nothing is known."""
    return {name: each.default for name, each in variables().items()}


def _variable(name: str) -> Variable:
    file = templates.all_of_them()["ups"].directory / "host" / name
    return Variable(name, first_line(file.read_text(encoding="utf-8")), variable_file.meaning(file))


def _fitting(hosts: Hosts, upses: Collection[str]) -> Hosts:
    """Those whose AFTER or UPS names nobody, or whose AFTER goes round in a circle, are wrong, too."""
    wrong = dict(hosts.wrong)
    for name, host in hosts.good.items():
        if strange := [each for each in host.UPS if each not in upses]:
            there = ", ".join(upses) or "none that its setting UPS makes sense of"
            wrong[name] = str(host.wrong("UPS", f"there is no UPS {strange[0]} (there is: {there})"))
        if unknown := [each for each in host.AFTER if each not in hosts.good and each not in hosts.wrong]:
            there = ", ".join(sorted({*hosts.good, *hosts.wrong} - {name})) or "no other host"
            wrong[name] = str(host.wrong("AFTER", f"there is no host {unknown[0]} (there is: {there})"))
    good = {name: host for name, host in hosts.good.items() if name not in wrong}
    while circle := host_order.cycle({name: host.AFTER for name, host in good.items()}):
        for name in circle[1:]:
            wrong[name] = str(good.pop(name).wrong("AFTER", f"goes round in a circle: {' after '.join(circle)}"))
    return Hosts(good, wrong)

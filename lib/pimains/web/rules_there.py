"""The rules of this machine as their files have them: of which relay, made in which way, and what each says now.

/etc/pimains/rules/<n>.py, <n>.rule          root's, in RULES: they count more
/var/lib/pimains/rules/<n>.py, <n>.rule      made from blocks, and by a form, by rules itself
/run/pimains/rules/<n>.says, <n>.reason      what each says
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pimains.core import state
from pimains.core.errors import PimainsError, WrongSetting
from pimains.core.plan.text import one_line, shortened
from pimains.core.scan_directory import ServiceDirectory
from pimains.shared import settings_directory
from pimains.shared.relays import relay_settings, said

NONE, FORM, BLOCKS, BY_HAND, FORM_OF_ROOT = "none", "form", "blocks", "by_hand", "form_of_root"
KIND = "KIND"
_TEXT_LONGEST = 64 * 1024
_WORDS_LONGEST = 300


class Places(NamedTuple):
    """Where rules and relays of this machine are; None for a service that there is not."""

    rules: ServiceDirectory | None
    of_root: Path
    made: Path
    relays: Path | None
    run: Path


class RuleThere(NamedTuple):
    """The rule of a relay: `made` is one of NONE, FORM ... above, `kind` of a ready-made one.

    `besides` is the file that it wins over, "" if there is none.
    """

    number: int
    name: str
    made: str
    kind: str
    file: str
    besides: str

    @property
    def may_be_saved(self) -> bool:
        """Whether one that the page saves would count."""
        return self.made in (NONE, FORM, BLOCKS)


def places(instances: list[ServiceDirectory], run: Path, lib: Path) -> Places:
    """As the services there have it."""
    services = {each.service: each for each in instances}
    rules, relays = services.get("rules"), services.get(said.SERVICE)
    of_root = _variable(rules, "RULES") or "/etc/pimains/rules"
    its_relays = _variable(relays, "RELAYS")
    return Places(rules, Path(of_root), lib / "rules", Path(its_relays) if its_relays else None, run)


def _variable(service: ServiceDirectory | None, name: str) -> str:
    with suppress(PimainsError, OSError):
        return (service.variables().get(name) or "") if service else ""
    return ""


def look(there: Places) -> list[RuleThere]:
    """Of each relay that there is, or has a rule, in their order."""
    numbers = {int(each) for each in relay_settings.numbers(there.relays)} if there.relays else set()
    for directory in (there.of_root, there.made):
        with suppress(OSError):
            names = (name.removesuffix(".py").removesuffix(".rule") for name in os.listdir(directory) if name.endswith((".py", ".rule")))
            numbers |= {int(name) for name in names if relay_settings.is_number(name)}
    return [of(there, number) for number in sorted(numbers)]


def of(there: Places, number: int) -> RuleThere:
    """Of one relay."""
    name = relay_settings.name(there.relays / str(number)) if there.relays else ""
    files = [
        (path, made)
        for path, made in (
            (there.of_root / f"{number}.py", BY_HAND),
            (there.of_root / f"{number}.rule", FORM_OF_ROOT),
            (there.made / f"{number}.py", BLOCKS),
            (there.made / f"{number}.rule", FORM),
        )
        if path.exists()
    ]
    if not files:
        return RuleThere(number, name, NONE, "", "", "")
    path, made = files[0]
    kind = settings(path).get(KIND, "") if path.suffix == ".rule" else ""
    return RuleThere(number, name, made, kind, str(path), str(files[1][0]) if len(files) > 1 else "")


def settings(path: Path) -> dict[str, str]:
    """Those of a ready-made rule, as far as they can be read."""
    try:
        names = [name for name in os.listdir(path) if name.isupper()]
        return {name: one_line(value, _WORDS_LONGEST) for name, value in settings_directory.read(path, names).items()}
    except (OSError, WrongSetting):
        return {}


def text(path: Path) -> str:
    """Of a file that everybody may read; "" of another."""
    with suppress(OSError):
        found = state.with_status(path, _TEXT_LONGEST)
        if found and found[1].st_mode & stat.S_IROTH:
            return found[0]
    return ""


def told(there: Places, number: int, wall: float) -> dict[str, Any]:
    """What it says now, and how its relay is: None where nobody tells."""
    run = there.run / "rules"
    age = state.age(run / f"{number}.says", wall)
    return {
        "says": _line(run / f"{number}.says"),
        "reason": _line(run / f"{number}.reason"),
        "age_seconds": age,
        "state": _line(there.run / said.SERVICE / f"{number}.state"),
        "mode": _line(there.run / said.SERVICE / f"{number}.mode"),
    }


def _line(path: Path) -> str | None:
    found = state.read(path)
    return None if found is None else shortened(one_line(found), _WORDS_LONGEST)

"""Templates: the service directories below services/ that instances link to and whose variables they copy."""

import importlib
import re
from pathlib import Path
from typing import NamedTuple

from pimains.core import paths
from pimains.core.settings import Settings


class Variable(NamedTuple):
    """One file in a template's variables/: line 1 is the default, the lines after it say what it means."""

    name: str
    default: str
    meaning: str


class Template(NamedTuple):
    """One service, as pimains brings it."""

    service: str
    directory: Path

    @property
    def stays_down(self) -> bool:
        """Whether its instances are not started until somebody does so (svc -u)."""
        return (self.directory / "down").exists()

    def variables(self) -> dict[str, Variable]:
        """Its settings by name."""
        files = sorted(path for path in (self.directory / "variables").iterdir() if not path.name.startswith("."))
        return {path.name: Variable(path.name, *_split(path.read_text(encoding="utf-8"))) for path in files}

    def settings(self) -> type[Settings]:
        """The class that checks them: the only one that pimains.<service>.settings declares."""
        module = importlib.import_module(f"pimains.{self.service}.settings")
        (declared,) = {
            each
            for each in vars(module).values()
            if isinstance(each, type) and issubclass(each, Settings) and each.__module__ == module.__name__
        }
        return declared

    def secrets(self) -> set[str]:
        """The names of the settings that nobody but root may read."""
        return {name for name, setting in self.settings().declared().items() if setting.secret}

    def purpose(self) -> str:
        """What the service does, in one sentence: the title of its README.md, after `# name: `."""
        with self._readme.open(encoding="utf-8") as readme:
            return readme.readline().strip().partition(": ")[2]

    def introduction(self) -> str:
        """The first paragraph of its README.md, in one line."""
        return " ".join(_without_the_web(self._readme.read_text(encoding="utf-8")).split("\n\n")[1].split())

    def manual(self, settings: str) -> str:
        """Its README.md without the title, in Markdown, with `settings` as a chapter before the one about files.

        Pictures are left out. A link to another service's README.md becomes the name of its man page, one to another file its words.
        """
        _, _, text = _without_the_web(self._readme.read_text(encoding="utf-8")).partition("\n\n")
        before, files, after = text.partition("\n## Files\n")
        return f"{before}\n## Settings\n\n{settings.strip()}\n{files}{after}"

    @property
    def _readme(self) -> Path:
        return self.directory / "README.md"


def all_of_them() -> dict[str, Template]:
    """Every service there is, by name."""
    return {path.parent.name: Template(path.parent.name, path.parent) for path in sorted(paths.service_templates().glob("*/run"))}


def first_line(text: str) -> str:
    """The value in a variables file, as envdir reads it: line 1 without blanks at its end."""
    return _split(text)[0]


def _without_the_web(text: str) -> str:
    text = re.sub(r"^!\[(?:.+\n)+\n?", "", text, flags=re.MULTILINE)
    text = re.sub(r"\[[^\]]*\]\(\.\./([a-z0-9_-]+)/README\.md(?:#[^)]*)?\)", r"pimains-\1(8)", text)
    return re.sub(r"\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", text)


def _split(text: str) -> tuple[str, str]:
    value, _, meaning = text.partition("\n")
    return value.rstrip(), meaning.strip()

"""From what people save to the rule of a relay: checked, compiled, written beside the others, and told (shared/blocks/saving.py)."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from pimains.core import state
from pimains.core.errors import PimainsError
from pimains.core.instance import Instance
from pimains.core.plan.sentences import clock_was_set
from pimains.core.set_aside import own_directory
from pimains.core.troubles import Troubles
from pimains.rules.blocks import made_files
from pimains.rules.listed import make_for_group
from pimains.rules.rule_files import stamp
from pimains.shared.blocks import saving, table, workspace
from pimains.shared.blocks.saving import ACCEPTED, BLOCKS, CHANGED, CONFLICT, FAILED, NEWER, REFUSED, REMOVED, Result
from pimains.shared.blocks.workspace import Document, Wrong

_Stamp = tuple[int, ...]


class Making:
    """`rules` is the directory of root's, whose files count more. `look` again when something has changed there or here."""

    def __init__(self, me: Instance, rules: Path) -> None:
        self._me, self._rules = me, rules
        self._watch: state.Watch | None = None
        self._stamps: dict[int, tuple[_Stamp, tuple[_Stamp, ...]]] = {}  # of what waits, and of what was made, when they were looked at
        self._settled: set[int] = set()  # nothing changes there as long as these stay the same
        self._told: dict[int, Result] = {}
        self._troubles, self._notes = Troubles(me.complain, print), Troubles(print)
        made_files.clean(me.lib)
        self.watches()
        for name in os.listdir(me.run):
            if name.endswith(f".{BLOCKS}"):
                me.leave(name, None)

    def watches(self) -> tuple[state.Watch, ...]:
        """What to wait for; the directory that people write to is made anew should it be gone."""
        if self._watch is None:
            directory = self._me.lib / saving.WORKSPACES
            try:
                os.close(own_directory(directory))
                make_for_group(directory)
                os.close(own_directory(self._me.lib / saving.VERSIONS))
                self._watch = state.Watch(directory)
                self._troubles.look("workspaces", "")
            except OSError as error:
                self._troubles.look("workspaces", f"{directory}: {error.strerror}: nobody can save blocks")
        return () if self._watch is None else (self._watch,)

    def changed(self) -> bool:
        """Whether somebody has saved something; never waits."""
        names = self._watch.changed() if self._watch else set()
        if "." in names and self._watch:
            self._watch.close()
            self._watch = None
        return bool(names)

    def look(self) -> None:
        """Make what waits, and tell what has become of it."""
        self.watches()
        try:
            waiting = saving.numbers_waiting(self._me.lib)
            taken = [int(name) for name in os.listdir(self._me.lib / saving.VERSIONS) if name.isdecimal()]
        except FileNotFoundError:
            taken = []
        except OSError as error:
            self._troubles.look("look", f"{error.filename}: {error.strerror}")
            return
        self._troubles.look("look", "")
        for number in sorted({*waiting, *taken}):
            self._look_at(number)

    def close(self) -> None:
        """Watch nothing more."""
        if self._watch is not None:
            self._watch.close()

    def _look_at(self, number: int) -> None:
        waiting, lib = saving.waiting_path(self._me.lib, number), self._me.lib
        made = (directory / f"{number}{suffix}" for directory in (lib, self._rules) for suffix in (".py", ".rule"))
        now = stamp(waiting), tuple(stamp(path) for path in (*made, lib / saving.VERSIONS / str(number)))
        before = self._stamps.get(number)
        if now == before and number in self._settled:
            return
        self._stamps[number] = now
        self._settled.discard(number)
        try:
            content = saving.waiting(lib, number)
            if content is None:
                self._tell_of_what_is_made(number)
                return
            document = workspace.document(content)
            word, words = self._taken(number, content, document, is_new=before is not None and before[0] != now[0])
            found = Result(word, document.digest, words)
        except Wrong as wrong:
            found = Result(REFUSED, "", str(wrong))
        except OSError as error:
            found = Result(FAILED, "", (error.strerror or str(error)).lower())
        self._tell(number, found)
        if found.digest and found.word in (REFUSED, CONFLICT, CHANGED, NEWER):
            with suppress(OSError):
                saving.mark_seen(lib, number, found.digest)

    def _taken(self, number: int, content: dict[str, Any], document: Document, *, is_new: bool) -> tuple[str, str]:
        """What becomes of it, and why. Raises OSError for what cannot even be read."""
        if document.is_newer:
            return NEWER, f"it is made of blocks that came after set {table.SET}, which this pimains knows: it stays as it is"
        newest = max(saving.versions(self._me.lib, number), default=None)
        base = "" if newest is None or newest.is_removal else newest.digest
        edited = [path for path in made_files.of(self._me.lib, number) if not made_files.is_as_made(path)]
        if document.digest == base:
            if edited and not (is_new and document.overwrite):
                return CHANGED, _edited(edited[0])
            if not edited and made_files.of(self._me.lib, number):
                return ACCEPTED, self._besides(number)
            if not is_new:
                return CHANGED, "its rule was taken away by hand"
        elif not document.overwrite:
            if newest is not None and document.made_from != base:
                return CONFLICT, _conflict(document.made_from, base)
            if edited:
                return CHANGED, _edited(edited[0])
            kept = self._me.lib / saving.VERSIONS / str(number)
            are_lost = newest is None and document.made_from and (kept.is_dir() or not os.path.lexists(kept))
            if are_lost and made_files.of(self._me.lib, number) and not self._is_in_use(number, document):
                return CONFLICT, "the versions are lost, and another one is in use"
        return self._made(number, content, document, saving.current(self._me.lib, number) is not None and document.digest == base)

    def _is_in_use(self, number: int, document: Document) -> bool:
        """Whether the rule that is there would be made of it; also where none can be: `_made` tells why."""
        try:
            if document.workspace is None:
                return document.ready is not None and made_files.has_settings(self._me.lib, number, document.ready)
            from pimains.rules.blocks.compile import python_of

            return made_files.has_python(self._me.lib, number, python_of(workspace.read(document.workspace)))
        except Exception:
            return True

    def _made(self, number: int, content: dict[str, Any], document: Document, is_known: bool) -> tuple[str, str]:
        lib, wall = self._me.lib, self._me.clock.wall()
        saved = wall if clock_was_set(wall) else None
        try:
            if document.is_removal:
                is_there = bool(made_files.of(lib, number))
                if is_there:
                    made_files.remove(lib, number)
                if is_there or saving.current(lib, number) is not None:  # it may have been killed between these two
                    saving.add_version(lib, number, content, saved)
                state.remove(saving.waiting_path(lib, number))
                return REMOVED, ""
            if document.workspace is not None:
                from pimains.rules.blocks.compile import python_of  # half a megabyte, and seldom needed

                made_files.write_python(lib, number, python_of(workspace.read(document.workspace)))
            else:
                made_files.write_settings(lib, number, made_files.checked_settings(lib, number, document.ready or {}))
            if not is_known:
                saving.add_version(lib, number, content, saved)
        except Wrong as wrong:
            return REFUSED, str(wrong)
        except OSError as error:
            return FAILED, f"{lib}: {(error.strerror or str(error)).lower()}"
        except PimainsError as error:
            return FAILED, str(error)
        except Exception as error:  # the rules of other relays go on
            sys.excepthook(type(error), error, error.__traceback__)
            return REFUSED, "they met what nobody has foreseen; the log of rules has the traceback"
        print(f"rule {number} is made of what was saved for it")
        return ACCEPTED, self._besides(number)

    def _tell_of_what_is_made(self, number: int) -> None:
        """Nobody wants anything new."""
        current = saving.current(self._me.lib, number)
        if current is None:
            return
        files = made_files.of(self._me.lib, number)
        edited = [path for path in files if not made_files.is_as_made(path)]
        if edited or not files:
            words = _edited(edited[0]) if edited else "its rule was taken away by hand"
            self._tell(number, Result(CHANGED, current.digest, words))
        else:
            self._tell(number, Result(ACCEPTED, current.digest, self._besides(number)))

    def _besides(self, number: int) -> str:
        for path in (self._rules / f"{number}.py", self._rules / f"{number}.rule"):
            if os.path.lexists(path):
                return f"{path} is root's, and counts more"
        return ""

    def _tell(self, number: int, found: Result) -> None:
        if self._told.get(number) == found:
            if found.word != FAILED:
                self._settled.add(number)
            return
        trouble = "" if found.word in (ACCEPTED, REMOVED) else f"rule {number}: what was saved is {_IN_WORDS[found.word]}: {found.words}"
        self._notes.look(f"saved {number}", trouble)
        if self._me.leave(f"{number}.{BLOCKS}", found.line):
            self._told[number] = found


_IN_WORDS = {
    REFUSED: "refused",
    CONFLICT: "not taken",
    CHANGED: "not in use",
    NEWER: "not taken",
    FAILED: "not taken yet",
}


def _edited(path: Path) -> str:
    return f"{path} was edited by hand: it is not written over unless that is asked for"


def _conflict(made_from: str | None, base: str) -> str:
    if made_from is None:
        return "it does not say what it was made from, and there is a rule already: overwrite says that it may go"
    return "somebody else has saved another one since" if base else "somebody else has removed the rule since"

"""What somebody has saved for the rule of a relay, as JSON: a workspace of the editor, a ready-made rule, or that the rule is to go.

    {"format": 1, "set": 1, "workspace": {"blocks": {"languageVersion": 0, "blocks": [...]}, "variables": [{"name": "x", "id": "..."}]}}
    {"format": 1, "ready": {"KIND": "surplus", "VALUE": "house/P", "START_WATTS": "900"}}
    {"format": 1, "remove": true}

`workspace` is as Blockly 13 serialises it, `set` the number of the set of blocks (table.py) that it was made with. Beside it may stand
"made_from", the digest of what it was made from, "" where there was nothing, and "overwrite": true. All is read as a stranger's text.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pimains.core.errors import PimainsError
from pimains.shared.blocks import table
from pimains.shared.blocks.parts import HAT, LAST, THIS, VALUE, Block, OfRelay, OfVariable, Words, Written, quoted

FORMAT = 1
BYTES_MAX = 64 * 1024
BLOCKS_MAX = 500
DEEP_MAX = 40  # blocks within blocks
ROW_MAX = 200  # blocks one below the other
VARIABLES_MAX = 100
_COMMENT_LONGEST = 2000
_NAME_LONGEST = 100
_SETTINGS_MAX = 40
_SETTING = re.compile(r"[A-Z][A-Z_]{0,40}")
_SETTING_LONGEST = 200
_DIGEST = re.compile(r"[0-9a-f]{32}|")
_ABOUT = ("made_from", "overwrite")
_KEYS = {"workspace": {"format", "set", "workspace"}, "ready": {"format", "ready"}, "remove": {"format", "remove"}}
_OF_A_TEMPLATE = {"name", "purpose", "needs"}
_OF_A_WORKSPACE = {"blocks", "variables", "workspaceComments"}
_OF_A_BLOCK = {"type", "id", "x", "y", "fields", "inputs", "next", "icons", "enabled", "disabledReasons"}
_OF_ITS_LOOKS = {"collapsed", "deletable", "movable", "editable", "inline", "data"}


class Wrong(PimainsError):
    """It is no workspace, or one with something in it that is not in the table: one line; `block` is the id of the block, if it is one."""

    def __init__(self, words: str, block: str = "") -> None:
        super().__init__(words)
        self.block = block


class Document(NamedTuple):
    """What was saved: one of `workspace`, `ready` (a setting by its name) and `is_removal`; none of them where it `is_newer`.

    `made_from` is None where it does not say what it was made from.
    """

    workspace: dict[str, Any] | None
    ready: dict[str, str] | None
    is_removal: bool
    is_newer: bool
    made_from: str | None
    overwrite: bool
    digest: str


class Placed(NamedTuple):
    """A block in a workspace, with what is in it, as the table has it."""

    block: Block
    id: str
    fields: dict[str, Any]
    values: "dict[str, Placed]"
    statements: "dict[str, list[Placed]]"
    comment: str


class Workspace(NamedTuple):
    """`row` is what the rule does, None where there is no block `rule`; `loose`: so many blocks beside it do nothing."""

    row: list[Placed] | None
    comment: str
    loose: int
    variables: dict[str, str]


class Needs(NamedTuple):
    """What the blocks name that may not be there: values, files, hosts, and other relays by their numbers."""

    values: list[str]
    files: list[str]
    hosts: list[str]
    relays: list[str]


def digest(content: Mapping[str, Any]) -> str:
    """Of what was saved, whatever it was made from: two that are the same have the same one."""
    import hashlib  # brings OpenSSL along, two megabytes that a service without blocks need not have

    text = json.dumps({name: value for name, value in content.items() if name not in _ABOUT}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def content_of(data: bytes) -> dict[str, Any]:
    """The JSON object in a file that people write. Raises Wrong."""
    if len(data) > BYTES_MAX:
        raise Wrong(f"it is longer than {BYTES_MAX // 1024} KiB")
    return object_of(data)


def object_of(data: bytes) -> dict[str, Any]:
    """The JSON object in it, however long that is. Raises Wrong."""
    try:
        found = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise Wrong("it is no text in UTF-8") from None
    except RecursionError:
        raise Wrong("it is nested too deep") from None
    except ValueError as error:
        where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Wrong(f"it is no JSON{where}") from None
    if not isinstance(found, dict):
        raise Wrong("it is no JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Wrong(f"it says {quoted(twice)} twice")
    return found


def _no_number(text: str) -> None:
    raise Wrong(f"{text} is no number")


def document(content: Mapping[str, Any]) -> Document:
    """What it says, without a look into the workspace (`read`). Raises Wrong."""
    number, made_from, overwrite = content.get("format"), content.get("made_from"), content.get("overwrite", False)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise Wrong("it does not say its format: 1")
    if made_from is not None and (not isinstance(made_from, str) or not _DIGEST.fullmatch(made_from)):
        raise Wrong(f"made_from: {quoted(made_from)} is no digest")
    if not isinstance(overwrite, bool):
        raise Wrong(f"overwrite: {quoted(overwrite)} is not true or false")
    about = made_from, overwrite, digest(content)
    kinds = [kind for kind in _KEYS if kind in content]
    block_set = content.get("set")
    is_newer_set = isinstance(block_set, int) and not isinstance(block_set, bool) and block_set > table.SET
    if number > FORMAT or is_newer_set:
        return Document(None, None, False, True, *about)
    if len(kinds) != 1:
        raise Wrong(f"it has {'both ' + ' and '.join(kinds) if kinds else 'none of ' + ', '.join(_KEYS)}")
    strangers = [name for name in content if name not in _KEYS[kinds[0]] and name not in _ABOUT]
    if strangers:
        raise Wrong(f"it has {quoted(strangers[0])}, which nobody knows")
    if kinds[0] == "remove":
        if content["remove"] is not True:
            raise Wrong(f"remove: {quoted(content['remove'])} is not true")
        return Document(None, None, True, False, *about)
    if kinds[0] == "ready":
        return Document(None, _ready(content["ready"]), False, False, *about)
    if isinstance(block_set, bool) or not isinstance(block_set, int) or block_set < 1:
        raise Wrong("it does not say with which set of blocks it was made: 1")
    workspace = content["workspace"]
    if not isinstance(workspace, dict):
        raise Wrong("workspace: it is no JSON object")
    return Document(workspace, None, False, False, *about)


def _ready(given: object) -> dict[str, str]:
    if not isinstance(given, dict) or len(given) > _SETTINGS_MAX:
        raise Wrong("ready: these are no settings")
    for name, value in given.items():
        if not _SETTING.fullmatch(name):
            raise Wrong(f"ready: {quoted(name)} is no setting's name")
        if not isinstance(value, str) or len(value) > _SETTING_LONGEST or not value.isprintable():
            raise Wrong(f"ready: {name}: {quoted(value)} is no setting's value: a text of one line")
    return dict(given)


def read(workspace: Mapping[str, Any]) -> Workspace:
    """All blocks in it, each checked against the table. Raises Wrong."""
    return _Reading(workspace).read()


def needs(found: Workspace) -> Needs:
    """What its rule names; "*/CS" among the values is that of any instance."""
    by_kind: dict[str, list[str]] = {"value": [], "file": [], "host": [], "relay": []}
    for placed in all_of(found.row or []):
        for name, field in placed.block.fields.items():
            kind = "relay" if isinstance(field, OfRelay) else field.kind if isinstance(field, Written) else ""
            if kind in by_kind and placed.fields[name] not in (*by_kind[kind], THIS):
                by_kind[kind].append(placed.fields[name])
        by_kind["value"] += [each for each in _of_any(placed) if each not in by_kind["value"]]
    return Needs(by_kind["value"], by_kind["file"], by_kind["host"], sorted(by_kind["relay"], key=int))


def _of_any(placed: Placed) -> tuple[str, ...]:
    if placed.block.type == "charger":
        return ("*/CS",)
    if placed.block.type == "house_total":
        return ("*/PPV",) if placed.fields["WHAT"] == "PPVT" else ("*/PPV", "*/P")
    return ()


def begun_from(template: Mapping[str, Any], language: str) -> dict[str, Any]:
    """What an editor would save of a rule to begin with (services/rules/blocks), whose texts stand there in several languages."""
    return {name: in_language(content, language) for name, content in template.items() if name not in _OF_A_TEMPLATE}


def in_language(content: Any, language: str) -> Any:
    """What stands in several languages, however deep, in one of them."""
    if isinstance(content, dict):
        if content.keys() == set(Words._fields):
            return content.get(language, content["en"])
        return {name: in_language(each, language) for name, each in content.items()}
    return [in_language(each, language) for each in content] if isinstance(content, list) else content


def all_of(row: list[Placed]) -> Iterator[Placed]:
    """All blocks of a row, and those within them, in the order in which people read them."""
    for placed in row:
        yield placed
        for name in (part.name for part in placed.block.parts):
            yield from all_of(placed.statements.get(name, []))
            yield from all_of([placed.values[name]] if name in placed.values else [])


class _Reading:
    def __init__(self, workspace: Mapping[str, Any]) -> None:
        self._workspace = workspace
        self._variables: dict[str, str] = {}
        self._count = 0

    def read(self) -> Workspace:
        """Raises Wrong."""
        if strangers := sorted(self._workspace.keys() - _OF_A_WORKSPACE):
            raise Wrong(f"workspace: it has {quoted(strangers[0])}, which is not in the table")
        self._read_variables()
        blocks = self._workspace.get("blocks", {})
        tops = blocks.get("blocks", []) if isinstance(blocks, dict) else None
        if not isinstance(tops, list):
            raise Wrong("workspace: blocks: these are no blocks")
        rows, loose = [], 0
        for top in tops:
            before = self._count
            row = self._row(top, 0, may_be_value=True)
            if row and row[0].block.shape == HAT:
                rows.append(row[0])
            else:
                loose += self._count - before
        if len(rows) > 1:
            raise Wrong("there are two blocks rule: a relay has one", rows[1].id)
        if not rows:
            return Workspace(None, "", loose, self._variables)
        return Workspace(rows[0].statements["DO"], rows[0].comment, loose, self._variables)

    def _read_variables(self) -> None:
        variables = self._workspace.get("variables", [])
        if not isinstance(variables, list) or len(variables) > VARIABLES_MAX:
            raise Wrong(f"workspace: variables: these are no variables, or more than {VARIABLES_MAX}")
        for each in variables:
            if not isinstance(each, dict) or not each.keys() <= {"name", "id", "type"} or each.get("type", "") != "":
                raise Wrong(f"workspace: variables: {quoted(each)} is none")
            name, its_id = each.get("name"), each.get("id")
            if not isinstance(name, str) or not 0 < len(name) <= _NAME_LONGEST or not name.isprintable():
                raise Wrong(f"workspace: variables: {quoted(name)} is no name of one")
            if not isinstance(its_id, str) or its_id in self._variables:
                raise Wrong(f"workspace: variables: {name}: its id is none, or that of another")
            self._variables[its_id] = name

    def _row(self, first: object, deep: int, *, may_be_value: bool = False) -> list[Placed]:
        """The block, and those below it."""
        found: list[Placed] = []
        given, length = first, 0
        while given is not None:
            length += 1
            if not isinstance(given, dict):
                raise Wrong(f"{quoted(given)} is no block")
            placed = self._placed(given, deep)
            if length > ROW_MAX:
                raise Wrong(f"more than {ROW_MAX} blocks are one below the other", placed.id)
            following = self._following(given, placed)
            is_first = given is first
            if placed.block.shape == VALUE and not (may_be_value and is_first):
                raise Wrong(f"{placed.block.type}: it is a value, and does nothing by itself", placed.id)
            if placed.block.shape == HAT and not (may_be_value and is_first):
                raise Wrong(f"{placed.block.type}: it is within another block", placed.id)
            if _is_enabled(given):
                found.append(placed)
            given = following
        return found

    @staticmethod
    def _following(given: dict[str, Any], placed: Placed) -> object:
        if "next" not in given:
            return None
        connection = given["next"]
        if not isinstance(connection, dict) or not connection.keys() <= {"block", "shadow"}:
            raise Wrong(f"{placed.block.type}: next: {quoted(connection)} is no block", placed.id)
        following = connection.get("block", connection.get("shadow"))
        if following is not None and placed.block.shape in (LAST, VALUE, HAT):
            raise Wrong(f"{placed.block.type}: nothing can follow it", placed.id)
        return following

    def _placed(self, given: dict[str, Any], deep: int) -> Placed:
        self._count += 1
        if self._count > BLOCKS_MAX:
            raise Wrong(f"there are more than {BLOCKS_MAX} blocks")
        kind, its_id = given.get("type"), given.get("id", "")
        its_id = its_id if isinstance(its_id, str) else ""
        block = table.BLOCKS.get(kind) if isinstance(kind, str) else None
        if block is None:
            raise Wrong(f"{quoted(kind)} is no block of the table", its_id)
        if deep > DEEP_MAX:
            raise Wrong(f"{block.type}: it is nested deeper than {DEEP_MAX} blocks", its_id)
        if strangers := sorted(given.keys() - _OF_A_BLOCK - _OF_ITS_LOOKS):
            raise Wrong(f"{block.type}: it has {quoted(strangers[0])}, which is not in the table", its_id)
        fields = self._fields(block, its_id, given.get("fields", {}))
        values: dict[str, Placed] = {}
        statements: dict[str, list[Placed]] = {name: [] for name in block.statements}
        inputs = given.get("inputs", {})
        if not isinstance(inputs, dict):
            raise Wrong(f"{block.type}: inputs: {quoted(inputs)} is none", its_id)
        for name, connection in inputs.items():
            if name not in block.values and name not in block.statements:
                raise Wrong(f"{block.type}: it has no place {quoted(name)} for other blocks", its_id)
            if not isinstance(connection, dict) or not connection.keys() <= {"block", "shadow"}:
                raise Wrong(f"{block.type}: {name}: {quoted(connection)} is no block", its_id)
            inner = connection.get("block", connection.get("shadow"))
            if inner is None:
                continue
            if name in block.statements:
                statements[name] = self._row(inner, deep + 1)
            elif value := self._value(inner, deep + 1, f"{block.type}: {name}", its_id):
                values[name] = value
        return Placed(block, its_id, fields, values, statements, _comment(block, its_id, given.get("icons")))

    def _value(self, given: object, deep: int, where: str, outer: str) -> Placed | None:
        if not isinstance(given, dict):
            raise Wrong(f"{where}: {quoted(given)} is no block", outer)
        placed = self._placed(given, deep)
        if placed.block.shape != VALUE:
            raise Wrong(f"{where}: {placed.block.type} is no value", placed.id)
        self._following(given, placed)
        return placed if _is_enabled(given) else None

    def _fields(self, block: Block, its_id: str, given: object) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise Wrong(f"{block.type}: fields: {quoted(given)} is none", its_id)
        if strangers := sorted(given.keys() - block.fields.keys()):
            raise Wrong(f"{block.type}: it has no field {quoted(strangers[0])}", its_id)
        for name, field in block.fields.items():
            if name not in given:
                raise Wrong(f"{block.type}: it does not say its {name}", its_id)
            fault = field.fault(given[name])
            if not fault and isinstance(field, OfVariable) and given[name]["id"] not in self._variables:
                fault = f"{quoted(given[name]['id'])} is none of the variables"
            if fault:
                raise Wrong(f"{block.type}: {name}: {fault}", its_id)
        return dict(given)


def _is_enabled(given: Mapping[str, Any]) -> bool:
    return given.get("enabled", True) is not False and not given.get("disabledReasons")


def _comment(block: Block, its_id: str, icons: object) -> str:
    if icons is None:
        return ""
    if not isinstance(icons, dict) or not icons.keys() <= {"comment"}:
        raise Wrong(f"{block.type}: icons: {quoted(icons)} is no comment", its_id)
    comment = icons.get("comment", {})
    text = comment.get("text", "") if isinstance(comment, dict) else None
    if not isinstance(text, str) or len(text) > _COMMENT_LONGEST:
        raise Wrong(f"{block.type}: its comment is no text, or one of more than {_COMMENT_LONGEST} characters", its_id)
    return text

"""The closed set of blocks that a rule may consist of, as data, and the same as the editor (Blockly) wants to have it.

Whatever a workspace has that does not stand here is refused by its name. A block that is given other fields or places, or another
meaning, gets a new type, and SET a new number; a type that was ever in it stays: rules of years ago are made of it.
"""

from collections.abc import Iterable, Mapping

from pimains.shared.blocks.blocks_that_ask import OUTSIDE, RELAYS, TIMERS, TIMES, VALUES
from pimains.shared.blocks.blocks_that_decide import DECIDE, NUMBERS, RULE, TEXTS, VARIABLES
from pimains.shared.blocks.parts import (
    HAT,
    LAST,
    STATEMENT,
    THIS,
    VALUE,
    Amount,
    Block,
    Category,
    Choice,
    OfRelay,
    OfVariable,
    Part,
    Statements,
    Value,
    Words,
    Written,
)

SET = 1

CATEGORIES = (
    Category("rule", Words("Answer", "Antwort", "Réponse"), "#8a4b08"),
    Category("decide", Words("If and when", "Wenn und dann", "Si et alors"), "#2d5f8b"),
    Category("relay", Words("Relays", "Relais", "Relais"), "#9a2c3f"),
    Category("value", Words("Values", "Werte", "Valeurs"), "#1f6b4a"),
    Category("time", Words("Time and sun", "Zeit und Sonne", "Heure et soleil"), "#6a4a9c"),
    Category("timer", Words("Timers", "Zeitgeber", "Minuteurs"), "#7a3a7d"),
    Category("outside", Words("Files and hosts", "Dateien und Rechner", "Fichiers et machines"), "#4d5b66"),
    Category("number", Words("Numbers", "Zahlen", "Nombres"), "#3f4fa0"),
    Category("text", Words("Text", "Text", "Texte"), "#0f6470"),
    Category("variable", Words("Variables", "Variablen", "Variables"), "#8b3d63"),
)


BLOCKS: dict[str, Block] = {
    block.type: block for block in (*RULE, *DECIDE, *RELAYS, *VALUES, *TIMES, *TIMERS, *OUTSIDE, *NUMBERS, *TEXTS, *VARIABLES)
}
THIS_RELAY = Words("this relay", "dieses Relais", "ce relais")
_A_RELAY = Words("relay {}", "Relais {}", "relais {}")


def definitions(language: str, relays: Mapping[str, str]) -> list[dict[str, object]]:
    """For Blockly.common.createBlockDefinitionsFromJsonArray; `relays` are the names of all that are there or named, by their numbers.

    A field for a name is Blockly's field_input; its "pimains" tells of what kind ("value", "file", "host", "timer", "time", "text").
    """
    of_relays = [[THIS_RELAY.of(language), THIS]]
    for number in sorted(relays, key=int):
        of_relays.append([f"{_A_RELAY.of(language).format(number)} {relays[number]}".strip(), number])
    return [_definition(block, language, of_relays) for block in BLOCKS.values()]


def _definition(block: Block, language: str, relays: list[list[str]]) -> dict[str, object]:
    words, parts = block.words.of(language), list(block.parts)
    found: dict[str, object] = {"type": block.type, "tooltip": block.tip.of(language), "colour": _colour(block)}
    if block.shape == HAT:  # its first line has words alone
        found["args0"] = [{"type": "input_dummy"}, *(_argument(part, language, relays) for part in parts)]
    else:
        found["args0"] = [_argument(part, language, relays) for part in parts]
    found["message0"] = words
    if block.shape == VALUE:
        found["output"] = block.gives or None
        found["inputsInline"] = True
    if block.shape in (STATEMENT, LAST):
        found["previousStatement"] = None
    if block.shape == STATEMENT:
        found["nextStatement"] = None
    return found


def _argument(part: Part, language: str, relays: list[list[str]]) -> dict[str, object]:
    match part:
        case Choice(name, options):
            return {"type": "field_dropdown", "name": name, "options": [[words.of(language), value] for value, words in options]}
        case Amount(name, least, most, at_first, is_whole):
            return {
                "type": "field_number",
                "name": name,
                "value": at_first,
                "min": least,
                "max": most,
                **({"precision": 1} if is_whole else {}),
            }
        case Written(name, kind, at_first):
            return {"type": "field_input", "name": name, "text": at_first, "spellcheck": False, "pimains": kind}
        case OfRelay(name):
            return {"type": "field_dropdown", "name": name, "options": relays, "pimains": "relay"}
        case OfVariable(name):
            return {"type": "field_variable", "name": name, "variable": "x"}
        case Value(name, types):
            return {"type": "input_value", "name": name, "check": list(types)}
        case Statements(name):
            return {"type": "input_statement", "name": name}


def _colour(block: Block) -> str:
    return next(category.colour for category in CATEGORIES if category.name == block.category)


def toolbox(language: str) -> dict[str, object]:
    """For Blockly.inject: all blocks by their categories, each with what a new one has in it."""
    return {"kind": "categoryToolbox", "contents": [_drawer(category, language) for category in CATEGORIES]}


def _drawer(category: Category, language: str) -> dict[str, object]:
    found: dict[str, object] = {"kind": "category", "name": category.words.of(language), "colour": category.colour}
    if category.name == "variable":
        return {**found, "custom": "VARIABLE"}
    blocks = (block for block in BLOCKS.values() if block.category == category.name and block.shape != HAT)
    return {**found, "contents": [_in_drawer(block, language) for block in blocks]}


def _in_drawer(block: Block, language: str) -> dict[str, object]:
    return {"kind": "block", "type": block.type, "inputs": dict(_shadows(block.values.values(), language))}


def _shadows(values: Iterable[Value], language: str) -> Iterable[tuple[str, object]]:
    for value in values:
        if value.shadow is not None:
            kind, fields = value.shadow
            given = {name: field.of(language) if isinstance(field, Words) else field for name, field in fields.items()}
            yield value.name, {"shadow": {"type": kind, "fields": given}}


def first_workspace() -> dict[str, object]:
    """That of a relay without a rule: what begins one, which cannot be taken away."""
    start = {"type": "rule", "id": "rule", "x": 20, "y": 20, "deletable": False}
    return {"blocks": {"languageVersion": 0, "blocks": [start]}}

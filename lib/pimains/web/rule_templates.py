"""Rules to begin with, as workspaces of the editor: what PvMonit's fifteen examples are meant to do, with this house's own names of values.

Fourteen of them are services/rules/examples in blocks; tests/web/unit/test_rule_templates.py has them say the same.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pimains.shared.blocks.parts import THIS, Words

Json = dict[str, Any]
OTHER = "other"  # the editor puts another relay's number there
_VALUE = re.compile(r"(?!rules/|relays/)[A-Za-z0-9_@-][A-Za-z0-9_.@-]*/[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_OF_SERVICES = ("status", "alive", "error", "url")  # what every service tells of itself


class House(NamedTuple):
    """How values are called in this house, and in which language people read reasons."""

    language: str
    soc: str
    power: str


class Template(NamedTuple):
    """`needs` are the ends of the names of its values, such as SOC; `row` makes its blocks."""

    name: str
    title: Words
    needs: tuple[str, ...]
    needs_relay: bool
    row: Callable[[House], list[Json]]


def is_value_of_rules(name: str) -> bool:
    """Whether rules would ask for a state file that is called so."""
    return _VALUE.fullmatch(name) is not None and name.partition("/")[2] not in _OF_SERVICES


def all_of_them(language: str, values: Mapping[str, str], relays: Mapping[str, str]) -> list[Json]:
    """For the editor: each with its title, its workspace, and what it lacks here."""
    house = House(language, _named(values, "SOC", "vedirect.bmv/SOC"), _named(values, "P", "vedirect.bmv/P"))
    found = []
    for each in TEMPLATES:
        missing = [end for end in each.needs if not any(name.endswith(f"/{end}") for name in values)]
        if each.needs_relay and len(relays) < 2:
            missing.append(_ANOTHER_RELAY.of(language))
        found.append({"name": each.name, "title": each.title.of(language), "missing": missing, "workspace": workspace(each, house)})
    return found


def _named(values: Mapping[str, str], end: str, otherwise: str) -> str:
    found = sorted(name for name in values if name.endswith(f"/{end}"))
    return otherwise if otherwise in found or not found else found[0]


def workspace(template: Template, house: House) -> Json:
    """All that the editor would have saved."""
    rule = {"type": "rule", "x": 20, "y": 20, "deletable": False, "inputs": {"DO": {"block": _chained(template.row(house))}}}
    found: Json = {"blocks": {"languageVersion": 0, "blocks": [rule]}}
    _number(rule, 1)
    return found


def _number(block: Json, number: int) -> int:
    """An id for each, the same each time."""
    block["id"] = "rule" if number == 1 else f"b{number}"
    number += 1
    for each in [*block.get("inputs", {}).values(), *([block["next"]] if "next" in block else [])]:
        number = _number(each["block"], number)
    return number


def _chained(row: list[Json]) -> Json:
    """One below the other."""
    first, *rest = row
    return {**first, "next": {"block": _chained(rest)}} if rest else first


def _block(kind: str, fields: Json | None = None, **inputs: Any) -> Json:
    made: Json = {"type": kind}
    if fields:
        made["fields"] = fields
    if inputs:
        made["inputs"] = {name: {"block": _chained(each) if isinstance(each, list) else each} for name, each in inputs.items()}
    return made


def _n(number: float) -> Json:
    return _block("number", {"NUM": number})


def _s(text: str) -> Json:
    return _block("text", {"TEXT": text})


def _min(number: float) -> Json:
    return _block("duration", {"NUM": number, "UNIT": "min"})


def _turn(state: str, why: Json | str) -> Json:
    return _block("turn", {"STATE": state}, WHY=_s(why) if isinstance(why, str) else why)


def _keep(why: Json | str) -> Json:
    return _block("keep", WHY=_s(why) if isinstance(why, str) else why)


def _if(condition: Json, then: Json) -> Json:
    return _block("if", IF=condition, THEN=[then])


def _either(condition: Json, then: list[Json], otherwise: list[Json]) -> Json:
    return _block("if_else", IF=condition, THEN=then, ELSE=otherwise)


def _is(one: Json, sign: str, other: Json) -> Json:
    return _block("compare", {"OP": sign}, A=one, B=other)


def _and(one: Json, other: Json) -> Json:
    return _block("both", {"OP": "and"}, A=one, B=other)


def _or(one: Json, other: Json) -> Json:
    return _block("both", {"OP": "or"}, A=one, B=other)


def _value(name: str) -> Json:
    return _block("value", {"NAME": name})


def _relay_is(which: str, state: str) -> Json:
    return _block("relay_is", {"RELAY": which, "STATE": state})


def _seconds(which: str, what: str) -> Json:
    return _block("relay_seconds", {"RELAY": which, "WHAT": what})


def _charger(state: str = "absorbing_or_floating") -> Json:
    return _block("charger", {"STATE": state, "SECONDS": 60})


def _from_to(begin: str, end: str) -> Json:
    return _block("clock_between", {"FROM": begin, "TO": end})


def _summer() -> Json:
    return _block("month_between", {"FROM": "4", "TO": "9"})


def _present(name: str) -> Json:
    return _block("file_there", {"FILE": name})


def _answers(host: str) -> Json:
    return _block("host_answers", {"HOST": host, "UNKNOWN": "true"})


def _at_percent(house: House) -> Json:
    """ "the battery is at 93.5 %" """
    charge = _block("number_text", {"DECIMALS": "1"}, A=_value(house.soc))
    return _block("join3", A=_s(_BATTERY_AT.of(house.language)), B=charge, C=_s(" %"))


def _not_long_enough(house: House, minutes: int) -> Json:
    since = _is(_seconds(THIS, "on_for"), "lt", _min(minutes))
    return _if(_and(_relay_is(THIS, "on"), since), _turn("on", _NOT_LONG_ENOUGH.of(house.language).format(minutes)))


_ANOTHER_RELAY = Words("another relay", "ein weiteres Relais", "un autre relais")
_BATTERY_AT = Words("the battery is at ", "die Batterie hat ", "la batterie est à ")
_NOT_LONG_ENOUGH = Words("it has not been on for {} min", "es ist noch keine {} min ein", "il n'est pas allumé depuis {} min")
_IN_FLOAT = Words("the charger is in absorption or float", "der Laderegler ist in Absorption oder Erhaltung",
                  "le chargeur est en absorption ou float")  # fmt: skip
_NOT_IN_FLOAT = Words("the charger is not in absorption or float", "der Laderegler ist nicht in Absorption oder Erhaltung",
                      "le chargeur n'est pas en absorption ou float")  # fmt: skip
_FLOATS = Words("the charger floats", "der Laderegler hält die Ladung", "le chargeur est en float")
_NOT_FLOATS = Words("the charger does not float", "der Laderegler hält nicht die Ladung", "le chargeur n'est pas en float")
_OTHER_OFF = Words("the other one is off", "das andere ist aus", "l'autre est éteint")
_OTHER_ON = Words("the other one is on", "das andere ist ein", "l'autre est allumé")
_IS_TIME = Words("it is its time", "es ist seine Zeit", "c'est son heure")
_NO_TIME = Words("it is not its time", "es ist nicht seine Zeit", "ce n'est pas son heure")
_FILE = Words("there is a file guests", "es gibt eine Datei guests", "il y a un fichier guests")
_NO_FILE = Words("there is no file guests", "es gibt keine Datei guests", "il n'y a pas de fichier guests")


def _on_in_float(house: House) -> Json:
    return _if(_charger(), _turn("on", _IN_FLOAT.of(house.language)))


def _absorption_or_float(house: House) -> list[Json]:
    return [_on_in_float(house), _turn("off", _NOT_IN_FLOAT.of(house.language))]


def _once_on_20_minutes(house: House) -> list[Json]:
    return [_on_in_float(house), _not_long_enough(house, 20), _turn("off", _NOT_IN_FLOAT.of(house.language))]


def _hot_water(house: House) -> list[Json]:
    words, power = house.language, _value(house.power)
    charged = _is(power, "gt", _n(0))
    discharged = _and(_relay_is(THIS, "on"), _is(power, "lt", _n(0)))
    spare = _and(_and(_charger("floating"), _relay_is(THIS, "off")), charged)
    too_long = _block("held", {"NAME": "discharged"}, A=discharged, SECONDS=_min(1))
    long_enough = _block("held", {"NAME": "spare"}, A=spare, SECONDS=_min(5))
    takes = _block("join3", A=_s(Words("the battery takes ", "die Batterie nimmt ", "la batterie prend ").of(words)),
                   B=_block("number_text", {"DECIMALS": "0"}, A=power), C=_s(" W"))  # fmt: skip
    return [
        _if(_block("not", A=_charger("floating")), _turn("off", _NOT_FLOATS.of(words))),
        _either(
            _relay_is(THIS, "on"),
            [_if(too_long, _turn("off", takes)), _turn("on", takes)],
            [_if(long_enough, _turn("on", takes)), _turn("off", takes)],
        ),
    ]


def _with_another_floating(house: House) -> list[Json]:
    words = house.language
    return [
        _if(_relay_is(OTHER, "off"), _turn("off", _OTHER_OFF.of(words))),
        _either(_charger("floating"), [_turn("on", _FLOATS.of(words))], [_turn("off", _NOT_FLOATS.of(words))]),
    ]


def _after_another(house: House) -> list[Json]:
    words = house.language
    soon = Words("the other one came on less than 5 min ago", "das andere ging vor weniger als 5 min an",
                 "l'autre s'est allumé il y a moins de 5 min")  # fmt: skip
    now = Words("the other one came on more than 5 min ago", "das andere ging vor mehr als 5 min an",
                "l'autre s'est allumé il y a plus de 5 min")  # fmt: skip
    return [
        _if(_relay_is(OTHER, "off"), _turn("off", _OTHER_OFF.of(words))),
        _if(_is(_seconds(OTHER, "on_for"), "lt", _min(5)), _turn("off", soon.of(words))),
        _turn("on", now.of(words)),
    ]


def _once_another_has_finished(house: House) -> list[Json]:
    words = house.language
    done = Words("the other one has finished for today", "das andere ist für heute fertig", "l'autre a fini pour aujourd'hui")
    not_yet = Words("the other one has not run today", "das andere lief heute noch nicht", "l'autre n'a pas tourné aujourd'hui")
    went_off = _block("relay_today", {"RELAY": OTHER, "WHAT": "switched_off_today", "DAY": "calendar"})
    return [
        _if(_relay_is(OTHER, "on"), _turn("off", _OTHER_ON.of(words))),
        _either(went_off, [_turn("on", done.of(words))], [_turn("off", not_yet.of(words))]),
    ]


def _five_minutes_a_day(house: House) -> list[Json]:
    words = house.language
    done = Words("it has been on for 5 min today", "es war heute 5 min ein", "il a été allumé 5 min aujourd'hui")
    goes_on = Words("its 5 min of today go on", "seine 5 min von heute laufen", "ses 5 min du jour continuent")
    today = _block("relay_count", {"RELAY": THIS, "WHAT": "seconds_on_today", "DAY": "calendar"})
    return [
        _if(_is(today, "ge", _min(5)), _turn("off", done.of(words))),
        _if(_relay_is(THIS, "on"), _turn("on", goes_on.of(words))),
        *_absorption_or_float(house),
    ]


def _above_89(house: House) -> list[Json]:
    return [
        _either(_is(_value(house.soc), "gt", _n(89)), [_turn("on", _at_percent(house))], [_turn("off", _at_percent(house))]),
    ]


def _between_hours(house: House) -> list[Json]:
    words = house.language
    return [_either(_from_to("11:00", "18:00"), [_turn("on", _IS_TIME.of(words))], [_turn("off", _NO_TIME.of(words))])]


def _in_the_evening(house: House) -> list[Json]:
    words = house.language
    hour = _block("clock", {"WHAT": "hour"})
    return [_either(_is(hour, "ge", _n(18)), [_turn("on", _IS_TIME.of(words))], [_turn("off", _NO_TIME.of(words))])]


def _above_98(house: House) -> list[Json]:
    return [
        _if(_is(_value(house.soc), "gt", _n(98)), _turn("on", _at_percent(house))),
        _not_long_enough(house, 5),
        _turn("off", _at_percent(house)),
    ]


def _when_there_is_enough(house: House) -> list[Json]:
    words = house.language
    hours = _or(_and(_summer(), _from_to("11:00", "21:00")), _from_to("11:00", "19:00"))
    return [
        _not_long_enough(house, 5),
        _if(_relay_is(OTHER, "off"), _turn("off", _OTHER_OFF.of(words))),
        _on_in_float(house),
        _if(_and(hours, _is(_value(house.soc), "ge", _n(95))), _turn("on", _at_percent(house))),
        _turn("off", _at_percent(house)),
    ]


def _room_with_computers(house: House) -> list[Json]:
    words = house.language
    answers = Words("a computer answers, or nobody can tell", "ein Rechner antwortet, oder niemand weiß es",
                    "un ordinateur répond, ou personne ne sait")  # fmt: skip
    evening = Words("it is past the evening", "es ist schon Abend", "la soirée est passée")
    late = _either(_summer(), [_if(_from_to("21:00", "24:00"), _turn("off", evening.of(words)))],
                   [_if(_from_to("17:00", "24:00"), _turn("off", evening.of(words)))])  # fmt: skip
    may_run = _or(_answers("desk.lan"), _answers("laptop.lan"))
    charge = _value(house.soc)
    return [
        _if(_and(_present("computers"), _is(charge, "gt", _n(89))), _turn("on", _at_percent(house))),
        _not_long_enough(house, 10),
        _if(_and(_relay_is(THIS, "on"), may_run), _turn("on", answers.of(words))),
        late,
        _if(_is(charge, "le", _n(95)), _turn("off", _at_percent(house))),
        _on_in_float(house),
        _if(_from_to("12:00", "16:00"), _turn("on", _at_percent(house))),
        _keep(_at_percent(house)),
    ]


def _file_above_89(house: House) -> list[Json]:
    return [_if(_block("not", A=_present("guests")), _turn("off", _NO_FILE.of(house.language))), *_above_89(house)]


def _file(house: House) -> list[Json]:
    words = house.language
    return [_either(_present("guests"), [_turn("on", _FILE.of(words))], [_turn("off", _NO_FILE.of(words))])]


TEMPLATES = (
    Template("01", Words("While the battery is as good as full", "Solange die Batterie so gut wie voll ist",
                         "Tant que la batterie est presque pleine"), ("CS",), False, _absorption_or_float),
    Template("02", Words("The same, and then for 20 min at least", "Dasselbe, und dann mindestens 20 min",
                         "De même, et alors 20 min au moins"), ("CS",), False, _once_on_20_minutes),
    Template("03", Words("Hot water from what would be lost", "Warmwasser aus dem, was verloren ginge",
                         "Eau chaude avec ce qui serait perdu"), ("CS", "P"), False, _hot_water),
    Template("04", Words("With another relay, while the charger floats", "Mit einem anderen Relais, solange der Laderegler erhält",
                         "Avec un autre relais, tant que le chargeur est en float"), ("CS",), True, _with_another_floating),
    Template("05", Words("From 5 min after another relay came on", "Ab 5 min nach einem anderen Relais",
                         "À partir de 5 min après un autre relais"), (), True, _after_another),
    Template("06", Words("Once another relay has finished", "Sobald ein anderes Relais fertig ist",
                         "Dès qu'un autre relais a fini"), (), True, _once_another_has_finished),
    Template("07", Words("5 min once a day when the battery is full", "Einmal am Tag 5 min, wenn die Batterie voll ist",
                         "5 min une fois par jour quand la batterie est pleine"), ("CS",), False, _five_minutes_a_day),
    Template("08", Words("Above 89 % of charge", "Über 89 % Ladestand", "Au-dessus de 89 % de charge"), ("SOC",), False, _above_89),
    Template("09", Words("From 11 h to 18 h", "Von 11 bis 18 Uhr", "De 11 h à 18 h"), (), False, _between_hours),
    Template("10", Words("Above 98 %, and then for 5 min at least", "Über 98 %, und dann mindestens 5 min",
                         "Au-dessus de 98 %, et alors 5 min au moins"), ("SOC",), False, _above_98),
    Template("11", Words("With another relay, when there is enough", "Mit einem anderen Relais, wenn genug da ist",
                         "Avec un autre relais, quand il y en a assez"), ("SOC", "CS"), True, _when_there_is_enough),
    Template("12", Words("A room with computers", "Ein Raum mit Computern", "Une pièce avec des ordinateurs"),
             ("SOC", "CS"), False, _room_with_computers),
    Template("13", Words("By a file, above 89 % of charge", "Durch eine Datei, über 89 % Ladestand",
                         "Par un fichier, au-dessus de 89 %"), ("SOC",), False, _file_above_89),
    Template("14", Words("By a file", "Durch eine Datei", "Par un fichier"), (), False, _file),
    Template("15", Words("In the evening", "Am Abend", "Le soir"), (), False, _in_the_evening),
)  # fmt: skip

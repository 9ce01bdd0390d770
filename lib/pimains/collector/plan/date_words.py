"""Dates with words in English, German and French, as spreadsheets have them: `Do, 1. Januar 2026`, `01-Jan-2026`, `2:30 PM`."""

import re

_MONTHS = (
    "january januar janvier jänner jan janv",
    "february februar février fevrier feb févr",
    "march märz mars maerz mar mrz mär",
    "april avril apr avr",
    "may mai",
    "june juni juin jun",
    "july juli juillet jul juil",
    "august août aout aug",
    "september septembre sep sept",
    "october oktober octobre oct okt",
    "november novembre nov",
    "december dezember décembre decembre dec dez déc",
)
_MONTH = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
_WEEKDAYS = (
    "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun",
    "montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag mo di mi do fr sa so",
    "lundi mardi mercredi jeudi vendredi samedi dimanche lun mar mer jeu ven sam dim",
)
_IS_WEEKDAY = {name for names in _WEEKDAYS for name in names.split()}
_A_WORD = re.compile(r"[^\W\d_]{2}|[AaPp]\.[Mm]")
_WEEKDAY = re.compile(r"([^\W\d_]{2,10})\.?,? +(?=[0-9]{1,2}[. /-]|[0-9]{4}-|[^\W\d_]{3})(.+)")
_DAY_OF_MONTH = re.compile(r"([0-3]?[0-9])(?:\. ?|[ -])([^\W\d_]{3,9})\.?[ -]([0-9]{4})\b(.*)")
_MONTH_AND_DAY = re.compile(r"([^\W\d_]{3,9})\.? ([0-3]?[0-9]), ?([0-9]{4})\b(.*)")
_MONTH_OF_YEAR = re.compile(r"([^\W\d_]{3,9})\.?[ -]([0-9]{4})")
_TWELVE_HOURS = re.compile(r"(.*[ T])(0?[1-9]|1[0-2])(:[0-5][0-9](?::[0-5][0-9])?) ?([AP])\.?M\.?", re.IGNORECASE)


def in_numbers(text: str) -> str:
    """The same date or month as 1.1.2026 or 2026-01, its hours up to 24; a text that has no such words as it is."""
    if not _A_WORD.search(text):
        return text
    if (found := _WEEKDAY.fullmatch(text)) and found[1].lower() in _IS_WEEKDAY:
        text = found[2]
    if found := _TWELVE_HOURS.fullmatch(text):
        hour = int(found[2]) % 12 + 12 * (found[4].upper() == "P")
        text = f"{found[1]}{hour:02}{found[3]}"
    if (found := _DAY_OF_MONTH.fullmatch(text)) and (month := _MONTH.get(found[2].lower())):
        return f"{found[1]}.{month}.{found[3]}{found[4]}"
    if (found := _MONTH_AND_DAY.fullmatch(text)) and (month := _MONTH.get(found[1].lower())):
        return f"{found[2]}.{month}.{found[3]}{found[4]}"
    if (found := _MONTH_OF_YEAR.fullmatch(text)) and (month := _MONTH.get(found[1].lower())):
        return f"{found[2]}-{month:02}"
    return text

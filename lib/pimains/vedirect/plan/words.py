"""What the numbers of VE.Direct's enumerations mean (Victron's "VE.Direct Protocol"; those it calls bits are several at a time)."""

_SWITCH = {0: "off", 1: "on"}

_OFF_REASONS = {
    0x001: "no input power",
    0x002: "switched off at its power switch",
    0x004: "switched off by a setting",
    0x008: "switched off by its remote input",
    0x010: "protection active",
    0x020: "pay-as-you-go credit used up",
    0x040: "switched off by the BMS",
    0x080: "engine is not running",
    0x100: "analysing its input voltage",
}

_ALARMS = {
    0x0001: "low voltage",
    0x0002: "high voltage",
    0x0004: "low state of charge",
    0x0008: "low starter voltage",
    0x0010: "high starter voltage",
    0x0020: "low temperature",
    0x0040: "high temperature",
    0x0080: "mid-point voltage",
    0x0100: "overload",
    0x0200: "DC ripple",
    0x0400: "low AC voltage",
    0x0800: "high AC voltage",
    0x1000: "short circuit",
    0x2000: "locked out by the BMS",
}

_ERRORS = {
    0: "no error",
    2: "battery voltage too high",
    17: "charger too hot",
    18: "charger current too high",
    19: "charger current reversed",
    20: "bulk took too long",
    21: "current sensor broken",
    26: "terminals too hot",
    28: "converter broken",
    33: "panel voltage too high",
    34: "panel current too high",
    38: "panels shut off: battery voltage too high",
    39: "panels shut off: current while off",
    65: "another device is lost",
    66: "devices that charge together are not set alike",
    67: "BMS lost",
    68: "network set wrongly",
    116: "factory calibration lost",
    117: "firmware of another device",
    119: "settings not valid",
}

_BITS = {"AR": ("no alarm", _ALARMS), "WARN": ("no warning", _ALARMS), "OR": ("not off", _OFF_REASONS)}

ENUMERATIONS: dict[str, dict[int, str]] = {
    "CS": {
        0: "off",
        1: "low power",
        2: "fault",
        3: "bulk",
        4: "absorption",
        5: "float",
        6: "storage",
        7: "equalize (manual)",
        9: "inverting",
        11: "power supply",
        245: "starting up",
        246: "repeated absorption",
        247: "auto equalize",
        248: "BatterySafe",
        252: "external control",
    },
    "MPPT": {0: "off", 1: "limited by voltage or current", 2: "tracking the maximum"},
    "MODE": {1: "charger", 2: "inverter", 4: "off", 5: "eco", 253: "hibernating"},
    "ERR": _ERRORS,
    "MON": {0: "battery monitor"},
    "Alarm": _SWITCH,
    "Relay": _SWITCH,
    "LOAD": _SWITCH,
    **{label: meanings for label, (_, meanings) in _BITS.items()},
}


def of(label: str, number: int) -> str:
    """The words of the enumeration `label` for `number`; bits with commas between them; "unknown (13)" for what no paper tells."""
    if label not in _BITS:
        return ENUMERATIONS[label].get(number, f"unknown ({number})")
    none, meanings = _BITS[label]
    bits = [1 << place for place in range(32) if number >> place & 1]
    return ", ".join(meanings.get(bit, f"unknown ({bit:#x})") for bit in bits) or none


def kind(pid: str, model: str) -> str:
    """What a device is, by its product id (such as 0xA053) and what it calls itself (`BMV`)."""
    if model:
        return model if model.upper().startswith(("BMV", "SMARTSHUNT")) else f"BMV-{model}"
    try:
        number = int(pid, 16)
    except ValueError:
        return "device"
    if 0x200 <= number < 0x210 or 0xA380 <= number < 0xA390:
        return "battery monitor"
    if number == 0x300 or 0xA040 <= number < 0xA100:
        return "solar charger"
    if 0xA200 <= number < 0xA300:
        return "inverter"
    return "charger" if 0xA300 <= number < 0xA380 else "device"

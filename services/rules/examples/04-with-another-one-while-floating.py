"""On while relay 1 is on and the charger floats."""

OTHER = 1


def rule(relay, data, relays, now):
    if not relays[OTHER].on:
        return OFF, f"relay {OTHER} is off"
    if relay.floating(within=60):
        return ON, f"relay {OTHER} is on, and the charger floats"
    return OFF, "the charger does not float"

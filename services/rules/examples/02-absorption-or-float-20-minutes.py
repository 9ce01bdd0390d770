"""On while the charger is in absorption or float, and once on for at least 20 minutes.

Without code: pimains rule add 3 --kind=float, and 20min in MIN_ON of the relay, which no rule can cut.
"""

LEAST = 20 * 60


def rule(relay, data, relays, now):
    if relay.absorbing_or_floating(within=60):
        return ON, "the charger is in absorption or float"
    if relay.on and relay.on_for < LEAST:
        return ON, "it has not been on for 20 min"
    return OFF, "the charger is not in absorption or float"

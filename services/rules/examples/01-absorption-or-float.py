"""On while the charger is in absorption or float: the battery is as good as full, and the sun gives more than is used.

Without code: pimains rule add 3 --kind=float
"""


def rule(relay, data, relays, now):
    if relay.absorbing_or_floating(within=60):
        return ON, "the charger is in absorption or float"
    return OFF, "the charger is not in absorption or float"

"""On while the charger floats and the battery is not being discharged: hot water from what would be lost.

Without code: pimains rule add 3 --kind=float --state=float --value=vedirect.bmv/P
"""


def rule(relay, data, relays, now):
    power = data["vedirect.bmv/P"]
    floats = relay.floating(within=60)
    spare_for = held("spare", floats and not relay.on and power > 0)
    discharged_for = held("discharged", relay.on and power < 0)
    if not floats:
        return OFF, "the charger does not float"
    if relay.on:
        return (OFF if discharged_for > 60 else ON), f"the charger floats, and the battery takes {power:.0f} W"
    return (ON if spare_for > 5 * 60 else OFF), f"the charger floats, and the battery takes {power:.0f} W"

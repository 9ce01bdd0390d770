"""On above 98 % of charge, and once on for at least 5 minutes, which MIN_ON of the relay can do as well."""

ABOVE, LEAST = 98, 5 * 60


def rule(relay, data, relays, now):
    soc = data["vedirect.bmv/SOC"]
    if soc > ABOVE:
        return ON, f"the battery is at {soc:.1f} %"
    if relay.on and relay.on_for < LEAST:
        return ON, "it has not been on for 5 min"
    return OFF, f"the battery is at {soc:.1f} %"

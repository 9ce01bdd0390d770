"""On above 89 % of charge. MIN_ON and MIN_OFF of the relay keep it from going on and off at that mark."""

ABOVE = 89


def rule(relay, data, relays, now):
    soc = data["vedirect.bmv/SOC"]
    return (ON if soc > ABOVE else OFF), f"the battery is at {soc:.1f} %"

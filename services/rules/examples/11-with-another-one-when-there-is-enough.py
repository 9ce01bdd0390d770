"""While relay 1 is on: on when the charger is in absorption or float, or from 95 % of charge between 11 h and 19 h, 21 h in summer.

Once on, it is so for at least 5 minutes, whatever relay 1 does.
"""

OTHER, LEAST, ENOUGH = 1, 5 * 60, 95


def rule(relay, data, relays, now):
    if relay.on and relay.on_for < LEAST:
        return ON, "it has not been on for 5 min"
    if not relays[OTHER].on:
        return OFF, f"relay {OTHER} is off"
    if relay.absorbing_or_floating(within=60):
        return ON, "the charger is in absorption or float"
    if now is None:
        return KEEP, "the clock was not set yet"
    soc = data["vedirect.bmv/SOC"]
    last = 21 if 4 <= now.month <= 9 else 19
    if 11 <= now.hour < last and soc >= ENOUGH:
        return ON, f"the battery is at {soc:.1f} %, and it is before {last} h"
    return OFF, f"the battery is at {soc:.1f} %, and it is {now.hour}:{now.minute:02}"

"""Five minutes once a day, when the charger is in absorption or float.

Without code: pimains rule add 3 --kind=daily --minutes=5 --from=0:00 --to=24:00 --when=float --must=0
"""

LONG = 5 * 60


def rule(relay, data, relays, now):
    if now is None:
        return KEEP, "the clock was not set yet"
    if relay.seconds_on_today() >= LONG:
        return OFF, "it has been on for 5 min today"
    if relay.on:
        return ON, "its 5 min of today go on"
    if relay.absorbing_or_floating(within=60):
        return ON, "the charger is in absorption or float"
    return OFF, "the charger is not in absorption or float"

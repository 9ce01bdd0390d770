"""On from five minutes after relay 1 came on, as long as that is on.

Without code: pimains rule add 3 --kind=after --relay=1 --seconds=5min
"""

OTHER, AFTER = 1, 5 * 60


def rule(relay, data, relays, now):
    other = relays[OTHER]
    if not other.on:
        return OFF, f"relay {OTHER} is off"
    if other.on_for < AFTER:
        return OFF, f"relay {OTHER} came on less than 5 min ago"
    return ON, f"relay {OTHER} came on more than 5 min ago"

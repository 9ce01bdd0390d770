"""On once relay 1 has come on and gone off again today: it has finished, and it is our turn.

Without code: pimains rule add 3 --kind=after --relay=1 --when=finished --seconds=0
"""

OTHER = 1


def rule(relay, data, relays, now):
    other = relays[OTHER]
    if other.on:
        return OFF, f"relay {OTHER} is on"
    if other.switched_off_today():
        return ON, f"relay {OTHER} has finished for today"
    return OFF, f"relay {OTHER} has not run today"

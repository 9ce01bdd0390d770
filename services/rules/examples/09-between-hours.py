"""On between 11 h and 18 h.

Without code: pimains rule add 3 --kind=schedule --times=11:00-18:00
"""


def rule(relay, data, relays, now):
    if now is None:
        return KEEP, "the clock was not set yet"
    return (ON if 11 <= now.hour < 18 else OFF), "it is on from 11 h to 18 h"

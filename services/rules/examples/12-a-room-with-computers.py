"""A room with computers, which nobody wants to lose their power while they run.

On when the charger is in absorption or float, or from 12 h to 16 h above 95 % of charge. Off at 95 % or less, or from 17 h on, in summer
21 h; but never while one of the computers answers, and never within 10 minutes. A file called computers, such as somebody who comes in
puts there, turns it on above 89 %. The computers have to be in HOSTS of the rules service, the file in RULES_FILES.
"""

COMPUTERS = ("desk.lan", "laptop.lan")
LEAST, ENOUGH, ENOUGH_FOR_A_FILE = 10 * 60, 95, 89


def may_be_running(host):
    try:
        return answers(host)
    except NotKnown:
        return True


def rule(relay, data, relays, now):
    if now is None:
        return KEEP, "the clock was not set yet"
    soc = data["vedirect.bmv/SOC"]
    words = f"the battery is at {soc:.1f} %"
    if present("computers") and soc > ENOUGH_FOR_A_FILE:
        return ON, f"there is a file computers, and {words}"
    if relay.on:
        if relay.on_for < LEAST:
            return ON, "it has not been on for 10 min"
        for host in COMPUTERS:
            if may_be_running(host):
                return ON, f"{host} answers, or nobody can tell"
    evening = 21 if 4 <= now.month <= 9 else 17
    if now.hour >= evening:
        return OFF, f"it is past {evening} h"
    if soc <= ENOUGH:
        return OFF, words
    if relay.absorbing_or_floating(within=60):
        return ON, "the charger is in absorption or float"
    if 12 <= now.hour < 16:
        return ON, f"{words}, and it is noon"
    return KEEP, words

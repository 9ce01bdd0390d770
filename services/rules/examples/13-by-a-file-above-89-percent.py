"""Only by a file called guests in RULES_FILES, above 89 % of charge.

Without code: pimains rule add 3 --kind=file --file=guests --soc=vedirect.bmv/SOC --soc_min=89
"""


def rule(relay, data, relays, now):
    if not present("guests"):
        return OFF, "there is no file guests"
    soc = data["vedirect.bmv/SOC"]
    return (ON if soc > 89 else OFF), f"there is a file guests, and the battery is at {soc:.1f} %"

"""Only by a file called guests in RULES_FILES.

Without code: pimains rule add 3 --kind=file --file=guests
"""


def rule(relay, data, relays, now):
    if present("guests"):
        return ON, "there is a file guests"
    return OFF, "there is no file guests"
